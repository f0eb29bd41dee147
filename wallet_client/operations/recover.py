"""Recover values from their receipts: gather, combine, open, decode, keep.

The wallet's capacity is checked before anything is fetched. A value that is in the wallet is left as
it is, so the command may be repeated. Receipts stay unless their deletion is asked for. Of an item of several
values, all or some can be brought back. Keys come back into the keyring in the same way.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain

from trust.ids import SafeId
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.forget import forget_members
from wallet_client.operations.gather import Gatherer
from wallet_client.operations.opening import batch_secret, key_from_shares, member_of, open_items
from wallet_client.operations.progress import Meter, Progress, silent
from wallet_client.operations.receipt_batch import Gathered, ReceiptBatch, group_by_batch, too_few
from wallet_client.operations.settle import changing
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.operations.wallet_keys import KeyFinder, key_entry, read_key
from wallet_client.pipeline.wrapping import WrappingKey
from wallet_client.policies.errors import PolicyUnfit, UnknownPolicy
from wallet_client.receipts.receipt import Receipt, ReceiptId
from wallet_client.receipts.shelf import get_receipt, update_receipt
from wallet_client.storage.keyring import short_key_id
from wallet_client.storage.secret import Secret
from wallet_client.values.value import Value, ValueId, decode_value
from wallet_client.wallet import Wallet

_SMALL_BATCHES_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What a recovery came to.

    Args:
        recovered: Values, or keys, that came back.
        already: Those that were in the wallet.
        failed: What went wrong, by the safe's name, although the values are here.
        forgotten: Values, or keys, that left their items; receipt and pieces went with the last of an item.
    """

    recovered: tuple[ValueId, ...]
    already: tuple[ValueId, ...]
    failed: Mapping[str, SafeFailure]
    forgotten: tuple[ValueId, ...] = ()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A receipt, and which of its values are to be brought back."""

    receipt: Receipt
    missing: tuple[ValueId, ...]
    present: tuple[ValueId, ...]


async def recover(
    wallet: Wallet,
    receipt_ids: Sequence[ReceiptId],
    *,
    only: Collection[ValueId] | None = None,
    delete_receipts: bool | None = False,
    progress: Progress = silent,
) -> RecoveryReport:
    """Bring values back.

    Args:
        wallet: Where to.
        receipt_ids: Their receipts.
        only: Of items of several values, bring these back and no others; None for all.
        delete_receipts: Once a value is in the wallet, it leaves its item; receipt and pieces are deleted
            with the last of it. None: as the receipt's policy says.
        progress: Told how far it is.

    Raises:
        UnknownReceipt: There is none of that id.
        WalletFull: They do not fit; nothing was fetched.
        KeyNotInWallet: What they were sealed under is not to be had; nothing was fetched.
        TooFewSafes: Fewer than k good pieces for one batch at least; the other batches are recovered.
        WalletBusy: Another process is changing the wallet.
    """
    ids = tuple(dict.fromkeys(receipt_ids))
    async with changing(wallet):
        value_ids = await asyncio.to_thread(_values_of, wallet, ids)
        async with wallet.claim(value_ids):
            wanted = await asyncio.to_thread(_sort_out, wallet, ids, only)
            batches = await _with_keys(wallet, group_by_batch([one.receipt for one in wanted if one.missing]))
            missing = {value_id for one in wanted for value_id in one.missing}
            failed = await _recover_all(wallet, batches, missing, progress)
            leaving = {
                one.receipt.receipt_id: one.missing + one.present
                for one in wanted
                if (_forgets(wallet, one.receipt) if delete_receipts is None else delete_receipts)
            }
            if leaving:
                failed |= (await forget_members(wallet, leaving)).failed
    names = {wallet.safe_name(safe_id): failure for safe_id, failure in failed.items()}
    recovered = tuple(value_id for one in wanted for value_id in one.missing)
    present = tuple(value_id for one in wanted for value_id in one.present)
    return RecoveryReport(recovered, present, names, tuple(chain.from_iterable(leaving.values())))


def _forgets(wallet: Wallet, receipt: Receipt) -> bool:
    """Whether the policy says so; one that the wallet does not have any more says nothing."""
    try:
        return wallet.policy(receipt.policy_name).forget_after_recovery
    except (UnknownPolicy, PolicyUnfit):
        return False


def _values_of(wallet: Wallet, receipt_ids: Sequence[ReceiptId]) -> list[ValueId]:
    entries = (wallet.store.receipts.entry(receipt_id) for receipt_id in receipt_ids)
    return [value_id for entry in entries for value_id in entry.value_ids]


def _sort_out(
    wallet: Wallet, receipt_ids: Sequence[ReceiptId], only: Collection[ValueId] | None
) -> list[_Wanted]:
    """What is to be recovered, and what is in the wallet; makes sure of the room."""
    wanted, needed = [], 0
    for receipt_id in receipt_ids:
        receipt = get_receipt(wallet.store, receipt_id)
        holding = wallet.store.holding(receipt.kind)
        members = [one for one in receipt.members if only is None or one.value_id in only]
        missing = [one for one in members if not holding.has(one.value_id)]
        present = tuple(one.value_id for one in members if one not in missing)
        wanted.append(_Wanted(receipt, tuple(one.value_id for one in missing), present))
        needed += sum(one.size_bytes for one in missing) if receipt.kind == "value" else 0
    wallet.store.values.require_room(needed)
    return wanted


async def _with_keys(wallet: Wallet, batches: Sequence[ReceiptBatch]) -> list[ReceiptBatch]:
    """The batches with the wallet's keys that open them; a root is fetched once for all."""
    finder = KeyFinder(wallet)
    return [replace(batch, key=await finder.for_recovery(batch.manifest)) for batch in batches]


