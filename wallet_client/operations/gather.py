"""Gather: ask every safe for its pieces, and keep those that are what was registered.

All safes are asked at once. Each piece is checked as it comes, before anything is combined: its blob
against X, its key share against the commitments. A safe whose answer does not hold is named, and the
others' pieces are used.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from io import BytesIO
from typing import BinaryIO

from threshold import feldman
from threshold.errors import ThresholdError
from threshold.ristretto import Point, Scalar
from trust.errors import PieceRootMismatch
from trust.ids import SafeId
from trust.manifest import ItemLeaf, Manifest
from trust.piece import BLINDING_BYTES, check_piece
from trust.refusals import CertificateUnknown, StoredPieceDamaged
from wallet_client.network.failures import (
    NotRegisteredThere,
    SafeFailure,
    WrongKeyShare,
    WrongPiece,
    is_failure_of_safe,
)
from wallet_client.network.fan_out import fan_out
from wallet_client.network.messages import FetchedPiece
from wallet_client.operations.progress import Meter
from wallet_client.pipeline.divide import share_length
from wallet_client.pipeline.parcel import STREAMED_ABOVE_BYTES
from wallet_client.receipts.receipt import Receipt
from wallet_client.wallet import Wallet

_REQUEST_BYTES = 2 * 1_048_576
"""Most blob bytes asked for in one request."""

_INLINE_BYTES = 65_536
"""Answers up to this size are checked in the event loop: a thread would cost more than the check."""


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
    """Receipts under one manifest: they share a key, which is fetched once."""

    manifest: Manifest
    receipts: tuple[Receipt, ...]
    leaves: tuple[ItemLeaf, ...]

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
        terms = self.manifest.terms
        if terms.key.mode == "shared" and len(gathered.key_shares) < terms.key.k:
            return False
        return all(len(gathered.shares.get(index, ())) >= terms.value.k for index in range(len(self.leaves)))

    def _blob_bytes(self, leaf: ItemLeaf) -> int:
        return BLINDING_BYTES + share_length(self.manifest.terms.value, leaf.sealed_length)


@dataclass(slots=True)
class Gathered:
    """Checked pieces.

    Args:
        shares: Secret: by item and x, a source of the value share, behind its blinding.
        key_shares: Secret: by x.
        lost: By item, the share indices at which the safe says that it no longer has the piece.
        failure: What was wrong with some of what a safe returned.
    """

    shares: dict[int, dict[int, BinaryIO]] = field(default_factory=dict, repr=False)
    key_shares: dict[int, Scalar] = field(default_factory=dict, repr=False)
    lost: dict[int, set[int]] = field(default_factory=dict)
    failure: SafeFailure | None = None

    def note_lost(self, wanted: WantedPiece, failure: SafeFailure) -> None:
        """The safe had certified the piece, and says that it no longer has it."""
        self.lost.setdefault(wanted.index, set()).add(wanted.x)
        self.failure = failure


def group_by_batch(receipts: Sequence[Receipt]) -> list[ReceiptBatch]:
    """Receipts by manifest, each manifest's signature checked once."""
    groups: dict[bytes, list[Receipt]] = {}
    for receipt in receipts:
        groups.setdefault(receipt.manifest, []).append(receipt)
    return [
        ReceiptBatch(members[0].read_manifest(), tuple(members), tuple(one.read_leaf() for one in members))
        for members in groups.values()
    ]


