"""A compact piece, made again from k others: sealed bytes, so they come as they are, and each shows who lied.

Segments are decoded and encoded anew, window by window, so that a large piece never lies in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from rpc_edge.errors import CallFailed
from safe_node.network.peer_link import Signed
from safe_node.peers.state import NO_ANSWER, DoesNotFit, HelperFailed, Round
from safe_node.repairs import KnownBatch
from threshold import dispersal, merkle
from threshold.errors import ThresholdError
from threshold.shamir import ByteShare, interpolate_at
from trust.division import share_segment_lengths
from trust.manifest import Place
from trust.piece import BLINDING_BYTES, BlockHasher
from trust.policy import Division

WINDOW_BYTES = 1_048_576
"""How much of its piece a helper gives in one answer, unless a single segment's fragment is longer."""


@dataclass(frozen=True, slots=True)
class _Window:
    """Whole segments.

    Args:
        start: Where their fragments begin in a blob.
        fragments: Their lengths.
        has_blinding: The blinding goes before them.
    """

    start: int
    fragments: tuple[int, ...]

    @property
    def has_blinding(self) -> bool:
        return self.start == 0

    @property
    def length(self) -> int:
        return sum(self.fragments) + (BLINDING_BYTES if self.has_blinding else 0)


async def rebuilt_fragment(
    state: Round, batch: KnownBatch, x: int, index: int, helpers: Sequence[Place]
) -> AsyncIterator[bytes]:
    """The blob at x, window by window; not checked yet.

    Raises:
        HelperFailed: A helper gave nothing, or at the end: its own piece is not what the manifest names.
        DoesNotFit: What came does not decode.
    """
    leaf = batch.leaves[index].leaf
    terms = batch.manifest.terms
    hashers = {helper.x: BlockHasher() for helper in helpers}
    lengths = list(share_segment_lengths(terms, leaf.sealed_length))
    for window in _windows(lengths):
        signed = state.session(batch, x, helpers, (index,), window.start, window.length)
        parts = await _parts(state, helpers, signed, window.length)
        for helper_x, part in parts.items():
            hashers[helper_x].update(part)
        yield await asyncio.to_thread(_encoded, terms.value, parts, x, window)
    await _check_helpers(state, batch, index, helpers, hashers)


def _windows(lengths: Sequence[int]) -> Iterator[_Window]:
    start, group = 0, [lengths[0]]
    for length in lengths[1:]:
        if sum(group) + length > WINDOW_BYTES:
            window = _Window(start, tuple(group))
            yield window
            start, group = start + window.length, []
        group.append(length)
    yield _Window(start, tuple(group))


async def _parts(state: Round, helpers: Sequence[Place], signed: Signed, length: int) -> dict[int, bytes]:
    calls = (state.peers.to(helper.safe_id).fragment(signed) for helper in helpers)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    gone: set[int] = set()
    for helper, outcome in zip(helpers, outcomes, strict=True):
        if isinstance(outcome, NO_ANSWER):
            gone.add(helper.x)
            state.silent |= {helper.safe_id} if isinstance(outcome, CallFailed) else set()
        elif isinstance(outcome, BaseException):
            raise outcome
        elif len(outcome) != length:
            gone.add(helper.x)
            state.suspected.add(helper.safe_id)
    if gone:
        raise HelperFailed(frozenset(gone))
    return {
        helper.x: outcome
        for helper, outcome in zip(helpers, outcomes, strict=True)
        if isinstance(outcome, bytes)
    }


def _encoded(division: Division, parts: dict[int, bytes], x: int, window: _Window) -> bytes:
    made, at = [], 0
    if window.has_blinding:
        blindings = [ByteShare(helper, part[:BLINDING_BYTES]) for helper, part in parts.items()]
        made.append(interpolate_at(blindings, division.k, x))
        at = BLINDING_BYTES
    for length in window.fragments:
        fragments = {helper - 1: part[at : at + length] for helper, part in parts.items()}
        try:
            segment = dispersal.decode(fragments, division.k, division.n)
        except ThresholdError:
            raise DoesNotFit from None
        made.append(dispersal.encode(segment, division.k, division.n)[x - 1])
        at += length
    return b"".join(made)


async def _check_helpers(
    state: Round, batch: KnownBatch, index: int, helpers: Sequence[Place], hashers: dict[int, BlockHasher]
) -> None:
    """Hold every helper's own piece against its root: whoever lied is known."""
    leaf = batch.leaves[index].leaf
    wrong = [
        helper
        for helper in helpers
        if merkle.root(hashers[helper.x].finish()) != batch.manifest.piece_hash(leaf, helper.x)
    ]
    if wrong:
        state.suspected |= {helper.safe_id for helper in wrong}
        raise HelperFailed(frozenset(helper.x for helper in wrong))
