"""OwnerStore on the SQLite file of a SafeStore: its writer thread, its readers."""

from __future__ import annotations

import asyncio
from functools import partial

from durable.sqlite import Connection
from durable.writer import WriterThread
from safe_node.accounts import (
    AdmittedAuthorisation,
    AdmittedRevocation,
    KeptBatch,
    OwnersWallet,
    OwnerView,
    Standing,
)
from safe_node.deletions import AdmittedForgetting, AdmittedRevival, Forgetting
from safe_node.guesses import Attempt, GuessPlan, GuessState, UnlockClaim, UnlockPlan
from safe_node.owners import AdmittedRecord, KeptOwner
from safe_node.store import account_rows, catalogue, undeletion
from safe_node.store.erasing import Eraser, Reader
from safe_node.store.guesses import guesses_at, write_guess, write_unlock
from safe_node.store.invitations import enroll
from safe_node.store.owner_rows import clear_ledgers, find_owner, find_owner_by_key, write_records, write_veto
from safe_node.store.owners_base import (
    PlanAuthorisation,
    PlanChange,
    PlanEnrolment,
    PlanForgetting,
    PlanGuess,
    PlanRearming,
    PlanRevocation,
    PlanUndeletion,
    PlanUnlock,
)
from trust.access_policy import Way
from trust.ids import Hash, OwnerId, OwnerKey, WalletKey

_LONG_AGO = 0
"""When everything of a forgotten owner's is due; what else waits is not."""


class SqliteOwners:
    """See safe_node.store.owners_base.OwnerStore for what it promises."""

    def __init__(self, writer: WriterThread, read: Reader, eraser: Eraser) -> None:
        """Share the store's threads; use `SqliteStore.owners`."""
        self._writer = writer
        self._read = read
        self._eraser = eraser

    async def find(self, owner_id: OwnerId) -> KeptOwner | None:
        """The owner of that id."""
        found = await self._read(partial(find_owner, owner_id=owner_id))
        return None if found is None else found.owner

    async def guesses_at(self, owner_id: OwnerId, way: Way) -> GuessState:
        """The owner of that id, and the guesses at nobody."""
        return await self._read(partial(guesses_at, owner_id=owner_id, way=way))

    async def guess(self, attempt: Attempt, plan: PlanGuess) -> GuessPlan:
        """Write down a guess, also at nobody, and give what it comes to."""
        return await self._writer.submit(partial(write_guess, attempt=attempt, plan=plan))

    async def unlock(self, claim: UnlockClaim, plan: PlanUnlock) -> UnlockPlan:
        """Note that a guess was right; raises the plan's refusal."""
        return await self._writer.submit(partial(write_unlock, claim=claim, plan=plan))

    async def enroll(
        self, came: AdmittedRecord, invitation: Hash | None, now_ms: int, plan: PlanEnrolment
    ) -> None:
        """Keep a new owner, and use up the invitation; raises the plan's refusal."""
        await self._writer.submit(partial(enroll, came=came, invitation=invitation, now_ms=now_ms, plan=plan))

    async def change(self, owner_id: OwnerId, plan: PlanChange) -> None:
        """Keep the records that the plan leaves, erase the others; raises its refusal."""
        await self._writer.submit(partial(_change, owner_id=owner_id, plan=plan), erases=True)

    async def rearm(self, owner_key: OwnerKey, plan: PlanRearming) -> None:
        """Keep another ledger; raises the plan's refusal, and the plan refuses None."""
        await self._writer.submit(partial(_rearm, owner_key=owner_key, plan=plan))

    async def veto(self, owner_key: OwnerKey, plan: PlanChange) -> None:
        """End what the plan leaves out of the owner's recoveries that wait; raises its refusal."""
        await self._writer.submit(partial(_veto, owner_key=owner_key, plan=plan))

    async def view(self, owner_key: OwnerKey) -> OwnerView:
        """What is kept for an owner."""
        return await self._read(partial(account_rows.view, owner_key=owner_key))

    async def standing(self, key: WalletKey) -> Standing:
        """Who signs with that key."""
        return await self._read(partial(account_rows.standing, key=key))

    async def authorise(self, word: AdmittedAuthorisation, plan: PlanAuthorisation) -> None:
        """Make a wallet the owner's; raises the plan's refusal."""
        await self._writer.submit(partial(account_rows.authorise, word=word, plan=plan))

    async def revoke(self, word: AdmittedRevocation, plan: PlanRevocation) -> None:
        """Keep an owner's word against a wallet; the first one stays; raises the plan's refusal."""
        await self._writer.submit(partial(account_rows.revoke, word=word, plan=plan))

    async def wallets(self, owner_key: OwnerKey) -> tuple[OwnersWallet, ...]:
        """The owner's wallets, in the order they were learnt."""
        return await self._read(partial(account_rows.wallets, owner_key=owner_key))

    async def batch_ids(self, owner_key: OwnerKey) -> list[int]:
        """What the owner's wallets registered, batch by batch."""
        return await self._read(partial(catalogue.batch_ids, owner_key=owner_key))

    async def kept_batch(self, batch: int) -> list[KeptBatch]:
        """What is kept of one batch; none once it was deleted."""
        return await self._read(partial(catalogue.kept_batch, batch=batch))

    async def tombstones(self, owner_key: OwnerKey) -> list[tuple[bytes, bytes]]:
        """Every tombstone of the owner's items, with its signature."""
        return await self._read(partial(catalogue.tombstones, owner_key=owner_key))

    async def revivals(self, owner_key: OwnerKey) -> list[tuple[bytes, bytes]]:
        """Every deletion that the owner took back, with its signature."""
        return await self._read(partial(catalogue.revivals, owner_key=owner_key))

    async def undelete(self, word: AdmittedRevival, plan: PlanUndeletion) -> None:
        """Take a tombstone back; raises the plan's refusal."""
        await self._writer.submit(partial(undeletion.undelete, word=word, plan=plan))

    async def forget(self, word: AdmittedForgetting, plan: PlanForgetting) -> Forgetting:
        """Erase an owner and all that their wallets registered; give what stands once it is gone."""
        return await asyncio.shield(self._forget(word, plan))

    async def _forget(self, word: AdmittedForgetting, plan: PlanForgetting) -> Forgetting:
        run = partial(undeletion.forget, word=word, plan=plan)
        standing = await self._writer.submit(run, erases=True)
        await self._eraser.erase_due(_LONG_AGO)
        return standing


def _change(connection: Connection, owner_id: OwnerId, plan: PlanChange) -> None:
    before = find_owner(connection, owner_id)
    after = plan(None if before is None else before.owner)
    if before is not None and after is not before.owner:
        write_records(connection, before, after)


def _veto(connection: Connection, owner_key: OwnerKey, plan: PlanChange) -> None:
    before = find_owner_by_key(connection, owner_key)
    after = plan(None if before is None else before.owner)
    if before is not None and after is not before.owner:
        write_veto(connection, before, after)


def _rearm(connection: Connection, owner_key: OwnerKey, plan: PlanRearming) -> None:
    found = find_owner_by_key(connection, owner_key)
    ledger = plan(None if found is None else found.owner.ledger)
    if found is not None:
        clear_ledgers(connection, found.id, ledger)