class Gatherer:
    """Gathers one batch.

    Args:
        wallet: Whose links are used.
        batch: What is asked for.
        files: Owns the temporary files of large pieces.
        meter: Counts bytes as they come.
    """

    def __init__(self, wallet: Wallet, batch: ReceiptBatch, files: ExitStack, meter: Meter) -> None:
        self._wallet = wallet
        self._batch = batch
        self._files = files
        self._meter = meter
        self._commitments = tuple(Point.from_bytes(encoded) for encoded in batch.manifest.commitments)

    async def gather(self) -> tuple[Gathered, dict[SafeId, SafeFailure]]:
        """Ask all safes; what holds, and what went wrong at which safe.

        Safes that are to hold a piece and never certified it are named too.
        """
        calls = {
            safe_id: partial(self._ask, safe_id, pieces) for safe_id, pieces in self._batch.wanted.items()
        }
        answers = await fan_out(calls, enough=lambda good: self._batch.is_enough(_merged(good)))
        failed: dict[SafeId, SafeFailure] = {
            place.safe_id: NotRegisteredThere()
            for place in self._batch.manifest.placement
            if place.safe_id not in calls
        }
        failed |= answers.failed
        failed |= {safe_id: one.failure for safe_id, one in answers.good.items() if one.failure is not None}
        return _merged(answers.good), failed

    async def _ask(self, safe_id: SafeId, wanted: Sequence[WantedPiece]) -> Gathered:
        """All one safe has of the batch; a wrong piece is left out and noted as the safe's failure."""
        gathered = Gathered()
        if self._batch.is_streamed and wanted[0].blob_bytes:
            await self._receive(safe_id, wanted[0], gathered)
            return gathered
        link = self._wallet.links.to(safe_id)
        for request in _requests(wanted):
            size = sum(piece.blob_bytes for piece in request)
            answers = await link.fetch([piece.certificate for piece in request], size)
            if size <= _INLINE_BYTES:
                self._keep_all(gathered, request, answers)
            else:
                await asyncio.to_thread(self._keep_all, gathered, request, answers)
            self._meter.advance(size)
        return gathered

    async def _receive(self, safe_id: SafeId, wanted: WantedPiece, gathered: Gathered) -> None:
        # Without a name, and gone with the process; beside the wallet, since /tmp may be memory.
        file = self._files.enter_context(tempfile.TemporaryFile(dir=self._wallet.home))  # noqa: SIM115
        link = self._wallet.links.to(safe_id)
        counted = self._meter.writer(file)
        try:
            key_share = await link.fetch_stream(wanted.certificate, wanted.x_hash, wanted.blob_bytes, counted)
        except (CertificateUnknown, StoredPieceDamaged) as failure:
            gathered.note_lost(wanted, failure)
            return
        self._keep_key_share(gathered, wanted, key_share)
        gathered.shares[wanted.index] = {wanted.x: file}

    def _keep_all(
        self, gathered: Gathered, wanted: Sequence[WantedPiece], answers: Sequence[FetchedPiece | Exception]
    ) -> None:
        for piece, answer in zip(wanted, answers, strict=True):
            try:
                self._keep(gathered, piece, answer)
            except (WrongPiece, WrongKeyShare) as failure:
                gathered.failure = failure

    def _keep(self, gathered: Gathered, wanted: WantedPiece, answer: FetchedPiece | Exception) -> None:
        if isinstance(answer, Exception):
            if not is_failure_of_safe(answer):
                raise answer
            gathered.failure = answer
            if isinstance(answer, CertificateUnknown | StoredPieceDamaged):
                gathered.note_lost(wanted, answer)
            return
        if wanted.blob_bytes:
            _check_blob(wanted, answer.blob)
            gathered.shares.setdefault(wanted.index, {})[wanted.x] = BytesIO(answer.blob or b"")
        self._keep_key_share(gathered, wanted, answer.key_share)

    def _keep_key_share(self, gathered: Gathered, wanted: WantedPiece, encoded: bytes | None) -> None:
        """Check a key share once for all items of the batch."""
        if not wanted.has_key:
            return
        known = gathered.key_shares.get(wanted.x)
        if known is not None and known.to_bytes() == encoded:
            return
        try:
            share = feldman.ScalarShare(wanted.x, Scalar.from_bytes(encoded or b""))
            feldman.verify_share(share, self._commitments, self._batch.manifest.terms.key.k)
        except ThresholdError:
            raise WrongKeyShare from None
        gathered.key_shares[wanted.x] = share.value


def _check_blob(wanted: WantedPiece, blob: bytes | None) -> None:
    try:
        check_piece(blob or b"", wanted.x_hash)
    except PieceRootMismatch:
        raise WrongPiece from None


def _merged(good: Mapping[SafeId, Gathered]) -> Gathered:
    merged = Gathered()
    for one in good.values():
        merged.key_shares |= one.key_shares
        for index, shares in one.shares.items():
            merged.shares.setdefault(index, {}).update(shares)
        for index, lost in one.lost.items():
            merged.lost.setdefault(index, set()).update(lost)
    return merged


def _requests(wanted: Sequence[WantedPiece]) -> Iterator[list[WantedPiece]]:
    """The pieces in requests whose answers fit in a message."""
    request: list[WantedPiece] = []
    size = 0
    for piece in wanted:
        if request and size + piece.blob_bytes > _REQUEST_BYTES:
            yield request
            request, size = [], 0
        request.append(piece)
        size += piece.blob_bytes
    if request:
        yield request
