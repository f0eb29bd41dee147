"""Seal items anew: a new generation of each, under a fresh secret and the owner's root of now.

    gather -> open -> register the next generation -> tombstones for the old

What is in the wallet is taken from there; what is not passes through the journal and never takes room. The
old generation stands until enough safes have the new, so a stop anywhere leaves every value readable.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from trust.documents import SigningKey
from trust.manifest import Manifest
from wallet_client.errors import WalletError
from wallet_client.operations.backup import next_generation, register_root
from wallet_client.operations.journal import BackupBegun, NewContent
from wallet_client.operations.opening import member_of
from wallet_client.operations.outbox import deliver
from wallet_client.operations.progress import Meter, Progress, silent
from wallet_client.operations.register import begin_and_register
from wallet_client.operations.wallet_keys import KeyFinder
from wallet_client.pipeline.plan import BatchPlan, Member, PlanItem, plan_batches
from wallet_client.receipts.receipt import Receipt, ReceiptId
from wallet_client.receipts.shelf import get_receipt
from wallet_client.values.value import ValueId, encode_value
from wallet_client.wallet import Wallet

_PASSING_BYTES = 16 * 1_048_576
"""Content that passes through at once, unless one item alone is larger."""


@dataclass(slots=True)
class Resealed:
    """What came of it.

    Args:
        receipts: Items that have a new generation.
        left: Items that stand as they were, and why.
    """

    receipts: list[ReceiptId] = field(default_factory=list)
    left: dict[ReceiptId, WalletError] = field(default_factory=dict)


async def reseal(
    wallet: Wallet,
    receipt_ids: Sequence[ReceiptId],
    progress: Progress = silent,
    owner: SigningKey | None = None,
    *,
    keeps_old: bool = False,
) -> Resealed:
    """Give items a new generation; call it inside `changing`.

    Args:
        wallet: Whose items.
        receipt_ids: Of the items.
        owner: Secret: the owner's key, where older generations are to be erased at once.
        keeps_old: Older generations stand until the new ones were read back (superseded.py).
        progress: Told after each group, in bytes.
    """
    outcome = Resealed()
    groups = await asyncio.to_thread(_groups, wallet, receipt_ids)
    meter = Meter("reseal", progress, total=sum(map(_size, groups)))
    for group in groups:
        try:
            outcome.receipts += await _reseal_group(wallet, group, owner, keeps_old=keeps_old)
        except WalletError as error:
            outcome.left.update(dict.fromkeys((one.receipt_id for one in group), error))
        meter.advance(_size(group))
    await deliver(wallet, owner=owner)
    return outcome


def _size(group: Sequence[Receipt]) -> int:
    return sum(receipt.read_leaf().sealed_length for receipt in group)


def not_bound_yet(wallet: Wallet) -> list[ReceiptId]:
    """Items that are not bound to the root in force of the owner for whom the wallet acts."""
    bound = wallet.keys.ownership.binding_id if wallet.keys.ownership else b""
    return [name for name, binding_id in _bindings(wallet) if binding_id != bound]


def not_bound_at_all(wallet: Wallet) -> list[ReceiptId]:
    """Items that are bound to no owner: k safes together can read them."""
    return [name for name, binding_id in _bindings(wallet) if not binding_id]


def _bindings(wallet: Wallet) -> Iterator[tuple[ReceiptId, bytes]]:
    for entry in wallet.store.receipts.entries():
        name = ReceiptId(entry.id)
        yield name, _binding_of(get_receipt(wallet.store, name).manifest)


@lru_cache(maxsize=64)
def _binding_of(manifest: bytes) -> bytes:
    """All receipts of a batch have the same manifest."""
    ownership = Manifest.from_bytes(manifest).ownership
    return ownership.binding_id if ownership else b""


def _groups(wallet: Wallet, receipt_ids: Sequence[ReceiptId]) -> list[list[Receipt]]:
    """Items that were registered together and under one policy, of bearable size."""
    groups: list[list[Receipt]] = []
    size = 0
    for receipt in (get_receipt(wallet.store, receipt_id) for receipt_id in receipt_ids):
        added = receipt.read_leaf().sealed_length
        alike = bool(groups) and groups[-1][0].manifest == receipt.manifest
        if not alike or groups[-1][0].policy_name != receipt.policy_name or size + added > _PASSING_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(receipt)
        size += added
    return groups


async def _reseal_group(
    wallet: Wallet, group: Sequence[Receipt], owner: SigningKey | None, *, keeps_old: bool
) -> list[ReceiptId]:
    """Give them a new generation, but for those that were deleted, or registered anew, meanwhile."""
    async with wallet.claim([value_id for receipt in group for value_id in receipt.value_ids]):
        standing = await asyncio.to_thread(_standing, wallet, group)
        if standing:
            await _register_anew(wallet, standing, owner, keeps_old=keeps_old)
    return [one.receipt_id for one in standing]


def _standing(wallet: Wallet, group: Sequence[Receipt]) -> list[Receipt]:
    """Certificates may have been added, or a generation noted as spent: the receipts as they are now."""
    known = {entry.id for entry in wallet.store.receipts.entries()}
    now = [get_receipt(wallet.store, one.receipt_id) for one in group if one.receipt_id in known]
    begun = {one.receipt_id: one.leaf for one in group}
    return [one for one in now if begun[one.receipt_id] == one.leaf]


async def _register_anew(
    wallet: Wallet, group: Sequence[Receipt], owner: SigningKey | None, *, keeps_old: bool
) -> None:
    policy = wallet.policy(group[0].policy_name)
    absent = await asyncio.to_thread(_absent, wallet, group)
    passing = await _fetched(KeyFinder(wallet), group, absent) if absent else {}
    items = await asyncio.to_thread(_plan_items, wallet, group, passing)
    key = await KeyFinder(wallet).for_backup(policy)
    if policy.key.mode == "root":
        await register_root(wallet, silent)
    plans = plan_batches(items, policy, wallet.roster, wallet.now(), wallet.rng, key, wallet.keys.ownership)
    for plan in plans:
        begun = BackupBegun(plan, (), _passing_of(plan, passing), keeps_old)
        await begin_and_register(wallet, begun, silent, owner)


def _absent(wallet: Wallet, group: Sequence[Receipt]) -> set[ValueId]:
    """What must come from the safes: a value that is here may be out of date."""
    return {
        value_id
        for receipt in group
        for value_id in receipt.value_ids
        if not _is_current(wallet, receipt, value_id)
    }


def _is_current(wallet: Wallet, receipt: Receipt, value_id: ValueId) -> bool:
    holding = wallet.store.holding(receipt.kind)
    return holding.has(value_id) and holding.summary(value_id).receipt_id == receipt.receipt_id


async def _fetched(finder: KeyFinder, group: Sequence[Receipt], absent: set[ValueId]) -> dict[ValueId, bytes]:
    """Secret: the encoded members that are not in the wallet.

    Raises:
        TooFewSafes: Too few good pieces.
        KeyNotInWallet, ValueDamaged, BindingUnknown: They do not open.
    """
    wanted = [receipt for receipt in group if not absent.isdisjoint(receipt.value_ids)]
    opened = await finder.members(wanted)
    return {
        member.value_id: member_of(encoded, member.position)
        for receipt, encoded in zip(wanted, opened, strict=True)
        for member in receipt.members
        if member.value_id in absent
    }


def _plan_items(wallet: Wallet, group: Sequence[Receipt], passing: Mapping[ValueId, bytes]) -> list[PlanItem]:
    return [_plan_item(wallet, receipt, passing) for receipt in group]


def _plan_item(wallet: Wallet, receipt: Receipt, passing: Mapping[ValueId, bytes]) -> PlanItem:
    holding = wallet.store.holding(receipt.kind)
    members = tuple(
        Member(one, len(passing[one]) if one in passing else len(encode_value(holding.get(one))))
        for one in receipt.value_ids
    )
    return PlanItem(members, *next_generation(receipt, receipt.value_ids), receipt.kind)


def _passing_of(plan: BatchPlan, passing: Mapping[ValueId, bytes]) -> tuple[NewContent, ...]:
    return tuple(
        NewContent(member.value_id, passing[member.value_id])
        for item in plan.items
        for member in item.members
        if member.value_id in passing
    )
