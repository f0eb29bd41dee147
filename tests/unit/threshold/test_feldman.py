"""Feldman: any k shares give the scalar, every share is checked, every lie is named."""

from collections.abc import Callable
from itertools import combinations

import pytest

from threshold import feldman
from threshold.errors import (
    CommitmentCountMismatch,
    DuplicateShareIndex,
    InvalidPoint,
    InvalidScalar,
    InvalidShareIndex,
    InvalidThreshold,
    NotEnoughShares,
    ShareDoesNotMatchCommitments,
    ThresholdError,
)
from threshold.feldman import ScalarShare
from threshold.randomness import SeededRandomness
from threshold.ristretto import ORDER, Point, Scalar

RNG = SeededRandomness(bytes(32), b"feldman")
SECRET = Scalar.random(RNG)
DEALING = feldman.deal(SECRET, 3, [1, 2, 5, 100, 255], RNG)
SHARES, COMMITMENTS = DEALING.shares, DEALING.commitments
ONE = Scalar.from_index(1)
ZERO = Scalar.from_index(0)


class Zeros:
    """A broken generator."""

    def read(self, length: int) -> bytes:
        return bytes(length)


def test_every_three_of_five_give_the_secret() -> None:
    """All combinations, in both orders."""
    for chosen in combinations(SHARES, 3):
        assert feldman.combine(chosen, 3) == SECRET
        assert feldman.combine(chosen[::-1], 3) == SECRET


def test_two_of_five_shares_give_something_else() -> None:
    """Lowering the threshold in a call does not lower it in the mathematics."""
    for chosen in combinations(SHARES, 2):
        assert feldman.combine(chosen, 2) != SECRET


@pytest.mark.parametrize("share", SHARES, ids=lambda share: f"x = {share.x}")
def test_every_honest_share_matches(share: ScalarShare) -> None:
    """Small x by additions, large x by multiplication."""
    feldman.verify_share(share, COMMITMENTS, 3)
    feldman.verify_share_at(Scalar.from_index(share.x), share.value, COMMITMENTS, 3)
    assert feldman.share_commitment(share.x, COMMITMENTS, 3) == Point.base_mul(share.value)


@pytest.mark.parametrize("x", range(1, 256))
def test_the_commitment_of_every_x_is_that_of_its_share(x: int) -> None:
    """Both ways of multiplying by x agree with the polynomial, for two coefficients."""
    coefficients = (SECRET, ONE)
    commitments = feldman.commit(coefficients)
    expected = Point.base_mul(SECRET + Scalar.from_index(x))
    assert feldman.share_commitment(x, commitments, 2) == expected


@pytest.mark.parametrize("k", [1, 2, 5])
def test_thresholds_from_one_to_all(k: int) -> None:
    """k = 1 gives copies, k = n needs everybody."""
    dealing = feldman.deal(SECRET, k, range(1, 6), RNG)
    assert len(dealing.commitments) == k
    for share in dealing.shares:
        feldman.verify_share(share, dealing.commitments, k)
    assert feldman.combine(dealing.shares, k) == SECRET


def test_a_dealing_repeats_itself_from_the_same_randomness() -> None:
    """An interrupted backup deals the same again."""
    first, second = (
        feldman.deal(SECRET, 3, [1, 2, 3], SeededRandomness(bytes(32), b"again")) for _ in range(2)
    )
    assert first == second


def test_the_secret_is_checked_against_its_commitment() -> None:
    """Before it becomes a key."""
    feldman.verify_secret(SECRET, COMMITMENTS)
    for wrong in (SECRET + ONE, ZERO):
        with pytest.raises(ShareDoesNotMatchCommitments) as refusal:
            feldman.verify_secret(wrong, COMMITMENTS)
        assert refusal.value.x == 0
    with pytest.raises(CommitmentCountMismatch):
        feldman.verify_secret(SECRET, ())


GOOD = SHARES[1]
HIGH = Scalar.from_bytes((ORDER - 3).to_bytes(32, "little"))


@pytest.mark.parametrize(
    ("share", "commitments", "k", "error"),
    [
        pytest.param(
            ScalarShare(2, GOOD.value + ONE),
            COMMITMENTS,
            3,
            ShareDoesNotMatchCommitments(2),
            id="changed value",
        ),
        pytest.param(ScalarShare(2, ZERO), COMMITMENTS, 3, ShareDoesNotMatchCommitments(2), id="zero value"),
        pytest.param(
            ScalarShare(3, GOOD.value),
            COMMITMENTS,
            3,
            ShareDoesNotMatchCommitments(3),
            id="value of another x",
        ),
        pytest.param(
            GOOD, COMMITMENTS[::-1], 3, ShareDoesNotMatchCommitments(2), id="commitments out of order"
        ),
        pytest.param(GOOD, COMMITMENTS[:2], 3, CommitmentCountMismatch(2, 3), id="too few commitments"),
        pytest.param(GOOD, (*COMMITMENTS, COMMITMENTS[0]), 3, CommitmentCountMismatch(4, 3), id="too many"),
        pytest.param(GOOD, (), 3, CommitmentCountMismatch(0, 3), id="none"),
        pytest.param(
            GOOD,
            (*COMMITMENTS[:2], Point.identity()),
            3,
            InvalidPoint(),
            id="identity on top, a lower degree",
        ),
        pytest.param(GOOD, COMMITMENTS, 0, InvalidThreshold(0, 255), id="k of zero"),
        pytest.param(GOOD, COMMITMENTS, 256, InvalidThreshold(256, 255), id="k above 255"),
        pytest.param(
            ScalarShare(0, SECRET), COMMITMENTS, 3, InvalidShareIndex(0), id="x = 0, the secret itself"
        ),
        pytest.param(ScalarShare(256, GOOD.value), COMMITMENTS, 3, InvalidShareIndex(256), id="x = 256"),
    ],
)
def test_verifying_refuses(
    share: ScalarShare, commitments: tuple[Point, ...], k: int, error: ThresholdError
) -> None:
    """Each with its kind and its fields."""
    with pytest.raises(type(error)) as refusal:
        feldman.verify_share(share, commitments, k)
    assert vars(refusal.value) == vars(error)


