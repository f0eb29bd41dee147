"""Take in what the safes have of the owner's: what a lost wallet, or another one, registered.

    catalogue -> receipts -> keys, those first that need no other -> what digests hide -> what is out of date

Whatever does not open is left, and told; it holds up nothing else.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from msgspec import structs

from threshold.errors import ThresholdError
from trust.errors import TrustError
from trust.ids import OwnerKey
from wallet_client.errors import WalletError
from wallet_client.operations.catalogue import read_catalogue
from wallet_client.operations.errors import KeyNotInWallet, TooFewSafes
from wallet_client.operations.members_shown import derived_value_id, is_hidden
from wallet_client.operations.merge_catalogues import Catalogue
from wallet_client.operations.opening import member_of
from wallet_client.operations.outbox import deliver
from wallet_client.operations.owner_errors import AnotherRoot, names_of
from wallet_client.operations.owner_status import require_owner
from wallet_client.operations.owner_wallets import owe_revocation
from wallet_client.operations.take_in_catalogue import suspend, take_in
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.operations.wallet_keys import KeyFinder, free_key_name, read_key
from wallet_client.receipts.receipt import Receipt, ReceiptId, ReceiptMember
from wallet_client.receipts.shelf import ReceiptSummary, get_receipt, read_summary, update_receipt
from wallet_client.storage.errors import StorageFailed, WalletBusy
from wallet_client.values.errors import ValueDamaged
from wallet_client.values.value import decode_value, stored_size
from wallet_client.wallet import Wallet

UNOPENED = (WalletError, TrustError, ThresholdError)
"""What one item may fail with: another wallet made it, and a thief's may have."""

Left: TypeAlias = dict[ReceiptId, WalletError]
Work: TypeAlias = Callable[[Wallet, Receipt, Sequence[bytes]], None]
"""What is done with an item once its encoded members, which are secret, are there."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of it.

    Args:
        catalogue: What the safes have.
        left: Items that do not open, and why.
    """

    catalogue: Catalogue
    left: Left


async def look_again(wallet: Wallet) -> Seen:
    """Take in everything that the safes have of the owner's; call it inside `changing`.

    Raises:
        WalletWithoutOwner: The wallet is nobody's.
        TooFewSafes: No safe told its catalogue.
    """
    key = OwnerKey(require_owner(wallet).owner_key)
    await deliver(wallet)  # the owner's word for this wallet, where a safe did not hear it yet
    catalogue = await read_catalogue(wallet, key)
    if len(catalogue.failed) == len(wallet.roster.safes):
        raise TooFewSafes("recovered", 0, 1, names_of(wallet.roster, catalogue.failed))
    await to_the_end(_owe_unheard, wallet, catalogue)
    await to_the_end(take_in, wallet, catalogue)
    await deliver(wallet, only=catalogue.unheard)
    left = await _bring_back_keys(wallet)
    left |= await _each(wallet, await asyncio.to_thread(_hidden, wallet), _learn)
    left |= await _each(wallet, await asyncio.to_thread(_outdated, wallet), _refresh)
    return Seen(catalogue, left)


def _owe_unheard(wallet: Wallet, catalogue: Catalogue) -> None:
    """Else a wallet that was revoked could act again at a safe that was wiped, or put back."""
    for safe_id, words in catalogue.unheard.items():
        for word in words:
            owe_revocation(wallet, word, [safe_id])


def as_wallet_error(error: Exception) -> WalletError:
    """Why an item is left; what concerns the wallet itself is raised.

    Raises:
        WalletBusy, StorageFailed: They would meet the next item as well.
    """
    if isinstance(error, WalletBusy | StorageFailed):
        raise error
    return error if isinstance(error, WalletError) else ValueDamaged("its documents do not hold")


async def _bring_back_keys(wallet: Wallet) -> Left:
    """All keys of which the keyring has no entry; what did not come back, and why."""
    waiting = await asyncio.to_thread(_unknown_keys, wallet)
    left: Left = {}
    while waiting:
        left |= await _each(wallet, waiting, _bring_back_key)
        again = [one for one in waiting if isinstance(left.get(one.receipt_id), KeyNotInWallet)]
        if len(again) == len(waiting):
            break
        for receipt in again:
            del left[receipt.receipt_id]
        waiting = again
    return left


