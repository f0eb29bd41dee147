"""`gf256` for long byte strings: numpy byte lanes, in chunks that stay in the processor's cache.

Same rules as `gf256`: the plan depends on public weights alone. This is the only module of the package that
imports numpy, and it is imported on first use, so that small commands start quickly. Numpy lets other
threads run meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from threshold.gf256_plan import SumPlan, plan_sum, plan_transform

CHUNK_BYTES = 128 * 1024
"""All arrays of 3 of 5 fit a second-level cache of 1 MiB; smaller chunks pay more for numpy's calls."""

_Bytes = NDArray[np.uint8]
_NINE = np.uint8(9)
_EIGHT = np.uint8(8)
_REDUCTION = np.uint8(0x1B)
_SHIFTS = tuple(np.uint8(8 - step) for step in range(5))
_FACTORS = tuple(np.uint8(1 << step) for step in range(5))


def combine_rows(weights: bytes, rows: Sequence[bytes]) -> bytes:
    """See `gf256.combine_rows`; here every row has at least one byte."""
    plan = plan_sum(weights)
    inputs = [np.frombuffer(row, np.uint8) for row in rows]
    length = len(inputs[0])
    work = np.empty((3 + len(rows), min(length, CHUNK_BYTES)), np.uint8)
    pieces = []
    for start in range(0, length, CHUNK_BYTES):
        chunk = [row[start : start + CHUNK_BYTES] for row in inputs]
        pieces.append(_weighted_sum(plan, chunk, work[:, : len(chunk[0])]).tobytes())
    return b"".join(pieces)


def transform_rows(matrix: Sequence[bytes], rows: Sequence[bytes]) -> list[bytes]:
    """See `gf256.transform_rows`; here every row has at least one byte."""
    plans = plan_transform(tuple(matrix))
    inputs = [np.frombuffer(row, np.uint8) for row in rows]
    length = len(inputs[0])
    work = np.empty((3 + len(matrix), min(length, CHUNK_BYTES)), np.uint8)
    pieces: list[list[bytes]] = [[] for _ in matrix]
    for start in range(0, length, CHUNK_BYTES):
        part = work[:, : min(CHUNK_BYTES, length - start)]
        addend, totals = part[2], part[3:]
        totals.fill(0)
        for row, steps in zip(inputs, plans, strict=True):
            np.copyto(addend, row[start : start + CHUNK_BYTES])
            for step, lines in steps:
                _multiply(addend, step, part)
                for line in lines:
                    np.bitwise_xor(totals[line], addend, out=totals[line])
        for line, total in enumerate(totals):
            pieces[line].append(total.tobytes())
    return [b"".join(line) for line in pieces]


def _weighted_sum(plan: SumPlan, rows: Sequence[_Bytes], work: _Bytes) -> _Bytes:
    """The sum over one chunk, in a line of `work`, whose other lines are scratch."""
    total: _Bytes = work[2]
    addends = list(rows)
    total.fill(0)
    if plan.base is not None:
        base = rows[plan.base]
        addends = [np.bitwise_xor(row, base, out=spare) for row, spare in zip(rows, work[3:], strict=True)]
        addends[plan.base] = base
    for step, added in plan.steps:
        _multiply(total, step, work)
        for index in added:
            np.bitwise_xor(total, addends[index], out=total)
    return total


def _multiply(lanes: _Bytes, step: int, scratch: _Bytes) -> None:
    """Times 2^step in place, step 0..4: what falls out comes back times 0x1b = (1 + 2)(1 + 8)."""
    if not step:
        return
    out, spare = scratch[0], scratch[1]
    np.right_shift(lanes, _SHIFTS[step], out=out)
    if step == 1:
        np.multiply(out, _REDUCTION, out=out)
    else:
        np.add(out, out, out=spare)
        np.bitwise_xor(out, spare, out=out)
        if step == 2:  # three bits wide: times 9 has no carries
            np.multiply(out, _NINE, out=out)
        else:
            np.multiply(out, _EIGHT, out=spare)
            np.bitwise_xor(out, spare, out=out)
    np.multiply(lanes, _FACTORS[step], out=lanes)
    np.bitwise_xor(lanes, out, out=lanes)
