"""What a recovery asks for and what came of it: receipts under one manifest, and their checked pieces.

Nothing here talks to a safe; `gather` does.
"""

from collections.abc import Collection, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import BinaryIO

from threshold.ristretto import Scalar
from trust.certificate import SignedCertificate
from trust.division import share_length
from trust.ids import SafeId
from trust.manifest import ItemLeaf, Manifest
from trust.piece import BLINDING_BYTES
from wallet_client.network.failures import (
    SafeFailure,
)
from wallet_client.operations.errors import TooFewSafes
from wallet_client.pipeline.parcel import STREAMED_ABOVE_BYTES
from wallet_client.pipeline.wrapping import WrappingKey
from wallet_client.receipts.receipt import Receipt
from wallet_client.wallet import Wallet


@dataclass(frozen=True, slots=True)
class WantedPiece:
    """One piece to be asked for.

    Args:
        index: Of which item of the batch.
        x: The share index.
        certificate: What is presented to the safe.
        x_hash: What its blob must hash to.
        blob_bytes: Length of its blob; 0 where no value share is placed.
        has_key: A key share is placed there.
    """

    index: int
    x: int
    certificate: bytes
    x_hash: bytes
    blob_bytes: int
    has_key: bool


@dataclass(frozen=True)
class ReceiptBatch:
    """Receipts under one manifest: they share a key, which is fetched once.

    Args:
        manifest: Theirs.
        receipts: At least one.
        leaves: One for each receipt.
        key: The wallet's key that opens the batch secret, where the wallet has it.
    """

    manifest: Manifest
    receipts: tuple[Receipt, ...]
    leaves: tuple[ItemLeaf, ...]
    key: WrappingKey | None = None

    @cached_property
    def is_streamed(self) -> bool:
        """Whether its one item's blobs are too long for a message."""
        return max(self._blob_bytes(leaf) for leaf in self.leaves) > STREAMED_ABOVE_BYTES

    @cached_property
    def wanted(self) -> dict[SafeId, list[WantedPiece]]:
        """What to ask each safe for."""
        places = {place.x: place for place in self.manifest.placement}
        wanted: dict[SafeId, list[WantedPiece]] = {}
        for index, (receipt, leaf) in enumerate(zip(self.receipts, self.leaves, strict=True)):
            for signed in receipt.certificates:
                place = places[signed.read().index]
                size = self._blob_bytes(leaf) if place.value else 0
                x_hash = self.manifest.piece_hash(leaf, place.x)
                piece = WantedPiece(index, place.x, signed.certificate, x_hash, size, place.key)
                wanted.setdefault(place.safe_id, []).append(piece)
        return wanted

    @cached_property
    def total_bytes(self) -> int:
        """All blobs at all safes."""
        return sum(piece.blob_bytes for pieces in self.wanted.values() for piece in pieces)

    def is_enough(self, gathered: "Gathered") -> bool:
        """Whether every item can be brought back from this."""
        return self._suffices(gathered.shares, gathered.key_shares)

    def would_do(self, safe_ids: Collection[SafeId]) -> bool:
        """Whether every item can be brought back if these safes give all that is wanted of them."""
        kept = self.kept()
        shares, key_xs = {index: set(xs) for index, xs in kept.shares.items()}, set(kept.key_shares)
        for piece in (one for safe_id in safe_ids for one in self.wanted[safe_id]):
            if piece.blob_bytes:
                shares.setdefault(piece.index, set()).add(piece.x)
            if piece.has_key:
                key_xs.add(piece.x)
        return self._suffices(shares, key_xs)

    def _suffices(self, shares: Mapping[int, Sized], key_xs: Sized) -> bool:
        if self.needs_key_shares and len(key_xs) < self.manifest.terms.key.k:
            return False
        k = self.manifest.terms.value.k
        return all(len(shares.get(index, ())) >= k for index in range(len(self.leaves)))

    @property
    def needs_key_shares(self) -> bool:
        """Whether the key must come from shares."""
        return self.manifest.terms.key.is_shared and self.key is None

    def kept(self) -> "Gathered":
        """What the wallet itself keeps of it. Secret."""
        gathered = Gathered()
        for index, receipt in enumerate(self.receipts):
            for x, share in receipt.kept_shares:
                gathered.shares.setdefault(index, {})[x] = BytesIO(bytes(BLINDING_BYTES) + share)
            gathered.key_shares |= {x: Scalar.from_bytes(share) for x, share in receipt.kept_key_shares}
        return gathered

    def _blob_bytes(self, leaf: ItemLeaf) -> int:
        return BLINDING_BYTES + share_length(self.manifest.terms, leaf.sealed_length)


@dataclass(slots=True)
class Gathered:
    """Checked pieces.

    Args:
        shares: Secret: by item and x, a source of the value share, behind its blinding.
        key_shares: Secret: by x.
        lost: By item, the share indices at which the safe says that it no longer has the piece.
        renewed: By item and x, certificates of what a safe lost and rebuilt, in the place of older ones.
        failure: What was wrong with some of what a safe returned.
    """

    shares: dict[int, dict[int, BinaryIO]] = field(default_factory=dict, repr=False)
    key_shares: dict[int, Scalar] = field(default_factory=dict, repr=False)
    lost: dict[int, set[int]] = field(default_factory=dict)
    renewed: dict[int, dict[int, SignedCertificate]] = field(default_factory=dict)
    failure: SafeFailure | None = None

    def note_lost(self, wanted: WantedPiece, failure: SafeFailure) -> None:
        """The safe had certified the piece, and says that it no longer has it."""
        self.lost.setdefault(wanted.index, set()).add(wanted.x)
        self.failure = failure


def group_by_batch(receipts: Sequence[Receipt]) -> list[ReceiptBatch]:
    """Receipts by manifest, each manifest's signature checked once, and every leaf against it.

    The signature so covers digest and ciphertext of every item before anything is fetched or opened [E2].

    Raises:
        SignatureInvalid, DocumentMalformed: A receipt is not as the wallet signed it.
    """
    groups: dict[bytes, list[Receipt]] = {}
    for receipt in receipts:
        groups.setdefault(receipt.manifest, []).append(receipt)
    return [_batch(members) for members in groups.values()]


def _batch(receipts: Sequence[Receipt]) -> ReceiptBatch:
    manifest = receipts[0].read_manifest()
    return ReceiptBatch(manifest, tuple(receipts), tuple(one.check_leaf(manifest) for one in receipts))


def too_few(
    wallet: Wallet, batch: ReceiptBatch, gathered: Gathered, failed: Mapping[SafeId, SafeFailure]
) -> TooFewSafes:
    """The error for a batch of which not enough was gathered."""
    names = {wallet.safe_name(safe_id): failure for safe_id, failure in failed.items()}
    terms = batch.manifest.terms
    have = min(len(gathered.shares.get(index, ())) for index in range(len(batch.leaves)))
    if have >= terms.value.k and batch.needs_key_shares:
        return TooFewSafes("recovered", len(gathered.key_shares), terms.key.k, names)
    return TooFewSafes("recovered", have, terms.value.k, names)
