"""Register one batch at all its safes, and make receipts of the answer.

    journal -> prepare -> fan out -> enough safes?  yes: receipts, and what is still owed into the outbox
                                                    no:  tombstones for all of it into the outbox

Both endings are one transaction with the journal's, so a crash leaves the batch either begun, and
`settle` goes on from its plan, or ended.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from threshold.ristretto import Scalar
from trust.certificate import SignedCertificate
from trust.digest import digest_fields_of
from trust.documents import SigningKey
from trust.ids import SafeId
from trust.wallet_refusals import PieceConflict
from wallet_client.network.fan_out import Answers, fan_out
from wallet_client.operations.conclude import Registered, conclude
from wallet_client.operations.deletion import Doomed, owe_tombstones
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.journal import BackupBegun
from wallet_client.operations.progress import Meter, Progress
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.pipeline.batch import EncodedMember, PreparedBatch
from wallet_client.pipeline.plan import BatchPlan, PlannedItem
from wallet_client.receipts.errors import UnknownReceipt
from wallet_client.receipts.receipt import Receipt, receipt_id_of
from wallet_client.receipts.shelf import get_receipt, update_receipt
from wallet_client.storage.keyring import short_key_id
from wallet_client.values.value import decode_value, encode_value
from wallet_client.wallet import Wallet

BACKUP = "backup"
_INLINE_BYTES = 16_384
"""Batches up to this size are prepared in the event loop: a thread would cost more than they do."""


async def begin_and_register(
    wallet: Wallet, begun: BackupBegun, progress: Progress, owner: SigningKey | None = None
) -> Registered:
    """Write a batch into the journal before anything of it is sent, then `register` it.

    Args:
        wallet: Held by `changing`.
        begun: What is written.
        progress: Told how far it is.
        owner: Secret: the owner's key, where older generations are to be erased at once. What a crash breaks
            off is finished without it, and they wait.
    """
    operation_id = f"{begun.plan.items[0].item_id.hex()}-{begun.plan.items[0].generation}"
    with _abandoned_unless_ended(wallet, operation_id):
        journal = wallet.store.journal
        noting = to_the_end(journal.put, operation_id, BACKUP, begun.to_bytes(), step="begun")
        noted = asyncio.ensure_future(noting)  # while the device writes, the batch is prepared
        try:
            batch = await _prepare(wallet, begun)
        finally:
            await noted
        return await _register_prepared(wallet, operation_id, begun, batch, progress, owner)


async def register(wallet: Wallet, operation_id: str, begun: BackupBegun, progress: Progress) -> Registered:
    """Bring a batch that stands in the journal to its end.

    Raises:
        TooFewSafes: Below the quorum; everything was withdrawn, and the journal entry is gone.
        UnknownValue, UnknownKey, KeyAway, PlanOutdated, WalletFull: A value or key is not in the wallet any
            more, or not what was planned, or does not fit any more; the journal entry stands.
    """
    with _abandoned_unless_ended(wallet, operation_id):
        return await _register_prepared(wallet, operation_id, begun, await _prepare(wallet, begun), progress)


async def _register_prepared(
    wallet: Wallet,
    operation_id: str,
    begun: BackupBegun,
    batch: PreparedBatch,
    progress: Progress,
    owner: SigningKey | None = None,
) -> Registered:
    answers = await fan_out(_calls(wallet, batch, progress))
    if not begun.plan.arrangement.is_registered(set(answers.good)):
        await withdraw(wallet, operation_id, begun, _may_hold(begun, answers))
        raise _too_few(wallet, begun, answers)
    return await to_the_end(conclude, wallet, operation_id, begun, batch, answers, owner)


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
        policy_name = begun.plan.policy_name
        items = [Doomed(item.item_id, item.generation, policy_name) for item in begun.plan.items]
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
        return PreparedBatch(
            begun.plan, _encoded(wallet, begun), wallet.keys, _wallet_scalar(wallet, begun.plan)
        )

    size = sum(item.divided_length for item in begun.plan.items)
    return build() if size <= _INLINE_BYTES else await asyncio.to_thread(build)


def _wallet_scalar(wallet: Wallet, plan: BatchPlan) -> Scalar | None:
    """Secret: the wallet's key, where shares of it are placed."""
    if plan.terms.key.mode != "kept-and-shared" or plan.wrap is None:
        return None
    return Scalar.from_bytes(wallet.store.keyring.secret(short_key_id(plan.wrap.key_id)).reveal())


def _encoded(wallet: Wallet, begun: BackupBegun) -> Iterator[EncodedMember]:
    contents = begun.contents
    for item in begun.plan.items:
        for member in item.members:
            if member.value_id in contents:
                value = decode_value(contents[member.value_id])
            else:
                value = wallet.store.holding(item.kind).get(member.value_id)
            fields = digest_fields_of(value, begun.plan.terms.shown)
            plaintext = encode_value(value)
            del value
            yield EncodedMember(plaintext, fields)
            del plaintext


def _calls(
    wallet: Wallet, batch: PreparedBatch, progress: Progress
) -> dict[SafeId, Callable[[], Awaitable[tuple[SignedCertificate, ...]]]]:
    safes = batch.plan.arrangement.safes
    meter = Meter("register", progress, total=sum(batch.total_bytes(safe_id) for safe_id in safes))
    return {safe_id: partial(_send, wallet, batch, safe_id, meter) for safe_id in safes}


async def _send(
    wallet: Wallet, batch: PreparedBatch, safe_id: SafeId, meter: Meter
) -> tuple[SignedCertificate, ...]:
    link = wallet.links.to(safe_id)
    certificates: list[SignedCertificate] = []
    for parcel in batch.parcels(safe_id):
        if parcel.streamed is not None:
            chunks = meter.watch(batch.chunks(parcel.streamed.x))
            certificates += await link.register_stream(parcel, chunks)
        else:
            certificates += await link.register(parcel)
            meter.advance(sum(len(piece.blob or b"") for piece in parcel.pieces))
    return tuple(certificates)


def _too_few(
    wallet: Wallet, begun: BackupBegun, answers: Answers[tuple[SignedCertificate, ...]]
) -> TooFewSafes:
    failed = {wallet.safe_name(safe_id): failure for safe_id, failure in answers.failed.items()}
    # A quorum may still lack all that keep the key, or the value: then at least one more is needed.
    needed = max(begun.plan.terms.quorum, len(answers.good) + 1)
    return TooFewSafes("backed up", len(answers.good), needed, failed)
