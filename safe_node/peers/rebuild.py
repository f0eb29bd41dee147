"""Rebuild what is missing at one index of a batch: the key share, then the values, each checked and kept.

What was kept stays, whatever goes wrong with the rest; the next round goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from functools import partial

from safe_node.decisions.repairing import (
    LackingPieces,
    RepairRules,
    SessionPart,
    admit_rebuilt,
    blob_length,
    check_key_share,
    ranges,
    session_parts,
)
from safe_node.peers.fragments import rebuilt_fragment
from safe_node.peers.state import DoesNotFit, NotRebuilt, Round
from safe_node.peers.sums import summed_bytes, summed_scalar
from safe_node.records import AnnouncedBlob, KeyShare
from safe_node.repairs import KnownBatch
from threshold import merkle
from trust.errors import PieceRootMismatch
from trust.ids import SafeId
from trust.manifest import Place
from trust.piece import BLOCK_BYTES, BlockHasher, check_piece
from trust.refusals import Refusal
from trust.repairable import is_beyond_repair
from trust.wallet_refusals import KeyShareMismatch

CHUNK_BYTES = 16 * BLOCK_BYTES
"""What a large blob is staged in: 1 MiB, as a wallet's stream is."""

Holders = Mapping[int, frozenset[SafeId]]
"""By leaf position, the peers that say they keep a piece of it."""


async def rebuild(
    state: Round, batch: KnownBatch, missing: LackingPieces, has_key: bool, holders: Holders
) -> None:
    """Have again what can be had; what cannot is counted.

    Args:
        state: The round.
        batch: Its documents, with the leaves that are missing.
        missing: Where, and of which items.
        has_key: The key share at this index stands already.
        holders: Who may help.
    """
    place, left = missing.place, len(missing.leaf_indices)
    beyond = is_beyond_repair(batch.manifest, place)
    try:
        if not beyond:
            key_share = await _key_share(state, batch, place, holders) if place.key and not has_key else None
            left -= await _values(state, batch, missing, key_share, holders)
    except NotRebuilt:
        pass
    state.lacking += left
    state.beyond_repair += left if beyond else 0


async def _key_share(state: Round, batch: KnownBatch, place: Place, holders: Holders) -> KeyShare:
    helping = {safe_id for safe_ids in holders.values() for safe_id in safe_ids}
    candidates = _one_each(one for one in batch.manifest.key_places() if one.safe_id in helping)

    async def attempt(helpers: tuple[Place, ...]) -> KeyShare:
        signed = state.session(batch, place.x, helpers)
        share = await summed_scalar(state, helpers, signed)
        try:
            return await asyncio.to_thread(check_key_share, batch.manifest, place.x, share)
        except KeyShareMismatch:
            raise DoesNotFit from None

    return await state.try_sets(candidates, batch.manifest.terms.key.k, attempt)


async def _values(
    state: Round, batch: KnownBatch, missing: LackingPieces, key_share: KeyShare | None, holders: Holders
) -> int:
    """How many pieces were kept."""
    place = missing.place
    if not place.value:
        return await _keep(state, batch, place, dict.fromkeys(missing.leaf_indices), key_share)
    kept = 0
    largest = state.safe.limits.unary_blob_bytes
    for safe_ids, indices in _by_holders(missing.leaf_indices, holders).items():
        candidates = _one_each(one for one in batch.manifest.value_places() if one.safe_id in safe_ids)
        small = [index for index in indices if blob_length(batch, index) <= largest]
        for index in (one for one in indices if one not in small):
            kept += await _large(state, batch, place, index, key_share, candidates)
        if batch.manifest.terms.value.scheme == "compact":
            parts = [SessionPart((index,), 0, blob_length(batch, index)) for index in small]
        else:
            parts = list(session_parts(small, {index: blob_length(batch, index) for index in small}))
        for part in _whole(parts):
            try:
                blobs = await _small(state, batch, place, part, candidates)
            except NotRebuilt:
                continue
            kept += await _keep(state, batch, place, blobs, key_share)
    return kept


def _by_holders(indices: Sequence[int], holders: Holders) -> dict[frozenset[SafeId], list[int]]:
    groups: dict[frozenset[SafeId], list[int]] = {}
    for index in indices:
        groups.setdefault(holders.get(index, frozenset()), []).append(index)
    return groups


