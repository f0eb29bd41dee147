"""Register one batch at all its safes, and make receipts of the answer.

    journal -> prepare -> fan out -> enough safes?  yes: receipts, and what is still owed into the outbox
                                                    no:  tombstones for all of it into the outbox

Both endings are one transaction with the journal's, so a crash leaves the batch either begun, and
`settle` goes on from its plan, or ended.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from trust.certificate import SignedCertificate
from trust.digest import DigestFields
from trust.ids import SafeId
from trust.refusals import PieceConflict
from wallet_client.errors import UnknownReceipt
from wallet_client.network.failures import SafeFailure
from wallet_client.network.fan_out import Answers, fan_out
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.journal import BackupBegun
from wallet_client.operations.outbox import owe_deletion, owe_parcel, owe_tombstones
from wallet_client.operations.progress import Meter, Progress
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.pipeline.batch import EncodedItem, PreparedBatch
from wallet_client.pipeline.plan import PlannedItem
from wallet_client.receipts.receipt import Receipt, ReceiptId, ReceiptState, receipt_id_of
from wallet_client.receipts.shelf import get_receipt, put_receipt, update_receipt
from wallet_client.storage.values import ValueSummary
from wallet_client.values.value import Value, ValueFields, ValueId, decode_value, encode_value, stored_size
from wallet_client.wallet import Wallet

BACKUP = "backup"
_INLINE_BYTES = 16_384
"""Batches up to this size are prepared in the event loop: a thread would cost more than they do."""


@dataclass(frozen=True, slots=True)
class Registered:
    """One batch that is at enough safes.

    Args:
        receipts: The new receipts, by value.
        state: Of each of them.
        failed: What went wrong with the other safes.
    """

    receipts: Mapping[ValueId, ReceiptId]
    state: ReceiptState
    failed: Mapping[SafeId, SafeFailure]


async def begin_and_register(wallet: Wallet, begun: BackupBegun, progress: Progress) -> Registered:
    """Write a batch into the journal before anything of it is sent, then `register` it."""
    operation_id = f"{begun.plan.items[0].item_id.hex()}-{begun.plan.items[0].generation}"
    with _abandoned_unless_ended(wallet, operation_id):
        journal = wallet.store.journal
        noting = to_the_end(journal.put, operation_id, BACKUP, begun.to_bytes(), step="begun")
        noted = asyncio.ensure_future(noting)  # while the device writes, the batch is prepared
        try:
            batch = await _prepare(wallet, begun)
        finally:
            await noted
        return await _register_prepared(wallet, operation_id, begun, batch, progress)


async def register(wallet: Wallet, operation_id: str, begun: BackupBegun, progress: Progress) -> Registered:
    """Bring a batch that stands in the journal to its end.

    Raises:
        TooFewSafes: Below the quorum; everything was withdrawn, and the journal entry is gone.
        UnknownValue, PlanOutdated, WalletFull: A value is not in the wallet any more, or not what was
            planned, or does not fit any more; the journal entry stands.
    """
    with _abandoned_unless_ended(wallet, operation_id):
        return await _register_prepared(wallet, operation_id, begun, await _prepare(wallet, begun), progress)


async def _register_prepared(
    wallet: Wallet, operation_id: str, begun: BackupBegun, batch: PreparedBatch, progress: Progress
) -> Registered:
    answers = await fan_out(_calls(wallet, batch, progress))
    if not begun.plan.arrangement.is_registered(set(answers.good)):
        await withdraw(wallet, operation_id, begun, _may_hold(begun, answers))
        raise _too_few(wallet, begun, answers)
    return await to_the_end(_conclude, wallet, operation_id, begun, batch, answers)


@contextmanager
def _abandoned_unless_ended(wallet: Wallet, operation_id: str) -> Iterator[None]:
    """Whatever breaks a batch off, a cancellation above all, leaves it to whoever changes the wallet next."""
    try:
        yield
    except TooFewSafes:
        raise
    except BaseException:
        wallet.abandoned.add(operation_id)
        raise


def _may_hold(begun: BackupBegun, answers: Answers[tuple[SignedCertificate, ...]]) -> list[SafeId]:
    """The safes that may have the batch: those that took it and those whose answer is unknown.

    A conflict means that another copy of this wallet registered these generations. They are not ours to
    delete, so then only what certainly is ours goes.
    """
    if any(isinstance(failure, PieceConflict) for failure in answers.failed.values()):
        return list(answers.good)
    return list(begun.plan.arrangement.safes)


async def withdraw(
    wallet: Wallet, operation_id: str, begun: BackupBegun, safes: Sequence[SafeId] | None = None
) -> None:
    """Owe safes tombstones for all of a batch, and end its journal entry.

    Args:
        safes: Those that may have it; None for all that were to have it.
    """

    def write() -> None:
        items = [(item.item_id, item.generation) for item in begun.plan.items]
        with wallet.store.transaction():
            owe_tombstones(wallet, begun.plan.arrangement.safes if safes is None else safes, items)
            for item in begun.plan.items:
                _note_spent(wallet, item)
            wallet.store.journal.delete(operation_id)

    await to_the_end(write)


def _note_spent(wallet: Wallet, item: PlannedItem) -> None:
    """Have the next try take another generation: safes refuse the withdrawn one for ever."""
    receipt = _standing_receipt(wallet, item)
    if receipt is not None:
        update_receipt(wallet.store, receipt.with_spent(item.generation))


def _standing_receipt(wallet: Wallet, item: PlannedItem) -> Receipt | None:
    """The receipt of the generation before; None for a new item, or where it was deleted meanwhile."""
    if item.generation == 1:
        return None
    try:
        return get_receipt(wallet.store, receipt_id_of(item.item_id))
    except UnknownReceipt:
        return None


async def _prepare(wallet: Wallet, begun: BackupBegun) -> PreparedBatch:
    def build() -> PreparedBatch:
        return PreparedBatch(begun.plan, _encoded(wallet, begun), wallet.keys)

    size = sum(item.sealed_length for item in begun.plan.items)
    return build() if size <= _INLINE_BYTES else await asyncio.to_thread(build)


def _encoded(wallet: Wallet, begun: BackupBegun) -> Iterator[EncodedItem]:
    edited = {content.value_id: content.encoded for content in begun.edited}
    for item in begun.plan.items:
        if item.value_id in edited:
            value = decode_value(edited[item.value_id])
        else:
            value = wallet.store.values.get(item.value_id)
        fields = digest_fields(value)
        plaintext = encode_value(value)
        del value
        yield EncodedItem(plaintext, fields)


def digest_fields(value: Value) -> DigestFields:
    """The default fields of a digest: figure 2(b) of the source."""
    return DigestFields(
        item_class=value.item_class,
        name=value.name,
        quantity="" if value.quantity is None else str(value.quantity),
        valid_from=value.valid_from.isoformat() if value.valid_from else "",
        valid_until=value.valid_until.isoformat() if value.valid_until else "",
        place=value.place,
    )


def _calls(
    wallet: Wallet, batch: PreparedBatch, progress: Progress
) -> dict[SafeId, Callable[[], Awaitable[tuple[SignedCertificate, ...]]]]:
    safes = batch.plan.arrangement.safes
    meter = Meter("register", progress, total=sum(batch.blob_bytes(safe_id) for safe_id in safes))
    return {safe_id: partial(_send, wallet, batch, safe_id, meter) for safe_id in safes}


async def _send(
    wallet: Wallet, batch: PreparedBatch, safe_id: SafeId, meter: Meter
) -> tuple[SignedCertificate, ...]:
    link = wallet.links.to(safe_id)
    parcel = batch.parcel(safe_id)
    if parcel.streamed is not None:
        return await link.register_stream(parcel, meter.watch(batch.chunks(parcel.streamed.x)))
    certificates = await link.register(parcel)
    meter.advance(batch.blob_bytes(safe_id))
    return certificates


def _too_few(
    wallet: Wallet, begun: BackupBegun, answers: Answers[tuple[SignedCertificate, ...]]
) -> TooFewSafes:
    failed = {wallet.safe_name(safe_id): failure for safe_id, failure in answers.failed.items()}
    # A quorum may still lack all that keep the key, or the value: then at least one more is needed.
    needed = max(begun.plan.terms.quorum, len(answers.good) + 1)
    return TooFewSafes("backed up", len(answers.good), needed, failed)


def _conclude(
    wallet: Wallet,
    operation_id: str,
    begun: BackupBegun,
    batch: PreparedBatch,
    answers: Answers[tuple[SignedCertificate, ...]],
) -> Registered:
    """Receipts, values, outbox and journal, in one transaction."""
    arrangement = begun.plan.arrangement
    holding = tuple(safe_id for safe_id in arrangement.safes if safe_id in answers.good)
    state = ReceiptState(holding, arrangement.safes, arrangement.may_still_be_lost(set(holding)))
    edited = {content.value_id: decode_value(content.encoded) for content in begun.edited}
    with wallet.store.transaction():
        summaries = {item.value_id: wallet.store.values.summary(item.value_id) for item in begun.plan.items}
        receipts = _receipts(begun, batch, answers.good, summaries, edited)
        _bury_superseded(wallet, begun)
        for receipt in receipts:
            put_receipt(wallet.store, receipt, state, begun.plan.created_at)
        _settle_values(wallet, receipts, summaries, edited)
        for safe_id in answers.failed:
            owe_parcel(wallet, operation_id, batch.parcel(safe_id), batch.chunks)
        wallet.store.journal.delete(operation_id)
    return Registered({one.value_id: one.receipt_id for one in receipts}, state, dict(answers.failed))


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
    kept_key = batch.secret.scalar.to_bytes() if begun.plan.terms.key.mode == "kept" else b""
    receipts = []
    for index, item in enumerate(begun.plan.items):
        fields, size_bytes = _facts(summaries[item.value_id], edited.get(item.value_id))
        receipts.append(
            Receipt(
                value_id=item.value_id,
                fields=fields,
                size_bytes=size_bytes,
                policy_name=begun.plan.policy_name,
                manifest=batch.manifest_bytes,
                manifest_signature=batch.signature,
                leaf=batch.leaf_bytes[index],
                certificates=tuple(certificates[index]),
                kept_key=kept_key,
            )
        )
    return receipts


def _facts(summary: ValueSummary, edited: Value | None) -> tuple[ValueFields, int]:
    """A value's fields and size as they were registered."""
    if edited is not None:
        return edited.fields, stored_size(edited)
    fields = {name: getattr(summary, name) for name in ValueFields.__struct_fields__}
    return ValueFields(**fields), summary.size_bytes


def _bury_superseded(wallet: Wallet, begun: BackupBegun) -> None:
    """The generation before the new one goes, wherever it was."""
    old = (_standing_receipt(wallet, item) for item in begun.plan.items)
    owe_deletion(wallet, [receipt for receipt in old if receipt is not None])


def _settle_values(
    wallet: Wallet,
    receipts: list[Receipt],
    summaries: Mapping[ValueId, ValueSummary],
    edited: Mapping[ValueId, Value],
) -> None:
    for receipt in receipts:
        new = edited.get(receipt.value_id)
        if new is not None:
            wallet.store.values.replace(receipt.value_id, new, receipt_id=receipt.receipt_id)
        else:
            wallet.store.values.link_known(summaries[receipt.value_id], receipt.receipt_id)
