"""Messages about owners to values and back. What has the wrong form is refused here, by the field's path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from kura.safe.v1 import owner_pb2 as pb
from safe_node.accounts import OwnersWallet, OwnerView
from safe_node.decisions.evaluating import Evaluated
from safe_node.decisions.guessing import next_guess_at_ms
from safe_node.decisions.waiting import next_veto_at_ms
from safe_node.guesses import Attempt, Evidence, UnlockClaim
from safe_node.owners import CandidatePart, CandidateRecord, KeptOwner, Waiting
from threshold.errors import InvalidPoint, ThresholdError
from threshold.hpke import check_public_key
from threshold.ristretto import SCALAR_BYTES, Point
from trust.access_policy import MOST_WAYS, PIN_ALONE, Factor, Way
from trust.ids import ID_BYTES, SIGNATURE_BYTES, GuessId, OwnerId, RecordId
from trust.owner_record import MOST_SEALED_BYTES, SEALED_BYTES
from trust.refusals import Malformed
from trust.unlock_proof import PROOF_BYTES, TAG_BYTES

OWNER_ID_BYTES = 32
MOST_GUESSES = 100
MOST_EVIDENCE_BYTES = 65_536
"""A device proof for 255 safes takes some 45,000."""

MOST_POLICY_BYTES = 32_768
"""A policy of eight devices with the longest credentials takes some 18,000."""

_FACTORS: Final[Mapping[int, Factor]] = {
    pb.FACTOR_PIN: "pin",
    pb.FACTOR_DEVICE: "device",
    pb.FACTOR_AUTHORITY: "authority",
}
_NUMBERS: Final[Mapping[Factor, pb.Factor.ValueType]] = {
    "pin": pb.FACTOR_PIN,
    "device": pb.FACTOR_DEVICE,
    "authority": pb.FACTOR_AUTHORITY,
}


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
        Malformed: A length is wrong, the element is not canonical or the identity, or the recipient key is
            missing in a way that needs it, not canonical or of low order.
    """
    _require_names(request)
    try:
        element = Point.from_bytes(request.blinded_element)
    except InvalidPoint:
        raise Malformed("blinded_element") from None
    way = read_way(request.factors)
    bound = read_recipient_key(request.recipient_key) if request.recipient_key or way != PIN_ALONE else b""
    attempt = Attempt(
        owner_id=OwnerId(request.owner_id),
        record_id=RecordId(request.record_id),
        guess_id=GuessId(request.guess_id),
        element=element.to_bytes(),
        at_ms=now_ms,
        way=way,
        recipient_key=bound,
    )
    return attempt, element


def read_evidence(request: pb.EvaluateRequest) -> Evidence:
    """What was sent for the other factors, as it came.

    Raises:
        Malformed: More than 64 KiB of one kind.
    """
    for field in ("device_proof", "assertion", "authority"):
        _require(len(getattr(request, field)) <= MOST_EVIDENCE_BYTES, field)
    return Evidence(request.device_proof, request.assertion, request.authority)


def read_claim(request: pb.UnlockRequest) -> UnlockClaim:
    """What shall show that a PIN was right.

    Raises:
        Malformed: A length is wrong, or the recipient key is not canonical or of low order.
    """
    _require_names(request)
    _require(len(request.proof) == PROOF_BYTES, "proof")
    return UnlockClaim(
        owner_id=OwnerId(request.owner_id),
        record_id=RecordId(request.record_id),
        guess_id=GuessId(request.guess_id),
        recipient_key=read_recipient_key(request.recipient_key),
        proof=request.proof,
    )


def read_recipient_key(key: bytes) -> bytes:
    """To whom something is to be sealed.

    Raises:
        Malformed: It is not 32 bytes, not canonical, or of low order.
    """
    try:
        check_public_key(key)
    except ThresholdError:
        raise Malformed("recipient_key") from None
    return key


def _require_names(request: pb.EvaluateRequest | pb.UnlockRequest) -> None:
    _require(len(request.owner_id) == OWNER_ID_BYTES, "owner_id")
    _require(len(request.record_id) == ID_BYTES, "record_id")
    _require(len(request.guess_id) == ID_BYTES, "guess_id")


