"""Messages about owners to values and back. What has the wrong form is refused here, by the field's path."""

from __future__ import annotations

from kura.safe.v1 import owner_pb2 as pb
from safe_node.accounts import OwnersWallet, OwnerView
from safe_node.decisions.evaluating import Evaluated
from safe_node.decisions.guessing import next_guess_at_ms
from safe_node.owners import Attempt, CandidatePart, UnlockClaim
from threshold.errors import InvalidPoint, ThresholdError
from threshold.hpke import check_public_key
from threshold.ristretto import SCALAR_BYTES, Point
from trust.ids import ID_BYTES, SIGNATURE_BYTES, GuessId, OwnerId, RecordId
from trust.owner_record import PROOF_BYTES, SEALED_BYTES, TAG_BYTES
from trust.refusals import Malformed

OWNER_ID_BYTES = 32
MOST_GUESSES = 100


def read_owner_id(request: pb.BeginUnlockRequest | pb.CommitRecordRequest | pb.DropRecordRequest) -> OwnerId:
    """Whose record a request is about.

    Raises:
        Malformed: It is not 32 bytes.
    """
    _require(len(request.owner_id) == OWNER_ID_BYTES, "owner_id")
    return OwnerId(request.owner_id)


def read_record_id(
    request: pb.BeginUnlockRequest | pb.CommitRecordRequest | pb.DropRecordRequest,
) -> RecordId:
    """Which record a request names.

    Raises:
        Malformed: It is not 16 bytes.
    """
    _require(len(request.record_id) == ID_BYTES, "record_id")
    return RecordId(request.record_id)


def read_attempt(request: pb.EvaluateRequest, now_ms: int) -> tuple[Attempt, Point]:
    """A guess, and its element.

    Raises:
        Malformed: A length is wrong, or the element is not canonical or the identity.
    """
    _require_names(request)
    try:
        element = Point.from_bytes(request.blinded_element)
    except InvalidPoint:
        raise Malformed("blinded_element") from None
    attempt = Attempt(
        owner_id=OwnerId(request.owner_id),
        record_id=RecordId(request.record_id),
        guess_id=GuessId(request.guess_id),
        element=element.to_bytes(),
        at_ms=now_ms,
    )
    return attempt, element


def read_claim(request: pb.UnlockRequest) -> UnlockClaim:
    """What shall show that a PIN was right.

    Raises:
        Malformed: A length is wrong, or the recipient key is not canonical or of low order.
    """
    _require_names(request)
    _require(len(request.proof) == PROOF_BYTES, "proof")
    try:
        check_public_key(request.recipient_key)
    except ThresholdError:
        raise Malformed("recipient_key") from None
    return UnlockClaim(
        owner_id=OwnerId(request.owner_id),
        record_id=RecordId(request.record_id),
        guess_id=GuessId(request.guess_id),
        recipient_key=request.recipient_key,
        proof=request.proof,
    )


def _require_names(request: pb.EvaluateRequest | pb.UnlockRequest) -> None:
    _require(len(request.owner_id) == OWNER_ID_BYTES, "owner_id")
    _require(len(request.record_id) == ID_BYTES, "record_id")
    _require(len(request.guess_id) == ID_BYTES, "guess_id")


def read_part(part: pb.RecordPart) -> CandidatePart:
    """A part of a record.

    Raises:
        Malformed: A length or a number cannot be meant; names the field.
    """
    _require(len(part.record) > 0, "part.record")
    _require(len(part.unlock_share) == SCALAR_BYTES, "part.unlock_share")
    _require(len(part.oprf_share) == SCALAR_BYTES, "part.oprf_share")
    _require(len(part.unlock_tag) == TAG_BYTES, "part.unlock_tag")
    _require(len(part.sealed_secrets) == SEALED_BYTES, "part.sealed_secrets")
    _require(1 <= part.guesses <= MOST_GUESSES, "part.guesses")
    return CandidatePart(
        record=part.record,
        unlock_share=part.unlock_share,
        oprf_share=part.oprf_share,
        unlock_tag=part.unlock_tag,
        sealed=part.sealed_secrets,
        guesses=part.guesses,
    )


def read_signature(signature: bytes) -> bytes:
    """An owner's signature under their word.

    Raises:
        Malformed: It is not 64 bytes.
    """
    _require(len(signature) == SIGNATURE_BYTES, "signature")
    return signature


def write_evaluated(evaluated: Evaluated) -> pb.EvaluateResponse:
    """An evaluation, real or not."""
    return pb.EvaluateResponse(
        record_id=evaluated.record_id,
        evaluated_element=evaluated.evaluation.element.to_bytes(),
        proof=evaluated.evaluation.proof.to_bytes(),
    )


def write_status(view: OwnerView) -> pb.OwnerStatusResponse:
    """What is kept for an owner."""
    status = pb.OwnerStatusResponse(items=view.items, bytes=view.used_bytes)
    owner = view.owner
    if owner is None:
        return status
    status.record_id = owner.current.record_id
    status.staged_record_id = b"" if owner.staged is None else owner.staged.record_id
    status.old_record_ids.extend(record.record_id for record in owner.old)
    status.guesses_allowed, status.guesses_spent = owner.limit, owner.ledger.spent
    status.next_guess_at_ms = next_guess_at_ms(owner.ledger, owner.limit)
    return status


def write_wallet(wallet: OwnersWallet) -> pb.OwnersWallet:
    """One wallet of an owner."""
    return pb.OwnersWallet(
        wallet_key=wallet.wallet_key,
        authorisation=wallet.authorisation,
        signature=wallet.signature,
        revocation=wallet.revocation,
        revocation_signature=wallet.revocation_signature,
    )


def _require(holds: bool, field: str) -> None:
    if not holds:
        raise Malformed(field)
