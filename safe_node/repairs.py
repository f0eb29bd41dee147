"""What safes tell one another to rebuild what one of them lost: values between wire, decision and store.

Whatever is secret has no repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from trust.ids import Hash, SafeId
from trust.manifest import ItemLeaf, Manifest

PAGE_BATCHES = 256
"""Most batches that one page of an inventory names."""

PAGE_WORDS = 1_000


@dataclass(frozen=True, slots=True)
class HeldBatch:
    """What a safe keeps of one batch.

    Args:
        manifest_hash: SHA-256 of its manifest.
        leaf_indices: Positions of the leaves of which it keeps a piece, rising.
    """

    manifest_hash: Hash
    leaf_indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class InventoryPage:
    """Some of the batches, and where the next page begins; 0: nowhere."""

    batches: tuple[HeldBatch, ...]
    next: int


@dataclass(frozen=True, slots=True)
class ShownLeaf:
    """A leaf as a peer shows it; exact bytes."""

    leaf_index: int
    leaf: bytes


@dataclass(frozen=True, slots=True)
class ShownBatch:
    """The documents of a batch as a peer shows them; nothing is checked but their form.

    Args:
        leaf_hashes: Of all leaves, 32 bytes each, one after the other.
        leaves: Those of which the peer keeps a piece.
    """

    manifest: bytes
    signature: bytes
    leaf_hashes: bytes
    leaves: tuple[ShownLeaf, ...]


@dataclass(frozen=True, slots=True)
class KnownLeaf:
    """A leaf that the manifest names.

    Args:
        body: Its exact bytes.
    """

    leaf: ItemLeaf
    body: bytes


@dataclass(frozen=True, slots=True)
class KnownBatch:
    """A batch of which every document was checked.

    Args:
        manifest_hash: SHA-256 of the manifest.
        body: The manifest's exact bytes.
        signature: The registering wallet's.
        leaf_hashes: Of all leaves.
        leaves: By position, those that peers showed.
    """

    manifest_hash: Hash
    manifest: Manifest
    body: bytes
    signature: bytes
    leaf_hashes: bytes
    leaves: Mapping[int, KnownLeaf]


class WordKind(IntEnum):
    """What a word is; the numbers are those of peer.proto, in the order in which they are to be believed."""

    AUTHORISATION = 1
    REVIVAL = 2
    TOMBSTONE = 3
    REVOCATION = 4
    FORGETTING = 5


@dataclass(frozen=True, slots=True)
class Word:
    """A document that every safe must know; its signature is not checked here.

    Args:
        kind: What it is.
        body: Exact signed bytes.
        signature: 64 bytes.
    """

    kind: WordKind
    body: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class WordsPage:
    """Some words; where the next page begins, 0: nowhere; whether both sides have the same."""

    words: tuple[Word, ...]
    next: int = 0
    same: bool = False


@dataclass(frozen=True, slots=True)
class OwnBatch:
    """What a safe keeps of a batch, as far as finding out what it lacks goes.

    Args:
        manifest: Exact bytes; None where it has nothing of the batch.
        kept: Leaf position and share index of every piece, also of those that wait to be erased.
    """

    manifest: bytes | None
    kept: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class SharePart:
    """What a helper keeps of the part that a session repairs.

    Args:
        manifest: Exact bytes.
        content: Secret: part of its blobs, or its key share.
    """

    manifest: bytes
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RepairReport:
    """How one round of repair went.

    Args:
        repaired: Pieces rebuilt.
        lacking: Pieces that are missing still.
        beyond_repair: Of these, those that no peer can help with, whatever happens.
        silent: Peers that did not answer, or told more than there is room for.
        suspected: Peers that gave something wrong, or may have: a sum does not prove whose summand was wrong.
    """

    repaired: int = 0
    lacking: int = 0
    beyond_repair: int = 0
    silent: frozenset[SafeId] = frozenset()
    suspected: frozenset[SafeId] = frozenset()
