"""Fetch: what the presented certificates certify, to the wallet that registered it or one of its owner's."""

from __future__ import annotations

from kura.safe.v1 import safe_pb2 as pb
from safe_node.accounts import Standing
from safe_node.decisions.retrieval import judge_fetch
from safe_node.handlers.converters import read_certificate, write_fetch_result
from safe_node.handlers.safe import Safe
from safe_node.records import ReleasedPiece, StoredPiece
from trust.certificate import Certificate
from trust.refusals import Malformed

MESSAGE_RESERVE_BYTES = 512 * 1024
"""What is left of an answer's bytes for everything but blobs."""


async def fetch(safe: Safe, caller: Standing, request: pb.FetchRequest) -> pb.FetchResponse:
    """Look up each certificate and give out its piece.

    Raises:
        Malformed, CallTooLarge: The call as a whole cannot be answered.
    """
    if not request.certificates:
        raise Malformed("certificates")
    safe.check_entries("certificates", len(request.certificates))
    presented = [
        read_certificate(body, f"certificates[{number}]") for number, body in enumerate(request.certificates)
    ]

    def judge(stored: StoredPiece | None, certificate: Certificate) -> ReleasedPiece:
        return judge_fetch(stored, certificate, caller.key, safe.limits.unary_blob_bytes, caller.owner_key)

    budget = safe.limits.message_bytes - MESSAGE_RESERVE_BYTES
    outcomes = await safe.store.fetch(presented, judge, budget)
    return pb.FetchResponse(results=[write_fetch_result(outcome) for outcome in outcomes])
