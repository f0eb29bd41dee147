"""Repair of one share by k others: the share that was lost comes out, and nothing else can be read."""

from itertools import combinations, product

import pytest

from threshold import feldman, repair, shamir
from threshold.errors import (
    DuplicateShareIndex,
    InvalidShareIndex,
    NotEnoughShares,
    ShareDoesNotMatchCommitments,
    ShareLengthMismatch,
    ThresholdError,
)
from threshold.feldman import ScalarShare
from threshold.randomness import SeededRandomness
from threshold.repair import PadSource, RepairGroup
from threshold.ristretto import Scalar
from threshold.shamir import ByteShare

SECRET = b"a ticket to the island"


def stream(name: str) -> SeededRandomness:
    return SeededRandomness(bytes(32), name.encode())


def pads_of(x: int, session: str = "session") -> PadSource:
    return lambda to: stream(f"{session}: from {x} to {to}")


def repaired(shares: dict[int, bytes], group: RepairGroup) -> bytes:
    """The whole protocol, every message in its place."""
    sums = []
    for to in group.helpers:
        summands = [
            repair.byte_summand(ByteShare(x, shares[x]), group, to, pads_of(x)) for x in group.helpers
        ]
        sums.append(repair.byte_sum(summands))
    return repair.byte_sum(sums)


def repaired_scalar(shares: dict[int, Scalar], group: RepairGroup) -> Scalar:
    sums = []
    for to in group.helpers:
        summands = [
            repair.scalar_summand(ScalarShare(x, shares[x]), group, to, pads_of(x)) for x in group.helpers
        ]
        sums.append(repair.scalar_sum(summands))
    return repair.scalar_sum(sums)


def split(secret: bytes, k: int, n: int) -> dict[int, bytes]:
    shares = shamir.split(secret, k, range(1, n + 1), stream("coefficients"))
    return {share.x: share.data for share in shares}


@pytest.mark.parametrize("helpers", [*combinations((1, 2, 4, 5), 3)])
def test_any_k_helpers_give_back_the_bytes_that_were_lost(helpers: tuple[int, ...]) -> None:
    """3 of 5, the third is lost."""
    shares = split(SECRET, 3, 5)
    assert repaired(shares, RepairGroup(helpers, 3)) == shares[3]


@pytest.mark.parametrize("helpers", [*combinations((1, 2, 4, 5), 3)])
def test_any_k_helpers_give_back_the_scalar_that_was_lost(helpers: tuple[int, ...]) -> None:
    """And it lies on the committed polynomial."""
    dealing = feldman.deal(Scalar.random(stream("t")), 3, range(1, 6), stream("coefficients"))
    shares = {share.x: share.value for share in dealing.shares}
    found = repaired_scalar(shares, RepairGroup(helpers, 3))
    assert found == shares[3]
    feldman.verify_share(ScalarShare(3, found), dealing.commitments, 3)


def test_a_whole_copy_comes_from_one_helper() -> None:
    """k = 1: the sum is the copy."""
    assert repaired(split(SECRET, 1, 3), RepairGroup((2,), 3)) == SECRET


def test_a_helper_that_lies_gives_something_that_does_not_fit_the_commitments() -> None:
    """Whatever summand is changed."""
    dealing = feldman.deal(Scalar.random(stream("t")), 2, (1, 2, 3), stream("coefficients"))
    shares = {share.x: share.value for share in dealing.shares}
    shares[2] = shares[2] + Scalar.from_index(1)
    found = repaired_scalar(shares, RepairGroup((1, 2), 3))
    with pytest.raises(ShareDoesNotMatchCommitments):
        feldman.verify_share(ScalarShare(3, found), dealing.commitments, 2)


def test_what_k_minus_1_helpers_and_who_lost_it_see_fits_every_share_of_the_honest_helper() -> None:
    """For each possible byte of the honest share there is one pad with which all they see is the same.

    Of two helpers one is honest; the other is bought together with who lost the share. They see the summand
    for the bought one, and the honest one's sum. The honest share is what the result makes it, and no more.
    """
    group = RepairGroup((1, 2), 3)

    class Pad:
        def __init__(self, byte: int) -> None:
            self.byte = byte

        def read(self, length: int) -> bytes:
            return bytes((self.byte,)) * length

    views: dict[tuple[int, int], set[int]] = {}
    for honest, pad in product(range(256), range(0, 256, 5)):
        share = ByteShare(1, bytes((honest,)))
        for_bought = repair.byte_summand(share, group, 2, lambda _, p=pad: Pad(p))  # type: ignore[misc]
        kept = repair.byte_summand(share, group, 1, lambda _, p=pad: Pad(p))  # type: ignore[misc]
        views.setdefault((for_bought[0], kept[0]), set()).add(honest)
    assert {len(seen) for seen in views.values()} == {1}  # both together are w·f(1): that is the lost share's
    for bought_sees in {for_bought for for_bought, _ in views}:
        fits = {honest for (one, _), seen in views.items() if one == bought_sees for honest in seen}
        assert fits == set(range(256))  # what a helper gets tells nothing


@pytest.mark.parametrize(
    ("helpers", "lost", "refusal"),
    [
        pytest.param((), 1, NotEnoughShares, id="nobody helps"),
        pytest.param((1, 2), 0, InvalidShareIndex, id="the secret itself is asked for"),
        pytest.param((0, 2), 1, InvalidShareIndex, id="a helper holds the secret"),
        pytest.param((1, 256), 2, InvalidShareIndex, id="an index beyond the field"),
        pytest.param((1, 1), 2, DuplicateShareIndex, id="a helper stands twice"),
        pytest.param((1, 2), 2, DuplicateShareIndex, id="who lost it helps"),
    ],
)
def test_no_group_that_gives_away_more_than_one_share(
    helpers: tuple[int, ...], lost: int, refusal: type[ThresholdError]
) -> None:
    """Refused before anything is computed."""
    with pytest.raises(refusal):
        RepairGroup(helpers, lost)


def test_summands_are_for_helpers_and_by_helpers_alone() -> None:
    """Neither to a stranger nor from one."""
    group, share = RepairGroup((1, 2), 3), ByteShare(1, b"s")
    with pytest.raises(InvalidShareIndex):
        repair.byte_summand(share, group, 4, pads_of(1))
    with pytest.raises(InvalidShareIndex):
        repair.byte_summand(ByteShare(5, b"s"), group, 1, pads_of(5))
    with pytest.raises(InvalidShareIndex):
        repair.scalar_summand(ScalarShare(1, Scalar.from_index(1)), group, 3, pads_of(1))
    with pytest.raises(InvalidShareIndex):
        repair.scalar_summand(ScalarShare(3, Scalar.from_index(1)), group, 1, pads_of(3))


def test_sums_of_nothing_or_of_different_lengths_are_none() -> None:
    """Refused, and the odd one is named by its position."""
    with pytest.raises(NotEnoughShares):
        repair.byte_sum([])
    with pytest.raises(NotEnoughShares):
        repair.scalar_sum([])
    with pytest.raises(ShareLengthMismatch) as caught:
        repair.byte_sum([b"ab", b"ab", b"a"])
    assert caught.value.x == 2
