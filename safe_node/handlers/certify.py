"""Certify: the certificates of named pieces, also of those that were lost and rebuilt."""

from __future__ import annotations

from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.error_table import SAFE_ERRORS
from safe_node.accounts import Standing
from safe_node.handlers.safe import Safe
from safe_node.records import PieceName
from trust.ids import ID_BYTES, MAX_GENERATION, ItemId
from trust.peer_refusals import PieceUnknown
from trust.refusals import Malformed


async def certify(safe: Safe, caller: Standing, request: pb.CertifyRequest) -> pb.CertifyResponse:
    """Look up each name among the caller's pieces.

    Raises:
        Malformed, CallTooLarge: The call as a whole cannot be answered.
    """
    if not request.pieces:
        raise Malformed("pieces")
    safe.check_entries("pieces", len(request.pieces))
    names = [_read(name, f"pieces[{number}]") for number, name in enumerate(request.pieces)]
    found = await safe.store.peers.certificates(caller, names)
    results = [_result(certificate) for certificate in found]
    return pb.CertifyResponse(results=results, signature=safe.sign([one for one in found if one is not None]))


def _read(name: pb.PieceName, field: str) -> PieceName:
    if len(name.item_id) != ID_BYTES:
        raise Malformed(f"{field}.item_id")
    if not 1 <= name.generation <= MAX_GENERATION:
        raise Malformed(f"{field}.generation")
    if not 1 <= name.x <= 255:
        raise Malformed(f"{field}.x")
    return ItemId(name.item_id), name.generation, name.x


def _result(certificate: bytes | None) -> pb.CertifyResult:
    if certificate is None:
        return pb.CertifyResult(refusal=SAFE_ERRORS.to_refusal(PieceUnknown()))
    return pb.CertifyResult(certificate=certificate)
