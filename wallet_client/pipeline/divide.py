"""Divide and combine: from bytes to one share stream per index, and back.

What is divided is cut into segments of 1 MiB. Each segment is divided by itself with randomness of its
own, expanded from the batch's seed; so the share at one index can be made, and made again after a
crash, without the others and without holding all of it. Where the policy divides first, each segment of
each share is then sealed by itself.

A batch that is sealed first is divided as one byte string, its items end to end: Shamir works byte by byte,
so an item's share is a slice of the batch's. Dispersal does not: a batch under `compact` has one item.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from threshold import dispersal, shamir
from threshold.randomness import SeededRandomness
from trust.division import SEGMENT_BYTES, share_segment_lengths
from trust.policy import Division, PolicyTerms

ShareSealer: TypeAlias = Callable[[int, int, bytes], bytes]
"""Seals, or opens, one segment of one share: index x, number of the segment, bytes."""


class ByteSource(Protocol):
    """Something that gives its bytes in order: a piece in memory or in a file."""

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes, fewer only at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Divider:
    """Makes shares of some bytes.

    Args:
        content: Secret unless sealed: what is divided.
        division: Scheme, k and n.
        xs: Share indices to be made, in order; the fragment at x is the x-th.
        seed: Secret: 32 bytes; the same seed and purpose give the same shares.
        purpose: What the randomness is for, different for all that is divided under one seed.
        seal: Seals each segment of each share; None where that is not the order.
    """

    content: bytes = field(repr=False)
    division: Division
    xs: tuple[int, ...]
    seed: bytes = field(repr=False)
    purpose: bytes = b"shares"
    seal: ShareSealer | None = None

    def share(self, x: int) -> Iterator[bytes]:
        """The share at x, segment by segment. Secret."""
        for number, segment in enumerate(_segments(self.content)):
            yield self._sealed(x, number, self._share_of(segment, number, x))

    def all_shares(self) -> dict[int, bytes]:
        """Every share whole: for what is sent in one message. Secret."""
        parts = list(self.segments())
        return {x: b"".join(shares[x] for shares in parts) for x in self.xs}

    def segments(self) -> Iterator[dict[int, bytes]]:
        """The shares at every x, segment by segment. Secret."""
        for number, segment in enumerate(_segments(self.content)):
            shares = self._shares_of(segment, number)
            yield {x: self._sealed(x, number, share) for x, share in shares.items()}

    def _shares_of(self, segment: bytes, number: int) -> dict[int, bytes]:
        if self.division.scheme == "compact":
            fragments = dispersal.encode(segment, self.division.k, self.division.n)
            return {x: fragments[x - 1] for x in self.xs}
        split = shamir.split(segment, self.division.k, self.xs, self._randomness(number))
        return {share.x: share.data for share in split}

    def _share_of(self, segment: bytes, number: int, x: int) -> bytes:
        if self.division.scheme == "compact":
            return dispersal.encode(segment, self.division.k, self.division.n)[x - 1]
        rng = self._randomness(number)
        return shamir.evaluate(segment, shamir.draw_coefficients(len(segment), self.division.k, rng), x)

    def _sealed(self, x: int, number: int, share: bytes) -> bytes:
        return share if self.seal is None else self.seal(x, number, share)

    def _randomness(self, segment: int) -> SeededRandomness:
        return SeededRandomness(self.seed, self.purpose + b" of segment %d" % segment)


def combine(
    terms: PolicyTerms,
    shares: Mapping[int, ByteSource],
    divided_length: int,
    unseal: ShareSealer | None = None,
) -> bytearray:
    """What was divided, from k checked shares.

    Args:
        terms: The policy's.
        shares: By x, exactly k of them; read once, from their first byte.
        divided_length: Length of the result.
        unseal: Opens each segment of each share, where every share was sealed by itself.

    Raises:
        ThresholdError: The shares do not fit together, or do not open; checked pieces of one item always do.
    """
    content = bytearray(divided_length)
    start = 0
    for number, size in enumerate(share_segment_lengths(terms, divided_length)):
        read = {x: source.read(size) for x, source in shares.items()}
        if unseal is not None:
            read = {x: unseal(x, number, share) for x, share in read.items()}
        segment = _joined(terms.value, read)
        content[start : start + len(segment)] = segment
        start += len(segment)
    return content


def _joined(division: Division, shares: Mapping[int, bytes]) -> bytes:
    if division.scheme == "compact":
        return dispersal.decode({x - 1: share for x, share in shares.items()}, division.k, division.n)
    return shamir.combine([shamir.ByteShare(x, share) for x, share in shares.items()], division.k)


def _segments(data: bytes) -> Iterator[bytes]:
    if len(data) <= SEGMENT_BYTES:
        return iter((data,))
    view = memoryview(data)
    return (bytes(view[start : start + SEGMENT_BYTES]) for start in range(0, len(data), SEGMENT_BYTES))