def _whole(parts: Iterable[SessionPart]) -> list[tuple[int, ...]]:
    """The leaves of each group; one blob in several parts is a group of its own."""
    return list(dict.fromkeys(part.leaf_indices for part in parts))


def _one_each(places: Iterable[Place]) -> list[Place]:
    """One share of every safe: a session knows each safe once."""
    return list({place.safe_id: place for place in reversed(list(places))}.values())


async def _small(
    state: Round, batch: KnownBatch, place: Place, indices: tuple[int, ...], candidates: Sequence[Place]
) -> dict[int, bytes]:
    """Blobs that are kept in one row each, checked; several of them by one session."""

    async def attempt(helpers: tuple[Place, ...]) -> dict[int, bytes]:
        joined = b"".join([part async for part in _blobs(state, batch, place.x, indices, helpers)])
        return await asyncio.to_thread(_cut, batch, place.x, indices, joined)

    return await state.try_sets(candidates, batch.manifest.terms.value.k, attempt)


def _cut(batch: KnownBatch, x: int, indices: Sequence[int], joined: bytes) -> dict[int, bytes]:
    blobs, at = {}, 0
    for index in indices:
        end = at + blob_length(batch, index)
        blobs[index] = joined[at:end]
        at = end
        try:
            check_piece(blobs[index], batch.manifest.piece_hash(batch.leaves[index].leaf, x))
        except PieceRootMismatch:
            raise DoesNotFit from None
    return blobs


async def _large(
    state: Round,
    batch: KnownBatch,
    place: Place,
    index: int,
    key_share: KeyShare | None,
    candidates: Sequence[Place],
) -> int:
    attempt = partial(_staged, state, batch, place, index, key_share)
    try:
        return await state.try_sets(candidates, batch.manifest.terms.value.k, attempt)
    except (NotRebuilt, Refusal):
        return 0


async def _staged(
    state: Round,
    batch: KnownBatch,
    place: Place,
    index: int,
    key_share: KeyShare | None,
    helpers: tuple[Place, ...],
) -> int:
    """Stage a large blob as it comes, and keep it if it hashes to its root; what did not is erased."""
    safe, hasher = state.safe, BlockHasher()
    length = blob_length(batch, index)
    wallet_key = batch.manifest.wallet_key
    upload = await safe.store.begin_upload(wallet_key, length, safe.limits.bytes_per_wallet)
    try:
        async for chunk in _rechunked(_blobs(state, batch, place.x, (index,), helpers)):
            await asyncio.to_thread(hasher.update, chunk)
            await upload.write(chunk)
        hashes = hasher.finish()
        if merkle.root(hashes) != batch.manifest.piece_hash(batch.leaves[index].leaf, place.x):
            raise DoesNotFit
        blob = AnnouncedBlob(length, tuple(hashes))
        admitted = admit_rebuilt(batch, place, {index: blob}, key_share)
        await upload.finish(admitted, RepairRules(safe.rules, safe.now).plan)
        state.repaired += 1
        return 1
    finally:
        await asyncio.shield(upload.abort())


async def _blobs(
    state: Round, batch: KnownBatch, x: int, indices: tuple[int, ...], helpers: tuple[Place, ...]
) -> AsyncIterator[bytes]:
    """Blobs end to end, part by part; not checked yet."""
    if batch.manifest.terms.value.scheme == "compact":
        for index in indices:
            async for part in rebuilt_fragment(state, batch, x, index, helpers):
                yield part
        return
    for start, length in ranges(sum(blob_length(batch, index) for index in indices)):
        signed = state.session(batch, x, helpers, indices, start, length)
        yield await summed_bytes(state, helpers, signed, length)


async def _rechunked(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    waiting = bytearray()
    async for part in parts:
        waiting += part
        while len(waiting) >= CHUNK_BYTES:
            yield bytes(waiting[:CHUNK_BYTES])
            del waiting[:CHUNK_BYTES]
    if waiting:
        yield bytes(waiting)


async def _keep(
    state: Round,
    batch: KnownBatch,
    place: Place,
    contents: Mapping[int, bytes | None],
    key_share: KeyShare | None,
) -> int:
    """Register what was rebuilt, durably; how many pieces that are."""
    admitted = admit_rebuilt(batch, place, dict(contents), key_share)
    (outcome,) = await state.safe.store.register(
        [admitted], RepairRules(state.safe.rules, state.safe.now).plan
    )
    if isinstance(outcome, Refusal):
        return 0
    state.repaired += len(contents)
    return len(contents)
