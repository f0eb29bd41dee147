"""Inventory, Words, ShowBatch: what a peer may see of this safe's records. No share is in any of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from kura.safe.v1 import peer_pb2 as pb
from safe_node.decisions.admission import Membership
from safe_node.decisions.repair_sessions import check_roster
from safe_node.handlers.peer_converters import read_hash, write_inventory, write_shown, write_words
from safe_node.handlers.safe import Safe
from safe_node.repairs import PAGE_WORDS, Word, WordsPage
from trust.errors import DocumentMalformed
from trust.ids import HASH_BYTES, Hash, SafeId
from trust.manifest import Manifest
from trust.peer_refusals import PieceUnknown
from trust.refusals import Malformed
from trust.wallet_refusals import NotPlacedHere


async def inventory(safe: Safe, caller: SafeId, request: pb.InventoryRequest) -> pb.InventoryResponse:
    """Name the batches that place something at the caller.

    Raises:
        Malformed, RosterUnknown
    """
    _check_view(request.roster, safe.membership)
    return write_inventory(await safe.store.peers.inventory(request.after, _places_at(caller)))


async def words(safe: Safe, request: pb.WordsRequest) -> pb.WordsResponse:
    """Give what owners and wallets signed.

    Raises:
        Malformed, RosterUnknown
    """
    _check_view(request.roster, safe.membership)
    known = request.known if not request.known else read_hash(request.known, "known")
    mine = await safe.store.peers.words()
    if known == digest_of(mine):
        return write_words(WordsPage((), same=True))
    end = request.after + PAGE_WORDS
    return write_words(WordsPage(mine[request.after : end], end if end < len(mine) else 0))


async def show_batch(safe: Safe, caller: SafeId, request: pb.ShowBatchRequest) -> pb.ShowBatchResponse:
    """Give the documents of one batch.

    Raises:
        Malformed, PieceUnknown, NotPlacedHere
    """
    shown = await safe.store.peers.shown_batch(read_hash(request.manifest_hash, "manifest_hash"))
    if shown is None:
        raise PieceUnknown
    if not _places_at(caller)(shown.manifest):
        raise NotPlacedHere
    return write_shown(shown)


def digest_of(words: Sequence[Word]) -> Hash:
    """SHA-256 over all words in order, each behind its length: equal where both sides have the same."""
    hasher = hashlib.sha256()
    for word in words:
        hasher.update(bytes((word.kind,)) + len(word.body).to_bytes(4, "big") + word.body)
    return Hash(hasher.digest())


def _places_at(peer: SafeId) -> Callable[[bytes], bool]:
    def places(manifest: bytes) -> bool:
        try:
            return bool(Manifest.from_bytes(manifest).places_at(peer))
        except DocumentMalformed:  # rows that were changed by hand
            return False

    return places


def _check_view(view: pb.RosterView, membership: Membership) -> None:
    if len(view.hash) != HASH_BYTES:
        raise Malformed("roster.hash")
    check_roster(view.version, view.hash, membership)
