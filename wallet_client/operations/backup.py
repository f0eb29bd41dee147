"""Back up values: plan, write into the journal, register batch by batch.

A value that is registered already under the same policy stays as it is, so the command may be
repeated. Under another policy, or after a safe was found to have lost its piece, it becomes a new
generation of its item, and the old one is deleted. Where several values are one item, those that are
registered otherwise leave it, and it is deleted with the last of them.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from trust.digest import ENTRIES_MAX_BYTES, digest_fields_of
from trust.ids import MAX_GENERATION, ItemId, SafeId
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.conclude import Registered
from wallet_client.operations.errors import NotKeptAnyMore, NotSafeYet, PiecesWaitHere
from wallet_client.operations.journal import BackupBegun
from wallet_client.operations.outbox import deliver
from wallet_client.operations.progress import Progress, silent
from wallet_client.operations.register import begin_and_register
from wallet_client.operations.settle import changing
from wallet_client.operations.still_kept import not_kept_any_more
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.operations.wallet_keys import KeyFinder
from wallet_client.pipeline.couple import MAX_COUPLED_BYTES, MAX_MEMBERS
from wallet_client.pipeline.plan import BatchPlan, Member, PlanItem, plan_batches
from wallet_client.policies.policy import Policy
from wallet_client.policies.presets import DEFAULT_POLICY
from wallet_client.receipts.receipt import Receipt, ReceiptId, ReceiptState, state_of
from wallet_client.receipts.shelf import get_receipt
from wallet_client.storage.keyring import KeyEntry
from wallet_client.storage.values import ValueSummary
from wallet_client.values.value import ValueId, stored_size
from wallet_client.wallet import Wallet

_MAX_SHOWN_BYTES = ENTRIES_MAX_BYTES - 8
"""Of the digest entries of one item; the rest is for the arrays around them."""

_BATCHES_AT_ONCE = 2
"""While the safes write one batch, the wallet makes the next."""


@dataclass(frozen=True, slots=True)
class BackedUp:
    """One value's, or key's, outcome.

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

    @property
    def fresh(self) -> set[ValueId]:
        """Those that were registered now."""
        return {entry.value_id for entry in self.entries if not entry.already}


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
    wanted = tuple(dict.fromkeys(value_ids))
    async with changing(wallet), wallet.claim(wanted):
        policy = wallet.policy(policy_name)
        done, todo = await asyncio.to_thread(_sort_out, wallet, wanted, policy)
        report = registered_report(
            wallet, await register_items(wallet, todo, policy, progress) if todo else []
        )
    entries = {entry.value_id: entry for entry in [*done, *report.entries]}
    return BackupReport(tuple(entries[value_id] for value_id in wanted), report.failed)


async def drop_backed_up(
    wallet: Wallet, value_ids: Sequence[ValueId], *, accept_fewer: bool, fresh: Collection[ValueId] = ()
) -> None:
    """Erase values whose receipts can bring them back.

    Args:
        accept_fewer: Also where some safes did not take them yet.
        fresh: Those that the safes certified just now; an owner's wallet asks them about the others.

    Raises:
        NotKeptAnyMore: The safes do not say that they still keep a value; nothing was erased.
        NotSafeYet: A value is not at all its safes, or the pieces that still wait in this wallet's outbox
            would be enough to bring it back; nothing was erased.
        UnknownValue: One is not in the wallet.
    """

    def check() -> None:
        for value_id in value_ids:
            _require_safe(wallet, value_id, accept_fewer=accept_fewer)

    def drop() -> None:
        with wallet.store.transaction():
            for value_id in dict.fromkeys(value_ids):
                wallet.store.values.remove(value_id)

    async with changing(wallet), wallet.claim(value_ids):
        await asyncio.to_thread(check)
        if await not_kept_any_more(wallet, set(value_ids).difference(fresh)):
            raise NotKeptAnyMore(-1, ())
        await to_the_end(drop)


def _require_safe(wallet: Wallet, value_id: ValueId, *, accept_fewer: bool) -> None:
    receipt_id = wallet.store.values.summary(value_id).receipt_id
    if receipt_id is None:
        raise NotSafeYet(-1, tuple(safe.name for safe in wallet.roster.safes))
    receipt = get_receipt(wallet.store, ReceiptId(receipt_id))
    state = state_of(receipt)
    missing = set(state.placed) - set(state.holding)
    readable_here = receipt.arrangement.may_still_be_lost(missing) >= 0
    if missing and (not accept_fewer or readable_here):
        names = tuple(wallet.safe_name(safe_id) for safe_id in state.placed if safe_id in missing)
        raise (PiecesWaitHere if readable_here else NotSafeYet)(state.may_still_be_lost, names)


def _sort_out(
    wallet: Wallet, value_ids: Sequence[ValueId], policy: Policy
) -> tuple[list[BackedUp], list[PlanItem]]:
    """Which values are registered under this policy already, and what is to be planned for the others."""
    done: list[BackedUp] = []
    todo: list[tuple[ValueSummary, Receipt | None]] = []
    for value_id in value_ids:
        summary = wallet.store.values.summary(value_id)
        old = get_receipt(wallet.store, ReceiptId(summary.receipt_id)) if summary.receipt_id else None
        if old is not None and old.policy_name == policy.name and not old.has_lost_pieces:
            done.append(BackedUp(value_id, old.receipt_id, state_of(old), already=True))
        else:
            todo.append((summary, old))
    return done, [_plan_item(group) for group in _coupled(policy, todo)]


