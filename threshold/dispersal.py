"""Compact dispersal (Krawczyk 1993, "Secret Sharing Made Short"): the k-of-n division of a *ciphertext*.

A sealed value needs no secrecy from its pieces, only its key does. So the ciphertext is erasure-coded (a
fragment is about 1/k of it) and the key alone is shared by `feldman`. Fragments keep no secret and carry no
check: check each against its signed piece root before decoding, or the result is garbage.

A segment is padded by 0x80 and zeros to k equal parts of whole 16-byte words; the first k fragments are
those parts, the others come from a systematic Cauchy code of ISA-L (every k fragments decode, for all k and
n; its Vandermonde code does not promise that). The library wants an 80-byte header on each fragment. Such
headers are parsed in C, so they are never stored or believed: they are cut off after encoding, and before
decoding rebuilt here from lengths and positions.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from threshold.errors import InvalidFragment, InvalidThreshold, NotEnoughShares, SegmentDamaged

if TYPE_CHECKING:
    from pyeclib.ec_iface import ECDriver

MAX_FRAGMENTS = 32
"""The most fragments of one segment; more than any roster of safes, and what the library is built for."""

WORD_BYTES = 16
_HEADER_BYTES = 80
_PAD = b"\x80"


def fragment_length(segment_length: int, k: int, n: int) -> int:
    """Bytes in each fragment of a segment of `segment_length` bytes: at most 16 above (length + 1) / k.

    Raises:
        InvalidThreshold: not 1 <= k <= n <= 32.
    """
    _check_threshold(k, n)
    return WORD_BYTES * (segment_length // (k * WORD_BYTES) + 1)


def encode(segment: bytes, k: int, n: int) -> list[bytes]:
    """The n fragments of a segment (any length, empty included), by position 0..n-1; any k give it back.

    With k = 1 all are copies; with k = n they are the parts and nothing may be lost.

    Raises:
        InvalidThreshold: not 1 <= k <= n <= 32.
    """
    length = fragment_length(len(segment), k, n)
    padded = b"".join((segment, _PAD, bytes(k * length - len(segment) - 1)))
    if k == 1:
        return [padded] * n
    if k == n:
        return [padded[start : start + length] for start in range(0, len(padded), length)]
    return [fragment[_HEADER_BYTES:] for fragment in _driver(k, n).encode(padded)]


def decode(fragments: Mapping[int, bytes], k: int, n: int) -> bytes:
    """The segment behind any k fragments, given by position 0..n-1; the k lowest positions are used.

    Raises:
        InvalidThreshold: not 1 <= k <= n <= 32.
        NotEnoughShares: fewer than k fragments.
        InvalidFragment: a position or length that no encoding gives.
        SegmentDamaged: a fragment was changed (most changes go unseen here: check piece roots first).
    """
    _check_threshold(k, n)
    if len(fragments) < k:
        raise NotEnoughShares(len(fragments), k)
    _check_fragments(fragments, n)
    used = sorted(fragments)[:k]
    if used == list(range(k)):
        return _unpad(b"".join(fragments[position] for position in used), k)
    if k == 1:
        return _unpad(fragments[used[0]], k)
    headers = _headers(k, n, len(fragments[used[0]]))
    return _unpad(_driver(k, n).decode([headers[i] + fragments[i] for i in used]), k)


def _check_threshold(k: int, n: int) -> None:
    if not 1 <= k <= n <= MAX_FRAGMENTS:
        raise InvalidThreshold(k, n)


def _check_fragments(fragments: Mapping[int, bytes], n: int) -> None:
    length = len(next(iter(fragments.values())))
    for position, fragment in fragments.items():
        if not 0 <= position < n or len(fragment) != length or not length or length % WORD_BYTES:
            raise InvalidFragment(position)


def _unpad(padded: bytes, k: int) -> bytes:
    """Cut 0x80 and the zeros after it; the padding is never longer than k words."""
    tail = padded[-k * WORD_BYTES :].rstrip(b"\x00")
    if not tail.endswith(_PAD):
        raise SegmentDamaged
    return padded[: len(padded) - k * WORD_BYTES + len(tail) - 1]


@lru_cache(maxsize=64)
def _driver(k: int, n: int) -> ECDriver:
    from pyeclib.ec_iface import ECDriver

    return ECDriver(k=k, m=n - k, ec_type="isa_l_rs_cauchy", chksum_type="none")


@lru_cache(maxsize=64)
def _headers(k: int, n: int, length: int) -> tuple[bytes, ...]:
    """The library's headers for fragments of `length` bytes: those it gives to a segment of zeros."""
    return tuple(fragment[:_HEADER_BYTES] for fragment in _driver(k, n).encode(bytes(k * length)))
