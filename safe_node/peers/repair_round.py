"""One round of repair: hear words, compare inventories, rebuild what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from rpc_edge.errors import CallFailed
from safe_node.decisions.repairing import (
    LackingPieces,
    authorisation_of,
    item_names,
    lacking,
    merged,
    read_shown,
)
from safe_node.peers import state as limits
from safe_node.peers.gossip import hear
from safe_node.peers.rebuild import rebuild
from safe_node.peers.state import Round
from safe_node.repairs import KnownBatch, OwnBatch, RepairReport
from threshold.errors import ThresholdError
from trust.errors import TrustError
from trust.ids import Hash, SafeId
from trust.manifest import Manifest
from trust.refusals import Refusal

MAX_PAGES = 100_000
BATCHES_AT_ONCE = 4

Held = dict[Hash, dict[SafeId, frozenset[int]]]
"""By batch and peer, the leaves of which the peer says it keeps a piece."""


async def repair_round(state: Round) -> RepairReport:
    """Do what can be done now; nothing that goes wrong with a batch or a peer ends it."""
    await hear(state)
    held = await _inventories(state)
    waiting = iter(held.items())

    async def work() -> None:
        for manifest_hash, by_peer in waiting:
            await _repair_batch(state, manifest_hash, by_peer)

    async with asyncio.TaskGroup() as workers:
        for _ in range(BATCHES_AT_ONCE):
            workers.create_task(work())
    return state.report()


async def _inventories(state: Round) -> Held:
    held: Held = {}
    told = await asyncio.gather(*(_inventory(state, peer) for peer in state.peers.entries))
    for peer, batches in zip(state.peers.entries, told, strict=True):
        for manifest_hash, leaves in batches.items():
            held.setdefault(manifest_hash, {})[peer] = leaves
    return held


async def _inventory(state: Round, peer: SafeId) -> dict[Hash, frozenset[int]]:
    held: dict[Hash, frozenset[int]] = {}
    after, room = 0, limits.TOLD_BYTES
    link = state.peers.to(peer)
    try:
        async with asyncio.timeout(limits.LISTEN_SECONDS):
            for _ in range(MAX_PAGES):
                page = await link.inventory(state.newest, after)
                room -= limits.held_bytes(page.batches)
                if room < 0:
                    state.silent.add(peer)
                    break
                held |= {batch.manifest_hash: frozenset(batch.leaf_indices) for batch in page.batches}
                if page.next <= after:
                    break
                after = page.next
    except (CallFailed, Refusal, TimeoutError):
        state.silent.add(peer)
    return held


async def _repair_batch(state: Round, manifest_hash: Hash, held: Mapping[SafeId, frozenset[int]]) -> None:
    store, me = state.safe.store.peers, state.membership.safe_id
    own = await store.own_batch(manifest_hash)
    told = frozenset().union(*held.values())
    if _is_whole(own, me, told):
        return
    batch = await _documents(state, manifest_hash, held)
    if batch is None:
        return
    word = authorisation_of(batch.manifest)
    owner_key = None if word is None else word.owner_key
    names = item_names(batch)
    buried = await store.buried(batch.manifest.wallet_key, owner_key, set(names.values()))
    holders = {
        index: frozenset(peer for peer, leaves in held.items() if index in leaves) for index in batch.leaves
    }
    for missing in lacking(batch, me, own.kept, buried):
        await _rebuild(state, batch, missing, own, holders)


async def _rebuild(
    state: Round,
    batch: KnownBatch,
    missing: LackingPieces,
    own: OwnBatch,
    holders: Mapping[int, frozenset[SafeId]],
) -> None:
    has_key = any(x == missing.place.x for _, x in own.kept)
    try:
        await rebuild(state, batch, missing, has_key, holders)
    except (Refusal, ThresholdError):  # no room, or a share that no arithmetic takes
        state.lacking += len(missing.leaf_indices)


def _is_whole(own: OwnBatch, me: SafeId, told: frozenset[int]) -> bool:
    """Everything that peers have of a batch, this safe has at each of its indices."""
    if own.manifest is None:
        return False
    try:
        places = Manifest.from_bytes(own.manifest).places_at(me)
    except TrustError:
        return False
    return all((index, place.x) in own.kept for index in told for place in places)


async def _documents(
    state: Round, manifest_hash: Hash, held: Mapping[SafeId, frozenset[int]]
) -> KnownBatch | None:
    """The batch's documents, from as many peers as it takes to have every leaf that any of them keeps."""
    found: list[KnownBatch] = []
    wanted = set().union(*held.values())
    for peer in sorted(held, key=lambda one: -len(held[one])):
        if not wanted & held[peer]:
            continue
        try:
            shown = await state.peers.to(peer).show_batch(manifest_hash)
            batch = await asyncio.to_thread(read_shown, shown, manifest_hash, state.membership)
        except (CallFailed, Refusal):
            state.silent.add(peer)
        except (TrustError, ThresholdError):
            state.suspected.add(peer)
        else:
            found.append(batch)
            wanted -= batch.leaves.keys()
    return merged(found) if found else None
