"""The field GF(2^8) with polynomial x^8 + x^4 + x^3 + x + 1 (0x11b), over whole byte strings at once.

Everything Shamir needs is one operation: public weights times secret byte strings, summed. Weights come
from share indices, which are public, so the schedule of operations (`gf256_plan`) may depend on them. The
byte strings are secret, so nothing else may: no table is indexed by them and no branch looks at them.

A byte string is one big integer with a byte per lane (this module) or, above 2 KiB, numpy lanes
(`gf256_bulk`); both follow the same plan and give the same bytes. Here a guard lane on top, never zero,
keeps Python from shortening an integer, and so its time, when leading bytes happen to be zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from threshold.gf256_plan import MAX_STEP, plan_sum, plan_transform

SMALL_BYTES = 2048  # above this numpy wins (benchmarks/threshold_speed.py)

Combine = Callable[[bytes, Sequence[bytes]], bytes]
Transform = Callable[[Sequence[bytes], Sequence[bytes]], list[bytes]]

# What the guard lane holds. Sums of a total and addends, or of a row and the base, are never zero there.
_TOTAL_GUARD = 0xC0
_ROW_GUARD = 0x01
_BASE_GUARD = 0x02


def combine_rows(weights: bytes, rows: Sequence[bytes]) -> bytes:
    """The byte-wise sum of weights[i] * rows[i].

    Args:
        weights: public, one byte per row.
        rows: Secret: at least one, equal lengths (0 and up).
    """
    if len(rows[0]) > SMALL_BYTES:
        from threshold import gf256_bulk

        return gf256_bulk.combine_rows(weights, rows)
    return combine_small(weights, rows)


def transform_rows(matrix: Sequence[bytes], rows: Sequence[bytes]) -> list[bytes]:
    """`combine_rows` for each line of a public matrix, sharing the multiplications between the lines."""
    if len(rows[0]) > SMALL_BYTES:
        from threshold import gf256_bulk

        return gf256_bulk.transform_rows(matrix, rows)
    return transform_small(matrix, rows)


def combine_small(weights: bytes, rows: Sequence[bytes]) -> bytes:
    """`combine_rows` with Python integers, for any length."""
    lanes = _lanes(len(rows[0]))
    plan = plan_sum(weights)
    addends = [lanes.load(row, _ROW_GUARD) for row in rows]
    total = lanes.total
    if plan.base is not None:
        base = lanes.load(rows[plan.base], _BASE_GUARD)
        addends = [addend ^ base for addend in addends]
        addends[plan.base] = base
    for step, added in plan.steps:
        if step:
            total = lanes.multiply(total, step)
        for index in added:
            total ^= addends[index]
    return lanes.store(total)


def transform_small(matrix: Sequence[bytes], rows: Sequence[bytes]) -> list[bytes]:
    """`transform_rows` with Python integers, for any length."""
    lanes = _lanes(len(rows[0]))
    totals = [lanes.load(bytes(lanes.length), _ROW_GUARD)] * len(matrix)
    for row, steps in zip(rows, plan_transform(tuple(matrix)), strict=True):
        addend = lanes.load(row, _TOTAL_GUARD)
        for step, lines in steps:
            if step:
                addend = lanes.multiply(addend, step)
            for line in lines:
                totals[line] ^= addend
    return [lanes.store(total) for total in totals]


class _Step(NamedTuple):
    """Masks for the multiplication by 2^step: what stays, what falls out, what mends the guard."""

    stay: int
    fall: int
    mend: int


class _Lanes(NamedTuple):
    """Integers with one byte lane for each of `length` bytes and the guard lane above them."""

    length: int
    total: int
    steps: tuple[_Step, ...]

    def load(self, row: bytes, guard: int) -> int:
        return int.from_bytes(bytes((guard,)) + row, "big")

    def store(self, lanes: int) -> bytes:
        return lanes.to_bytes(self.length + 1, "big")[1:]

    def multiply(self, lanes: int, step: int) -> int:
        """Times 2^step, step 1..4: the bits that fall out come back times 0x1b = (1 + 2)(1 + 8).

        The guard's bits 0x40 and 0x80 go in, 0xC0 comes out, and no intermediate is zero there.
        """
        stay, fall, mend = self.steps[step]
        out = (lanes & fall) >> (8 - step)
        out ^= out << 1
        out ^= out << 3
        return ((lanes & stay) << step) ^ out ^ mend


@lru_cache(maxsize=64)
def _lanes(length: int) -> _Lanes:
    """The masks for one length; public."""
    steps = tuple(_step(length, step) for step in range(MAX_STEP + 1))
    return _Lanes(length, _TOTAL_GUARD << (8 * length), steps)


def _step(length: int, step: int) -> _Step:
    stay = int.from_bytes(b"\x40" + bytes((0xFF >> step,)) * length, "big")
    fall = int.from_bytes(b"\x80" + bytes((0xFF & ~(0xFF >> step),)) * length, "big")
    guard_out = (0x40 << step) ^ (0x1B << step >> 1)  # the guard's own product, unreduced
    return _Step(stay, fall, (guard_out ^ _TOTAL_GUARD) << (8 * length))
