"""Gather: ask every safe for its pieces, and keep those that are what was registered.

All safes are asked at once. Each piece is checked as it comes, before anything is combined: its blob
against X, its key share against the commitments. A safe whose answer does not hold is named, and the
others' pieces are used.
"""

import asyncio
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from io import BytesIO
from typing import BinaryIO

from threshold import feldman
from threshold.errors import ThresholdError
from threshold.ristretto import Point, Scalar
from trust.certificate import SignedCertificate, verify_certificate
from trust.errors import PieceRootMismatch, TrustError
from trust.ids import SafeId
from trust.piece import check_piece
from trust.wallet_refusals import CertificateUnknown, StoredPieceDamaged
from wallet_client.network.failures import (
    NotRegisteredThere,
    SafeFailure,
    WrongKeyShare,
    WrongPiece,
    is_failure_of_safe,
)
from wallet_client.network.fan_out import Answers, fan_out
from wallet_client.network.messages import FetchedPiece
from wallet_client.operations.gather_by_gateway import GatewayGathering
from wallet_client.operations.progress import Meter
from wallet_client.operations.receipt_batch import Gathered, ReceiptBatch, WantedPiece
from wallet_client.wallet import Wallet

_REQUEST_BYTES = 2 * 1_048_576
"""Most blob bytes asked for in one request."""

