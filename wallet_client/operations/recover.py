"""Recover values from their receipts: gather, combine, open, decode, keep.

The wallet's capacity is checked before anything is fetched. A value that is in the wallet is left as
it is, so the command may be repeated. Receipts stay unless their deletion is asked for.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from threshold import feldman
from threshold.errors import SealBroken
from threshold.ristretto import Point, Scalar
from trust.ids import SafeId
from trust.manifest import ItemLeaf
from trust.piece import BLINDING_BYTES
from wallet_client.errors import ValueDamaged
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.errors import KeyNotInWallet, TooFewSafes
from wallet_client.operations.forget import forget
from wallet_client.operations.gather import Gathered, Gatherer, ReceiptBatch, group_by_batch
from wallet_client.operations.progress import Meter, Progress, silent
from wallet_client.operations.settle import changing
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.pipeline.divide import combine
from wallet_client.pipeline.seal import BatchSecret
from wallet_client.receipts.receipt import Receipt, ReceiptId, item_name
from wallet_client.receipts.shelf import get_receipt, update_receipt
from wallet_client.values.value import ValueId, decode_value
from wallet_client.wallet import Wallet

_SMALL_BATCHES_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What a recovery came to.

    Args:
        recovered: Values that came back.
        already: Values that were in the wallet.
        failed: What went wrong, by the safe's name, although the values are here.
    """

    recovered: tuple[ValueId, ...]
    already: tuple[ValueId, ...]
    failed: Mapping[str, SafeFailure]


async def recover(
    wallet: Wallet,
    receipt_ids: Sequence[ReceiptId],
    *,
    delete_receipts: bool = False,
    progress: Progress = silent,
) -> RecoveryReport:
    """Bring values back.

    Args:
        delete_receipts: Once a value is in the wallet, delete its receipt and its pieces.

    Raises:
        UnknownReceipt: There is none of that id.
        WalletFull: They do not fit; nothing was fetched.
        TooFewSafes: Fewer than k good pieces for one batch at least; the other batches are recovered.
        WalletBusy: Another process is changing the wallet.
    """
    wanted = tuple(dict.fromkeys(receipt_ids))
    async with changing(wallet):
        value_ids = await asyncio.to_thread(_values_of, wallet, wanted)
        async with wallet.claim(value_ids):
            receipts, already = await asyncio.to_thread(_sort_out, wallet, wanted)
            failed = await _recover_all(wallet, group_by_batch(receipts), progress)
            if delete_receipts:
                failed |= (await forget(wallet, wanted)).failed
    names = {wallet.safe_name(safe_id): failure for safe_id, failure in failed.items()}
    return RecoveryReport(tuple(receipt.value_id for receipt in receipts), already, names)


def _values_of(wallet: Wallet, receipt_ids: Sequence[ReceiptId]) -> list[ValueId]:
    entries = (wallet.store.receipts.entry(receipt_id) for receipt_id in receipt_ids)
    return [value_id for entry in entries for value_id in entry.value_ids]


def _sort_out(wallet: Wallet, receipt_ids: Sequence[ReceiptId]) -> tuple[list[Receipt], tuple[ValueId, ...]]:
    """The receipts to be recovered, and the values that are in the wallet; makes sure of the room."""
    receipts = [get_receipt(wallet.store, receipt_id) for receipt_id in receipt_ids]
    present = {one.value_id for one in receipts if wallet.store.values.has(one.value_id)}
    missing = [receipt for receipt in receipts if receipt.value_id not in present]
    wallet.store.values.require_room(sum(receipt.size_bytes for receipt in missing))
    return missing, tuple(receipt.value_id for receipt in receipts if receipt.value_id in present)


async def _recover_all(
    wallet: Wallet, batches: Sequence[ReceiptBatch], progress: Progress
) -> dict[SafeId, SafeFailure]:
    """All batches: small ones together, large ones one after the other."""
    meter = Meter("fetch", progress, total=sum(batch.total_bytes for batch in batches))
    several, alone = asyncio.Semaphore(_SMALL_BATCHES_AT_ONCE), asyncio.Semaphore(1)

    async def one(batch: ReceiptBatch) -> dict[SafeId, SafeFailure]:
        async with alone if batch.is_streamed else several:
            return await _recover_batch(wallet, batch, meter)

    outcomes = await asyncio.gather(*(one(batch) for batch in batches), return_exceptions=True)
    failed: dict[SafeId, SafeFailure] = {}
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
        failed |= outcome
    return failed


