"""Hashing to ristretto255 and to its scalars (RFC 9380), as the suite ristretto255-SHA512 of RFC 9497 has it.

`expand_message_xmd` stretches a message by SHA-512 under a domain separation tag, so that two uses never
share an output; 64 uniform bytes then become an element by the one-way map of RFC 9496, or a scalar by
reduction. Time depends on lengths alone.
"""

from __future__ import annotations

from hashlib import sha512

from threshold.errors import InvalidLength
from threshold.ristretto import Point, Scalar

HASH_BYTES = 64
UNIFORM_BYTES = 64
MAX_TAG_BYTES = 255  # RFC 9380 section 5.3.1
MAX_OUTPUT_BYTES = 255 * HASH_BYTES  # RFC 9380 section 5.3.1: 255 blocks

_BLOCK_BYTES = 128  # of SHA-512


def expand_message_xmd(message: bytes, tag: bytes, length: int) -> bytes:
    """RFC 9380 section 5.3.1 with SHA-512: `length` uniform bytes, Secret when the message is.

    Args:
        message: any length.
        tag: the domain separation tag, 1..255 bytes; longer ones, which the RFC hashes first, are refused.
        length: 1..16320.

    Raises:
        InvalidLength: tag or length is out of range.
    """
    _check_range("domain separation tag", len(tag), MAX_TAG_BYTES)
    _check_range("expanded message", length, MAX_OUTPUT_BYTES)
    tag_prime = tag + bytes([len(tag)])
    first = sha512(bytes(_BLOCK_BYTES) + message + length.to_bytes(2, "big") + b"\0" + tag_prime).digest()
    block = sha512(first + b"\1" + tag_prime).digest()
    blocks = [block]
    for counter in range(2, -(-length // HASH_BYTES) + 1):
        block = sha512(_xor(first, block) + bytes([counter]) + tag_prime).digest()
        blocks.append(block)
    return b"".join(blocks)[:length]


def hash_to_group(message: bytes, tag: bytes) -> Point:
    """The element of a message (RFC 9380 appendix B), Secret when the message is; nobody knows its logarithm.

    Raises:
        InvalidLength: the tag is not 1..255 bytes.
    """
    return Point.from_uniform(expand_message_xmd(message, tag, UNIFORM_BYTES))


def hash_to_scalar(message: bytes, tag: bytes) -> Scalar:
    """The scalar of a message (RFC 9497 section 4.1): 64 bytes, little-endian, reduced; it may be zero.

    Raises:
        InvalidLength: the tag is not 1..255 bytes.
    """
    return Scalar.from_wide_bytes(expand_message_xmd(message, tag, UNIFORM_BYTES))


def framed(*parts: bytes) -> bytes:
    """Each part (at most 65535 bytes) after its length in two bytes: no two lists of parts read alike."""
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def _check_range(what: str, have: int, limit: int) -> None:
    if not 1 <= have <= limit:
        raise InvalidLength(what, have, limit)


def _xor(left: bytes, right: bytes) -> bytes:
    from Crypto.Util.strxor import strxor

    return strxor(left, right)
