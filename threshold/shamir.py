"""Shamir's secret sharing of byte strings (Shamir 1979): any k of n shares give the secret, k-1 give nothing.

Each byte of the secret is the constant term of its own polynomial of degree k-1 over GF(2^8)/0x11b, with
uniform coefficients (zero allowed, or k-1 shares would tell something); the share at x is the polynomials'
values at x, and x = 0, where the secret lies, is refused. Shares carry no check of their own: Kura checks
each against its signed piece root before it combines. Constant-time as far as `gf256` promises.

`split` makes all shares at once. For streams and for repeating a part, `draw_coefficients` and `evaluate`
make one share alone from the same randomness, byte for byte the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from threshold import gf256, gf256_plan
from threshold.errors import (
    DuplicateShareIndex,
    InvalidShareIndex,
    InvalidThreshold,
    NotEnoughShares,
    ShareLengthMismatch,
)
from threshold.randomness import RandomSource

MAX_SHARES = 255


@dataclass(frozen=True, slots=True, repr=False)
class ByteShare:
    """One share of a byte string.

    Attributes:
        x: where the polynomials were evaluated, 1..255.
        data: Secret: as long as the secret.
    """

    x: int
    data: bytes

    def __repr__(self) -> str:
        return f"ByteShare(x={self.x}, {len(self.data)} bytes redacted)"


@dataclass(frozen=True, slots=True, repr=False)
class Coefficients:
    """The random part of the polynomials of one secret.

    Attributes:
        rows: Secret: the coefficients of x^1 .. x^(k-1), each as long as the secret.
    """

    rows: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Coefficients({len(self.rows)} rows redacted)"


def draw_coefficients(length: int, k: int, rng: RandomSource) -> Coefficients:
    """Draw the coefficients for a secret of `length` bytes: k-1 reads of `length` bytes, x^1 first.

    Raises:
        InvalidThreshold: k is outside 1..255.
    """
    if not 1 <= k <= MAX_SHARES:
        raise InvalidThreshold(k, MAX_SHARES)
    return Coefficients(tuple(rng.read(length) for _ in range(k - 1)))


def evaluate(secret: bytes, coefficients: Coefficients, x: int) -> bytes:
    """The data of the one share at x.

    Args:
        secret: Secret: the constant terms.
        coefficients: Secret: drawn for this length.
        x: 1..255.

    Raises:
        InvalidShareIndex: x is outside 1..255.
        ShareLengthMismatch: the coefficients were drawn for another length.
    """
    check_index(x)
    rows = _polynomials(secret, coefficients)
    return gf256.combine_rows(gf256_plan.powers(x, len(rows)), rows)


def split(secret: bytes, k: int, xs: Sequence[int], rng: RandomSource) -> tuple[ByteShare, ...]:
    """Divide a secret into one share for each x.

    Args:
        secret: Secret: any length, empty included.
        k: how many shares combine, 1 <= k <= len(xs); with k = 1 every share is the secret.
        xs: distinct, 1..255.
        rng: gives k-1 reads of len(secret) bytes.

    Raises:
        InvalidThreshold: k does not fit the number of shares.
        InvalidShareIndex: an x is outside 1..255.
        DuplicateShareIndex: an x appears twice.
    """
    check_indices(xs)
    if not 1 <= k <= len(xs):
        raise InvalidThreshold(k, len(xs))
    rows = _polynomials(secret, draw_coefficients(len(secret), k, rng))
    data = gf256.transform_rows([gf256_plan.powers(x, k) for x in xs], rows)
    return tuple(ByteShare(x, row) for x, row in zip(xs, data, strict=True))


def combine(shares: Sequence[ByteShare], k: int) -> bytes:
    """The secret (Secret) behind the first k shares; all shares given must be well-formed.

    Shares of different secrets, or changed ones, give other bytes and no error: check them first.

    Raises:
        InvalidThreshold: k is outside 1..255.
        InvalidShareIndex, DuplicateShareIndex, ShareLengthMismatch: a share is not usable.
        NotEnoughShares: fewer than k shares.
    """
    return interpolate_at(shares, k, 0)


def interpolate_at(shares: Sequence[ByteShare], k: int, x: int) -> bytes:
    """The data (Secret) at any x, 0..255, from the first k shares: the secret at 0, a lost share elsewhere.

    Raises:
        InvalidThreshold: k is outside 1..255.
        InvalidShareIndex: an x is outside 1..255, or the target outside 0..255.
        DuplicateShareIndex, ShareLengthMismatch: a share is not usable.
        NotEnoughShares: fewer than k shares.
    """
    if not 0 <= x <= MAX_SHARES:
        raise InvalidShareIndex(x)
    _check_shares(shares, k)
    used = shares[:k]
    weights = gf256_plan.lagrange_weights(tuple(share.x for share in used), x)
    return gf256.combine_rows(weights, [share.data for share in used])


def check_index(x: int) -> None:
    """Raise InvalidShareIndex unless x is 1..255."""
    if not 1 <= x <= MAX_SHARES:
        raise InvalidShareIndex(x)


def check_indices(xs: Sequence[int]) -> None:
    """Raise InvalidShareIndex or DuplicateShareIndex unless all are 1..255 and distinct."""
    seen: set[int] = set()
    for x in xs:
        check_index(x)
        if x in seen:
            raise DuplicateShareIndex(x)
        seen.add(x)


def _check_shares(shares: Sequence[ByteShare], k: int) -> None:
    if not 1 <= k <= MAX_SHARES:
        raise InvalidThreshold(k, MAX_SHARES)
    check_indices([share.x for share in shares])
    if len(shares) < k:
        raise NotEnoughShares(len(shares), k)
    length = len(shares[0].data)
    for share in shares:
        if len(share.data) != length:
            raise ShareLengthMismatch(share.x, len(share.data), length)


def _polynomials(secret: bytes, coefficients: Coefficients) -> list[bytes]:
    for row in coefficients.rows:
        if len(row) != len(secret):
            raise ShareLengthMismatch(0, len(row), len(secret))
    return [secret, *coefficients.rows]
