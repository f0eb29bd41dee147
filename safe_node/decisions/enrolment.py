"""May this version of an owner's record come in, and what becomes of the records that are kept.

    enrol     no record  ->  in force
    stage     in force   ->  in force, staged        (in the place of one that was staged before)
    commit    staged     ->  in force; the one before becomes old
    drop      staged or old  ->  gone

A version is held against its policy, and each part against its record, before anything is looked up. What
depends on the records is decided inside the write. A stranger learns from no refusal whether a name has a
record, where the operator asks for invitations: the invitation is judged first, and another key's owner is
unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from safe_node.decisions.admission import Membership
from safe_node.decisions.waiting import end_others
from safe_node.owners import (
    AdmittedRecord,
    CandidatePart,
    CandidateRecord,
    EnrolmentState,
    Invitation,
    KeptOwner,
    KeptPart,
    KeptRecord,
    Ledger,
)
from threshold.errors import ThresholdError
from threshold.feldman import ScalarShare, check_commitments, verify_share
from threshold.ristretto import Point, Scalar
from trust.access_policy import AccessPolicy, SignedAccessPolicy, Way, read_policy
from trust.device_proof import WRAP_BYTES
from trust.errors import AccessPolicyRefused, DocumentMalformed, SignatureInvalid
from trust.ids import OwnerKey, RecordId, Signature, WalletKey
from trust.owner_record import SEALED_BYTES, OwnerRecord, sealed_hash
from trust.owner_refusals import (
    InvitationInvalid,
    InvitationNeeded,
    NotTheOwner,
    OwnerExists,
    OwnerForgotten,
    OwnerUnknown,
    RecordInForce,
    RecordInvalid,
    RecordUnknown,
)

MOST_OLD_RECORDS = 16
"""As many changes of a record may meet a safe that is away, before the oldest is kept for nobody."""


def admit_record(candidate: CandidateRecord, caller: WalletKey, membership: Membership) -> AdmittedRecord:
    """Check a version against its policy, and each part against its record, this safe and the newest roster.

    Args:
        candidate: What was sent.
        caller: Whose signature the call carries.
        membership: This safe and its rosters.

    Raises:
        RecordInvalid: Names what does not hold.
        NotTheOwner: Policy or record name another owner key than the caller.
    """
    policy = _policy(candidate, OwnerKey(caller))
    if len(candidate.parts) != len(policy.ways):
        raise RecordInvalid("parts")
    parts = tuple(
        _admit_part(part, way, policy, membership)
        for part, way in zip(candidate.parts, policy.ways, strict=True)
    )
    kept = KeptRecord(parts, candidate.guesses, candidate.policy, candidate.signature)
    return AdmittedRecord(policy.owner_id, policy.owner_key, kept)


def _policy(candidate: CandidateRecord, owner_key: OwnerKey) -> AccessPolicy:
    try:
        signed = SignedAccessPolicy(candidate.policy, Signature(candidate.signature))
        return read_policy(signed, owner_key)
    except AccessPolicyRefused:
        raise NotTheOwner from None
    except DocumentMalformed:
        raise RecordInvalid("policy") from None
    except SignatureInvalid:
        raise RecordInvalid("policy_signature") from None


def _admit_part(candidate: CandidatePart, way: Way, policy: AccessPolicy, membership: Membership) -> KeptPart:
    try:
        record = OwnerRecord.from_bytes(candidate.record)
    except DocumentMalformed:
        raise RecordInvalid("record") from None
    if record.owner_key != policy.owner_key:
        raise NotTheOwner
    if (record.owner_id, record.record_id) != (policy.owner_id, policy.record_id):
        raise RecordInvalid("record.record_id")
    x = _place(record, membership)
    _check_share(candidate.unlock_share, x, record.unlock_commitments, "unlock")
    _check_share(candidate.oprf_share, x, record.oprf_commitments, "oprf")
    _check_sealed(candidate.sealed, way, policy, record)
    return KeptPart(
        way=way,
        record=candidate.record,
        record_id=record.record_id,
        x=x,
        unlock_share=candidate.unlock_share,
        oprf_share=candidate.oprf_share,
        unlock_tag=candidate.unlock_tag,
        sealed=candidate.sealed,
    )


def _check_sealed(sealed: bytes, way: Way, policy: AccessPolicy, record: OwnerRecord) -> None:
    wraps = len(policy.devices) if "device" in way else 0
    if len(sealed) != SEALED_BYTES + WRAP_BYTES * wraps or sealed_hash(sealed) != record.sealed_hash:
        raise RecordInvalid("sealed_secrets")


def _place(record: OwnerRecord, membership: Membership) -> int:
    members = {safe.safe_id for safe in membership.newest.safes}
    x = record.x_at(membership.safe_id)
    if x is None or any(place.safe_id not in members for place in record.places):
        raise RecordInvalid("record.places")
    return x


def _check_share(encoded: bytes, x: int, commitments: Sequence[bytes], of: str) -> None:
    try:
        points = [Point.from_bytes(commitment) for commitment in commitments]
        check_commitments(points, len(points))
    except ThresholdError:
        raise RecordInvalid(f"record.{of}_commitments") from None
    try:
        share = Scalar.from_bytes(encoded)
        verify_share(ScalarShare(x, share), points, len(points))
    except ThresholdError:
        raise RecordInvalid(f"{of}_share") from None
    if share.is_zero:  # chance brings none about, and nothing can be evaluated with it
        raise RecordInvalid(f"{of}_share")


def plan_enrolment(state: EnrolmentState, came: AdmittedRecord, invitation_needed: bool) -> KeptOwner | None:
    """The new owner; None when this very version is in force already.

    Raises:
        InvitationNeeded: The operator asks for one, and none was shown.
        InvitationInvalid: It is unknown, or was used.
        OwnerForgotten: The owner of that key had themselves forgotten.
        OwnerExists: The name has a record already.
        RecordInvalid: The owner key is another name's.
    """
    if state.owner is not None and state.owner.current == came.record:
        return None
    if invitation_needed:
        _check_invitation(state.invitation)
    if state.forgotten:
        raise OwnerForgotten
    if state.owner is not None:
        raise OwnerExists
    if state.key_taken:
        raise RecordInvalid("record.owner_key")
    return KeptOwner(came.owner_id, came.owner_key, Ledger(), came.record)


def _check_invitation(invitation: Invitation) -> None:
    if invitation == "none":
        raise InvitationNeeded
    if invitation != "fresh":
        raise InvitationInvalid


def plan_staging(owner: KeptOwner | None, came: AdmittedRecord) -> KeptOwner:
    """The owner with a new record staged; unchanged when it is staged, or in force, already.

    Raises:
        OwnerUnknown: There is no such owner, or another key is theirs.
        RecordInvalid: Another part is kept under the record's id, or it was in force before.
    """
    owner = _of_caller(owner, came.owner_key)
    if came.record in (owner.staged, owner.current):
        return owner
    kept = owner.record(came.record.record_id)
    if kept is not None and kept is not owner.staged:
        raise RecordInvalid("record.record_id")
    return replace(owner, staged=came.record)


def plan_commit(owner: KeptOwner | None, caller: WalletKey, record_id: RecordId) -> KeptOwner:
    """The owner with the staged record in force; unchanged when it is so already.

    Of the old ones, which wallets drop once every safe has the new, the newest few stay. Recoveries that wait
    for an old one end.

    Raises:
        OwnerUnknown: There is no such owner, or another key is theirs.
        RecordUnknown: It is not staged.
    """
    owner = _of_caller(owner, caller)
    if owner.current.record_id == record_id:
        return owner
    if owner.staged is None or owner.staged.record_id != record_id:
        raise RecordUnknown
    old = (*owner.old, owner.current)[-MOST_OLD_RECORDS:]
    return end_others(replace(owner, current=owner.staged, staged=None, old=old))


def plan_drop(owner: KeptOwner | None, caller: WalletKey, record_id: RecordId) -> KeptOwner:
    """The owner without a record that is not in force; unchanged when it is not kept.

    Raises:
        OwnerUnknown: There is no such owner, or another key is theirs.
        RecordInForce: It is in force.
    """
    owner = _of_caller(owner, caller)
    if owner.current.record_id == record_id:
        raise RecordInForce
    staged = owner.staged if owner.staged and owner.staged.record_id != record_id else None
    old = tuple(record for record in owner.old if record.record_id != record_id)
    return replace(owner, staged=staged, old=old)


def _of_caller(owner: KeptOwner | None, caller: OwnerKey | WalletKey) -> KeptOwner:
    if owner is None or owner.owner_key != caller:
        raise OwnerUnknown
    return owner
