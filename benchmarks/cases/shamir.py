"""Shamir over GF(2^8), 3 of 5, of 1 MiB, in a process of its own: what was freed before decides the speed.

Each result is larger than glibc's threshold for fresh pages, and a page fault costs more than dividing
what is on the page. A process that keeps freed memory is several times faster; both are shown.
The ceiling is one exclusive-or of two arrays: the cheapest thing that can be done to every byte.

    python -m benchmarks.cases.shamir fresh|kept       prints MB/s: exclusive-or, split, combine
"""

import asyncio
import os
import sys
from functools import partial
from itertools import combinations

import msgspec
import numpy as np

from benchmarks.figure import Figure, at_least
from benchmarks.processes import run
from benchmarks.threshold_speed import MIB, XS, K, seconds
from benchmarks.workbench import Workbench
from rpc_edge.process_memory import keep_freed_memory
from threshold import shamir
from threshold.randomness import SeededRandomness

SPLIT_MB_A_SECOND = 300
COMBINE_MB_A_SECOND = 1_000


class Rates(msgspec.Struct, frozen=True):
    """MB/s."""

    ceiling: float
    split: float
    combine: float


async def divide_and_combine(bench: Workbench) -> list[Figure]:
    """The targets, in a process that keeps freed memory as wallets and safes do; and in fresh pages."""
    kept, fresh = await _measured("kept"), await _measured("fresh")
    ceiling = ("exclusive-or", kept.ceiling)
    return [
        at_least("Shamir 1 MiB, split", kept.split, "MB/s", SPLIT_MB_A_SECOND, ceiling),
        at_least(
            "Shamir 1 MiB, combine, mean of all threes", kept.combine, "MB/s", COMBINE_MB_A_SECOND, ceiling
        ),
        Figure("  split into fresh pages", fresh.split, "MB/s", fresh.ceiling, "exclusive-or", "", None),
        Figure("  combine into fresh pages", fresh.combine, "MB/s", fresh.ceiling, "exclusive-or", "", None),
    ]


async def _measured(memory: str) -> Rates:
    command = [sys.executable, "-m", "benchmarks.cases.shamir", memory]
    return msgspec.json.decode(await asyncio.to_thread(run, command), type=Rates)


def _measure(memory: str) -> Rates:
    if memory == "kept":
        keep_freed_memory()
    secret, rng = os.urandom(MIB), SeededRandomness(os.urandom(32), b"benchmark")
    a, b = np.frombuffer(secret, np.uint8), np.zeros(MIB, np.uint8)
    shares = shamir.split(secret, K, XS, rng)
    threes = [seconds(partial(shamir.combine, three, K), 0.05) for three in combinations(shares, K)]
    times = (
        seconds(partial(np.bitwise_xor, a, b, out=b)),
        seconds(partial(shamir.split, secret, K, XS, rng)),
        sum(threes) / len(threes),
    )
    return Rates(*(MIB / 1e6 / taken for taken in times))


if __name__ == "__main__":
    print(msgspec.json.encode(_measure(sys.argv[1])).decode())