async def _recover_batch(wallet: Wallet, batch: ReceiptBatch, meter: Meter) -> dict[SafeId, SafeFailure]:
    with ExitStack() as files:
        gathered, failed = await Gatherer(wallet, batch, files, meter).gather()
        if not batch.is_enough(gathered):
            raise _too_few(wallet, batch, gathered, failed)
        await to_the_end(_bring_back, wallet, batch, gathered)
    return failed


def _too_few(
    wallet: Wallet, batch: ReceiptBatch, gathered: Gathered, failed: Mapping[SafeId, SafeFailure]
) -> TooFewSafes:
    names = {wallet.safe_name(safe_id): failure for safe_id, failure in failed.items()}
    terms = batch.manifest.terms
    have = min(len(gathered.shares.get(index, ())) for index in range(len(batch.leaves)))
    if have >= terms.value.k and terms.key.mode == "shared":
        return TooFewSafes("recovered", len(gathered.key_shares), terms.key.k, names)
    return TooFewSafes("recovered", have, terms.value.k, names)


def _bring_back(wallet: Wallet, batch: ReceiptBatch, gathered: Gathered) -> None:
    """Combine, open, decode, and keep all values of a batch in one transaction."""
    secret = _batch_secret(batch, gathered)
    gathered.key_shares.clear()
    with wallet.store.transaction():
        for index, sealed in _combined(batch, gathered):
            receipt = batch.receipts[index]
            value = decode_value(_opened(secret, batch.leaves[index], sealed))
            wallet.store.values.add(value, receipt_id=receipt.receipt_id, value_id=receipt.value_id)
            del value, sealed
        for index, lost in gathered.lost.items():
            update_receipt(wallet.store, batch.receipts[index].without_pieces(lost))


def _opened(secret: BatchSecret | None, leaf: ItemLeaf, sealed: bytearray) -> bytes:
    """The plaintext; `sealed` is emptied, for a large item would otherwise lie in memory once more."""
    try:
        plaintext = secret.open_value(item_name(leaf), sealed) if secret else bytes(sealed)
    except SealBroken:
        raise ValueDamaged("its pieces are those that were registered, yet they do not open") from None
    sealed.clear()
    return plaintext


def _batch_secret(batch: ReceiptBatch, gathered: Gathered) -> BatchSecret | None:
    rule = batch.manifest.terms.key
    if rule.mode == "none":
        return None
    if rule.mode == "kept":
        scalar = _kept_scalar(batch)
    else:
        shares = [feldman.ScalarShare(x, share) for x, share in gathered.key_shares.items()]
        scalar = feldman.combine(shares[: rule.k], rule.k)
    return BatchSecret(scalar, batch.manifest.salt)


def _kept_scalar(batch: ReceiptBatch) -> Scalar:
    encoded = batch.receipts[0].kept_key
    if not encoded:
        raise KeyNotInWallet
    scalar = Scalar.from_bytes(encoded)
    feldman.verify_secret(scalar, (Point.from_bytes(batch.manifest.commitments[0]),))
    return scalar


def _combined(batch: ReceiptBatch, gathered: Gathered) -> Iterator[tuple[int, bytearray]]:
    """Sealed bytes of every item; items with shares at the same indices are combined together."""
    division = batch.manifest.terms.value
    positions = {place.x: position for position, place in enumerate(batch.manifest.value_places())}
    for xs, indices in _by_indices(gathered, division.k).items():
        lengths = [batch.leaves[index].sealed_length for index in indices]
        sources = {x: _joined([gathered.shares[index][x] for index in indices]) for x in xs}
        if len(indices) == 1:
            yield indices[0], combine(division, positions, sources, lengths[0])
            continue
        sealed = combine(division, positions, sources, sum(lengths))
        start = 0
        for index, length in zip(indices, lengths, strict=True):
            yield index, sealed[start : start + length]
            start += length


def _by_indices(gathered: Gathered, k: int) -> dict[tuple[int, ...], list[int]]:
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for index, shares in sorted(gathered.shares.items()):
        groups[tuple(sorted(shares)[:k])].append(index)
    return groups


def _joined(sources: Sequence[BinaryIO]) -> BinaryIO:
    """The shares behind their blindings, end to end."""
    for source in sources:
        source.seek(BLINDING_BYTES)
    return sources[0] if len(sources) == 1 else BytesIO(b"".join(source.read() for source in sources))
