"""Reseed: fresh secrets for everything that is backed up; with a new root, what was stolen opens nothing.

    new root: unlock -> other wallets are revoked -> stage and try a record with both roots -> in force
    catalogue -> seal every item anew -> read each back from all its safes -> tombstones for the old
    new root: nothing is bound to the old one any more -> a record with the new root alone -> erase the old

A stop anywhere leaves every value readable, and the same command goes on: while a record holds two roots, the
newer of them is the one that is being brought in.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from threshold.sealing import SECRET_BYTES
from trust.authorisation import revoke_wallet
from trust.documents import SigningKey
from trust.ids import OwnerId
from trust.key_algorithm import BUILT_IN, derive_scalar
from trust.owner_record import NO_ROOT, OwnerSecrets
from wallet_client.errors import WalletError
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.deletion import owe_deletion
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.look_again import look_again
from wallet_client.operations.outbox import deliver
from wallet_client.operations.owner_errors import names_of
from wallet_client.operations.owner_status import require_owner
from wallet_client.operations.owner_wallets import owe_revocation, owners_wallets
from wallet_client.operations.progress import Progress, silent
from wallet_client.operations.replace_record import replace_record, require_roots_in_use
from wallet_client.operations.reseal import not_bound_yet, reseal
from wallet_client.operations.settle import changing
from wallet_client.operations.superseded import finish_superseded
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.operations.unlocking import open_with
from wallet_client.operations.wallet_keys import DEFAULT_NAMES, new_key
from wallet_client.owners.factors import Factors, Proofs
from wallet_client.pipeline.binding import Binding
from wallet_client.pipeline.errors import BindingUnknown
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import get_receipt
from wallet_client.storage.keys import LEAVING_ROOT
from wallet_client.storage.secret import Secret
from wallet_client.values.errors import ValueDamaged
from wallet_client.wallet import Wallet, wallet_keys

_HOPELESS = (ValueDamaged, BindingUnknown)
"""Items that no root of the owner's opens: nothing is lost with the old one."""


@dataclass(frozen=True, slots=True)
class Reseeded:
    """What came of it.

    Args:
        resealed: Items that have a new generation.
        left: Items that stand as they were, and why.
        waiting: Old generations that stand until the new ones were read back from all safes.
        ended: Nothing is left to be done.
        failed: What went wrong, by the safe's name.
    """

    resealed: Sequence[ReceiptId]
    left: Mapping[ReceiptId, WalletError]
    waiting: int
    ended: bool
    failed: Mapping[str, SafeFailure]


async def reseed(
    wallet: Wallet, receipt_ids: Sequence[ReceiptId] | None = None, progress: Progress = silent
) -> Reseeded:
    """Give items a new generation under a fresh secret.

    Args:
        receipt_ids: Which; None for all.
        progress: Told how far it is.

    Raises:
        UnknownReceipt: There is none of that id.
        TooFewSafes: The wallet acts for an owner, and no safe told what it has of the owner's.
        WalletBusy: Another process is changing the wallet.
    """
    async with changing(wallet):
        missing = await _look(wallet) if wallet.store.settings.get().owner else {}
        ids = _all_receipts(wallet) if receipt_ids is None else list(dict.fromkeys(receipt_ids))
        return _with_missing(await _reseal_and_finish(wallet, ids, progress), missing)


async def reseed_root(wallet: Wallet, proofs: Proofs, progress: Progress = silent) -> Reseeded:
    """Bring in a new root: all items are bound to it, and keys are derived from it.

    Every other wallet of the owner is revoked: it would go on under the old root.

    Args:
        wallet: Acts for the owner.
        proofs: Secret.
        progress: Told how far it is.

    Raises:
        WalletWithoutOwner: It acts for none.
        OwnerOutOfReach, OwnerNotUnlocked, OwnerRecordBroken: The PIN does not open the record.
        RecordBehind: The record that opened lacks a root that is in use; nothing was changed.
        TooFewSafes: Not all safes have the record with the new root in force, or none told what it has of the
            owner's; the other wallets are revoked, and the same command goes on.
        WalletBusy: Another process is changing the wallet.
    """
    async with changing(wallet):
        change = await _RootChange.begun(wallet, proofs)
        await change.bring_in()
        missing = await _look(wallet)
        ids = await asyncio.to_thread(not_bound_yet, wallet)
        done = await _reseal_and_finish(wallet, ids, progress, change.secrets.signing_key)
        return await change.end(_with_missing(done, missing))


async def _look(wallet: Wallet) -> dict[str, SafeFailure]:
    """Know the items of all of the owner's wallets, as they are now; the safes that did not tell."""
    seen = await look_again(wallet)
    return names_of(wallet.roster, seen.catalogue.failed)


def _with_missing(done: Reseeded, missing: Mapping[str, SafeFailure]) -> Reseeded:
    """What a safe did not tell of may be bound to the old root, and may be nowhere else."""
    return replace(done, ended=done.ended and not missing, failed={**missing, **done.failed})


def _all_receipts(wallet: Wallet) -> list[ReceiptId]:
    return [ReceiptId(entry.id) for entry in wallet.store.receipts.entries()]


