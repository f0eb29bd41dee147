"""Whose item is deleted, when it is erased, and what the safe says about it.

    nobody's wallet            erased at once
    a wallet of an owner's     erased after the grace, in which the owner may take it back
    the owner's own word       brought by the owner: erased at once, also what waits
                               brought by a wallet of theirs: as that wallet's

A tombstone dominates from the moment it is stored, also for items never seen. It counts towards the
signer's bytes, so that nobody fills a disk with tombstones for free. All pieces of an item's generation are
erased at one time: a later tombstone does not put off what an earlier one has set.
"""

from __future__ import annotations

from dataclasses import dataclass

from safe_node.accounts import Standing
from safe_node.decisions.costs import TOMBSTONE_BYTES, check_quota
from safe_node.deletions import AdmittedTombstone, Burial, DeletionPlan, DeletionState
from trust.documents import SigningKey
from trust.errors import TrustError
from trust.ids import OwnerKey, SafeId
from trust.refusals import Malformed
from trust.tombstone import read_tombstone, sign_deletion
from trust.wallet_refusals import NotYourItem, TombstoneRevived


@dataclass(frozen=True, slots=True)
class DeletionRules:
    """What is the same for all tombstones of a call.

    Args:
        safe_id: Who erases.
        key: Secret: the safe's, signs receipts.
        now: Whole seconds since 1970-01-01 UTC.
        grace_seconds: How long an owner's item waits; 0: not at all.
        bytes_per_wallet: Most bytes a wallet may keep; 0 is no limit.
    """

    safe_id: SafeId
    key: SigningKey
    now: int
    grace_seconds: int
    bytes_per_wallet: int

    def plan(self, state: DeletionState, tombstone: AdmittedTombstone) -> DeletionPlan:
        """Decide on a tombstone; see `plan_deletion`."""
        return plan_deletion(state, tombstone, self)


def judge_deletion(body: bytes, signature: bytes, caller: Standing) -> AdmittedTombstone:
    """Check a tombstone, and who brings it.

    Args:
        body: Exact bytes of the Tombstone.
        signature: Of the key it names.
        caller: Whose signature the call carries.

    Raises:
        Malformed: It is no tombstone, or its signature does not hold.
        NotYourItem: It is neither the caller's nor their owner's.
    """
    try:
        tombstone = read_tombstone(body, signature)
    except TrustError:
        raise Malformed("tombstone") from None
    if tombstone.wallet_key not in (caller.key, caller.owner_key):
        raise NotYourItem
    return AdmittedTombstone(
        signer=tombstone.wallet_key,
        deliverer=caller.key,
        item_id=tombstone.item_id,
        generation=tombstone.generation,
        body=body,
        signature=signature,
    )


def plan_deletion(state: DeletionState, tombstone: AdmittedTombstone, rules: DeletionRules) -> DeletionPlan:
    """Which burial stands afterwards: an equal earlier one, so that its receipt is repeated, or a new one.

    Raises:
        TombstoneRevived: The owner took this very tombstone back.
        QuotaExceeded: The tombstone takes more than erasing gives back, and the signer has no room.
    """
    if state.revived:
        raise TombstoneRevived
    earlier, at_once = state.earlier, _is_at_once(state, tombstone, rules)
    if earlier is None:
        needed = max(0, TOMBSTONE_BYTES - state.freed_bytes)
        check_quota(state.used_bytes, needed, rules.bytes_per_wallet)
    elif earlier.tombstone == tombstone.body and (earlier.erase_at is None or not at_once):
        return DeletionPlan(earlier, is_new=False)
    erase_at = None if at_once else _erase_at(state, rules)
    return DeletionPlan(_bury(tombstone, erase_at, rules), is_new=True)


def _is_at_once(state: DeletionState, tombstone: AdmittedTombstone, rules: DeletionRules) -> bool:
    by_owner = OwnerKey(tombstone.deliverer) == state.account
    return state.account is None or by_owner or not rules.grace_seconds


def _erase_at(state: DeletionState, rules: DeletionRules) -> int | None:
    """When what waits is due; None where an earlier tombstone has it erased, or due, by now."""
    times = [standing.erase_at for standing in state.standing]
    earliest = min([rules.now + rules.grace_seconds, *(at for at in times if at is not None)])
    return None if None in times or earliest <= rules.now else earliest


def _bury(tombstone: AdmittedTombstone, erase_at: int | None, rules: DeletionRules) -> Burial:
    erased_at = rules.now if erase_at is None else erase_at
    receipt, signature = sign_deletion(rules.safe_id, tombstone.body, erased_at, rules.key)
    return Burial(
        signer=tombstone.signer,
        item_id=tombstone.item_id,
        generation=tombstone.generation,
        tombstone=tombstone.body,
        signature=tombstone.signature,
        receipt=receipt,
        receipt_signature=signature,
        erase_at=erase_at,
    )
