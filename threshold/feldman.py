"""Feldman's verifiable secret sharing (Feldman 1987) of a scalar over ristretto255.

The dealer shares f(0) = secret with a random polynomial f of degree k-1 and publishes C_j = f_j * G. Whoever
holds the share f(x) checks f(x) * G = sum of x^j * C_j before use, so a lying dealer or holder is caught
alone and named. C_0 = secret * G becomes public: share uniform scalars only.

Kura names shares by x in 1..255. The functions ending in `_at` are the same arithmetic for any non-zero
scalar identifier (as FROST, RFC 9591, has them).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from threshold.errors import (
    CommitmentCountMismatch,
    DuplicateShareIndex,
    InvalidPoint,
    InvalidScalar,
    InvalidShareIndex,
    InvalidThreshold,
    NotEnoughShares,
    ShareDoesNotMatchCommitments,
)
from threshold.ristretto import Point, Scalar
from threshold.shamir import MAX_SHARES, check_index, check_indices

if TYPE_CHECKING:
    from threshold.randomness import RandomSource

_ONE = Scalar.from_index(1)


@dataclass(frozen=True, slots=True, repr=False)
class ScalarShare:
    """One share of a scalar.

    Attributes:
        x: 1..255.
        value: Secret: f(x).
    """

    x: int
    value: Scalar

    def __repr__(self) -> str:
        return f"ScalarShare(x={self.x}, redacted)"


@dataclass(frozen=True, slots=True)
class Dealing:
    """What a dealer makes of one secret.

    Attributes:
        commitments: public: C_0 .. C_{k-1}, exactly k, none the identity.
        shares: one for each x, in the order asked for; each is for its holder alone.
    """

    commitments: tuple[Point, ...]
    shares: tuple[ScalarShare, ...]


def deal(secret: Scalar, k: int, xs: Sequence[int], rng: RandomSource) -> Dealing:
    """Share a uniform secret (Secret, not zero) among the holders xs; any k of them can combine.

    Args:
        secret: Secret: uniform and not zero.
        k: 1 <= k <= len(xs).
        xs: distinct, 1..255.
        rng: gives k-1 reads of 64 bytes.

    Raises:
        InvalidThreshold, InvalidShareIndex, DuplicateShareIndex: k or xs do not fit.
        InvalidScalar: the secret or a coefficient is zero.
    """
    check_indices(xs)
    if not 1 <= k <= len(xs):
        raise InvalidThreshold(k, len(xs))
    coefficients = draw_polynomial(secret, k, rng)
    shares = tuple(ScalarShare(x, evaluate_at(coefficients, Scalar.from_index(x))) for x in xs)
    return Dealing(commit(coefficients), shares)


def draw_polynomial(secret: Scalar, k: int, rng: RandomSource) -> tuple[Scalar, ...]:
    """The k coefficients (Secret), the secret first, the rest uniform."""
    return (secret, *(Scalar.random(rng) for _ in range(k - 1)))


def commit(coefficients: Sequence[Scalar]) -> tuple[Point, ...]:
    """C_j = f_j * G for each coefficient (Secret).

    Raises:
        InvalidScalar: a coefficient is zero; its commitment, the identity, would be refused by everybody.
    """
    if any(coefficient.is_zero for coefficient in coefficients):
        raise InvalidScalar
    return tuple(Point.base_mul(coefficient) for coefficient in coefficients)


def evaluate_at(coefficients: Sequence[Scalar], identifier: Scalar) -> Scalar:
    """f(identifier) (Secret) by Horner's rule.

    Raises:
        InvalidShareIndex: the identifier is 0 modulo L, where the secret lies.
    """
    _check_identifier(identifier)
    value = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = value * identifier + coefficient
    return value


def verify_share(share: ScalarShare, commitments: Sequence[Point], k: int) -> None:
    """Return when the share lies on the committed polynomial of threshold k.

    Raises:
        InvalidThreshold, InvalidShareIndex: k or x is out of range.
        CommitmentCountMismatch: not exactly k commitments.
        InvalidPoint: a commitment is the identity.
        ShareDoesNotMatchCommitments: it does not.
    """
    if Point.base_mul(share.value) != share_commitment(share.x, commitments, k):
        raise ShareDoesNotMatchCommitments(share.x)


def share_commitment(x: int, commitments: Sequence[Point], k: int) -> Point:
    """f(x) * G from the commitments alone: what the holder of x is publicly bound to.

    Raises:
        InvalidThreshold, InvalidShareIndex: k or x is out of range.
        CommitmentCountMismatch: not exactly k commitments.
        InvalidPoint: a commitment is the identity.
    """
    check_index(x)
    check_commitments(commitments, k)
    total = commitments[-1]
    for commitment in reversed(commitments[:-1]):
        total = _multiply_by_index(total, x) + commitment
    return total


def verify_share_at(identifier: Scalar, value: Scalar, commitments: Sequence[Point], k: int) -> None:
    """`verify_share` for any non-zero scalar identifier; errors report it modulo 2^256.

    Raises:
        InvalidThreshold, InvalidShareIndex, CommitmentCountMismatch, InvalidPoint: as `verify_share`.
        ShareDoesNotMatchCommitments: the value is not on the committed polynomial.
    """
    _check_identifier(identifier)
    check_commitments(commitments, k)
    total = commitments[-1]
    for commitment in reversed(commitments[:-1]):
        total = total * identifier + commitment
    if Point.base_mul(value) != total:
        raise ShareDoesNotMatchCommitments(_public(identifier))


def verify_secret(secret: Scalar, commitments: Sequence[Point]) -> None:
    """Return when secret * G is C_0.

    Raises:
        CommitmentCountMismatch: there are no commitments.
        ShareDoesNotMatchCommitments: it is not; x = 0.
    """
    if not commitments:
        raise CommitmentCountMismatch(0, 1)
    if secret.is_zero or Point.base_mul(secret) != commitments[0]:
        raise ShareDoesNotMatchCommitments(0)


def check_commitments(commitments: Sequence[Point], k: int) -> None:
    """Raise unless there are exactly k commitments (1 <= k <= 255), none the identity."""
    if not 1 <= k <= MAX_SHARES:
        raise InvalidThreshold(k, MAX_SHARES)
    if len(commitments) != k:
        raise CommitmentCountMismatch(len(commitments), k)
    if any(commitment.is_identity for commitment in commitments):
        raise InvalidPoint


def combine(shares: Sequence[ScalarShare], k: int) -> Scalar:
    """The secret (Secret) behind the first k shares; verify each share first.

    Raises:
        InvalidThreshold, InvalidShareIndex, DuplicateShareIndex: k or an x does not fit.
        NotEnoughShares: fewer than k shares.
    """
    weights = weights_of_first([share.x for share in shares], k)
    return _weighted_sum(weights, [share.value for share in shares[:k]])


def weights_of_first(xs: Sequence[int], k: int) -> tuple[Scalar, ...]:
    """The weights w with f(0) = sum of w_i f(x_i) over the first k of the holders; all xs must be usable.

    Raises:
        InvalidThreshold, InvalidShareIndex, DuplicateShareIndex: k or an x does not fit.
        NotEnoughShares: fewer than k holders.
    """
    check_indices(xs)
    if not 1 <= k <= MAX_SHARES:
        raise InvalidThreshold(k, MAX_SHARES)
    if len(xs) < k:
        raise NotEnoughShares(len(xs), k)
    return _index_weights(tuple(xs[:k]))


def combine_at(points: Sequence[tuple[Scalar, Scalar]], k: int) -> Scalar:
    """`combine` for (identifier, value) pairs with any distinct, non-zero identifiers.

    Raises:
        InvalidThreshold: k is below 1.
        InvalidShareIndex, DuplicateShareIndex: an identifier is zero, or appears twice.
        NotEnoughShares: fewer than k points.
    """
    if k < 1:
        raise InvalidThreshold(k, len(points))
    weights = _weights_or_refusal([identifier for identifier, _ in points], k)
    return _weighted_sum(weights, [value for _, value in points[:k]])


def lagrange_at_zero(identifiers: Sequence[Scalar]) -> tuple[Scalar, ...]:
    """The weights w with f(0) = sum of w_i f(identifier_i); one inversion each.

    Raises:
        InvalidShareIndex, DuplicateShareIndex: an identifier is zero, or appears twice.
    """
    return _weights_or_refusal(identifiers, len(identifiers))


@lru_cache(maxsize=256)
def _index_weights(xs: tuple[int, ...]) -> tuple[Scalar, ...]:
    """`lagrange_at_zero` of public indices, remembered: its inversions are most of the cost of combining."""
    return lagrange_at_zero([Scalar.from_index(x) for x in xs])


def _weighted_sum(weights: Sequence[Scalar], values: Sequence[Scalar]) -> Scalar:
    total = Scalar.from_index(0)
    for weight, value in zip(weights, values, strict=True):
        total += weight * value
    return total


def _weights_or_refusal(identifiers: Sequence[Scalar], k: int) -> tuple[Scalar, ...]:
    seen: set[Scalar] = set()
    for identifier in identifiers:
        _check_identifier(identifier)
        if identifier in seen:
            raise DuplicateShareIndex(_public(identifier))
        seen.add(identifier)
    if len(identifiers) < k:
        raise NotEnoughShares(len(identifiers), k)
    return tuple(_weight(identifier, identifiers[:k]) for identifier in identifiers[:k])


def _weight(identifier: Scalar, identifiers: Sequence[Scalar]) -> Scalar:
    numerator = denominator = _ONE
    for other in identifiers:
        if other != identifier:
            numerator = numerator * other
            denominator = denominator * (other - identifier)
    return numerator * denominator.inverse()


def _check_identifier(identifier: Scalar) -> None:
    if identifier.is_zero:
        raise InvalidShareIndex(0)


def _public(identifier: Scalar) -> int:
    return int.from_bytes(identifier.to_bytes(), "little")


def _multiply_by_index(point: Point, x: int) -> Point:
    """Multiply by a public x in 1..255, with additions where they cost less (a multiplication is four)."""
    if x.bit_length() + x.bit_count() > 6:
        return point * Scalar.from_index(x)
    total = point
    for bit in range(x.bit_length() - 2, -1, -1):
        total = total + total
        if x >> bit & 1:
            total = total + point
    return total
