"""Between the wallet's types and kura.safe.v1; nothing else of the wallet fills or reads its messages."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.error_table import SAFE_ERRORS
from trust.certificate import Certificate
from wallet_client.network.failures import WrongReply
from wallet_client.pipeline.parcel import Parcel


@dataclass(frozen=True, slots=True)
class RepairView:
    """How a safe's repair stands; counts are of the whole safe.

    Args:
        running: It is at it, or about to be.
        rounds: Rounds that ended since its process started.
        repaired: Pieces rebuilt since then.
        lacking: Pieces that the last round could not rebuild.
        beyond_repair: Of these, those that no peer can help with.
        silent: Names of peers that did not answer.
        suspected: Names of peers that may have given something wrong.
    """

    running: bool
    rounds: int
    repaired: int
    lacking: int
    beyond_repair: int
    silent: tuple[str, ...]
    suspected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FetchedPiece:
    """What a safe returned for a certificate, unchecked.

    Args:
        blob: Secret: blinding and value share, or None.
        key_share: Secret: 32 bytes, or None.
    """

    blob: bytes | None = field(repr=False)
    key_share: bytes | None = field(repr=False)


def register_request(parcels: Sequence[Parcel]) -> pb.RegisterRequest:
    """Parcels as one message."""
    return pb.RegisterRequest(batches=[_batch(parcel) for parcel in parcels])


def stream_opening(parcel: Parcel) -> pb.RegisterStreamRequest:
    """The first message of a streamed parcel.

    Raises:
        ValueError: The parcel is not to be streamed.
    """
    if parcel.streamed is None:
        raise ValueError("the parcel is not streamed")
    opening = pb.StreamOpening(
        batch=_batch(parcel), blob_length=parcel.streamed.length, block_hashes=parcel.streamed.block_hashes
    )
    return pb.RegisterStreamRequest(opening=opening)


def _batch(parcel: Parcel) -> pb.Batch:
    return pb.Batch(
        manifest=parcel.manifest,
        manifest_signature=parcel.signature,
        leaves=parcel.leaves,
        pieces=[pb.Piece(leaf_index=one.leaf_index, x=one.x, blob=one.blob) for one in parcel.pieces],
        key_shares=[pb.KeyShare(x=x, share=share) for x, share in parcel.key_shares],
    )


def registration(result: pb.BatchResult) -> list[bytes] | Exception:
    """A batch's certificates, unchecked, or why there are none."""
    kind = result.WhichOneof("outcome")
    if kind == "registration":
        return list(result.registration.certificates)
    return SAFE_ERRORS.from_refusal(result.refusal) if kind == "refusal" else WrongReply()


def fetched(result: pb.FetchResult) -> FetchedPiece | Exception:
    """A piece, unchecked, or why there is none."""
    kind = result.WhichOneof("outcome")
    if kind == "piece":
        piece = result.piece
        return FetchedPiece(piece.blob if piece.HasField("blob") else None, key_share(piece))
    return SAFE_ERRORS.from_refusal(result.refusal) if kind == "refusal" else WrongReply()


def certify_request(expected: Sequence[Certificate]) -> pb.CertifyRequest:
    """The names of pieces as one message."""
    return pb.CertifyRequest(
        pieces=[pb.PieceName(item_id=one.item_id, generation=one.generation, x=one.index) for one in expected]
    )


def certified(result: pb.CertifyResult) -> bytes | Exception:
    """A piece's certificate, unchecked, or why there is none."""
    kind = result.WhichOneof("outcome")
    if kind == "certificate":
        return result.certificate
    return SAFE_ERRORS.from_refusal(result.refusal) if kind == "refusal" else WrongReply()


def key_share(piece: pb.StoredPiece) -> bytes | None:
    """Secret: the key share in a piece, unchecked, or None."""
    return piece.key_share if piece.HasField("key_share") else None


def delete_request(entries: Sequence[tuple[bytes, bytes]]) -> pb.DeleteRequest:
    """Tombstones with their signatures as one message."""
    return pb.DeleteRequest(
        tombstones=[pb.SignedTombstone(tombstone=body, signature=signature) for body, signature in entries]
    )


def deletion(result: pb.DeleteResult) -> tuple[bytes, bytes] | Exception:
    """A deletion receipt with its signature, unchecked, or why there is none."""
    kind = result.WhichOneof("outcome")
    if kind == "receipt":
        return result.receipt.receipt, result.receipt.signature
    return SAFE_ERRORS.from_refusal(result.refusal) if kind == "refusal" else WrongReply()


def repair_view(answer: pb.RepairResponse) -> RepairView:
    """How a safe's repair stands."""
    return RepairView(
        answer.running,
        answer.rounds,
        answer.repaired_pieces,
        answer.lacking_pieces,
        answer.beyond_repair_pieces,
        tuple(answer.silent_safes),
        tuple(answer.suspected_safes),
    )
