"""The good ending of a registration: what enough safes took becomes receipts, in one transaction.

The receipts of the batch, the links of their values or keys, the end of older items, what other safes still
are to get, and the end of the journal entry are written together or not at all.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from trust.certificate import SignedCertificate
from trust.documents import SigningKey
from trust.ids import SafeId
from trust.value_fields import ValueFields
from wallet_client.network.failures import SafeFailure
from wallet_client.network.fan_out import Answers
from wallet_client.operations.deletion import owe_deletion
from wallet_client.operations.journal import BackupBegun
from wallet_client.operations.owed_parcels import owe_parcel
from wallet_client.operations.superseded import keep_superseded
from wallet_client.pipeline.batch import PreparedBatch
from wallet_client.pipeline.plan import PlannedItem
from wallet_client.receipts.errors import UnknownReceipt
from wallet_client.receipts.receipt import Receipt, ReceiptId, ReceiptMember, ReceiptState, receipt_id_of
from wallet_client.receipts.shelf import get_receipt, put_receipt, update_receipt
from wallet_client.storage.values import ValueSummary
from wallet_client.values.errors import UnknownValue
from wallet_client.values.value import Value, ValueId, decode_value, stored_size
from wallet_client.wallet import Wallet


@dataclass(frozen=True, slots=True)
class Registered:
    """One batch that is at enough safes.

    Args:
        receipts: The new receipts, by value or key.
        state: Of each of them.
        failed: What went wrong with the other safes.
        superseded: Older items, or generations, are deleted for it; their tombstones wait in the outbox.
    """

    receipts: Mapping[ValueId, ReceiptId]
    state: ReceiptState
    failed: Mapping[SafeId, SafeFailure]
    superseded: bool


def conclude(
    wallet: Wallet,
    operation_id: str,
    begun: BackupBegun,
    batch: PreparedBatch,
    answers: Answers[tuple[SignedCertificate, ...]],
    owner: SigningKey | None = None,
) -> Registered:
    """Receipts, values, outbox and journal, in one transaction.

    Args:
        wallet: Held by `changing`.
        operation_id: The batch's journal entry, which ends here.
        begun: What was written into the journal.
        batch: Prepared from it.
        answers: Enough safes took it.
        owner: Secret: the owner's key, where older generations are to be erased at once.
    """
    arrangement = begun.plan.arrangement
    holding = tuple(safe_id for safe_id in arrangement.safes if safe_id in answers.good)
    state = ReceiptState(holding, arrangement.safes, arrangement.may_still_be_lost(set(holding)))
    edited = {content.value_id: decode_value(content.encoded) for content in begun.edited}
    with wallet.store.transaction():
        summaries = _summaries(wallet, begun)
        receipts = _receipts(begun, batch, answers.good, summaries, edited)
        superseded = _bury_superseded(wallet, receipts, summaries, owner, keeps_old=begun.keeps_old)
        for receipt in receipts:
            put_receipt(wallet.store, receipt, state, begun.plan.created_at)
        passing = {content.value_id for content in begun.passing}
        _settle_members(wallet, receipts, summaries, edited, passing)
        for safe_id in answers.failed:
            for number, parcel in enumerate(batch.parcels(safe_id)):
                cause = f"{operation_id}-{number}" if number else operation_id
                owe_parcel(wallet, cause, parcel, batch.chunks)
        wallet.store.journal.delete(operation_id)
    named = {value_id: one.receipt_id for one in receipts for value_id in one.value_ids}
    return Registered(named, state, dict(answers.failed), superseded)


def _summaries(wallet: Wallet, begun: BackupBegun) -> dict[ValueId, ValueSummary]:
    """The members as the wallet lists them, or as their receipt does where they only pass through."""
    passing = {content.value_id for content in begun.passing}
    return {
        member.value_id: _of_receipt(wallet, item, member.value_id)
        if member.value_id in passing
        else wallet.store.holding(item.kind).summary(member.value_id)
        for item in begun.plan.items
        for member in item.members
    }


def _of_receipt(wallet: Wallet, item: PlannedItem, value_id: ValueId) -> ValueSummary:
    try:
        receipt = get_receipt(wallet.store, receipt_id_of(item.item_id))
        member = next(one for one in receipt.members if one.value_id == value_id)
    except (UnknownReceipt, StopIteration):
        raise UnknownValue(value_id) from None  # deleted meanwhile
    fields = {name: getattr(member.fields, name) for name in ValueFields.__struct_fields__}
    return ValueSummary(
        **fields,
        id=value_id,
        payload_bytes=0,
        size_bytes=member.size_bytes,
        receipt_id=receipt.receipt_id,
    )


def _receipts(
    begun: BackupBegun,
    batch: PreparedBatch,
    good: Mapping[SafeId, tuple[SignedCertificate, ...]],
    summaries: Mapping[ValueId, ValueSummary],
    edited: Mapping[ValueId, Value],
) -> list[Receipt]:
    certificates: dict[int, list[SignedCertificate]] = defaultdict(list)
    for safe_id, signed in good.items():
        for index, one in zip(batch.piece_items(safe_id), signed, strict=True):
            certificates[index].append(one)
    return [
        Receipt(
            kind=item.kind,
            members=tuple(
                _member(position, summaries[member.value_id], edited.get(member.value_id))
                for position, member in enumerate(item.members)
            ),
            policy_name=begun.plan.policy_name,
            manifest=batch.manifest_bytes,
            manifest_signature=batch.signature,
            leaf=batch.leaf_bytes[index],
            certificates=tuple(certificates[index]),
            kept_shares=batch.kept_shares(index),
            kept_key_shares=batch.kept_key_shares,
            leaf_position=index,
            leaf_path=batch.leaf_paths[index],
        )
        for index, item in enumerate(begun.plan.items)
    ]


def _member(position: int, summary: ValueSummary, edited: Value | None) -> ReceiptMember:
    """A value's fields and size as they were registered."""
    if edited is not None:
        return ReceiptMember(summary.id, position, edited.fields, stored_size(edited))
    fields = {name: getattr(summary, name) for name in ValueFields.__struct_fields__}
    return ReceiptMember(summary.id, position, ValueFields(**fields), summary.size_bytes)