def read_version(version: pb.RecordVersion) -> CandidateRecord:
    """A version of a record.

    Raises:
        Malformed: A length or a number cannot be meant; names the field.
    """
    _require(0 < len(version.policy) <= MOST_POLICY_BYTES, "version.policy")
    _require(len(version.policy_signature) == SIGNATURE_BYTES, "version.policy_signature")
    _require(1 <= len(version.parts) <= MOST_WAYS, "version.parts")
    _require(1 <= version.guesses <= MOST_GUESSES, "version.guesses")
    parts = tuple(_read_part(part, f"version.parts[{at}]") for at, part in enumerate(version.parts))
    return CandidateRecord(version.policy, version.policy_signature, parts, version.guesses)


def _read_part(part: pb.RecordPart, at: str) -> CandidatePart:
    _require(len(part.record) > 0, f"{at}.record")
    _require(len(part.unlock_share) == SCALAR_BYTES, f"{at}.unlock_share")
    _require(len(part.oprf_share) == SCALAR_BYTES, f"{at}.oprf_share")
    _require(len(part.unlock_tag) == TAG_BYTES, f"{at}.unlock_tag")
    _require(SEALED_BYTES <= len(part.sealed_secrets) <= MOST_SEALED_BYTES, f"{at}.sealed_secrets")
    return CandidatePart(
        record=part.record,
        unlock_share=part.unlock_share,
        oprf_share=part.oprf_share,
        unlock_tag=part.unlock_tag,
        sealed=part.sealed_secrets,
    )


def read_way(factors: Iterable[pb.Factor.ValueType]) -> Way:
    """By which factors; none is the PIN alone.

    Raises:
        Malformed: One is unknown, or stands twice.
    """
    named = [_FACTORS.get(factor) for factor in factors]
    known = sorted({factor for factor in named if factor is not None})
    _require(len(known) == len(named), "factors")
    return tuple(known) or PIN_ALONE


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


def write_status(view: OwnerView, now_ms: int) -> pb.OwnerStatusResponse:
    """What is kept for an owner."""
    status = pb.OwnerStatusResponse(items=view.items, bytes=view.used_bytes)
    owner = view.owner
    if owner is None:
        return status
    status.record_id = owner.current.record_id
    status.staged_record_id = b"" if owner.staged is None else owner.staged.record_id
    status.old_record_ids.extend(record.record_id for record in owner.old)
    status.policy, status.policy_signature = owner.current.policy, owner.current.policy_signature
    status.guesses_allowed = owner.limit
    status.ways.extend(_write_ways(owner))
    if status.ways:
        worst = max(status.ways, key=lambda way: way.guesses_spent)
        status.guesses_spent, status.next_guess_at_ms = worst.guesses_spent, worst.next_guess_at_ms
    status.waiting.extend(_write_waiting(one) for one in owner.waiting)
    status.next_veto_at_ms = next_veto_at_ms(owner, now_ms)
    status.copied_devices.extend(sorted(name for name, kept in owner.devices.items() if kept.copied))
    return status


def _write_waiting(waiting: Waiting) -> pb.WaitingRecovery:
    return pb.WaitingRecovery(
        recipient_key=waiting.recipient_key,
        factors=write_way(waiting.way),
        asked_at_ms=waiting.asked_ms,
        release_at_ms=waiting.release_ms,
    )


def _write_ways(owner: KeptOwner) -> Iterator[pb.WayStatus]:
    """Those of the record in force that have a PIN."""
    for part in owner.current.parts:
        if "pin" in part.way:
            ledger = owner.ledger_of(part.way)
            yield pb.WayStatus(
                factors=write_way(part.way),
                guesses_spent=ledger.spent,
                next_guess_at_ms=next_guess_at_ms(ledger, owner.limit),
            )


def write_way(way: Way) -> list[pb.Factor.ValueType]:
    """Its factors."""
    return [_NUMBERS[factor] for factor in way]


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
