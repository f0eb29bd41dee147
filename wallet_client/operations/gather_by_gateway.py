"""Gather through a gateway [E12, C43]: one grant, one call, every safe's pieces come sealed to this wallet.

The gateway itself and as many others as would do are asked first; the rest are spare, which the gateway asks
in the place of who fails or is slow. Where what came does not do all the same, since a piece was wrong or a
spare had something else, those who were not asked yet are asked too. Each piece is checked as it comes, as
without a gateway: nothing that a gateway does costs a wrong value.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from threshold.hpke import PRIVATE_BYTES, KeyPair
from trust.errors import TrustError
from trust.grant import LIFE_SECONDS, Grant, granted_part, sign_grant
from trust.ids import SafeId, WalletKey
from trust.piece import BlockChecker
from wallet_client.network.failures import NotInRoster, WrongKeyShare, WrongPiece, WrongReply
from wallet_client.network.fan_out import Answers
from wallet_client.network.gateway_link import (
    AllGiven,
    AnnouncedBlob,
    Asked,
    BlobChunk,
    GatewayLink,
    Part,
)
from wallet_client.network.messages import FetchedPiece
from wallet_client.operations.gateway_plan import Slice, most_frames, order, slices
from wallet_client.operations.progress import Meter
from wallet_client.operations.receipt_batch import Gathered, ReceiptBatch, WantedPiece
from wallet_client.wallet import Wallet

_INLINE_BYTES = 65_536


class Keeper(Protocol):
    """Who checks pieces and keeps what holds."""

    meter: Meter

    def keep_all(
        self, gathered: Gathered, wanted: Sequence[WantedPiece], answers: Sequence[FetchedPiece | Exception]
    ) -> None:
        """Check what a safe returned for these pieces."""
        ...

    def keep_key_share(self, gathered: Gathered, wanted: WantedPiece, encoded: bytes | None) -> None:
        """Check a key share; raises WrongKeyShare."""
        ...

    def new_file(self) -> BinaryIO:
        """Where a large piece is written to."""
        ...


@dataclass(slots=True)
class _Blob:
    """A large piece on its way.

    Args:
        key_share: Secret: 32 bytes, or None.
        left: Bytes still to come.
    """

    checker: BlockChecker
    file: BinaryIO
    key_share: bytes | None = field(repr=False)
    left: int


@dataclass(slots=True)
class _Incoming:
    """What comes of one safe under one grant.

    Args:
        wanted: What it was asked for, in order.
        at: How many of these are done.
        blob: The large piece that is under way.
    """

    wanted: Sequence[WantedPiece]
    at: int = 0
    blob: _Blob | None = None


class GatewayGathering:
    """Gathers one batch through the wallet's gateway.

    Args:
        wallet: Whose links and key are used.
        batch: What is asked for.
        keeper: Checks what comes.
        everything: Ask every safe for all of it, and wait for all.
    """

    def __init__(self, wallet: Wallet, batch: ReceiptBatch, keeper: Keeper, *, everything: bool) -> None:
        self._wallet = wallet
        self._batch = batch
        self._keeper = keeper
        self._gathered: dict[SafeId, Gathered] = {}
        known = [entry.safe_id for entry in wallet.roster.safes]
        wanted = {one: batch.wanted[one] for one in known if one in batch.wanted}
        for former in batch.wanted.keys() - wanted:
            self._of(former).failure = NotInRoster()
        self._firsts, self._spares = order(wanted, batch, self._link.entry.safe_id, everything=everything)
        self._slices = list(slices(wanted))

    async def gather(self) -> Answers[Gathered]:
        """Everything that holds, by safe, with what went wrong at each."""
        asked_again = []
        for one in self._slices:
            heard = await self._ask(one, self._firsts, self._spares)
            asked_again.append({safe_id: one[safe_id] for safe_id in one if safe_id not in heard})
        for one in asked_again:
            if one and not self._is_enough():
                await self._ask(one, list(one), [])
        return Answers(good=self._gathered)

    @property
    def _link(self) -> GatewayLink:
        return self._wallet.links.to_gateway()

    def _of(self, safe_id: SafeId) -> Gathered:
        return self._gathered.setdefault(safe_id, Gathered())

    def _is_enough(self) -> bool:
        merged = self._batch.kept()
        for one in self._gathered.values():
            merged.key_shares |= one.key_shares
            for index, shares in one.shares.items():
                merged.shares.setdefault(index, {}).update(shares)
        return self._batch.is_enough(merged)

    async def _ask(self, one: Slice, firsts: Iterable[SafeId], spares: Iterable[SafeId]) -> set[SafeId]:
        """Show one grant; gives the safes of which something came, if only a failure."""
        first, spare = ([safe_id for safe_id in ids if safe_id in one] for ids in (firsts, spares))
        if not first:
            first, spare = spare, []
        incoming = {safe_id: _Incoming(one[safe_id]) for safe_id in (*first, *spare)}
        heard: set[SafeId] = set()
        async with aclosing(self._link.gather(self._asked(incoming, spare))) as parts:
            async for safe_id, part in parts:
                heard.add(safe_id)
                await self._take(safe_id, incoming[safe_id], part)
        return heard

    def _asked(self, incoming: Mapping[SafeId, _Incoming], spares: Iterable[SafeId]) -> Asked:
        wallet, now = self._wallet, self._wallet.now()
        pair = KeyPair(wallet.rng.read(PRIVATE_BYTES))
        lists = {safe_id: [piece.certificate for piece in one.wanted] for safe_id, one in incoming.items()}
        grant = Grant(
            wallet_key=WalletKey(wallet.keys.signing.public),
            gateway=self._link.entry.safe_id,
            recipient_key=pair.public,
            roster_version=wallet.roster.version,
            roster_hash=wallet.roster.fingerprint,
            issued_at=now,
            expires_at=now + LIFE_SECONDS,
            parts=tuple(granted_part(safe_id, one) for safe_id, one in lists.items()),
        )
        body, signature = sign_grant(grant, wallet.keys.signing)
        most = {safe_id: most_frames(one.wanted) for safe_id, one in incoming.items()}
        return Asked(grant, body, signature, lists, frozenset(spares), most, pair)

    async def _take(self, safe_id: SafeId, incoming: _Incoming, part: Part) -> None:
        gathered = self._of(safe_id)
        try:
            if isinstance(part, Exception):
                gathered.failure = part
            elif isinstance(part, AnnouncedBlob):
                self._begin(incoming, part)
            elif isinstance(part, BlobChunk):
                await self._write(gathered, incoming, part.content)
            elif isinstance(part, AllGiven):
                _check_end(incoming)
            else:
                await self._keep(gathered, incoming, part)
        except TrustError:
            _next_piece(incoming)
            gathered.failure = WrongPiece()
        except (WrongPiece, WrongKeyShare, WrongReply) as failure:
            gathered.failure = failure

    async def _keep(
        self, gathered: Gathered, incoming: _Incoming, answers: Sequence[FetchedPiece | Exception]
    ) -> None:
        pieces = incoming.wanted[incoming.at : incoming.at + len(answers)]
        if len(pieces) != len(answers):
            raise WrongReply
        incoming.at, incoming.blob = incoming.at + len(pieces), None
        size = sum(piece.blob_bytes for piece in pieces)
        if size <= _INLINE_BYTES:
            self._keeper.keep_all(gathered, pieces, answers)
        else:
            await asyncio.to_thread(self._keeper.keep_all, gathered, pieces, answers)
        self._keeper.meter.advance(size)

    def _begin(self, incoming: _Incoming, announced: AnnouncedBlob) -> None:
        if incoming.at >= len(incoming.wanted) or incoming.blob is not None:
            raise WrongReply
        piece = incoming.wanted[incoming.at]
        checker = BlockChecker(announced.block_hashes, announced.blob_length, piece.x_hash)
        if announced.blob_length != piece.blob_bytes:
            _next_piece(incoming)
            raise WrongPiece
        incoming.blob = _Blob(checker, self._keeper.new_file(), announced.key_share, piece.blob_bytes)

    async def _write(self, gathered: Gathered, incoming: _Incoming, chunk: bytes) -> None:
        blob = incoming.blob
        if blob is None:
            return  # of a piece that was given up: its failure is noted
        await asyncio.to_thread(_check_and_write, blob, chunk)
        self._keeper.meter.advance(len(chunk))
        if blob.left:
            return
        piece = incoming.wanted[incoming.at]
        _next_piece(incoming)
        self._keeper.keep_key_share(gathered, piece, blob.key_share)
        gathered.shares.setdefault(piece.index, {})[piece.x] = blob.file


def _check_and_write(blob: _Blob, chunk: bytes) -> None:
    blob.checker.check(chunk)
    blob.file.write(chunk)
    blob.left -= len(chunk)


def _next_piece(incoming: _Incoming) -> None:
    incoming.at, incoming.blob = incoming.at + 1, None


def _check_end(incoming: _Incoming) -> None:
    if incoming.at != len(incoming.wanted):
        raise WrongReply