def _bury_superseded(
    wallet: Wallet,
    receipts: Sequence[Receipt],
    summaries: Mapping[ValueId, ValueSummary],
    owner: SigningKey | None,
    *,
    keeps_old: bool,
) -> bool:
    """What is registered anew leaves its old items; an item that nothing is left of goes, wherever it was.

    Returns:
        Whether any goes.
    """
    old_receipts = _old_receipts(wallet, summaries)
    left = {old.receipt_id: old.without_members(summaries.keys()) for old in old_receipts}
    gone = [old for old in old_receipts if not left[old.receipt_id].members]
    if keeps_old:
        keep_superseded(wallet, gone)
    else:
        owe_deletion(wallet, gone, owner)
    for receipt_id in {old.receipt_id for old in gone} - {receipt.receipt_id for receipt in receipts}:
        wallet.store.receipts.delete(receipt_id)
    for receipt in left.values():
        if receipt.members:
            update_receipt(wallet.store, receipt)
    return bool(gone) and not keeps_old


def _old_receipts(wallet: Wallet, summaries: Mapping[ValueId, ValueSummary]) -> list[Receipt]:
    ids = dict.fromkeys(one.receipt_id for one in summaries.values() if one.receipt_id is not None)
    found = []
    for receipt_id in ids:
        try:
            found.append(get_receipt(wallet.store, ReceiptId(receipt_id)))
        except UnknownReceipt:
            continue  # deleted meanwhile, by whoever holds the lock with us
    return found


def _settle_members(
    wallet: Wallet,
    receipts: Sequence[Receipt],
    summaries: Mapping[ValueId, ValueSummary],
    edited: Mapping[ValueId, Value],
    passing: Collection[ValueId],
) -> None:
    for receipt in receipts:
        for value_id in receipt.value_ids:
            if value_id in passing:
                continue
            new = edited.get(value_id)
            if new is not None:
                wallet.store.values.replace(value_id, new, receipt_id=receipt.receipt_id)
            else:
                wallet.store.holding(receipt.kind).link_known(summaries[value_id], receipt.receipt_id)