async def _recover_all(
    wallet: Wallet, batches: Sequence[ReceiptBatch], missing: Collection[ValueId], progress: Progress
) -> dict[SafeId, SafeFailure]:
    """All batches: small ones together, large ones one after the other."""
    meter = Meter("fetch", progress, total=sum(batch.total_bytes for batch in batches))
    several, alone = asyncio.Semaphore(_SMALL_BATCHES_AT_ONCE), asyncio.Semaphore(1)

    async def one(batch: ReceiptBatch) -> dict[SafeId, SafeFailure]:
        async with alone if batch.is_streamed else several:
            return await _recover_batch(wallet, batch, missing, meter)

    outcomes = await asyncio.gather(*(one(batch) for batch in batches), return_exceptions=True)
    failed: dict[SafeId, SafeFailure] = {}
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
        failed |= outcome
    return failed


async def _recover_batch(
    wallet: Wallet, batch: ReceiptBatch, missing: Collection[ValueId], meter: Meter
) -> dict[SafeId, SafeFailure]:
    with ExitStack() as files:
        gathered, failed = await Gatherer(wallet, batch, files, meter).gather()
        if not batch.is_enough(gathered):
            raise too_few(wallet, batch, gathered, failed)
        await to_the_end(_bring_back, wallet, batch, missing, gathered)
    return failed


def _bring_back(
    wallet: Wallet, batch: ReceiptBatch, missing: Collection[ValueId], gathered: Gathered
) -> None:
    """Combine, open, decode, and keep all values of a batch in one transaction."""
    restored = key_from_shares(batch, gathered)
    secret = batch_secret(batch, gathered, wallet.keys, batch.key or restored)
    gathered.key_shares.clear()
    with wallet.store.transaction():
        if restored is not None and batch.manifest.terms.key.mode == "kept-and-shared":
            _keep_key(wallet, restored)
        for index, encoded in open_items(batch, gathered, secret):
            receipt = batch.receipts[index]
            for member in receipt.members:
                if member.value_id in missing:
                    value = decode_value(member_of(encoded, member.position))
                    _keep(wallet, receipt, member.value_id, value)
            del encoded
        for index in gathered.lost.keys() | gathered.renewed.keys():
            receipt = batch.receipts[index]
            if lost := gathered.lost.get(index):
                receipt = receipt.without_pieces(lost)
            if renewed := gathered.renewed.get(index):
                receipt = receipt.with_renewed(tuple(renewed.values()))
            update_receipt(wallet.store, receipt)


def _keep(wallet: Wallet, receipt: Receipt, value_id: ValueId, value: Value) -> None:
    if receipt.kind == "value":
        wallet.store.values.add(value, receipt_id=receipt.receipt_id, value_id=value_id)
    else:
        entry, secret, algorithms = read_key(value)
        wallet.store.keyring.bring_back(entry, secret)
        for algorithm in algorithms:
            wallet.store.keyring.add_algorithm(algorithm)


def _keep_key(wallet: Wallet, key: WrappingKey) -> None:
    """A key that was kept and divided is back as well as the value [E6]."""
    if key.scalar is None:
        raise ValueError("the key's secret is away")
    secret = key.scalar.to_bytes()
    entry = key_entry(key.kind, short_key_id(key.key_id), secret, "", wallet.now())
    wallet.store.keyring.bring_back(entry, Secret(secret))