async def _each(wallet: Wallet, receipts: Sequence[Receipt], work: Work) -> Left:
    """Open items, those of a batch together, and do something with each; what is left, and why."""
    left: Left = {}
    for group in _batches(receipts):
        try:
            await _open(wallet, group, work)
        except UNOPENED as error:
            reason = as_wallet_error(error)
            if len(group) == 1:
                left[group[0].receipt_id] = reason
            for receipt in group if len(group) > 1 else ():
                left |= await _each(wallet, [receipt], work)
    return left


async def _open(wallet: Wallet, group: Sequence[Receipt], work: Work) -> None:
    opened = await KeyFinder(wallet).members(group)
    for receipt, encoded in zip(group, opened, strict=True):
        await to_the_end(work, wallet, receipt, encoded)


def _batches(receipts: Sequence[Receipt]) -> list[list[Receipt]]:
    groups: dict[bytes, list[Receipt]] = {}
    for receipt in receipts:
        groups.setdefault(receipt.manifest, []).append(receipt)
    return list(groups.values())


def _receipts(wallet: Wallet, kind: str, which: Callable[[ReceiptId, ReceiptSummary], bool]) -> list[Receipt]:
    """Those of a kind that a look at their summaries chooses: a wallet may have thousands."""
    read = ((ReceiptId(entry.id), read_summary(entry)) for entry in wallet.store.receipts.entries())
    chosen = [name for name, summary in read if summary.kind == kind and which(name, summary)]
    return [get_receipt(wallet.store, receipt_id) for receipt_id in chosen]


def _unknown_keys(wallet: Wallet) -> list[Receipt]:
    known = {entry.id for entry in wallet.store.keyring.entries()}
    return _receipts(wallet, "key", lambda _, summary: known.isdisjoint(summary.value_ids))


def _bring_back_key(wallet: Wallet, receipt: Receipt, encoded: Sequence[bytes]) -> None:
    value, keyring = decode_value(member_of(encoded, 0)), wallet.store.keyring
    entry, secret, algorithms = read_key(value)
    known = {one.id: one for one in keyring.entries()}
    if entry.kind == "root" and entry.id not in known:
        raise AnotherRoot
    with wallet.store.transaction():
        for algorithm in algorithms:
            keyring.add_algorithm(algorithm)
        if entry.id not in known:
            keyring.bring_back(structs.replace(entry, name=free_key_name(keyring, entry.name)), secret)
        member = ReceiptMember(entry.id, 0, value.fields, stored_size(value))
        update_receipt(wallet.store, receipt.with_members((member,)))
        keyring.link_known(keyring.summary(entry.id), receipt.receipt_id)


def _hidden(wallet: Wallet) -> list[Receipt]:
    def is_one_hidden(name: ReceiptId, summary: ReceiptSummary) -> bool:
        return any(is_hidden(member, name) for member in summary.members)

    return _receipts(wallet, "value", is_one_hidden)


def _learn(wallet: Wallet, receipt: Receipt, encoded: Sequence[bytes]) -> None:
    """What an item holds; of its values, those that nothing was known of are to be brought back too."""
    item_id, known = receipt.read_leaf().item_id, {one.position: one for one in receipt.members}
    values = [decode_value(one) for one in encoded]
    members = tuple(
        ReceiptMember(
            known[position].value_id if position in known else derived_value_id(item_id, position),
            position,
            value.fields,
            stored_size(value),
        )
        for position, value in enumerate(values)
    )
    with wallet.store.transaction():
        update_receipt(wallet.store, receipt.with_members(members))
        suspend(wallet, [one.value_id for one in members if one.position not in known])


def _outdated(wallet: Wallet) -> list[Receipt]:
    """Of values that are here as they were before another wallet registered them anew."""
    here = {one.id: one.receipt_id for one in wallet.store.values.summaries()}

    def is_one_outdated(name: ReceiptId, summary: ReceiptSummary) -> bool:
        return any(here.get(value_id, name) != name for value_id in summary.value_ids)

    return _receipts(wallet, "value", is_one_outdated)


def _refresh(wallet: Wallet, receipt: Receipt, encoded: Sequence[bytes]) -> None:
    """Have the newest content in the place of the old."""
    values = wallet.store.values
    with wallet.store.transaction():
        for member in receipt.members:
            if values.has(member.value_id):
                value = decode_value(member_of(encoded, member.position))
                values.replace(member.value_id, value, receipt_id=receipt.receipt_id)
