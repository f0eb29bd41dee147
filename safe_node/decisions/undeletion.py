"""An owner takes a deletion back, or has themselves forgotten: both the owner's signed word.

    Revival          dominates the one tombstone it names, as long as nothing is erased
    OwnerTombstone   dominates whatever the owner and their wallets have or will bring

Who brings a revival is checked as well. An owner's tombstone may be brought by any wallet: the one that owes
it to a safe which was away may act for nobody by then, and it says what its signer wanted everybody to hear.
"""

from __future__ import annotations

from safe_node.accounts import Standing
from safe_node.decisions.costs import TOMBSTONE_BYTES, check_quota
from safe_node.decisions.deletion import DeletionRules
from safe_node.deletions import AdmittedForgetting, AdmittedRevival, Forgetting, UndeletionState
from trust.errors import DocumentMalformed, SignatureInvalid
from trust.owner_refusals import NotTheOwner
from trust.refusals import Malformed
from trust.tombstone import read_owner_tombstone, read_revival, sign_deletion
from trust.wallet_refusals import ErasedAlready


def judge_revival(body: bytes, signature: bytes, caller: Standing) -> AdmittedRevival:
    """Check an owner's word that takes a tombstone back, and who brings it.

    Args:
        body: Exact bytes of the Revival.
        signature: Of the owner key it names, 64 bytes.
        caller: Who brings it; acts for somebody.

    Raises:
        Malformed: It is none, or the signature does not hold.
        NotTheOwner: The caller acts for another owner.
    """
    try:
        word = read_revival(body, signature)
    except DocumentMalformed:
        raise Malformed("revival") from None
    except SignatureInvalid:
        raise Malformed("signature") from None
    if word.owner_key != caller.owner_key:
        raise NotTheOwner
    return AdmittedRevival(
        owner_key=word.owner_key,
        deliverer=caller.key,
        item_id=word.item_id,
        generation=word.generation,
        tombstone_hash=word.tombstone_hash,
        revival=body,
        signature=signature,
    )


def plan_undeletion(state: UndeletionState, now: int, bytes_per_wallet: int) -> bool:
    """Whether to write a revival; False when the tombstone was taken back before.

    Args:
        state: What is stored.
        now: Whole seconds since 1970-01-01 UTC.
        bytes_per_wallet: Most bytes a wallet may keep; 0 is no limit.

    Raises:
        ErasedAlready: A tombstone that reaches the item was, or is due to be, carried out.
        QuotaExceeded: Who brings it has no room.
    """
    if state.known:
        return False
    if any(one.erase_at is None or one.erase_at <= now for one in state.standing):
        raise ErasedAlready
    check_quota(state.used_bytes, TOMBSTONE_BYTES, bytes_per_wallet)
    return True


def judge_forgetting(body: bytes, signature: bytes) -> AdmittedForgetting:
    """Check an owner's tombstone.

    Args:
        body: Exact bytes of the OwnerTombstone.
        signature: Of the owner key it names, 64 bytes.

    Raises:
        Malformed: It is none, or the signature does not hold.
    """
    try:
        word = read_owner_tombstone(body, signature)
    except DocumentMalformed:
        raise Malformed("tombstone") from None
    except SignatureInvalid:
        raise Malformed("signature") from None
    return AdmittedForgetting(word.owner_key, body, signature)


def plan_forgetting(earlier: Forgetting | None, word: AdmittedForgetting, rules: DeletionRules) -> Forgetting:
    """What stands afterwards: an equal earlier one, so that its receipt is repeated, or a new one."""
    if earlier is not None and earlier.tombstone == word.tombstone:
        return earlier
    receipt, signature = sign_deletion(rules.safe_id, word.tombstone, rules.now, rules.key)
    return Forgetting(word.owner_key, word.tombstone, word.signature, receipt, signature)