@pytest.mark.parametrize(
    ("k", "xs", "error"),
    [
        pytest.param(0, [1], InvalidThreshold, id="k of zero"),
        pytest.param(2, [1], InvalidThreshold, id="k above n"),
        pytest.param(1, [0], InvalidShareIndex, id="x = 0"),
        pytest.param(1, [256], InvalidShareIndex, id="x = 256"),
        pytest.param(2, [3, 3], DuplicateShareIndex, id="one x twice"),
    ],
)
def test_dealing_refuses(k: int, xs: list[int], error: type[ThresholdError]) -> None:
    """Before anything is drawn."""
    with pytest.raises(error):
        feldman.deal(SECRET, k, xs, RNG)


def test_a_zero_secret_and_a_broken_generator_are_refused() -> None:
    """Both would publish the identity as a commitment."""
    with pytest.raises(InvalidScalar):
        feldman.deal(ZERO, 2, [1, 2], RNG)
    with pytest.raises(InvalidScalar):
        feldman.deal(SECRET, 2, [1, 2], Zeros())


@pytest.mark.parametrize(
    ("shares", "k", "error"),
    [
        pytest.param(SHARES[:2], 3, NotEnoughShares, id="too few"),
        pytest.param((), 1, NotEnoughShares, id="none"),
        pytest.param(SHARES, 0, InvalidThreshold, id="k of zero"),
        pytest.param(SHARES, 256, InvalidThreshold, id="k above 255"),
        pytest.param((SHARES[0], SHARES[1], SHARES[0]), 3, DuplicateShareIndex, id="one share twice"),
        pytest.param((*SHARES[:3], SHARES[0]), 3, DuplicateShareIndex, id="twice beyond the first k"),
        pytest.param((ScalarShare(0, SECRET), *SHARES), 3, InvalidShareIndex, id="x = 0"),
        pytest.param((ScalarShare(256, SECRET), *SHARES), 3, InvalidShareIndex, id="x = 256"),
    ],
)
def test_combining_refuses(shares: tuple[ScalarShare, ...], k: int, error: type[ThresholdError]) -> None:
    """Before any arithmetic."""
    with pytest.raises(error):
        feldman.combine(shares, k)


def test_identifiers_of_any_size_share_and_combine() -> None:
    """Not only bytes: FROST's identifiers are scalars."""
    coefficients = feldman.draw_polynomial(SECRET, 2, RNG)
    commitments = feldman.commit(coefficients)
    points = [(name, feldman.evaluate_at(coefficients, name)) for name in (HIGH, Scalar.from_index(40_000))]
    for name, value in points:
        feldman.verify_share_at(name, value, commitments, 2)
    assert feldman.combine_at(points, 2) == SECRET
    weights = feldman.lagrange_at_zero([name for name, _ in points])
    assert weights[0] * points[0][1] + weights[1] * points[1][1] == SECRET


IDENTIFIER_L = Scalar.from_wide_bytes(ORDER.to_bytes(64, "little"))


def test_the_identifier_l_is_zero_and_refused_everywhere() -> None:
    """L = 0 modulo L: its share would be the secret."""
    refused: list[Callable[[], object]] = [
        lambda: feldman.evaluate_at((SECRET, ONE), IDENTIFIER_L),
        lambda: feldman.verify_share_at(IDENTIFIER_L, SECRET, COMMITMENTS, 3),
        lambda: feldman.combine_at([(IDENTIFIER_L, SECRET)], 1),
        lambda: feldman.lagrange_at_zero([ONE, IDENTIFIER_L]),
    ]
    for attempt in refused:
        with pytest.raises(InvalidShareIndex) as refusal:
            attempt()
        assert refusal.value.x == 0


def test_combining_under_identifiers_refuses_what_no_threshold_is() -> None:
    """As combining by index does."""
    with pytest.raises(InvalidThreshold):
        feldman.combine_at([(ONE, SECRET)], 0)
    with pytest.raises(NotEnoughShares):
        feldman.combine_at([(ONE, SECRET)], 2)


def test_one_identifier_twice_is_refused_and_named() -> None:
    """Also for identifiers beyond a byte."""
    with pytest.raises(DuplicateShareIndex) as refusal:
        feldman.lagrange_at_zero([HIGH, ONE, HIGH])
    assert refusal.value.x == ORDER - 3


def test_a_wrong_value_under_a_large_identifier_is_named() -> None:
    """As the small ones are."""
    with pytest.raises(ShareDoesNotMatchCommitments) as refusal:
        feldman.verify_share_at(HIGH, SECRET, COMMITMENTS, 3)
    assert refusal.value.x == ORDER - 3


def test_shares_do_not_show() -> None:
    """Only x reaches a log; a dealing shows no more."""
    assert repr(GOOD) == "ScalarShare(x=2, redacted)"
    assert GOOD.value.to_bytes().hex() not in repr(DEALING)
