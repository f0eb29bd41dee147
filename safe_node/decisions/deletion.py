"""Whose item is deleted, and what the safe says about it.

A tombstone dominates from the moment it is stored, also for items never seen. It counts towards the
wallet's bytes, so that nobody fills a disk with tombstones for free.
"""

from __future__ import annotations

from safe_node.decisions.costs import TOMBSTONE_BYTES, check_quota
from safe_node.records import Burial, DeletionState
from trust.documents import SigningKey
from trust.errors import TrustError
from trust.ids import SafeId, WalletKey
from trust.refusals import Malformed, NotYourItem
from trust.tombstone import read_tombstone, sign_deletion


def judge_deletion(
    body: bytes, signature: bytes, caller: WalletKey, safe_id: SafeId, now: int, key: SigningKey
) -> Burial:
    """Check a tombstone and make its receipt.

    Args:
        body: Exact bytes of the Tombstone.
        signature: Of the wallet key it names.
        caller: Whose signature the call carries.
        safe_id: Who erases.
        now: Whole seconds since 1970-01-01 UTC.
        key: The safe's.

    Raises:
        Malformed: It is no tombstone, or its signature does not hold.
        NotYourItem: It is another wallet's.
    """
    try:
        tombstone = read_tombstone(body, signature)
    except TrustError:
        raise Malformed("tombstone") from None
    if tombstone.wallet_key != caller:
        raise NotYourItem
    receipt, receipt_signature = sign_deletion(safe_id, body, now, key)
    return Burial(
        wallet_key=tombstone.wallet_key,
        item_id=tombstone.item_id,
        generation=tombstone.generation,
        tombstone=body,
        signature=signature,
        receipt=receipt,
        receipt_signature=receipt_signature,
    )


def plan_deletion(state: DeletionState, burial: Burial, bytes_per_wallet: int) -> Burial:
    """Which burial stands afterwards: an equal earlier one, so that its receipt is repeated, or this one.

    Raises:
        QuotaExceeded: The tombstone takes more than erasing gives back, and the wallet has no room.
    """
    if state.earlier is None:
        check_quota(state.used_bytes, max(0, TOMBSTONE_BYTES - state.freed_bytes), bytes_per_wallet)
        return burial
    return state.earlier if state.earlier.tombstone == burial.tombstone else burial
