"""Shamir over GF(2^8): what divides, what combines, what is refused."""

from itertools import combinations

import pytest

from threshold import shamir
from threshold.errors import (
    DuplicateShareIndex,
    InvalidShareIndex,
    InvalidThreshold,
    NotEnoughShares,
    ShareLengthMismatch,
    ThresholdError,
)
from threshold.randomness import SeededRandomness
from threshold.shamir import ByteShare

SEED = b"\x07" * 32


def rng() -> SeededRandomness:
    return SeededRandomness(SEED, b"shamir")


def shares_of(secret: bytes, k: int = 3, n: int = 5) -> tuple[ByteShare, ...]:
    return shamir.split(secret, k, range(1, n + 1), rng())


@pytest.mark.parametrize("secret", [b"", b"\0", b"\0" * 40, b"seed phrase", bytes(range(256)) * 20], ids=len)
def test_every_three_of_five_give_the_secret(secret: bytes) -> None:
    """All ten combinations, in both orders; empty secrets too."""
    for chosen in combinations(shares_of(secret), 3):
        assert shamir.combine(chosen, 3) == secret
        assert shamir.combine(chosen[::-1], 3) == secret


def test_with_a_threshold_of_one_every_share_is_the_secret() -> None:
    """A polynomial of degree zero is constant."""
    assert [share.data for share in shares_of(b"copy", k=1, n=3)] == [b"copy"] * 3
    assert shamir.combine([ByteShare(9, b"copy")], 1) == b"copy"


def test_all_255_shares_of_255_are_needed_and_suffice() -> None:
    """The largest scheme the field can name."""
    shares = shares_of(b"\x01\x02", k=255, n=255)
    assert shamir.combine(shares, 255) == b"\x01\x02"
    with pytest.raises(NotEnoughShares):
        shamir.combine(shares[:-1], 255)


def test_one_share_alone_is_the_same_as_from_splitting() -> None:
    """A stream regenerates the share of one x without the others."""
    for length in (0, 100, 5000):
        secret = SeededRandomness(SEED, b"secret").read(length)
        coefficients = shamir.draw_coefficients(length, 3, rng())
        for share in shares_of(secret):
            assert shamir.evaluate(secret, coefficients, share.x) == share.data


def test_shares_are_pinned_because_journals_depend_on_them() -> None:
    """The order in which coefficients are drawn is part of the format."""
    assert [share.data.hex() for share in shares_of(b"kura")] == [
        "0b1339af",
        "2912a034",
        "4974ebfa",
        "d121c6ae",
        "b1478d60",
    ]


def test_interpolation_restores_a_lost_share_and_returns_a_present_one() -> None:
    """Repair asks for f(x) anywhere."""
    shares = shares_of(b"repair me")
    for lost in shares:
        helpers = [share for share in shares if share != lost][:3]
        assert shamir.interpolate_at(helpers, 3, lost.x) == lost.data
        assert shamir.interpolate_at(shares, 3, lost.x) == lost.data


def test_exactly_the_first_k_shares_are_used() -> None:
    """A fourth share, however wrong, changes nothing."""
    shares = shares_of(b"first three")
    assert shamir.combine([*shares[:3], ByteShare(200, b"wrong bytes")], 3) == b"first three"


def test_a_changed_share_changes_the_secret() -> None:
    """Nothing checks here: piece roots do."""
    first, *others = shares_of(b"whole")
    assert shamir.combine([ByteShare(first.x, b"wrong"), *others], 3) != b"whole"


@pytest.mark.parametrize(
    ("k", "xs", "error"),
    [
        pytest.param(0, [1, 2], InvalidThreshold, id="k of zero"),
        pytest.param(-1, [1, 2], InvalidThreshold, id="negative k"),
        pytest.param(3, [1, 2], InvalidThreshold, id="k above n"),
        pytest.param(1, [], InvalidThreshold, id="no shares"),
        pytest.param(2, [0, 1], InvalidShareIndex, id="x = 0, where the secret lies"),
        pytest.param(2, [1, 256], InvalidShareIndex, id="x = 256, which is 0 in a byte"),
        pytest.param(2, [1, -1], InvalidShareIndex, id="negative x"),
        pytest.param(2, [5, 5], DuplicateShareIndex, id="one x twice"),
    ],
)
def test_splitting_refuses(k: int, xs: list[int], error: type[ThresholdError]) -> None:
    """Before any randomness is drawn."""
    with pytest.raises(error):
        shamir.split(b"secret", k, xs, rng())


A, B, C = ByteShare(1, b"aa"), ByteShare(2, b"bb"), ByteShare(3, b"cc")


@pytest.mark.parametrize(
    ("shares", "k", "error"),
    [
        pytest.param([A, B], 3, NotEnoughShares(2, 3), id="too few"),
        pytest.param([], 1, NotEnoughShares(0, 1), id="none"),
        pytest.param([A, B], 0, InvalidThreshold(0, 255), id="k of zero"),
        pytest.param([A, B], 256, InvalidThreshold(256, 255), id="k above 255"),
        pytest.param([A, B, A], 3, DuplicateShareIndex(1), id="one share twice"),
        pytest.param(
            [A, B, C, ByteShare(2, b"zz")], 3, DuplicateShareIndex(2), id="twice beyond the first k"
        ),
        pytest.param([ByteShare(0, b"aa"), B], 2, InvalidShareIndex(0), id="x = 0"),
        pytest.param([A, ByteShare(256, b"bb")], 2, InvalidShareIndex(256), id="x = 256"),
        pytest.param([A, ByteShare(2, b"b")], 2, ShareLengthMismatch(2, 1, 2), id="a shorter share"),
        pytest.param(
            [A, B, ByteShare(3, b"ccc")], 2, ShareLengthMismatch(3, 3, 2), id="longer beyond the first k"
        ),
    ],
)
def test_combining_refuses(shares: list[ByteShare], k: int, error: ThresholdError) -> None:
    """Also what lies beyond the first k shares: it says that something is wrong."""
    with pytest.raises(type(error)) as refusal:
        shamir.combine(shares, k)
    assert vars(refusal.value) == vars(error)


@pytest.mark.parametrize("x", [-1, 256])
def test_interpolation_outside_the_field_is_refused(x: int) -> None:
    """A byte has 256 values."""
    with pytest.raises(InvalidShareIndex):
        shamir.interpolate_at([A, B], 2, x)


@pytest.mark.parametrize("x", [0, 256])
def test_evaluating_where_no_share_may_be_is_refused(x: int) -> None:
    """x = 0 would hand out the secret."""
    with pytest.raises(InvalidShareIndex):
        shamir.evaluate(b"s", shamir.draw_coefficients(1, 2, rng()), x)


def test_coefficients_of_another_length_are_refused() -> None:
    """Coefficients belong to one segment."""
    with pytest.raises(ShareLengthMismatch):
        shamir.evaluate(b"four", shamir.draw_coefficients(5, 2, rng()), 1)


@pytest.mark.parametrize("k", [0, 256])
def test_coefficients_of_an_impossible_threshold_are_refused(k: int) -> None:
    """1 to 255."""
    with pytest.raises(InvalidThreshold):
        shamir.draw_coefficients(1, k, rng())


def test_representations_show_no_secret() -> None:
    """Shares and coefficients do not reach logs."""
    assert repr(A) == "ByteShare(x=1, 2 bytes redacted)"
    assert repr(shamir.draw_coefficients(4, 3, rng())) == "Coefficients(2 rows redacted)"
