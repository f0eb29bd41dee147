"""Come back as an owner: from a name and a PIN, or other factors, to everything that was backed up.

    unlock -> this wallet is the owner's -> catalogue, receipts, keys (look_again.py) -> values

Where the owner's waiting period runs, what is needed afterwards is kept in the wallet, and the same command
goes on then (waiting_recovery.py). Once the wallet is the owner's no factor is needed again:
`continue_recovery` brings back whatever the wallet never had, what expires first before the rest, and nothing
that was put away since. `kura resume` says it until every safe told its catalogue; any wallet of the owner's
may say it again, to have what the others backed up. Values that do not fit stay receipts and are suspended.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from msgspec import structs

from trust.documents import SigningKey
from trust.ids import Hash, OwnerId
from trust.manifest import Manifest
from wallet_client.errors import WalletError
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.enrolling import adopt_owner
from wallet_client.operations.errors import KeyNotInWallet, TooFewSafes
from wallet_client.operations.look_again import UNOPENED, Left, Seen, as_wallet_error, look_again
from wallet_client.operations.outbox import deliver
from wallet_client.operations.owner_errors import DeletedByRevoked, WalletHasOwnerAlready, names_of
from wallet_client.operations.progress import Progress, silent
from wallet_client.operations.recover_in_room import recover_in_room, suspended_in
from wallet_client.operations.reseal import not_bound_at_all, reseal
from wallet_client.operations.settle import changing
from wallet_client.operations.superseded import finish_superseded
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.operations.unlock_attempt import Unlocked
from wallet_client.operations.unlocking import factors_from, unlock_owner
from wallet_client.operations.waiting_errors import AnotherWaits, RecoveryEnded, RecoveryWaits
from wallet_client.operations.waiting_recovery import collect, forget_waiting, keep_waiting, waiting_in
from wallet_client.owners.factors import Proofs
from wallet_client.owners.names import OwnerName
from wallet_client.owners.stretch import owner_id
from wallet_client.receipts.receipt import ReceiptId, receipt_id_of
from wallet_client.receipts.shelf import get_receipt, read_summary
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet, pinned_versions


@dataclass(frozen=True, slots=True)
class OwnerRecovered:
    """What came back.

    Args:
        found: Values and keys that have a receipt now.
        recovered: Those of them that are in the wallet; a root may have gone away again.
        suspended: Values that wait for room.
        left: Items that did not come back, and why.
        lacking: By the safe's name, how many of these items it should keep and does not.
        failed: What went wrong, by the safe's name.
    """

    found: int
    recovered: int
    suspended: Sequence[ValueId]
    left: Mapping[ReceiptId, WalletError]
    lacking: Mapping[str, int]
    failed: Mapping[str, SafeFailure]


async def recover_owner(
    wallet: Wallet, name: OwnerName, proofs: Proofs | None, progress: Progress = silent
) -> OwnerRecovered:
    """Open the owner's record, make this wallet the owner's, and bring everything back.

    Args:
        wallet: Acts for nobody yet.
        name: The owner's.
        proofs: Secret; None: the recovery that waits in this wallet goes on.
        progress: Told how far it is.

    Raises:
        WalletHasOwnerAlready: It acts for somebody; `continue_recovery` goes on without any factor.
        WalletHasAnotherRoot: It has a root, and not this owner's.
        OwnerOutOfReach, OwnerNotUnlocked, OwnerRecordBroken: The record does not open.
        DeviceFailed, AuthorityFailed: A factor could not be had.
        RecoveryWaits, RecoveryEnded: The owner's waiting period runs; or it was in vain.
        AnotherWaits: What waits in this wallet is another owner's.
        WalletBusy: Another process is changing the wallet.
    """
    async with changing(wallet):
        settings = wallet.store.settings.get()
        if settings.owner is not None:
            raise WalletHasOwnerAlready(settings.owner.name)
        owner = await asyncio.to_thread(owner_id, name, Hash(settings.genesis_fingerprint))
        unlocked = await collect(wallet, owner) or await _unlock(wallet, name, owner, proofs)
        failed = await adopt_owner(wallet, name, owner, unlocked.secrets)
        await to_the_end(forget_waiting, wallet.store)
        done = await continue_recovery(wallet, progress, unlocked.secrets.signing_key)
    named = names_of(wallet.roster, dict(unlocked.failed) | failed)
    return replace(done, failed={**named, **done.failed})


async def _unlock(wallet: Wallet, name: OwnerName, owner: OwnerId, proofs: Proofs | None) -> Unlocked:
    """Make a guess; what it takes to go on is kept where it has to wait."""
    if proofs is None:
        raise AnotherWaits if await asyncio.to_thread(waiting_in, wallet.store) else RecoveryEnded
    factors = await factors_from(wallet, name, owner, proofs)
    versions = await asyncio.to_thread(pinned_versions, wallet.store)
    try:
        return await unlock_owner(wallet.links, versions, owner, factors, wallet.rng)
    except RecoveryWaits as waits:
        await to_the_end(keep_waiting, wallet.store, waits)
        raise


async def continue_recovery(
    wallet: Wallet, progress: Progress = silent, owner: SigningKey | None = None
) -> OwnerRecovered:
    """Bring back what the wallet never had, and bind to the owner what is bound to nobody.

    The same as often as it is said.

    Args:
        wallet: The owner's.
        progress: Told how far it is.
        owner: Secret: the owner's key, where it is at hand: what is superseded is erased at once.

    Raises:
        WalletWithoutOwner: It is nobody's.
        TooFewSafes: No safe told its catalogue.
        WalletBusy: Another process is changing the wallet.
    """
    async with changing(wallet):
        seen = await look_again(wallet)
        failed = await _bring_back_values(wallet, seen.left, progress)
        unbound = await asyncio.to_thread(not_bound_at_all, wallet)
        await reseal(wallet, unbound, owner=owner)
        await finish_superseded(wallet, owner)
        await deliver(wallet, owner=owner)
        return await to_the_end(_ended, wallet, seen, failed)


async def _bring_back_values(wallet: Wallet, left: Left, progress: Progress) -> dict[str, SafeFailure]:
    """All values, in one go; where that fails, item by item, so that one that is lost costs no other."""
    waiting = await asyncio.to_thread(_waiting, wallet, left)
    ids = [value_id for value_ids in waiting.values() for value_id in value_ids]
    try:
        return dict((await recover_in_room(wallet, ids, progress=progress)).report.failed)
    except UNOPENED as error:
        as_wallet_error(error)
    failed: dict[str, SafeFailure] = {}
    for receipt_id, value_ids in (await asyncio.to_thread(_waiting, wallet, left)).items():
        try:
            room = await recover_in_room(wallet, value_ids, progress=progress)
            failed |= room.report.failed
        except UNOPENED as error:
            left[receipt_id] = as_wallet_error(error)
    return failed


def _waiting(wallet: Wallet, left: Left) -> dict[ReceiptId, tuple[ValueId, ...]]:
    """Values that are to be brought back, by their receipts, those first that are of use the shortest."""
    wanted = {one.value_id for one in suspended_in(wallet.store)}
    keys = {None, *(entry.key_id for entry in wallet.store.keyring.entries() if entry.is_here)}
    found: list[tuple[date, ReceiptId, tuple[ValueId, ...]]] = []
    for entry in wallet.store.receipts.entries():
        summary, receipt_id = read_summary(entry), ReceiptId(entry.id)
        absent = tuple(one for one in summary.value_ids if one in wanted)
        if receipt_id in left or not absent:
            continue
        if _kept_key_of(get_receipt(wallet.store, receipt_id).manifest) not in keys:
            left[receipt_id] = KeyNotInWallet("")
            continue
        until = min((one.fields.valid_until or date.max for one in summary.members), default=date.max)
        found.append((until, receipt_id, absent))
    return {receipt_id: value_ids for _, receipt_id, value_ids in sorted(found)}


@lru_cache(maxsize=64)
def _kept_key_of(manifest: bytes) -> bytes | None:
    """What the items of a batch were sealed under that only the wallet had that made it; None for nothing."""
    read = Manifest.from_bytes(manifest)
    return read.wrap.key_id if read.terms.key.mode == "kept" and read.wrap else None


def _ended(wallet: Wallet, seen: Seen, failed: Mapping[str, SafeFailure]) -> OwnerRecovered:
    """Say what came of it; nothing is left to be asked for once every safe told all that it has."""
    store, left = wallet.store, _with_deletions(seen)
    owner = store.settings.get().owner
    is_over = not seen.catalogue.failed and not not_bound_at_all(wallet)
    if owner is not None and owner.recovering and is_over and not _may_come_yet(left):
        store.settings.set_owner(structs.replace(owner, recovering=False))
    summaries = {ReceiptId(entry.id): read_summary(entry) for entry in store.receipts.entries()}
    ids = [value_id for one in summaries.values() for value_id in one.value_ids]
    keys = {entry.id for entry in store.keyring.entries()}
    lost = {
        value_id
        for receipt_id in left
        if receipt_id in summaries
        for value_id in summaries[receipt_id].value_ids
    }
    return OwnerRecovered(
        found=len(ids),
        recovered=sum(value_id in keys or store.values.has(value_id) for value_id in ids),
        suspended=tuple(one.value_id for one in suspended_in(store) if one.value_id not in lost),
        left=dict(left),
        lacking={wallet.safe_name(safe_id): count for safe_id, count in seen.catalogue.lacking.items()},
        failed=dict(failed) | names_of(wallet.roster, seen.catalogue.failed),
    )


def _with_deletions(seen: Seen) -> Left:
    """Why items are left, where a revoked wallet deleted them: the safes only say that they have no piece."""
    deleted = {
        receipt_id_of(item.leaf.item_id)
        for item in seen.catalogue.items
        if item.generation in seen.catalogue.tombstones
    }
    return {one: DeletedByRevoked() if one in deleted else error for one, error in seen.left.items()}


def _may_come_yet(left: Left) -> bool:
    return any(isinstance(error, TooFewSafes) for error in left.values())
