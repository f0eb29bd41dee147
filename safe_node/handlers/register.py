"""Register: batches of one wallet, each stored whole or refused alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from kura.safe.v1 import safe_pb2 as pb
from safe_node.decisions.admission import admit_batch
from safe_node.handlers.converters import read_batch, write_batch_result
from safe_node.handlers.effort import MAX_KEY_EFFORT, effort, key_effort
from safe_node.handlers.safe import Safe, checked, or_refusal
from safe_node.records import AdmittedBatch, CandidateBatch
from trust.ids import WalletKey
from trust.refusals import CallTooLarge, Malformed, Refusal

Outcome = tuple[bytes, ...] | Refusal


async def register(safe: Safe, caller: WalletKey, request: pb.RegisterRequest) -> pb.RegisterResponse:
    """Check each batch, write those that may come in, certify them together.

    Raises:
        Malformed, CallTooLarge: The call as a whole cannot be taken.
    """
    candidates = _read(safe, request)
    admitted = await checked(
        lambda: [or_refusal(partial(admit_batch, each, caller, safe.membership)) for each in candidates],
        sum(effort(each) for each in candidates),
        request.ByteSize(),
    )
    outcomes = await _write(safe, admitted)
    certificates = [body for outcome in outcomes if not isinstance(outcome, Refusal) for body in outcome]
    return pb.RegisterResponse(
        results=[write_batch_result(outcome) for outcome in outcomes], signature=safe.sign(certificates)
    )


def _read(safe: Safe, request: pb.RegisterRequest) -> list[CandidateBatch]:
    if not request.batches:
        raise Malformed("batches")
    safe.check_entries("pieces", sum(max(1, len(batch.pieces)) for batch in request.batches))
    candidates = [read_batch(batch, f"batches[{number}]") for number, batch in enumerate(request.batches)]
    for candidate in candidates:
        if any(_length(piece.content) > safe.limits.unary_blob_bytes for piece in candidate.pieces):
            raise CallTooLarge("blob", safe.limits.unary_blob_bytes)
    if sum(key_effort(candidate) for candidate in candidates) > MAX_KEY_EFFORT:
        raise CallTooLarge("key_shares", MAX_KEY_EFFORT)
    return candidates


def _length(content: object) -> int:
    return len(content) if isinstance(content, bytes) else 0


async def _write(safe: Safe, admitted: Sequence[AdmittedBatch | Refusal]) -> list[Outcome]:
    batches = [batch for batch in admitted if not isinstance(batch, Refusal)]
    written = iter(await safe.store.register(batches, safe.rules.plan) if batches else ())
    return [batch if isinstance(batch, Refusal) else next(written) for batch in admitted]
