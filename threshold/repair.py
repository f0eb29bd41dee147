"""Repair of one lost share without showing any other (the "enrolment" protocol of ePrint 2017/1155).

Shares lie on a polynomial f of degree k - 1. k helpers, who hold f(x_1) .. f(x_k), give the share f(lost) to
whoever lost it; f(lost) = sum of w_i f(x_i) with public weights w_i:

    helper i    splits w_i f(x_i) into k summands, uniform but for their sum, and gives one to every helper
    helper j    adds up the summands it got, its own among them, and gives this *sum* to who lost the share
    who lost it adds up the k sums

A helper sees summands of others, each of them uniform by itself. Who lost the share sees k sums, uniform but
for their sum, which is f(lost). So k - 1 of the parties together learn nothing but the shares that are
theirs.

Over GF(2^8) a share is a byte string; over ristretto255's scalar field it is a scalar. Nothing here says
whether a helper lied: check the result against its piece root, or its Feldman commitments, before it is used.

Summands for others are streams of a `PadSource`, so a helper that can make its streams again, from one secret
and the name of the session, keeps nothing between two messages. A stream must never serve two sessions.

Source: Laing and Stinson, "A Survey and Refinement of Repairable Threshold Schemes", ePrint 2017/1155.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from threshold import gf256, gf256_plan
from threshold.errors import DuplicateShareIndex, InvalidShareIndex, NotEnoughShares, ShareLengthMismatch
from threshold.feldman import ScalarShare
from threshold.randomness import RandomSource
from threshold.ristretto import Scalar
from threshold.shamir import ByteShare, check_index, check_indices

PadSource = Callable[[int], RandomSource]
"""Secret: the stream from which a helper takes its summand for the helper at that index."""


@dataclass(frozen=True, slots=True)
class RepairGroup:
    """Who helps whom.

    Args:
        helpers: The k helpers' indices, 1..255, distinct.
        lost: The index of the share that is lost, 1..255, none of theirs.

    Raises:
        InvalidShareIndex, DuplicateShareIndex: An index does not fit.
        NotEnoughShares: There is no helper.
    """

    helpers: tuple[int, ...]
    lost: int

    def __post_init__(self) -> None:
        """Refuse the share at 0, which is the secret, and a helper that stands twice."""
        check_index(self.lost)
        check_indices(self.helpers)
        if not self.helpers:
            raise NotEnoughShares(0, 1)
        if self.lost in self.helpers:
            raise DuplicateShareIndex(self.lost)

    def require(self, x: int) -> None:
        """Return when the holder of x is one of the helpers.

        Raises:
            InvalidShareIndex: It is not.
        """
        if x not in self.helpers:
            raise InvalidShareIndex(x)


def byte_summand(share: ByteShare, group: RepairGroup, to: int, pads: PadSource) -> bytes:
    """What the holder of `share` (Secret) gives to the helper at `to` (Secret), as long as the share.

    Args:
        share: Secret: the giver's own.
        group: Who helps whom.
        to: One of the helpers; for the giver itself it is what is left.
        pads: Secret.

    Raises:
        InvalidShareIndex: The giver or `to` is none of the helpers.
    """
    group.require(share.x)
    group.require(to)
    length = len(share.data)
    if to != share.x:
        return pads(to).read(length)
    weights = gf256_plan.lagrange_weights(group.helpers, group.lost)
    weight = weights[group.helpers.index(share.x)]
    others = [pads(x).read(length) for x in group.helpers if x != share.x]
    return gf256.combine_rows(bytes((weight,)) + b"\x01" * len(others), [share.data, *others])


def byte_sum(parts: Sequence[bytes]) -> bytes:
    """The sum (Secret) of summands, or of sums (Secret): at least one, all of one length.

    Raises:
        NotEnoughShares: There is none.
        ShareLengthMismatch: They differ in length; names the position.
    """
    if not parts:
        raise NotEnoughShares(0, 1)
    for position, part in enumerate(parts):
        if len(part) != len(parts[0]):
            raise ShareLengthMismatch(position, len(part), len(parts[0]))
    return gf256.combine_rows(b"\x01" * len(parts), parts)


def scalar_summand(share: ScalarShare, group: RepairGroup, to: int, pads: PadSource) -> Scalar:
    """`byte_summand` of a scalar share (Secret).

    Raises:
        InvalidShareIndex: The giver or `to` is none of the helpers.
    """
    group.require(share.x)
    group.require(to)
    if to != share.x:
        return Scalar.random(pads(to))
    total = _weight(share.x, group) * share.value
    for x in group.helpers:
        if x != share.x:
            total = total - Scalar.random(pads(x))
    return total


def scalar_sum(parts: Sequence[Scalar]) -> Scalar:
    """The sum (Secret) of summands, or of sums (Secret): at least one.

    Raises:
        NotEnoughShares: There is none.
    """
    if not parts:
        raise NotEnoughShares(0, 1)
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _weight(x: int, group: RepairGroup) -> Scalar:
    """Lagrange's: the product of (lost - other) / (x - other)."""
    at, lost = Scalar.from_index(x), Scalar.from_index(group.lost)
    numerator = denominator = Scalar.from_index(1)
    for other in map(Scalar.from_index, group.helpers):
        if other != at:
            numerator = numerator * (lost - other)
            denominator = denominator * (at - other)
    return numerator * denominator.inverse()
