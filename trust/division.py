"""How long shares are, and where the segments lie of which a share is made.

What is divided is cut into segments of 1 MiB, each divided by itself. The wallet divides by this and a safe
that rebuilds its piece does: so both say it here.
"""

from collections.abc import Iterator

from threshold import dispersal
from threshold.sealing import TAG_BYTES
from trust.policy import PolicyTerms

SEGMENT_BYTES = 1_048_576


def share_length(terms: PolicyTerms, divided_length: int) -> int:
    """Length in bytes of every share of `divided_length` bytes, as a safe keeps it."""
    return sum(share_segment_lengths(terms, divided_length))


def share_segment_lengths(terms: PolicyTerms, divided_length: int) -> Iterator[int]:
    """Length in bytes of each segment of a share, in order."""
    division = terms.value
    tag = TAG_BYTES if terms.order == "divide-then-seal" else 0
    for length in segment_lengths(divided_length):
        if division.scheme == "compact":
            yield tag + dispersal.fragment_length(length, division.k, division.n)
        else:
            yield tag + length


def segment_lengths(total: int) -> list[int]:
    """Lengths of the segments of `total` bytes; no bytes are one empty segment."""
    whole, rest = divmod(total, SEGMENT_BYTES)
    return [SEGMENT_BYTES] * whole + ([rest] if rest or not whole else [])
