"""64 MiB under both divisions, each way: rates, and the peak memory of wallet and safes.

`compact` is what the default policy does above 64 KiB; `shamir` divides the value itself whatever its
size. The ceiling moves as many bytes of each piece to and from five bare servers, without hashing, sealing
or dividing them, and commits once.
"""

import asyncio
import os
import statistics
import sys
from pathlib import Path

import msgspec

from benchmarks.bare.client import BareSafes
from benchmarks.figure import Figure, at_least, at_most
from benchmarks.large_wallet import ALL_SHAMIR, Outcome
from benchmarks.processes import peak_mb, run
from benchmarks.timing import seconds
from benchmarks.workbench import Workbench, safe_pids

VALUE_BYTES = 64 * 1024 * 1024
K = 3
SAFE_LIMIT_MB = 256
MAX_TIMES_VALUE = 4

_SCHEMES = (("compact", "threshold", -(-VALUE_BYTES // K), 60), ("shamir", ALL_SHAMIR, VALUE_BYTES, 25))


async def large_values(bench: Workbench) -> list[Figure]:
    """Every scheme, up and down."""
    figures: list[Figure] = []
    for scheme, policy, piece_bytes, least in _SCHEMES:
        figures += await _one_scheme(bench, scheme, policy, piece_bytes, least)
    peak = max(peak_mb(pid) for pid in safe_pids(bench.cluster))
    return [*figures, at_most("64 MiB, peak memory of a safe", peak, "MB", SAFE_LIMIT_MB)]


async def _one_scheme(
    bench: Workbench, scheme: str, policy: str, piece_bytes: int, least: float
) -> list[Figure]:
    bare = await bench.bare()
    rounds = [await _round(bench, bare, policy, piece_bytes) for _ in range(bench.turns(3))]
    up, down, bare_up, bare_down = (
        VALUE_BYTES / 1e6 / statistics.median(times)
        for times in zip(*(one[:4] for one in rounds), strict=True)
    )
    peak_up, peak_down = (max(one[position] for one in rounds) for position in (4, 5))
    limit = MAX_TIMES_VALUE * VALUE_BYTES // 10**6
    return [
        at_least(f"64 MiB {scheme}, backup", up, "MB/s", least, ("streams, one commit", bare_up)),
        at_least(f"64 MiB {scheme}, recovery", down, "MB/s", least, ("streams", bare_down)),
        at_most(f"64 MiB {scheme}, peak of the wallet, backup", peak_up, "MB", limit),
        at_most(f"64 MiB {scheme}, peak of the wallet, recovery", peak_down, "MB", limit),
    ]


async def _round(bench: Workbench, bare: BareSafes, policy: str, piece_bytes: int) -> tuple[float, ...]:
    """Seconds up, down, bare up, bare down; then the wallet's peaks up and down."""
    home = await bench.new_home()
    value_id = (await _wallet("add", home, str(VALUE_BYTES))).name
    content = os.urandom(piece_bytes)
    keys: list[bytes] = []

    async def send() -> None:
        keys.extend(await bare.put_stream(content))

    bare_up = await seconds(send)
    up = await _wallet("backup", home, policy, value_id)
    await _wallet("drop", home, value_id)
    bare_down = await seconds(lambda: bare.get_stream(keys))
    down = await _wallet("recover", home, up.name)
    return up.seconds, down.seconds, bare_up, bare_down, up.peak_mb, down.peak_mb


async def _wallet(step: str, home: Path, *rest: str) -> Outcome:
    command = [sys.executable, "-m", "benchmarks.large_wallet", step, str(home), *rest]
    return msgspec.json.decode(await asyncio.to_thread(run, command), type=Outcome)
