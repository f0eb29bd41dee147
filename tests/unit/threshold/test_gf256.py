"""The field, its plans, and the two ways to run them."""

from itertools import combinations

import pytest

from threshold import gf256, gf256_bulk, gf256_plan
from threshold.randomness import SeededRandomness


def slow_multiply(a: int, b: int) -> int:
    """Schoolbook product and long division, nothing shared with the code under test."""
    product = 0
    for bit in range(8):
        product ^= (a << bit) * (b >> bit & 1)
    for bit in range(14, 7, -1):
        product ^= (0x11B << (bit - 8)) * (product >> bit & 1)
    return product


def slow_combine(weights: bytes, rows: list[bytes]) -> bytes:
    out = bytearray(len(rows[0]))
    for weight, row in zip(weights, rows, strict=True):
        for position, value in enumerate(row):
            out[position] ^= slow_multiply(weight, value)
    return bytes(out)


def rows_of(length: int, count: int) -> list[bytes]:
    rng = SeededRandomness(bytes(32), b"rows")
    return [rng.read(length) for _ in range(count)]


EVERY_BYTE = bytes(range(256))


def test_all_65536_products_agree_with_long_division() -> None:
    """The public multiplication is the field's."""
    for a in range(256):
        assert [gf256_plan.multiply_public(a, b) for b in range(256)] == [
            slow_multiply(a, b) for b in range(256)
        ]


def test_every_inverse_times_its_element_is_one_and_zero_stays_zero() -> None:
    """a^254 is the inverse."""
    assert gf256_plan.invert_public(0) == 0
    assert {gf256_plan.multiply_public(a, gf256_plan.invert_public(a)) for a in range(1, 256)} == {1}


@pytest.mark.parametrize("combine", [gf256.combine_small, gf256_bulk.combine_rows], ids=["integer", "numpy"])
def test_one_row_of_every_byte_by_every_weight(combine: gf256.Combine) -> None:
    """All 65,536 products again, through the lanes."""
    for weight in range(256):
        expected = bytes(slow_multiply(weight, value) for value in EVERY_BYTE)
        assert combine(bytes((weight,)), [EVERY_BYTE]) == expected


@pytest.mark.parametrize("combine", [gf256.combine_small, gf256_bulk.combine_rows], ids=["integer", "numpy"])
@pytest.mark.parametrize(
    "weights", [b"\0\0\0", b"\x01\x01\x01", b"\x80\x01\0", b"\xff\xff\x01", b"\xf7\xb9\x4f", b"\x10\0\0"]
)
def test_sums_of_three_rows(combine: gf256.Combine, weights: bytes) -> None:
    """With and without a base of differences, and with gaps between the bits."""
    rows = [EVERY_BYTE, EVERY_BYTE[::-1], EVERY_BYTE[100:] + EVERY_BYTE[:100]]
    assert combine(weights, rows) == slow_combine(weights, rows)


@pytest.mark.parametrize(
    "transform", [gf256.transform_small, gf256_bulk.transform_rows], ids=["integer", "numpy"]
)
def test_a_matrix_gives_each_line_its_own_sum(transform: gf256.Transform) -> None:
    """Sharing the multiplications changes nothing."""
    matrix = [gf256_plan.powers(x, 3) for x in (1, 2, 5, 100, 255)] + [b"\0\0\0", b"\0\x80\x01"]
    rows = [EVERY_BYTE, EVERY_BYTE[::-1], EVERY_BYTE[7:] + EVERY_BYTE[:7]]
    assert transform(matrix, rows) == [slow_combine(weights, rows) for weights in matrix]


@pytest.mark.parametrize(
    "length",
    [1, gf256.SMALL_BYTES, gf256.SMALL_BYTES + 1, gf256_bulk.CHUNK_BYTES, 2 * gf256_bulk.CHUNK_BYTES + 3],
)
def test_integers_and_numpy_give_the_same_bytes(length: int) -> None:
    """At every border between paths and chunks."""
    rows = rows_of(length, 3)
    matrix = [gf256_plan.powers(x, 3) for x in (1, 2, 3, 4, 5)]
    assert gf256.transform_rows(matrix, rows) == gf256.transform_small(matrix, rows)
    assert gf256_bulk.transform_rows(matrix, rows) == gf256.transform_small(matrix, rows)
    weights = gf256_plan.lagrange_weights((1, 3, 4), 0)
    assert gf256.combine_rows(weights, rows) == gf256.combine_small(weights, rows)
    assert gf256_bulk.combine_rows(weights, rows) == gf256.combine_small(weights, rows)


@pytest.mark.parametrize("rows", [[b"", b""], [bytes(9), bytes(9)], [b"\0" * 8 + b"\1", bytes(9)]])
def test_empty_rows_and_leading_zeros_keep_their_length(rows: list[bytes]) -> None:
    """The guard lane keeps integers as long as their bytes."""
    assert gf256.combine_rows(b"\x03\x02", rows) == slow_combine(b"\x03\x02", rows)
    assert gf256.transform_rows([b"\x03\x02"], rows) == [slow_combine(b"\x03\x02", rows)]


def test_no_integer_is_ever_shortened_whatever_the_bytes() -> None:
    """All zeros and all ones take integers of one and the same length through every step."""
    lanes = gf256._lanes(40)
    for step in range(1, gf256_plan.MAX_STEP + 1):
        for guard in (0xC0, 0xC1, 0xC2, 0xC3):
            for row in (bytes(40), b"\xff" * 40):
                product = lanes.multiply(lanes.load(row, guard), step)
                assert product >> 320 == 0xC0
                stay, fall, _ = lanes.steps[step]
                assert (lanes.load(row, guard) & stay) >> 320
                assert (lanes.load(row, guard) & fall) >> 320


def test_lagrange_weights_at_zero_sum_to_one() -> None:
    """The constant polynomial 1 is interpolated by its own values."""
    for xs in combinations(range(1, 8), 3):
        a, b, c = gf256_plan.lagrange_weights(xs, 0)
        assert a ^ b ^ c == 1


def test_no_plan_touches_the_data_more_than_plain_horner() -> None:
    """The chosen plan is the cheapest of those considered, the plain one among them."""
    for xs in combinations(range(1, 10), 4):
        weights = gf256_plan.lagrange_weights(xs, 0)
        plain = gf256_plan.SumPlan(None, gf256_plan._horner(weights))
        assert gf256_plan.plan_sum(weights).passes() <= plain.passes()


def test_plans_of_three_consecutive_shares_from_one_only_add() -> None:
    """f(0) = f(1) + f(2) + f(3) for every polynomial of degree 2."""
    assert gf256_plan.plan_sum(gf256_plan.lagrange_weights((1, 2, 3), 0)).steps == ((0, (0, 1, 2)),)
