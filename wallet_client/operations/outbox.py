"""What is owed to a safe: written down in one transaction with its cause, delivered in order.

A safe must get a parcel before the tombstones that follow it, else it would refuse the rest of that
parcel; so all that is owed to one safe is one queue. An unreachable safe keeps its queue until the
next delivery.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from rpc_edge.errors import UnexpectedStatus
from trust import owner_refusals, refusals, wallet_refusals
from trust.documents import SigningKey
from trust.ids import ItemId, SafeId
from trust.manifest import ItemLeaf
from trust.tombstone import Revival
from wallet_client.network.failures import SafeFailure, is_failure_of_safe
from wallet_client.network.fan_out import fan_out
from wallet_client.network.safe_link import SafeLink
from wallet_client.operations.deletion import deliver_tombstones
from wallet_client.operations.journal import OwedParcel, OwnersWord, read_entry
from wallet_client.operations.owed_parcels import deliver_parcel
from wallet_client.operations.owners_words import deliver_word
from wallet_client.receipts.deletion import Deletion
from wallet_client.receipts.shelf import get_deletion
from wallet_client.wallet import Wallet

_Generation: TypeAlias = tuple[ItemId, int]

_AT_ONCE = 100
"""Tombstones of as many deletions are sent at once."""

_FOR_NOW = (
    refusals.StorageFull,
    wallet_refusals.QuotaExceeded,
    wallet_refusals.RosterUnknown,
    owner_refusals.NotAnOwnersWallet,
    refusals.InternalError,
    UnexpectedStatus,
)
"""The safe may take this entry another time."""

_FOR_GOOD = (
    wallet_refusals.PieceConflict,
    wallet_refusals.ManifestInvalid,
    wallet_refusals.PieceMismatch,
    wallet_refusals.DigestMismatch,
    wallet_refusals.KeyShareMismatch,
    wallet_refusals.NotPlacedHere,
    wallet_refusals.NotYourItem,
    refusals.Malformed,
    refusals.CallTooLarge,
    wallet_refusals.PieceNeedsStream,
    owner_refusals.NotTheOwner,
    owner_refusals.TooManyRevocations,
    owner_refusals.WalletHasOwner,
    owner_refusals.WalletRevoked,
)
"""The safe will never take this entry; it stays to be seen until its item is deleted."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a delivery came to.

    Args:
        entries: How many entries were delivered.
        failed: What went wrong, by safe; whatever it did not get waits on.
    """

    entries: int
    failed: dict[SafeId, SafeFailure]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a safe's queue.

    Args:
        cause: The operation or deletion it belongs to.
        content: What the safe is to get.
        blob: Secret: of a streamed piece; else empty.
    """

    cause: str
    content: OwedParcel | OwnersWord | Deletion
    blob: memoryview = field(repr=False)


async def deliver(
    wallet: Wallet, only: Iterable[SafeId] | None = None, owner: SigningKey | None = None
) -> Delivered:
    """Deliver what is owed, to all safes at once and to each in order; nothing is lost if it fails.

    A safe that cannot be reached ends its queue. An entry that a safe refuses waits on, and what has
    nothing to do with it goes on: a full safe must get the tombstones that make room.

    Args:
        only: Safes to be served; None for all to which something is owed.
        owner: Secret: brings the tombstones that it signed, so that they erase at once. Those that a safe
            does not get this time the wallet brings later; they wait then, as the wallet's own do.
    """
    owed = {SafeId(entry.safe_id) for entry in await asyncio.to_thread(wallet.store.outbox.entries)}
    queues = {safe_id: _Queue(wallet, safe_id, owner) for safe_id in owed if only is None or safe_id in only}
    answers = await fan_out({safe_id: queue.serve for safe_id, queue in queues.items()})
    failed = {safe_id: one.failure for safe_id, one in queues.items() if one.failure is not None}
    return Delivered(sum(one.entries for one in queues.values()), failed | answers.failed)


