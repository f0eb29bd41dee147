"""Messages to records and back. What has the wrong form is refused here, by the path of the field."""

from __future__ import annotations

from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.error_table import SAFE_ERRORS
from safe_node.records import (
    AnnouncedBlob,
    CandidateBatch,
    CandidatePiece,
    KeyShare,
    Presented,
    ReleasedPiece,
)
from trust.certificate import Certificate
from trust.errors import DocumentMalformed
from trust.ids import HASH_BYTES, SIGNATURE_BYTES
from trust.manifest import MAX_ITEMS
from trust.refusals import Malformed, Refusal

_SCALAR_BYTES = 32


def read_batch(batch: pb.Batch, where: str) -> CandidateBatch:
    """A batch whose blobs, where they are, came with it.

    Args:
        batch: The message.
        where: Its path in the request, such as "batches[0]".

    Raises:
        Malformed: A length, index or number cannot be meant; names the field.
    """
    pieces = tuple(
        CandidatePiece(piece.leaf_index, piece.x, piece.blob if piece.HasField("blob") else None)
        for piece in batch.pieces
    )
    return _batch(batch, pieces, where)


def read_opening(opening: pb.StreamOpening) -> tuple[CandidateBatch, AnnouncedBlob]:
    """The opening of a stream: a batch of one item with one piece, and the blob it announces.

    Raises:
        Malformed: It is something else; names the field.
    """
    batch = opening.batch
    if len(batch.leaves) != 1 or len(batch.pieces) != 1 or batch.pieces[0].HasField("blob"):
        raise Malformed("opening.batch")
    if not opening.blob_length:
        raise Malformed("opening.blob_length")
    if any(len(block) != HASH_BYTES for block in opening.block_hashes):
        raise Malformed("opening.block_hashes")
    blob = AnnouncedBlob(opening.blob_length, tuple(opening.block_hashes))
    piece = CandidatePiece(batch.pieces[0].leaf_index, batch.pieces[0].x, blob)
    return _batch(batch, (piece,), "opening.batch"), blob


def _batch(batch: pb.Batch, pieces: tuple[CandidatePiece, ...], where: str) -> CandidateBatch:
    _require(len(batch.manifest_signature) == SIGNATURE_BYTES, f"{where}.manifest_signature")
    _require(1 <= len(batch.leaves) <= MAX_ITEMS, f"{where}.leaves")
    _require(len(pieces) > 0, f"{where}.pieces")
    for number, piece in enumerate(pieces):
        _require(piece.leaf_index < len(batch.leaves), f"{where}.pieces[{number}].leaf_index")
        _require(1 <= piece.x <= 255, f"{where}.pieces[{number}].x")
    for number, share in enumerate(batch.key_shares):
        _require(1 <= share.x <= 255, f"{where}.key_shares[{number}].x")
        _require(len(share.share) == _SCALAR_BYTES, f"{where}.key_shares[{number}].share")
    return CandidateBatch(
        manifest=batch.manifest,
        manifest_signature=batch.manifest_signature,
        leaves=tuple(batch.leaves),
        pieces=pieces,
        key_shares=tuple(KeyShare(share.x, share.share) for share in batch.key_shares),
    )


def _require(holds: bool, field: str) -> None:
    if not holds:
        raise Malformed(field)


def read_certificate(body: bytes, field: str) -> Presented:
    """A certificate as it is presented.

    Raises:
        Malformed: It does not parse.
    """
    try:
        return Presented(body, Certificate.from_bytes(body))
    except DocumentMalformed:
        raise Malformed(field) from None


def write_batch_result(outcome: tuple[bytes, ...] | Refusal) -> pb.BatchResult:
    """A batch's certificates, or its refusal."""
    if isinstance(outcome, Refusal):
        return pb.BatchResult(refusal=SAFE_ERRORS.to_refusal(outcome))
    return pb.BatchResult(registration=pb.Registration(certificates=outcome))


def write_piece(piece: ReleasedPiece) -> pb.StoredPiece:
    """A released piece."""
    return pb.StoredPiece(blob=piece.blob, key_share=piece.key_share)


def write_fetch_result(outcome: ReleasedPiece | Refusal) -> pb.FetchResult:
    """A certificate's piece, or its refusal."""
    if isinstance(outcome, Refusal):
        return pb.FetchResult(refusal=SAFE_ERRORS.to_refusal(outcome))
    return pb.FetchResult(piece=write_piece(outcome))
