"""Edit a value: register the new content, then erase the old, so that one of them always stands.

A value that is not backed up is simply replaced. For one that is, the new content becomes the next
generation of its item under the same policy; the wallet keeps the old until the new is registered, and
tombstones for the old generation follow. A value that shares its item with others leaves it for one of
its own.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from wallet_client.network.failures import SafeFailure
from wallet_client.operations.backup import next_generation
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.journal import BackupBegun, NewContent
from wallet_client.operations.outbox import deliver
from wallet_client.operations.progress import silent
from wallet_client.operations.register import begin_and_register
from wallet_client.operations.settle import changing
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.operations.wallet_keys import KeyFinder
from wallet_client.pipeline.plan import Member, PlanItem, plan_batches
from wallet_client.receipts.receipt import Receipt, ReceiptId, ReceiptState
from wallet_client.receipts.shelf import get_receipt
from wallet_client.storage.values import ValueSummary
from wallet_client.values.value import Value, ValueId, encode_value
from wallet_client.wallet import Wallet


@dataclass(frozen=True, slots=True)
class EditReport:
    """What an edit came to.

    Args:
        state: Of the receipt; None where the value is not backed up.
        failed: What went wrong, by the safe's name, although the new content is registered.
    """

    state: ReceiptState | None
    failed: Mapping[str, SafeFailure]


async def edit(wallet: Wallet, value_id: ValueId, changed: Value) -> EditReport:
    """Put new content in a value's place.

    Raises:
        UnknownValue: It is not in the wallet.
        WalletFull: The new content does not fit.
        TooFewSafes: The new content could not be registered; the old one stands.
        WalletBusy: Another process is changing the wallet.
    """
    async with changing(wallet), wallet.claim((value_id,)):
        summary = await asyncio.to_thread(wallet.store.values.summary, value_id)
        if summary.receipt_id is None:
            await to_the_end(wallet.store.values.replace, value_id, changed)
            return EditReport(None, {})
        old = await asyncio.to_thread(get_receipt, wallet.store, ReceiptId(summary.receipt_id))
        return await _register_changed(wallet, summary, old, changed)


async def _register_changed(
    wallet: Wallet, summary: ValueSummary, old: Receipt, changed: Value
) -> EditReport:
    value_id = summary.id
    encoded = await asyncio.to_thread(encode_value, changed)
    wallet.store.values.require_room(len(encoded), leaving=summary.size_bytes)
    policy = wallet.policy(old.policy_name)
    item = PlanItem((Member(value_id, len(encoded)),), *next_generation(old, [value_id]))
    key = await KeyFinder(wallet).for_backup(policy)
    ownership = wallet.keys.ownership
    (plan,) = plan_batches([item], policy, wallet.roster, wallet.now(), wallet.rng, key, ownership)
    begun = BackupBegun(plan, (NewContent(value_id, encoded),))
    try:
        registered = await begin_and_register(wallet, begun, silent)
    except TooFewSafes:
        await deliver(wallet)
        raise
    await deliver(wallet)
    failed = {wallet.safe_name(safe_id): failure for safe_id, failure in registered.failed.items()}
    return EditReport(registered.state, failed)
