"""Divide and combine: from the sealed bytes of a batch to one share stream per index, and back.

A batch's sealed items, end to end, are one byte string, cut into segments of 1 MiB. Each segment is
divided by itself with randomness of its own, expanded from the batch's seed; so the share at one
index can be made, and made again after a crash, without the others and without holding all of it.
Shamir works byte by byte, so an item's share is a slice of the batch's. Dispersal does not: a batch
under `compact` has one item.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from threshold import dispersal, shamir
from threshold.randomness import SeededRandomness
from trust.policy import Division

SEGMENT_BYTES = 1_048_576


class ByteSource(Protocol):
    """Something that gives its bytes in order: a piece in memory or in a file."""

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes, fewer only at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Divider:
    """Makes shares of a batch's sealed bytes.

    Args:
        sealed: All items' sealed bytes, end to end.
        division: Scheme, k and n.
        xs: Share indices of the value places, in order; a fragment's position is its place in it.
        seed: Secret: 32 bytes; the same seed gives the same shares.
    """

    sealed: bytes = field(repr=False)
    division: Division
    xs: tuple[int, ...]
    seed: bytes = field(repr=False)

    def share(self, x: int) -> Iterator[bytes]:
        """The share at x, segment by segment. Secret."""
        for number, segment in enumerate(_segments(self.sealed)):
            if self.division.scheme == "compact":
                fragments = dispersal.encode(segment, self.division.k, self.division.n)
                yield fragments[self.xs.index(x)]
            else:
                rng = self._randomness(number)
                yield shamir.evaluate(
                    segment, shamir.draw_coefficients(len(segment), self.division.k, rng), x
                )

    def all_shares(self) -> dict[int, bytes]:
        """Every share whole: for batches whose shares are sent in one message. Secret."""
        parts = list(self.segments())
        return {x: b"".join(shares[x] for shares in parts) for x in self.xs}

    def segments(self) -> Iterator[dict[int, bytes]]:
        """The shares at every x, segment by segment. Secret."""
        for number, segment in enumerate(_segments(self.sealed)):
            if self.division.scheme == "compact":
                fragments = dispersal.encode(segment, self.division.k, self.division.n)
                yield {x: fragments[position] for position, x in enumerate(self.xs)}
            else:
                split = shamir.split(segment, self.division.k, self.xs, self._randomness(number))
                yield {share.x: share.data for share in split}

    def _randomness(self, segment: int) -> SeededRandomness:
        return SeededRandomness(self.seed, b"shares of segment %d" % segment)


def share_length(division: Division, sealed_length: int) -> int:
    """Length in bytes of every share of `sealed_length` bytes."""
    if division.scheme == "shamir":
        return sealed_length
    return sum(
        dispersal.fragment_length(length, division.k, division.n)
        for length in _segment_lengths(sealed_length)
    )


def combine(
    division: Division, positions: Mapping[int, int], shares: Mapping[int, ByteSource], sealed_length: int
) -> bytearray:
    """The sealed bytes, from k checked shares.

    Args:
        positions: Of every x, its place among the value places.
        shares: By x, exactly k of them; read once, from their first byte.
        sealed_length: Length of the result.

    Raises:
        ThresholdError: The shares do not fit together; checked pieces of one item always do.
    """
    sealed = bytearray(sealed_length)
    start = 0
    for segment in _combined(division, positions, shares, sealed_length):
        sealed[start : start + len(segment)] = segment
        start += len(segment)
    return sealed


def _combined(
    division: Division, positions: Mapping[int, int], shares: Mapping[int, ByteSource], sealed_length: int
) -> Iterator[bytes]:
    for length in _segment_lengths(sealed_length):
        if division.scheme == "compact":
            size = dispersal.fragment_length(length, division.k, division.n)
            fragments = {positions[x]: source.read(size) for x, source in shares.items()}
            yield dispersal.decode(fragments, division.k, division.n)
        else:
            rows = [shamir.ByteShare(x, source.read(length)) for x, source in shares.items()]
            yield shamir.combine(rows, division.k)


def _segments(data: bytes) -> Iterator[bytes]:
    if len(data) <= SEGMENT_BYTES:
        return iter((data,))
    view = memoryview(data)
    return (bytes(view[start : start + SEGMENT_BYTES]) for start in range(0, len(data), SEGMENT_BYTES))


def _segment_lengths(total: int) -> list[int]:
    """Lengths of the segments of `total` bytes; no bytes are one empty segment."""
    whole, rest = divmod(total, SEGMENT_BYTES)
    return [SEGMENT_BYTES] * whole + ([rest] if rest or not whole else [])
