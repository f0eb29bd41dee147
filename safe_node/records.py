"""What a safe holds in its hands between wire, decision and store.

Plain values without behaviour: handlers build them from messages, decisions turn one into the next, the
store writes and reads them. Whatever is secret has no repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from safe_node.accounts import AdmittedAuthorisation, WalletState
from trust.certificate import Certificate
from trust.digest import Digest, DigestField
from trust.ids import Hash, ItemId, OwnerKey, WalletKey

PieceName = tuple[ItemId, int, int]
"""Item, generation and share index: at most one piece of a wallet stands under it."""

ItemName = tuple[ItemId, int]
"""Item and generation: what a tombstone names."""


@dataclass(frozen=True, slots=True)
class AnnouncedBlob:
    """A blob that comes, or came, as a stream.

    Args:
        length: Bytes, 32 or more.
        block_hashes: RFC 9162 leaf hashes of its 64 KiB blocks, 32 bytes each.
    """

    length: int
    block_hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class KeyShare:
    """One share of a batch's scalar.

    Args:
        x: Share index, 1 to 255.
        share: Secret: ristretto255 scalar, 32 bytes, little-endian.
    """

    x: int
    share: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CandidatePiece:
    """A piece as it was sent; nothing is checked but its form.

    Args:
        leaf_index: Position of its leaf in the batch.
        x: Share index, 1 to 255.
        content: Secret: the blob; None where it has none.
    """

    leaf_index: int
    x: int
    content: bytes | AnnouncedBlob | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class CandidateBatch:
    """A batch as it was sent; nothing is checked but its form."""

    manifest: bytes
    manifest_signature: bytes
    leaves: tuple[bytes, ...]
    pieces: tuple[CandidatePiece, ...]
    key_shares: tuple[KeyShare, ...]


@dataclass(frozen=True, slots=True)
class AdmittedPiece:
    """A piece that its manifest vouches for and places at this safe.

    Args:
        x_hash: X of the certificate to be.
        leaf: Exact bytes of its item leaf.
        has_key_share: A key share is placed at its x as well.
        content: Secret: the blob; an AnnouncedBlob when it is streamed; None where it has none.
    """

    leaf_index: int
    item_id: ItemId
    generation: int
    x: int
    kind: Literal["value", "key"]
    digest: Digest
    x_hash: Hash
    leaf: bytes
    has_key_share: bool
    content: bytes | AnnouncedBlob | None = field(repr=False)

    @property
    def name(self) -> PieceName:
        """Where it stands among its wallet's pieces."""
        return self.item_id, self.generation, self.x


@dataclass(frozen=True, slots=True)
class AdmittedBatch:
    """A batch of which everything was checked that does not depend on what is stored.

    Args:
        manifest_hash: SHA-256 of the manifest.
        leaf_hashes: RFC 9162 leaf hashes of all leaves, 32 bytes each, one after the other.
        shown: The fields in the digest of an unsealed whole value, which the safe derives itself; None where
            it cannot, or nothing is shown.
        authorisation: The word of the owner for whom the wallet acts, as the manifest carries it.
    """

    wallet_key: WalletKey
    manifest_hash: Hash
    manifest: bytes
    manifest_signature: bytes
    leaf_hashes: bytes
    pieces: tuple[AdmittedPiece, ...]
    key_shares: tuple[KeyShare, ...]
    shown: tuple[DigestField, ...] | None
    authorisation: AdmittedAuthorisation | None = None


@dataclass(frozen=True, slots=True)
class ExistingPiece:
    """What stands under a piece's name already."""

    manifest_hash: Hash
    x_hash: Hash
    certificate: bytes


@dataclass(frozen=True, slots=True)
class RegistrationState:
    """What the store knows that decides on a batch.

    Args:
        next_counter: Y of the next certificate.
        used_bytes: What the wallet keeps here, in the bytes of decisions/costs.py.
        batch_known: The manifest is stored.
        deleted: Which of the batch's items have a tombstone.
        existing: Which of its pieces stand already.
        wallet: Whose it is, as far as the batch's authorisation is concerned.
    """

    next_counter: int
    used_bytes: int
    batch_known: bool
    deleted: frozenset[ItemName]
    existing: Mapping[PieceName, ExistingPiece]
    wallet: WalletState = field(default_factory=WalletState)


@dataclass(frozen=True, slots=True)
class NewPiece:
    """A piece to be written."""

    piece: AdmittedPiece
    counter: int
    certificate: bytes
    cost: int


@dataclass(frozen=True, slots=True)
class RegistrationPlan:
    """What is to be written, all or nothing, and what is answered then.

    Args:
        certificates: For every piece of the batch, in its order.
        batch_cost: Bytes the manifest adds; 0 when it is stored already.
        authorises: The wallet becomes the owner's whom the manifest names.
    """

    certificates: tuple[bytes, ...]
    new_pieces: tuple[NewPiece, ...]
    next_counter: int
    batch_cost: int
    authorises: bool = False

    @property
    def added_bytes(self) -> int:
        """What the wallet uses more."""
        return self.batch_cost + sum(new.cost for new in self.new_pieces)


@dataclass(frozen=True, slots=True)
class Presented:
    """A certificate somebody shows.

    Args:
        body: Its exact bytes.
        certificate: What they say.
    """

    body: bytes
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class StoredPiece:
    """A piece as the store has it; not yet hashed again.

    Args:
        content: Secret: the blob; an AnnouncedBlob when it is in blocks.
        blob_id: Where its blocks are; None unless it is in blocks.
        has_key_share: A key share is placed at its x.
        key_share: Secret: the batch's share at its x, 32 bytes.
        key_share_checksum: What `key_share_checksum` of decisions/retrieval.py gave at registration.
        owner_key: Whose wallet registered it, where it is an owner's.
    """

    wallet_key: WalletKey
    manifest_hash: Hash
    certificate: bytes
    x: int
    content: bytes | AnnouncedBlob | None = field(repr=False)
    blob_id: int | None
    has_key_share: bool
    key_share: bytes | None = field(repr=False)
    key_share_checksum: bytes | None = field(repr=False)
    owner_key: OwnerKey | None = None


@dataclass(frozen=True, slots=True)
class ReleasedPiece:
    """What may be given out.

    Args:
        blob: Secret: 32 random bytes and the value share.
        key_share: Secret: 32 bytes.
    """

    blob: bytes | None = field(repr=False)
    key_share: bytes | None = field(repr=False)
