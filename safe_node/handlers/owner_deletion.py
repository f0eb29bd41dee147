"""Undelete, ForgetOwner: an owner's word against a tombstone, and against themselves."""

from __future__ import annotations

from functools import partial

from kura.safe.v1 import owner_pb2 as pb
from kura.safe.v1 import safe_pb2
from safe_node.accounts import Standing
from safe_node.decisions.undeletion import (
    judge_forgetting,
    judge_revival,
    plan_forgetting,
    plan_undeletion,
)
from safe_node.handlers.owner_converters import read_signature
from safe_node.handlers.safe import Safe


async def undelete(safe: Safe, caller: Standing, request: pb.UndeleteRequest) -> pb.UndeleteResponse:
    """Take a tombstone back.

    Raises:
        Malformed, NotTheOwner, ErasedAlready, QuotaExceeded
    """
    signed = request.revival
    word = judge_revival(signed.revival, read_signature(signed.signature), caller)
    rules = safe.deletion_rules
    plan = partial(plan_undeletion, now=rules.now, bytes_per_wallet=rules.bytes_per_wallet)
    await safe.store.owners.undelete(word, plan)
    return pb.UndeleteResponse()


async def forget_owner(safe: Safe, request: pb.ForgetOwnerRequest) -> pb.ForgetOwnerResponse:
    """Erase an owner with all that is theirs; the answer comes after it is gone.

    Raises:
        Malformed
    """
    word = judge_forgetting(request.tombstone, read_signature(request.signature))
    standing = await safe.store.owners.forget(word, partial(plan_forgetting, rules=safe.deletion_rules))
    receipt = safe_pb2.SignedDeletionReceipt(receipt=standing.receipt, signature=standing.receipt_signature)
    return pb.ForgetOwnerResponse(receipt=receipt)