@dataclass(slots=True)
class _Queue:
    """What is owed to one safe, while it is served.

    Args:
        owner: Secret: as `deliver` has it.
        entries: How many entries it took.
        failure: The last that went wrong.
        held: What it will not take yet: nothing later of the same may overtake it.
        owners_link: Signs as the owner.
    """

    wallet: Wallet
    safe_id: SafeId
    owner: SigningKey | None = field(repr=False)
    entries: int = 0
    failure: SafeFailure | None = None
    held: set[_Generation] = field(default_factory=set)
    owners_link: SafeLink | None = None

    async def serve(self) -> None:
        """Deliver; tasks that want to serve the same safe take turns, so nothing goes twice."""
        async with self.wallet.turns[self.safe_id]:
            await self._serve_in_turn()

    async def _serve_in_turn(self) -> None:
        outbox, waiting = self.wallet.store.outbox, list[_Entry]()
        for entry in await asyncio.to_thread(outbox.entries, safe_id=self.safe_id):
            read = await asyncio.to_thread(_read, self.wallet, self.safe_id, entry.owner_id)
            if waiting and (not _may_go_together(waiting[-1], read) or len(waiting) == _AT_ONCE):
                if not await self._serve_together(waiting):
                    return
                waiting = []
            waiting.append(read)
        await self._serve_together(waiting)

    async def _serve_together(self, entries: Sequence[_Entry]) -> bool:
        """Deliver entries that the link then joins into few messages; whether the next ones may be tried."""
        outcomes = await asyncio.gather(*map(self._serve_one, entries), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return all(outcomes)

    async def _serve_one(self, entry: _Entry) -> bool:
        """Deliver one entry unless it must wait; whether the next one may be tried."""
        if self.held and not self.held.isdisjoint(_concerned(entry.content)):
            return True
        try:
            await self._deliver(entry)
        except Exception as error:
            if not is_failure_of_safe(error):
                raise
            self.failure = error
            if isinstance(error, _FOR_NOW):
                self.held |= _concerned(entry.content)
            return isinstance(error, _FOR_NOW + _FOR_GOOD)
        self.entries += 1
        return True

    async def _deliver(self, entry: _Entry) -> None:
        about = (self.wallet, self.safe_id, entry.cause)
        match entry.content:
            case Deletion():
                await deliver_tombstones(*about, entry.content, self._link_for(entry.content))
            case OwnersWord():
                await deliver_word(*about, entry.content)
            case OwedParcel():
                await deliver_parcel(*about, entry.content, entry.blob)

    def _link_for(self, deletion: Deletion) -> SafeLink:
        """Of the owner for what the owner signed, if the key is at hand."""
        if self.owner is None or deletion.signer != self.owner.public:
            return self.wallet.links.to(self.safe_id)
        if self.owners_link is None:
            self.owners_link = self.wallet.links.to(self.safe_id, self.owner)
        return self.owners_link


def _may_go_together(entry: _Entry, following: _Entry) -> bool:
    """Tombstones need not wait for one another; a parcel goes alone."""
    return isinstance(entry.content, Deletion) and isinstance(following.content, Deletion)


def _read(wallet: Wallet, safe_id: SafeId, cause: str) -> _Entry:
    owed, blob = read_entry(wallet.store.outbox.get(cause, safe_id))
    match owed.kind:
        case "parcel":
            return _Entry(cause, OwedParcel.from_bytes(owed.body), blob)
        case "word":
            return _Entry(cause, OwnersWord.from_bytes(owed.body), blob)
        case "tombstones":
            return _Entry(cause, get_deletion(wallet.store, cause), blob)


def _concerned(content: OwedParcel | OwnersWord | Deletion) -> set[_Generation]:
    """The items an entry is about."""
    if isinstance(content, OwnersWord):
        return _concerned_by(content)
    if isinstance(content, Deletion):
        dead = [item.read() for item in content.items]
        return {(tombstone.item_id, tombstone.generation) for tombstone in dead}
    leaves = [ItemLeaf.from_bytes(leaf) for leaf in content.leaves]
    return {(leaf.item_id, leaf.generation) for leaf in leaves}


def _concerned_by(word: OwnersWord) -> set[_Generation]:
    if word.about != "revival":
        return set()
    revival = Revival.from_bytes(word.word)
    return {(revival.item_id, revival.generation)}
