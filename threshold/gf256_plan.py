"""Public arithmetic of GF(2^8)/0x11b, and the plans by which secret byte strings are multiplied and summed.

A plan depends on share indices alone, is computed once and remembered. It is a list of steps: multiply the
running value by 2^step, then add. Multiplying all bytes by 2^4 costs hardly more than by 2 (7 passes over
the data instead of 4), so bits that no weight has are skipped together.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

MAX_STEP = 4
"""The largest power of two multiplied at once: what falls out, times 0x1b, still fits a byte."""

_STEP_PASSES = (0, 4, 6, 7, 7)  # passes over the data by step, in `gf256_bulk`

Steps = tuple[tuple[int, tuple[int, ...]], ...]
"""(step 0..4, what to add after multiplying by 2^step), in order."""


class SumPlan(NamedTuple):
    """How to form a weighted sum of rows by Horner's rule over the bits of all weights at once.

    Attributes:
        base: when set, every other row is replaced by its difference from this one.
        steps: multiply the total, then add the rows of these indices.
    """

    base: int | None
    steps: Steps

    def passes(self) -> int:
        """The cost: how many times a byte of one row's length is touched."""
        differences = 0 if self.base is None else len({row for _, added in self.steps for row in added})
        return differences + sum(_STEP_PASSES[step] + len(added) for step, added in self.steps)


def multiply_public(a: int, b: int) -> int:
    """Product of two *public* field elements (0..255); its time depends on them."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = (a << 1) ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def invert_public(a: int) -> int:
    """Inverse of a *public* non-zero field element: a^254; zero gives zero."""
    result = 1
    for _ in range(7):  # 254 = 2 + 4 + ... + 128
        a = multiply_public(a, a)
        result = multiply_public(result, a)
    return result


@lru_cache(maxsize=4096)
def powers(x: int, count: int) -> bytes:
    """x^0 .. x^(count-1), a byte each: the weights of a polynomial's coefficients at x."""
    row = [1]
    for _ in range(count - 1):
        row.append(multiply_public(row[-1], x))
    return bytes(row)


@lru_cache(maxsize=4096)
def lagrange_weights(xs: tuple[int, ...], at: int) -> bytes:
    """The weights w with f(at) = sum of w_i f(xs_i) for every polynomial f of degree below len(xs).

    Args:
        xs: distinct field elements, 0..255.
        at: any field element, 0..255.
    """
    weights = []
    for i, x in enumerate(xs):
        numerator = denominator = 1
        for other in xs[:i] + xs[i + 1 :]:
            numerator = multiply_public(numerator, at ^ other)
            denominator = multiply_public(denominator, x ^ other)
        weights.append(multiply_public(numerator, invert_public(denominator)))
    return bytes(weights)


@lru_cache(maxsize=4096)
def plan_sum(weights: bytes) -> SumPlan:
    """The cheapest plan for the sum of weights[i] * row[i].

    Lagrange weights sum to 1, so one row may be the base of differences and keep the weight 1 alone.
    """
    plans = [SumPlan(None, _horner(weights))]
    whole = 0
    for weight in weights:
        whole ^= weight
    for base in range(len(weights)):
        plans.append(SumPlan(base, _horner(weights[:base] + bytes((whole,)) + weights[base + 1 :])))
    return min(plans, key=SumPlan.passes)


@lru_cache(maxsize=1024)
def plan_transform(matrix: tuple[bytes, ...]) -> tuple[Steps, ...]:
    """For each column: multiply the row step by step, and add it to the lines whose weight has that bit."""
    plans = []
    for column in range(len(matrix[0])):
        weights = [line[column] for line in matrix]
        bits = [bit for bit in range(8) if _having(weights, bit)]
        plans.append(_steps([(bit, _having(weights, bit)) for bit in bits]))
    return tuple(plans)


def _horner(weights: Sequence[int]) -> Steps:
    """From the highest bit any weight has down to bit 0; the additions of a bit come before its step."""
    bits = [bit for bit in range(7, -1, -1) if _having(weights, bit)]
    steps = _steps([(-bit, _having(weights, bit)) for bit in bits])
    return steps + _gap(bits[-1]) if bits else ()


def _having(weights: Sequence[int], bit: int) -> tuple[int, ...]:
    return tuple(index for index, weight in enumerate(weights) if weight >> bit & 1)


def _steps(additions: Sequence[tuple[int, tuple[int, ...]]]) -> Steps:
    """Turn (position, added) in rising order into steps; a row starts at bit 0, a total at its first bit."""
    steps: list[tuple[int, tuple[int, ...]]] = []
    position = min(additions[0][0], 0) if additions else 0
    for at, added in additions:
        *skipped, (step, _) = _gap(at - position) or ((0, ()),)
        steps += [*skipped, (step, added)]
        position = at
    return tuple(steps)


def _gap(distance: int) -> Steps:
    """Multiply by 2^distance, adding nothing."""
    whole, rest = divmod(distance, MAX_STEP)
    return ((MAX_STEP, ()),) * whole + (((rest, ()),) if rest else ())
