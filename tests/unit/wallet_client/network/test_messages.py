"""What goes onto the wire for a parcel, and what is made of an answer, honest or not."""

import pytest

from kura.common.v1 import error_reason_pb2, refusal_pb2
from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.error_table import SAFE_ERRORS
from rpc_edge.errors import UnexpectedStatus
from support.batches import batch_of, plaintext
from trust.refusals import StorageFull
from trust.wallet_refusals import CertificateUnknown, QuotaExceeded
from wallet_client.network import messages
from wallet_client.network.failures import WrongReply, is_failure_of_safe
from wallet_client.network.messages import FetchedPiece

FULL = SAFE_ERRORS.to_refusal(StorageFull())
HOSTILE = {
    "no reason": refusal_pb2.Refusal(code=5),
    "a reason of the future": refusal_pb2.Refusal.FromString(b"\x08\x05\x10\x8f\x4e"),
    "another code than the reason's": refusal_pb2.Refusal(code=1, reason=FULL.reason),
    "a code that is none": refusal_pb2.Refusal(code=77, reason=FULL.reason),
    "fields that the reason has not": refusal_pb2.Refusal(
        code=FULL.code, reason=FULL.reason, metadata={"colour": "red"}
    ),
    "fields missing": refusal_pb2.Refusal(
        code=FULL.code, reason=error_reason_pb2.ERROR_REASON_QUOTA_EXCEEDED
    ),
    "control characters": refusal_pb2.Refusal(
        code=9, reason=error_reason_pb2.ERROR_REASON_MALFORMED, metadata={"field": "\x1b[2J"}
    ),
}


@pytest.mark.parametrize("policy", ["threshold", "apart", "plain"])
def test_a_parcel_crosses_with_everything_it_has(policy: str) -> None:
    """Manifest, signature, all leaves, its pieces in order, its key shares."""
    batch = batch_of([b"one", b"two"], policy)
    for safe_id in batch.plan.arrangement.safes:
        (parcel,) = batch.parcels(safe_id)
        request = messages.register_request([parcel, parcel])
        assert len(request.batches) == 2
        (first, _) = request.batches
        assert (first.manifest, first.manifest_signature) == (parcel.manifest, parcel.signature)
        assert tuple(first.leaves) == parcel.leaves
        assert [(one.leaf_index, one.x) for one in first.pieces] == [
            (one.leaf_index, one.x) for one in parcel.pieces
        ]
        for sent, piece in zip(first.pieces, parcel.pieces, strict=True):
            assert sent.HasField("blob") == (piece.blob is not None)
            assert sent.blob == (piece.blob or b"")
        assert tuple((one.x, one.share) for one in first.key_shares) == parcel.key_shares


def test_the_opening_of_a_stream_announces_the_blob_and_has_none() -> None:
    """Length and block hashes are what the signature over the opening commits to."""
    batch = batch_of([plaintext(4_000_000)], "threshold")
    (parcel,) = batch.parcels(batch.plan.arrangement.safes[0])
    assert parcel.streamed is not None
    opening = messages.stream_opening(parcel).opening
    assert not opening.batch.pieces[0].HasField("blob")
    assert opening.blob_length == parcel.streamed.length
    assert tuple(opening.block_hashes) == parcel.streamed.block_hashes


def test_what_is_not_streamed_has_no_opening() -> None:
    """A defect of the caller's."""
    batch = batch_of([b"small"], "threshold")
    with pytest.raises(ValueError, match="not streamed"):
        messages.stream_opening(batch.parcels(batch.plan.arrangement.safes[0])[0])


def test_a_registration_is_its_certificates() -> None:
    """Unchecked; none is possible here and noticed later."""
    assert messages.registration(pb.BatchResult(registration=pb.Registration(certificates=[b"a", b"b"]))) == [
        b"a",
        b"b",
    ]
    assert messages.registration(pb.BatchResult(registration=pb.Registration())) == []


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (pb.StoredPiece(blob=b"blob", key_share=b"share"), FetchedPiece(b"blob", b"share")),
        (pb.StoredPiece(blob=b"blob"), FetchedPiece(b"blob", None)),
        (pb.StoredPiece(key_share=b"share"), FetchedPiece(None, b"share")),
        (pb.StoredPiece(blob=b"", key_share=b""), FetchedPiece(b"", b"")),
        (pb.StoredPiece(), FetchedPiece(None, None)),
    ],
)
def test_a_fetched_piece_tells_absent_from_empty(stored: pb.StoredPiece, expected: FetchedPiece) -> None:
    """An empty share is an answer, an absent one is another."""
    assert messages.fetched(pb.FetchResult(piece=stored)) == expected


def test_a_deletion_is_a_receipt_with_its_signature() -> None:
    """Unchecked."""
    result = pb.DeleteResult(receipt=pb.SignedDeletionReceipt(receipt=b"receipt", signature=b"signature"))
    assert messages.deletion(result) == (b"receipt", b"signature")


def test_a_delete_request_has_every_tombstone_in_order() -> None:
    """With its signature."""
    request = messages.delete_request([(b"one", b"1"), (b"two", b"2")])
    assert [(one.tombstone, one.signature) for one in request.tombstones] == [(b"one", b"1"), (b"two", b"2")]


@pytest.mark.parametrize("refusal", [StorageFull(), CertificateUnknown(), QuotaExceeded(1, 2, 3)])
def test_a_refusal_comes_back_as_the_exception_it_was(refusal: StorageFull) -> None:
    """From each kind of result."""
    message = SAFE_ERRORS.to_refusal(refusal)
    for outcome in (
        messages.registration(pb.BatchResult(refusal=message)),
        messages.fetched(pb.FetchResult(refusal=message)),
        messages.deletion(pb.DeleteResult(refusal=message)),
    ):
        assert type(outcome) is type(refusal)
        assert str(outcome) == str(refusal)


@pytest.mark.parametrize("message", HOSTILE.values(), ids=list(HOSTILE))
def test_a_refusal_that_no_safe_would_write_is_a_failure_and_no_crash(message: refusal_pb2.Refusal) -> None:
    """Nothing of its text is shown."""
    for outcome in (
        messages.registration(pb.BatchResult(refusal=message)),
        messages.fetched(pb.FetchResult(refusal=message)),
        messages.deletion(pb.DeleteResult(refusal=message)),
    ):
        assert isinstance(outcome, UnexpectedStatus)
        assert is_failure_of_safe(outcome)
        assert str(outcome).isprintable()


def test_a_result_without_an_outcome_is_a_wrong_reply() -> None:
    """Neither a yes nor a no."""
    for outcome in (
        messages.registration(pb.BatchResult()),
        messages.fetched(pb.FetchResult()),
        messages.deletion(pb.DeleteResult()),
    ):
        assert isinstance(outcome, WrongReply)


def test_a_fetched_piece_shows_neither_blob_nor_key_share() -> None:
    """In no log."""
    assert "do-not-show" not in repr(FetchedPiece(b"do-not-show-blob", b"do-not-show-share"))
