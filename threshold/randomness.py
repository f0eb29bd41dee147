"""Where randomness comes from: always an argument, so that every computation can be repeated.

`SystemRandomness` is for what must never be known again. `SeededRandomness` is a deterministic stream: an
interrupted backup keeps its 32-byte seed in the journal and regenerates the very same pieces, and bulk
coefficients come out at gigabytes per second where the kernel gives 250 MB/s.
"""

from __future__ import annotations

import os
from typing import Protocol

from threshold import hkdf
from threshold.errors import InvalidLength

SEED_BYTES = 32

_ZEROS = memoryview(bytes(64 * 1024))


class RandomSource(Protocol):
    """Anything that yields uniform bytes."""

    def read(self, length: int) -> bytes:
        """Return `length` fresh uniform bytes (Secret)."""
        ...


class SystemRandomness:
    """The operating system's generator."""

    def read(self, length: int) -> bytes:
        """Return `length` bytes of os.urandom (Secret)."""
        return os.urandom(length)


class SeededRandomness:
    """AES-256-CTR from a zero counter, keyed by HKDF-SHA256(seed, info = label).

    The stream depends on the total number of bytes read before, not on how the reads were cut. One (seed,
    label) must serve one purpose: equal labels give equal bytes.
    """

    __slots__ = ("_keystream",)

    def __init__(self, seed: bytes, label: bytes) -> None:
        """Start the stream of Secret `seed` (32 uniform bytes) for the purpose `label` (any length).

        Raises:
            InvalidLength: the seed is not 32 bytes.
        """
        if len(seed) != SEED_BYTES:
            raise InvalidLength("seed", len(seed), SEED_BYTES)
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        key = hkdf.derive(seed, b"", label)
        self._keystream = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()

    def read(self, length: int) -> bytes:
        """Return the next `length` bytes of the stream (Secret)."""
        whole, rest = divmod(length, len(_ZEROS))
        parts = [self._keystream.update(_ZEROS) for _ in range(whole)]
        return b"".join((*parts, self._keystream.update(_ZEROS[:rest])))

    def __repr__(self) -> str:
        return "SeededRandomness(redacted)"