async def _reseal_and_finish(
    wallet: Wallet, ids: Sequence[ReceiptId], progress: Progress, owner: SigningKey | None = None
) -> Reseeded:
    """With the owner's key, which is secret, at hand the old generations are erased at once."""
    resealed = await reseal(wallet, ids, progress, keeps_old=True)
    finished = await finish_superseded(wallet, owner)
    delivered = await deliver(wallet, owner=owner)
    failed = names_of(wallet.roster, {**finished.failed, **delivered.failed})
    ended = not finished.waiting and all(isinstance(one, _HOPELESS) for one in resealed.left.values())
    return Reseeded(tuple(resealed.receipts), dict(resealed.left), finished.waiting, ended, failed)


@dataclass(slots=True)
class _RootChange:
    """One change of the root, from the record that was opened to the record with the new root alone.

    Args:
        secrets: Secret: with the new root, and the old one as `leaving_root`.
    """

    wallet: Wallet
    owner: OwnerId
    factors: Factors
    secrets: OwnerSecrets

    @classmethod
    async def begun(cls, wallet: Wallet, proofs: Proofs) -> "_RootChange":
        """Open the record; go on with a change that was begun, or draw a new root."""
        owner = OwnerId(require_owner(wallet).owner_id)
        unlocked, factors = await open_with(wallet, proofs)
        known = unlocked.secrets
        await asyncio.to_thread(require_roots_in_use, wallet, known)
        if known.leaving_root != NO_ROOT:
            return cls(wallet, owner, factors, known)
        fresh = wallet.rng.read(SECRET_BYTES)
        return cls(wallet, owner, factors, OwnerSecrets(known.owner_seed, fresh, known.root))

    async def bring_in(self) -> None:
        """The other wallets are revoked, the record holds both roots, and the wallet binds to the new one."""
        await self._revoke_others()
        if require_owner(self.wallet).binding_id != Binding.of_root(self.secrets.root).id:
            await self._have_record_everywhere()
            await to_the_end(self._bind_to_new_root)
            self.wallet.keys = await asyncio.to_thread(wallet_keys, self.wallet.store)
            await deliver(self.wallet, owner=self.secrets.signing_key)

    async def _revoke_others(self) -> None:
        """First of all, so that a thief is shut out although the rest may have to wait for a safe."""
        for other in (await owners_wallets(self.wallet)).wallets:
            if not other.is_this and other.revoked_at is None:
                key = self.secrets.signing_key
                word = revoke_wallet(other.wallet_key, self.wallet.now(), key)
                await to_the_end(owe_revocation, self.wallet, word)
        await deliver(self.wallet, owner=self.secrets.signing_key)

    async def _have_record_everywhere(self) -> None:
        """Nothing is bound to a root that not any k safes would give back."""
        roster = self.wallet.roster
        failed = await replace_record(self.wallet, self.secrets, self.owner, self.factors)
        if failed:
            n = len(roster.safes)
            raise TooFewSafes("changed", n - len(failed), n, names_of(roster, failed))

    def _bind_to_new_root(self) -> None:
        """The new root takes the old one's place; the old one's item goes."""
        store, binding = self.wallet.store, Binding.of_root(self.secrets.root)
        with store.transaction():
            store.keys.put_binding(binding.id, Secret(binding.secret))
            store.keys.put(LEAVING_ROOT, Secret(self.secrets.leaving_root))
            owner = structs.replace(require_owner(self.wallet), binding_id=binding.id)
            store.settings.set_owner(owner)
            leaving = [entry for entry in store.keyring.entries() if entry.kind == "root"]
            for entry in leaving:
                store.keyring.remove(entry.id)
            self._keep_derived_keys()
            name = leaving[0].name if leaving else DEFAULT_NAMES["root"]
            new_key(self.wallet, "root", name, self.secrets.root)
            self._delete_items([entry.receipt_id for entry in leaving if entry.receipt_id])

    def _keep_derived_keys(self) -> None:
        """Keys that somebody had stored are of use under their names; the new root does not give them."""
        keyring = self.wallet.store.keyring
        algorithms = {one.label: one for one in (BUILT_IN, *keyring.algorithms())}
        for entry in keyring.entries():
            if entry.algorithm not in algorithms:
                continue
            if not entry.is_here and entry.receipt_id is None:
                scalar = derive_scalar(algorithms[entry.algorithm], self.secrets.leaving_root)
                keyring.bring_back(entry, Secret(scalar.to_bytes()))
            keyring.cut_off(entry.id)

    def _delete_items(self, receipt_ids: Sequence[str]) -> None:
        store = self.wallet.store
        receipts = [get_receipt(store, ReceiptId(one)) for one in receipt_ids]
        owe_deletion(self.wallet, receipts, self.secrets.signing_key)
        for one in receipt_ids:
            store.receipts.delete(one)

    async def end(self, done: Reseeded) -> Reseeded:
        """Once nothing is bound to the old root: a record without it, and no trace of it in this wallet."""
        if not done.ended or set(not_bound_yet(self.wallet)) - set(done.left):
            return replace(done, ended=False)
        alone = OwnerSecrets(self.secrets.owner_seed, self.secrets.root)
        failed = await replace_record(self.wallet, alone, self.owner, self.factors)
        await to_the_end(self._forget_old_root)
        self.wallet.keys = await asyncio.to_thread(wallet_keys, self.wallet.store)
        return replace(done, failed={**done.failed, **names_of(self.wallet.roster, failed)})

    def _forget_old_root(self) -> None:
        keys = self.wallet.store.keys
        with self.wallet.store.transaction():
            for binding in self.wallet.keys.bindings:
                if binding != Binding.of_root(self.secrets.root).id:
                    keys.delete_binding(binding)
            if LEAVING_ROOT in keys.names():
                keys.delete(LEAVING_ROOT)