_INLINE_BYTES = 65_536
"""Answers up to this size are checked in the event loop: a thread would cost more than the check."""


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
        self.meter = meter
        self._commitments = tuple(Point.from_bytes(encoded) for encoded in batch.manifest.commitments)

    async def gather(self) -> tuple[Gathered, dict[SafeId, SafeFailure]]:
        """Ask all safes; what holds, and what went wrong at which safe.

        Safes that are to hold a piece and never certified it are named too.
        """
        if self._wallet.links.gateway is not None:
            return self._sorted_out(await self._by_gateway(everything=False))
        calls = {
            safe_id: partial(self._ask, safe_id, pieces) for safe_id, pieces in self._batch.wanted.items()
        }
        kept = self._batch.kept()
        answers = await fan_out(
            calls, enough=lambda good: self._batch.is_enough(_merged([kept, *good.values()]))
        )
        return self._sorted_out(answers)

    async def gather_all(self) -> tuple[Gathered, dict[SafeId, SafeFailure]]:
        """As `gather`, but of every safe, and with patience: what shows that all of them have it."""
        if self._wallet.links.gateway is not None:
            return self._sorted_out(await self._by_gateway(everything=True))
        calls = {
            safe_id: partial(self._ask, safe_id, pieces) for safe_id, pieces in self._batch.wanted.items()
        }
        answers = await fan_out(calls)
        return self._sorted_out(answers)

    def _sorted_out(self, answers: Answers[Gathered]) -> tuple[Gathered, dict[SafeId, SafeFailure]]:
        failed: dict[SafeId, SafeFailure] = {
            place.safe_id: NotRegisteredThere()
            for place in self._batch.manifest.placement
            if place.safe_id not in self._batch.wanted
        }
        failed |= answers.failed
        failed |= {safe_id: one.failure for safe_id, one in answers.good.items() if one.failure is not None}
        return _merged([self._batch.kept(), *answers.good.values()]), failed

    async def _ask(self, safe_id: SafeId, wanted: Sequence[WantedPiece]) -> Gathered:
        """All one safe has of the batch, also what it lost and rebuilt since, by its new certificate."""
        return await self._with_renewed(safe_id, wanted, await self._ask_once(safe_id, wanted))

    async def _by_gateway(self, *, everything: bool) -> Answers[Gathered]:
        """As `fan_out` of `_ask`, through the gateway; what a safe rebuilt is asked of it by Carry."""
        gathering = GatewayGathering(self._wallet, self._batch, self, everything=everything)
        answers = await gathering.gather()
        for safe_id, gathered in answers.good.items():
            wanted = self._batch.wanted[safe_id]
            answers.good[safe_id] = await self._with_renewed(safe_id, wanted, gathered)
        return answers

    async def _with_renewed(
        self, safe_id: SafeId, wanted: Sequence[WantedPiece], gathered: Gathered
    ) -> Gathered:
        """What a safe gave, with what it rebuilt in the place of what it lost."""
        lost = [piece for piece in wanted if piece.x in gathered.lost.get(piece.index, ())]
        renewed = await self._renewed(safe_id, lost) if lost else []
        if not renewed:
            return gathered
        again = await self._ask_once(safe_id, [piece for piece, _ in renewed])
        for piece, signed in renewed:
            again.renewed.setdefault(piece.index, {})[piece.x] = signed
            gathered.lost[piece.index].discard(piece.x)
        failure = again.failure or (gathered.failure if len(renewed) < len(lost) else None)
        return replace(_merged([gathered, again]), failure=failure)

    async def _renewed(
        self, safe_id: SafeId, lost: Sequence[WantedPiece]
    ) -> list[tuple[WantedPiece, SignedCertificate]]:
        """Those of the lost pieces that the safe has under another certificate now.

        Only where it did give the one that the receipt has: a receipt that was changed opens nothing.
        """
        lost = [piece for piece in lost if self._is_given(safe_id, piece)]
        if not lost:
            return []
        places = {place.x: place for place in self._batch.manifest.placement}
        expected = [self._batch.receipts[piece.index].expected_at(places[piece.x]) for piece in lost]
        try:
            answers = await self._wallet.links.to(safe_id).certify(expected)
        except Exception as failure:
            if not is_failure_of_safe(failure):
                raise
            return []
        return [
            (replace(piece, certificate=answer.certificate), answer)
            for piece, answer in zip(lost, answers, strict=True)
            if isinstance(answer, SignedCertificate) and answer.certificate != piece.certificate
        ]

    def _is_given(self, safe_id: SafeId, piece: WantedPiece) -> bool:
        key = self._wallet.roster.safe(safe_id).signing_key
        certificates = self._batch.receipts[piece.index].certificates
        try:
            for signed in certificates:
                if signed.certificate == piece.certificate:
                    verify_certificate(signed, key)
        except TrustError:
            return False
        return True

    async def _ask_once(self, safe_id: SafeId, wanted: Sequence[WantedPiece]) -> Gathered:
        """A wrong piece is left out and noted as the safe's failure."""
        gathered = Gathered()
        streamed = [piece for piece in wanted if self._batch.is_streamed and piece.blob_bytes]
        for piece in streamed:
            await self._receive(safe_id, piece, gathered)
        link = self._wallet.links.to(safe_id)
        for request in _requests([piece for piece in wanted if piece not in streamed]):
            size = sum(piece.blob_bytes for piece in request)
            answers = await link.fetch([piece.certificate for piece in request], size)
            if size <= _INLINE_BYTES:
                self.keep_all(gathered, request, answers)
            else:
                await asyncio.to_thread(self.keep_all, gathered, request, answers)
            self.meter.advance(size)
        return gathered

    def new_file(self) -> BinaryIO:
        """Where a large piece is written to: without a name, and gone with the process."""
        # Beside the wallet, since /tmp may be memory.
        return self._files.enter_context(tempfile.TemporaryFile(dir=self._wallet.home))

    async def _receive(self, safe_id: SafeId, wanted: WantedPiece, gathered: Gathered) -> None:
        file = self.new_file()
        link = self._wallet.links.to(safe_id)
        counted = self.meter.writer(file)
        try:
            key_share = await link.fetch_stream(wanted.certificate, wanted.x_hash, wanted.blob_bytes, counted)
        except (CertificateUnknown, StoredPieceDamaged) as failure:
            gathered.note_lost(wanted, failure)
            return
        self.keep_key_share(gathered, wanted, key_share)
        gathered.shares.setdefault(wanted.index, {})[wanted.x] = file

    def keep_all(
        self, gathered: Gathered, wanted: Sequence[WantedPiece], answers: Sequence[FetchedPiece | Exception]
    ) -> None:
        """Check what a safe returned for these pieces, and keep what holds; what does not is its failure."""
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
        self.keep_key_share(gathered, wanted, answer.key_share)

    def keep_key_share(self, gathered: Gathered, wanted: WantedPiece, encoded: bytes | None) -> None:
        """Check a key share once for all items of the batch.

        Raises:
            WrongKeyShare: It does not fit the commitments.
        """
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


def _merged(parts: Iterable[Gathered]) -> Gathered:
    merged = Gathered()
    for one in parts:
        merged.key_shares |= one.key_shares
        for index, shares in one.shares.items():
            merged.shares.setdefault(index, {}).update(shares)
        for index, lost in one.lost.items():
            merged.lost.setdefault(index, set()).update(lost)
        for index, renewed in one.renewed.items():
            merged.renewed.setdefault(index, {}).update(renewed)
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
