"""Delete: erase what tombstones name, keep the tombstones, give receipts."""

from __future__ import annotations

from functools import partial

from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.error_table import SAFE_ERRORS
from safe_node.decisions.deletion import judge_deletion, plan_deletion
from safe_node.handlers.safe import Safe, checked, or_refusal
from safe_node.records import Burial, DeletionState
from trust.ids import SIGNATURE_BYTES, WalletKey
from trust.refusals import Malformed, Refusal


async def delete(safe: Safe, caller: WalletKey, request: pb.DeleteRequest) -> pb.DeleteResponse:
    """Judge each tombstone and write those that hold; the answer comes after the bytes are gone.

    Raises:
        Malformed, CallTooLarge: The call as a whole cannot be taken.
    """
    if not request.tombstones:
        raise Malformed("tombstones")
    safe.check_entries("tombstones", len(request.tombstones))
    judged = await checked(lambda: _judge(safe, caller, request), len(request.tombstones))
    burials = [burial for burial in judged if not isinstance(burial, Refusal)]

    def plan(state: DeletionState, burial: Burial) -> Burial:
        return plan_deletion(state, burial, safe.limits.bytes_per_wallet)

    buried = iter(await safe.store.delete(burials, plan) if burials else ())
    outcomes = [burial if isinstance(burial, Refusal) else next(buried) for burial in judged]
    return pb.DeleteResponse(results=[_result(outcome) for outcome in outcomes])


def _judge(safe: Safe, caller: WalletKey, request: pb.DeleteRequest) -> list[Burial | Refusal]:
    now = safe.now_ms() // 1000
    return [or_refusal(partial(_judge_one, safe, caller, signed, now)) for signed in request.tombstones]


def _judge_one(safe: Safe, caller: WalletKey, signed: pb.SignedTombstone, now: int) -> Burial:
    if len(signed.signature) != SIGNATURE_BYTES:
        raise Malformed("signature")
    return judge_deletion(
        signed.tombstone, signed.signature, caller, safe.membership.safe_id, now, safe.signing_key
    )


def _result(outcome: Burial | Refusal) -> pb.DeleteResult:
    if isinstance(outcome, Refusal):
        return pb.DeleteResult(refusal=SAFE_ERRORS.to_refusal(outcome))
    receipt = pb.SignedDeletionReceipt(receipt=outcome.receipt, signature=outcome.receipt_signature)
    return pb.DeleteResult(receipt=receipt)
