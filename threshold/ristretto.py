"""The group ristretto255 (RFC 9496) and its scalar field, as two immutable types over libsodium.

All arithmetic is libsodium's, constant-time; Python integers never hold a secret. libsodium is lenient
where Kura is not, so the types are strict: a scalar or point that is not the canonical encoding cannot be
built, and the identity cannot be read from bytes. It also refuses to multiply by zero, which is an honest
result here: the identity. Order of the group: L = 2^252 + 27742317777372353535851937790883648493.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from threshold.errors import InvalidLength, InvalidPoint, InvalidScalar, LibsodiumMissing
from threshold.randomness import RandomSource

try:
    import pysodium
except (ImportError, OSError, ValueError, AttributeError) as cause:
    raise LibsodiumMissing from cause
if not pysodium.sodium_version_check(1, 0, 18):  # the first with ristretto255
    raise LibsodiumMissing

SCALAR_BYTES = 32
POINT_BYTES = 32
ORDER = 2**252 + 27742317777372353535851937790883648493
"""L, for documents and tests; arithmetic never uses it."""

_ZERO = bytes(32)
_WIDE_BYTES = 64


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Scalar:
    """An integer modulo L.

    Attributes:
        encoded: Secret: 32 bytes, little-endian, 0 <= s < L.
    """

    encoded: bytes

    def __post_init__(self) -> None:
        if len(self.encoded) != SCALAR_BYTES:
            raise InvalidScalar
        reduced = pysodium.crypto_core_ristretto255_scalar_reduce(self.encoded + _ZERO)
        if not hmac.compare_digest(reduced, self.encoded):
            raise InvalidScalar

    @classmethod
    def _trusted(cls, encoded: bytes) -> Scalar:
        """Wrap what libsodium itself returned."""
        scalar = object.__new__(cls)
        object.__setattr__(scalar, "encoded", encoded)
        return scalar

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Scalar:
        """Read 32 bytes, little-endian.

        Raises:
            InvalidScalar: another length, or not below L.
        """
        return cls(bytes(encoded))

    @classmethod
    def from_wide_bytes(cls, uniform: bytes) -> Scalar:
        """Reduce 64 bytes (Secret, little-endian) modulo L; uniform bytes give a uniform scalar.

        Raises:
            InvalidLength: not 64 bytes.
        """
        if len(uniform) != _WIDE_BYTES:
            raise InvalidLength("wide scalar", len(uniform), _WIDE_BYTES)
        return cls._trusted(pysodium.crypto_core_ristretto255_scalar_reduce(uniform))

    @classmethod
    def from_index(cls, x: int) -> Scalar:
        """A public share index, 0 <= x < 2^16, as a scalar."""
        return cls._trusted(x.to_bytes(2, "little") + bytes(SCALAR_BYTES - 2))

    @classmethod
    def random(cls, rng: RandomSource) -> Scalar:
        """A uniform scalar (Secret): one read of 64 bytes, reduced."""
        return cls.from_wide_bytes(rng.read(_WIDE_BYTES))

    def to_bytes(self) -> bytes:
        """32 bytes, little-endian (Secret)."""
        return self.encoded

    @property
    def is_zero(self) -> bool:
        """Whether this is 0 modulo L."""
        return hmac.compare_digest(self.encoded, _ZERO)

    def __add__(self, other: Scalar) -> Scalar:
        return self._trusted(pysodium.crypto_core_ristretto255_scalar_add(self.encoded, other.encoded))

    def __sub__(self, other: Scalar) -> Scalar:
        return self._trusted(pysodium.crypto_core_ristretto255_scalar_sub(self.encoded, other.encoded))

    def __mul__(self, other: Scalar) -> Scalar:
        return self._trusted(pysodium.crypto_core_ristretto255_scalar_mul(self.encoded, other.encoded))

    def inverse(self) -> Scalar:
        """1/s modulo L.

        Raises:
            InvalidScalar: s is zero.
        """
        if self.is_zero:
            raise InvalidScalar
        return self._trusted(pysodium.crypto_core_ristretto255_scalar_invert(self.encoded))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scalar) and hmac.compare_digest(self.encoded, other.encoded)

    def __hash__(self) -> int:
        return hash(self.encoded)

    def __repr__(self) -> str:
        return "Scalar(redacted)"


@dataclass(frozen=True, slots=True)
class Point:
    """An element of ristretto255; public wherever Kura uses one.

    Attributes:
        encoded: 32 bytes, canonical (RFC 9496 section 4.3.1), not the identity when read from outside.
    """

    encoded: bytes

    def __post_init__(self) -> None:
        if len(self.encoded) != POINT_BYTES or self.encoded == _ZERO:
            raise InvalidPoint
        if not pysodium.crypto_core_ristretto255_is_valid_point(self.encoded):
            raise InvalidPoint

    @classmethod
    def _trusted(cls, encoded: bytes) -> Point:
        """Wrap what libsodium itself returned."""
        point = object.__new__(cls)
        object.__setattr__(point, "encoded", encoded)
        return point

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Point:
        """Read 32 bytes.

        Raises:
            InvalidPoint: another length, not canonical, or the identity.
        """
        return cls(bytes(encoded))

    @classmethod
    def from_uniform(cls, uniform: bytes) -> Point:
        """The one-way map (RFC 9496 section 4.3.4) of 64 uniform bytes; it may give the identity.

        Raises:
            InvalidLength: not 64 bytes.
        """
        if len(uniform) != _WIDE_BYTES:
            raise InvalidLength("uniform bytes", len(uniform), _WIDE_BYTES)
        return cls._trusted(pysodium.crypto_core_ristretto255_from_hash(uniform))

    @classmethod
    def identity(cls) -> Point:
        """The neutral element: the result of some sums, never accepted from outside."""
        return cls._trusted(_ZERO)

    @classmethod
    def base_mul(cls, scalar: Scalar) -> Point:
        """Multiply the generator, constant-time; zero gives the identity."""
        if scalar.is_zero:
            return cls.identity()
        return cls._trusted(pysodium.crypto_scalarmult_ristretto255_base(scalar.encoded))

    @property
    def is_identity(self) -> bool:
        """Whether this is the neutral element."""
        return self.encoded == _ZERO

    def to_bytes(self) -> bytes:
        """32 bytes, canonical."""
        return self.encoded

    def __add__(self, other: Point) -> Point:
        return self._trusted(pysodium.crypto_core_ristretto255_add(self.encoded, other.encoded))

    def __sub__(self, other: Point) -> Point:
        return self._trusted(pysodium.crypto_core_ristretto255_sub(self.encoded, other.encoded))

    def __mul__(self, scalar: Scalar) -> Point:
        """Multiply by a scalar, constant-time; zero or the identity give the identity."""
        if scalar.is_zero or self.is_identity:
            return self.identity()
        return self._trusted(pysodium.crypto_scalarmult_ristretto255(scalar.encoded, self.encoded))