def _coupled(
    policy: Policy, todo: Sequence[tuple[ValueSummary, Receipt | None]]
) -> list[list[tuple[ValueSummary, Receipt | None]]]:
    """The values by item: each by itself, or as many together as one item may hold."""
    if not policy.is_coupled:
        return [[one] for one in todo]
    groups: list[list[tuple[ValueSummary, Receipt | None]]] = []
    size = shown = 0
    for summary, old in todo:
        shown_here = len(digest_fields_of(summary, policy.shown).to_bytes())
        size, shown = size + summary.size_bytes, shown + shown_here
        is_full = size > MAX_COUPLED_BYTES or shown > _MAX_SHOWN_BYTES
        if not groups or len(groups[-1]) == MAX_MEMBERS or is_full:
            groups.append([])
            size, shown = summary.size_bytes, shown_here
        groups[-1].append((summary, old))
    return groups


def _plan_item(group: Sequence[tuple[ValueSummary, Receipt | None]]) -> PlanItem:
    members = tuple(Member(summary.id, summary.size_bytes) for summary, _ in group)
    item_id, generation = next_generation(group[0][1], [member.value_id for member in members])
    return PlanItem(members, item_id, generation)


def next_generation(old: Receipt | None, value_ids: Sequence[ValueId]) -> tuple[ItemId | None, int]:
    """Item and generation of what comes after a receipt, and after what was withdrawn since.

    An item of the same values gets its next generation; else, or where a thief used its generations up, there
    is a new item.
    """
    if old is None or set(old.value_ids) != set(value_ids):
        return None, 1
    leaf = old.read_leaf()
    newest = max(leaf.generation, old.spent_generation)
    return (None, 1) if newest == MAX_GENERATION else (leaf.item_id, newest + 1)


async def register_items(
    wallet: Wallet, items: Sequence[PlanItem], policy: Policy, progress: Progress
) -> list[Registered]:
    """Register what was sorted out, under the key that the policy asks for; call it inside `changing`.

    Raises:
        PolicyUnfit: The roster cannot carry the policy.
        UnknownKey, KeyAway, UnknownAlgorithm: The wallet's key is not to be had.
        TooFewSafes: Below the quorum; that batch was withdrawn, batches before it stand.
    """
    key = await KeyFinder(wallet).for_backup(policy)
    if policy.key.mode == "root":
        await register_root(wallet, progress)
    ownership = wallet.keys.ownership
    plans = plan_batches(items, policy, wallet.roster, wallet.now(), wallet.rng, key, ownership)
    registered = await _register_all(wallet, plans, progress)
    if any(batch.superseded for batch in registered):
        await deliver(wallet)
    if policy.key.mode == "root":
        await send_root_away(wallet)
    return registered


async def register_root(wallet: Wallet, progress: Progress) -> None:
    """The seed is registered before anything hangs on it [E7]."""
    root = await asyncio.to_thread(find_root, wallet)
    if root is None or root.receipt_id is not None:
        return
    async with wallet.claim((root.id,)):
        if wallet.store.keyring.entry(root.id).receipt_id is None:
            item = await asyncio.to_thread(plan_key, wallet, root.id)
            await register_items(wallet, [item], wallet.policy(DEFAULT_POLICY), progress)


def find_root(wallet: Wallet) -> KeyEntry | None:
    """The root's entry in the keyring, if there is one."""
    return next((entry for entry in wallet.store.keyring.entries() if entry.kind == "root"), None)


def plan_key(wallet: Wallet, key_id: ValueId) -> PlanItem:
    """A key as an item.

    Raises:
        UnknownKey: There is none of that id.
        KeyAway: It is not in the wallet.
    """
    member = Member(key_id, stored_size(wallet.store.keyring.get(key_id)))
    receipt_id = wallet.store.keyring.entry(key_id).receipt_id
    old = get_receipt(wallet.store, ReceiptId(receipt_id)) if receipt_id else None
    item_id, generation = next_generation(old, [key_id])
    return PlanItem((member,), item_id, generation, kind="key")


async def send_root_away(wallet: Wallet) -> None:
    """The seed leaves the wallet once every safe has its piece of it [E7]."""

    def send_away() -> None:
        root = find_root(wallet)
        if root is None or not root.is_here or root.stays or root.receipt_id is None:
            return
        if state_of(get_receipt(wallet.store, ReceiptId(root.receipt_id))).word == "safe":
            wallet.store.keyring.send_away(root.id)

    await to_the_end(send_away)


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


def registered_report(wallet: Wallet, registered: Sequence[Registered]) -> BackupReport:
    """What came of the batches, value by value, or key by key."""
    failed: dict[SafeId, SafeFailure] = {}
    for batch in registered:
        failed.update(batch.failed)
    entries = tuple(
        BackedUp(value_id, receipt_id, batch.state)
        for batch in registered
        for value_id, receipt_id in batch.receipts.items()
    )
    return BackupReport(entries, {wallet.safe_name(safe_id): one for safe_id, one in failed.items()})
