"""Messages among safes to values and back; what has the wrong form is refused here, by its path."""

from __future__ import annotations

from kura.safe.v1 import peer_pb2 as pb
from safe_node.handlers.owner_converters import read_signature
from safe_node.repairs import (
    PAGE_BATCHES,
    PAGE_WORDS,
    HeldBatch,
    InventoryPage,
    ShownBatch,
    ShownLeaf,
    Word,
    WordKind,
    WordsPage,
)
from trust.ids import HASH_BYTES, SIGNATURE_BYTES, Hash
from trust.manifest import MAX_ITEMS
from trust.refusals import Malformed


def read_hash(value: bytes, field: str) -> Hash:
    """A SHA-256 output.

    Raises:
        Malformed: It has another length.
    """
    if len(value) != HASH_BYTES:
        raise Malformed(field)
    return Hash(value)


def read_session(signed: pb.SignedSession) -> tuple[bytes, bytes]:
    """A session's exact bytes and their signature.

    Raises:
        Malformed: The signature has another length.
    """
    return signed.session, read_signature(signed.signature)


def read_inventory(page: pb.InventoryResponse) -> InventoryPage:
    """A page as a peer sent it.

    Raises:
        Malformed: A hash or a position cannot be one, or there are more than 256 batches.
    """
    if len(page.batches) > PAGE_BATCHES:
        raise Malformed("batches")
    return InventoryPage(tuple(_held(batch) for batch in page.batches), page.next)


def _held(batch: pb.HeldBatch) -> HeldBatch:
    if len(batch.leaf_indices) > MAX_ITEMS or any(index >= MAX_ITEMS for index in batch.leaf_indices):
        raise Malformed("leaf_indices")
    return HeldBatch(read_hash(batch.manifest_hash, "manifest_hash"), tuple(batch.leaf_indices))


def write_inventory(page: InventoryPage) -> pb.InventoryResponse:
    """A page for a peer."""
    batches = [
        pb.HeldBatch(manifest_hash=one.manifest_hash, leaf_indices=one.leaf_indices) for one in page.batches
    ]
    return pb.InventoryResponse(batches=batches, next=page.next)


def read_words(page: pb.WordsResponse) -> WordsPage:
    """A page as a peer sent it; words of a kind this program does not know are left out.

    Raises:
        Malformed: A signature cannot be one, or there are more than 1,000 words.
    """
    if len(page.words) > PAGE_WORDS:
        raise Malformed("words")
    known = [word for word in page.words if word.kind in WordKind._value2member_map_]
    if any(len(word.signature) != SIGNATURE_BYTES for word in known):
        raise Malformed("signature")
    words = tuple(Word(WordKind(word.kind), word.body, word.signature) for word in known)
    return WordsPage(words, page.next, page.same)


def write_words(page: WordsPage) -> pb.WordsResponse:
    """A page for a peer."""
    words = [pb.Word(kind=word.kind.value, body=word.body, signature=word.signature) for word in page.words]  # type: ignore[arg-type]
    return pb.WordsResponse(words=words, next=page.next, same=page.same)


def read_shown(shown: pb.ShowBatchResponse) -> ShownBatch:
    """A batch's documents as a peer sent them.

    Raises:
        Malformed: A signature or a position cannot be one.
    """
    if len(shown.manifest_signature) != SIGNATURE_BYTES:
        raise Malformed("manifest_signature")
    if len(shown.leaves) > MAX_ITEMS or any(leaf.leaf_index >= MAX_ITEMS for leaf in shown.leaves):
        raise Malformed("leaves")
    leaves = tuple(ShownLeaf(leaf.leaf_index, leaf.leaf) for leaf in shown.leaves)
    return ShownBatch(shown.manifest, shown.manifest_signature, shown.leaf_hashes, leaves)


def write_shown(shown: ShownBatch) -> pb.ShowBatchResponse:
    """A batch's documents for a peer."""
    return pb.ShowBatchResponse(
        manifest=shown.manifest,
        manifest_signature=shown.signature,
        leaf_hashes=shown.leaf_hashes,
        leaves=[pb.ShownLeaf(leaf_index=one.leaf_index, leaf=one.leaf) for one in shown.leaves],
    )
