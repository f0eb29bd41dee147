"""HKDF-SHA256 (RFC 5869): the one way Kura turns a secret into keys.

Two HMACs of the standard library (OpenSSL underneath), because a key is derived for every value of a
batch: 5 us a key against 41 us for pycryptodome's HKDF, where a value has about 300 us in all.
`benchmarks/threshold_speed.py` measures both; the Wycheproof vectors hold this one to the RFC.
"""

from __future__ import annotations

import hmac

from threshold.errors import InvalidLength

HASH_BYTES = 32
MAX_OUTPUT_BYTES = 255 * HASH_BYTES  # RFC 5869 section 2.3


def extract(salt: bytes, key_material: bytes) -> bytes:
    """RFC 5869 section 2.2: the pseudorandom key (32 bytes, Secret) of Secret `key_material`."""
    return hmac.digest(salt, key_material, "sha256")


def expand(pseudorandom_key: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 section 2.3: `length` bytes (Secret) for the purpose `info`.

    Raises:
        InvalidLength: `length` is outside 0..8160.
    """
    if not 0 <= length <= MAX_OUTPUT_BYTES:
        raise InvalidLength("HKDF output", length, MAX_OUTPUT_BYTES)
    output = block = b""
    for counter in range(1, -(-length // HASH_BYTES) + 1):
        block = hmac.digest(pseudorandom_key, block + info + bytes([counter]), "sha256")
        output += block
    return output[:length]


def derive(key_material: bytes, salt: bytes, info: bytes, length: int = 32) -> bytes:
    """Extract, then expand: `length` bytes (Secret) from Secret `key_material`.

    Raises:
        InvalidLength: `length` is outside 0..8160.
    """
    return expand(extract(salt, key_material), info, length)
