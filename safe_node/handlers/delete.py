"""Delete: erase what tombstones name, now or after the grace, keep the tombstones, give receipts."""

from __future__ import annotations

from functools import partial

from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.error_table import SAFE_ERRORS
from safe_node.accounts import Standing
from safe_node.decisions.deletion import judge_deletion
from safe_node.deletions import AdmittedTombstone, Burial
from safe_node.handlers.safe import Safe, checked, or_refusal
from trust.ids import SIGNATURE_BYTES
from trust.refusals import Malformed, Refusal


async def delete(safe: Safe, caller: Standing, request: pb.DeleteRequest) -> pb.DeleteResponse:
    """Judge each tombstone and write those that hold; the answer comes after what is erased now is gone.

    Raises:
        Malformed, CallTooLarge: The call as a whole cannot be taken.
    """
    if not request.tombstones:
        raise Malformed("tombstones")
    safe.check_entries("tombstones", len(request.tombstones))
    judged = await checked(
        lambda: [or_refusal(partial(_judge_one, caller, signed)) for signed in request.tombstones],
        len(request.tombstones),
    )
    tombstones = [one for one in judged if not isinstance(one, Refusal)]
    plan = safe.deletion_rules.plan
    buried = iter(await safe.store.delete(tombstones, plan) if tombstones else ())
    outcomes = [one if isinstance(one, Refusal) else next(buried) for one in judged]
    return pb.DeleteResponse(results=[_result(outcome) for outcome in outcomes])


def _judge_one(caller: Standing, signed: pb.SignedTombstone) -> AdmittedTombstone:
    if len(signed.signature) != SIGNATURE_BYTES:
        raise Malformed("signature")
    return judge_deletion(signed.tombstone, signed.signature, caller)


def _result(outcome: Burial | Refusal) -> pb.DeleteResult:
    if isinstance(outcome, Refusal):
        return pb.DeleteResult(refusal=SAFE_ERRORS.to_refusal(outcome))
    receipt = pb.SignedDeletionReceipt(receipt=outcome.receipt, signature=outcome.receipt_signature)
    return pb.DeleteResult(receipt=receipt)
