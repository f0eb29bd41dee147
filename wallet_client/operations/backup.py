"""Back up values: plan, write into the journal, register batch by batch.

A value that is registered already under the same policy stays as it is, so the command may be
repeated. Under another policy, or after a safe was found to have lost its piece, it becomes a new
generation of its item, and the old one is deleted.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trust.ids import ItemId, SafeId
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.errors import NotSafeYet, PiecesWaitHere
from wallet_client.operations.journal import BackupBegun
from wallet_client.operations.outbox import deliver
from wallet_client.operations.progress import Progress, silent
from wallet_client.operations.register import Registered, begin_and_register
from wallet_client.operations.settle import changing
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.pipeline.plan import BatchPlan, PlanItem, plan_batches
from wallet_client.pipeline.seal import TAG_BYTES
from wallet_client.policies.policy import Arrangement, Policy
from wallet_client.policies.presets import policy_named
from wallet_client.receipts.receipt import Receipt, ReceiptId, ReceiptState, state_of
from wallet_client.receipts.shelf import get_receipt
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet

_BATCHES_AT_ONCE = 2
"""While the safes write one batch, the wallet makes the next."""


@dataclass(frozen=True, slots=True)
class BackedUp:
    """One value's outcome.

    Args:
        already: It was registered before this call.
    """

    value_id: ValueId
    receipt_id: ReceiptId
    state: ReceiptState
    already: bool = False


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup came to.

    Args:
        entries: One for each value.
        failed: What went wrong, by the safe's name, although the values are registered.
    """

    entries: tuple[BackedUp, ...]
    failed: Mapping[str, SafeFailure]


async def back_up(
    wallet: Wallet, value_ids: Sequence[ValueId], policy_name: str, progress: Progress = silent
) -> BackupReport:
    """Register values at the safes.

    Raises:
        UnknownPolicy, PolicyUnfit: The policy cannot be used.
        UnknownValue: A value is not in the wallet.
        TooFewSafes: Below the quorum; that batch was withdrawn, batches before it stand.
        WalletBusy: Another process is changing the wallet.
    """
    policy = policy_named(policy_name, wallet.roster)
    wanted = tuple(dict.fromkeys(value_ids))
    async with changing(wallet), wallet.claim(wanted):
        done, todo = await asyncio.to_thread(_sort_out, wallet, wanted, policy)
        plans = plan_batches(todo, policy, wallet.roster, wallet.now(), wallet.rng)
        registered = await _register_all(wallet, plans, progress)
        await _bury(wallet, plans)
    entries = {entry.value_id: entry for entry in [*done, *_entries(registered)]}
    return BackupReport(tuple(entries[value_id] for value_id in wanted), _failures(wallet, registered))


async def drop_backed_up(wallet: Wallet, value_ids: Sequence[ValueId], *, accept_fewer: bool) -> None:
    """Erase values whose receipts can bring them back.

    Args:
        accept_fewer: Also where some safes did not take them yet.

    Raises:
        NotSafeYet: A value is not at all its safes, or the pieces that still wait in this wallet's outbox
            would be enough to bring it back; nothing was erased.
        UnknownValue: One is not in the wallet.
    """

    def drop() -> None:
        with wallet.store.transaction():
            for value_id in dict.fromkeys(value_ids):
                _require_safe(wallet, value_id, accept_fewer=accept_fewer)
                wallet.store.values.remove(value_id)

    async with changing(wallet), wallet.claim(value_ids):
        await to_the_end(drop)


def _require_safe(wallet: Wallet, value_id: ValueId, *, accept_fewer: bool) -> None:
    receipt_id = wallet.store.values.summary(value_id).receipt_id
    if receipt_id is None:
        raise NotSafeYet(-1, tuple(safe.name for safe in wallet.roster.safes))
    receipt = get_receipt(wallet.store, ReceiptId(receipt_id))
    state = state_of(receipt)
    missing = set(state.placed) - set(state.holding)
    manifest = receipt.read_manifest()
    readable_here = Arrangement(manifest.terms, manifest.placement).may_still_be_lost(missing) >= 0
    if missing and (not accept_fewer or readable_here):
        names = tuple(wallet.safe_name(safe_id) for safe_id in state.placed if safe_id in missing)
        raise (PiecesWaitHere if readable_here else NotSafeYet)(state.may_still_be_lost, names)


def _sort_out(
    wallet: Wallet, value_ids: Sequence[ValueId], policy: Policy
) -> tuple[list[BackedUp], list[PlanItem]]:
    """Which values are registered under this policy already, and what is to be planned for the others."""
    done: list[BackedUp] = []
    todo: list[PlanItem] = []
    overhead = TAG_BYTES if policy.sealing != "none" else 0
    for value_id in value_ids:
        summary = wallet.store.values.summary(value_id)
        old = get_receipt(wallet.store, ReceiptId(summary.receipt_id)) if summary.receipt_id else None
        if old is not None and old.policy_name == policy.name and not old.has_lost_pieces:
            done.append(BackedUp(value_id, old.receipt_id, state_of(old), already=True))
        else:
            item_id, generation = next_generation(old)
            todo.append(PlanItem(value_id, summary.size_bytes + overhead, item_id, generation))
    return done, todo


def next_generation(old: Receipt | None) -> tuple[ItemId | None, int]:
    """Item and generation of what comes after a receipt, and after what was withdrawn since."""
    if old is None:
        return None, 1
    leaf = old.read_leaf()
    return leaf.item_id, max(leaf.generation, old.spent_generation) + 1


async def _register_all(wallet: Wallet, plans: Sequence[BatchPlan], progress: Progress) -> list[Registered]:
    """All batches, two at a time; the first failure lets those under way end and starts no more."""
    waiting = deque(plans)
    registered: list[Registered] = []

    async def work() -> None:
        while waiting:
            begun = BackupBegun(waiting.popleft())
            try:
                registered.append(await begin_and_register(wallet, begun, progress))
            except BaseException:
                waiting.clear()
                raise

    outcomes = await asyncio.gather(*(work() for _ in range(_BATCHES_AT_ONCE)), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            await deliver(wallet)
            raise outcome
    return registered


async def _bury(wallet: Wallet, plans: Sequence[BatchPlan]) -> None:
    """Deliver the tombstones of generations that were superseded."""
    if any(item.generation > 1 for plan in plans for item in plan.items):
        await deliver(wallet)


def _entries(registered: Sequence[Registered]) -> list[BackedUp]:
    return [
        BackedUp(value_id, receipt_id, batch.state)
        for batch in registered
        for value_id, receipt_id in batch.receipts.items()
    ]


def _failures(wallet: Wallet, registered: Sequence[Registered]) -> dict[str, SafeFailure]:
    failed: dict[SafeId, SafeFailure] = {}
    for batch in registered:
        failed.update(batch.failed)
    return {wallet.safe_name(safe_id): failure for safe_id, failure in failed.items()}
