"""A part comes in when it fits its record, this safe and the roster; records follow one another in order."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from safe_node.decisions.admission import Membership
from safe_node.decisions.enrolment import (
    MOST_OLD_RECORDS,
    admit_record,
    plan_commit,
    plan_drop,
    plan_enrolment,
    plan_staging,
)
from safe_node.owners import CandidatePart, CandidateRecord, EnrolmentState, KeptOwner, KeptRecord, Ledger
from support.owners import Access, DealtOwner, deal_owner
from support.safe_requests import DECOY_SECRET, roster_of, wallet_key
from support.sample_access import FINGER, TOUCH
from threshold.ristretto import ORDER
from trust.access_policy import PIN_ALONE, Way, sign_policy
from trust.ids import AuthorityKey, OwnerId, RecordId, SafeId, WalletKey
from trust.owner_record import OwnerRecord, RecordPlace
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
from trust.refusals import Refusal

ROSTER = structs.replace(roster_of(3), threshold=2)
HERE, THERE = ROSTER.safes[0].safe_id, ROSTER.safes[1].safe_id
MEMBERSHIP = Membership.of(HERE, [ROSTER], DECOY_SECRET)
DEALT = deal_owner(ROSTER)
SENT = DEALT.candidate(HERE)
PART = SENT.parts[0]
ELSEWHERE = DEALT.candidate(THERE).parts[0]
OWNER = WalletKey(DEALT.key.public)
STRANGER = WalletKey(wallet_key("stranger").public)
IDENTITY, HIGH_ORDER = bytes(32), ORDER.to_bytes(32, "little")


def test_a_right_part_is_admitted_at_each_of_its_safes() -> None:
    """With its place and everything that was sent."""
    for x, safe in enumerate(ROSTER.safes, 1):
        sent, admitted = DEALT.candidate(safe.safe_id), DEALT.admitted(safe.safe_id, ROSTER)
        assert (admitted.owner_id, bytes(admitted.owner_key)) == (DEALT.owner_id, DEALT.key.public)
        (kept,), (part,) = admitted.record.parts, sent.parts
        assert (kept.way, kept.record_id, kept.x) == (("pin",), DEALT.record.record_id, x)
        assert (kept.unlock_share, kept.oprf_share) == (part.unlock_share, part.oprf_share)
        assert (kept.unlock_tag, kept.sealed) == (part.unlock_tag, part.sealed)
        record = admitted.record
        assert (record.policy, record.policy_signature) == (sent.policy, sent.signature)
        assert record.guesses == sent.guesses


def with_record(**changes: Any) -> CandidatePart:
    """The part, under a record that says something else."""
    changed = structs.replace(DEALT.record, **changes)
    return replace(PART, record=changed.to_bytes())


def sent_with(*parts: CandidatePart) -> CandidateRecord:
    return replace(SENT, parts=parts)


def places(*safes: SafeId) -> tuple[RecordPlace, ...]:
    return tuple(RecordPlace(x, safe_id) for x, safe_id in enumerate(safes, 1))


def swapped(field: str, index: int, point: bytes) -> dict[str, tuple[bytes, ...]]:
    commitments = list(getattr(DEALT.record, field))
    commitments[index] = point
    return {field: tuple(commitments)}


INVALID: dict[str, tuple[CandidatePart, str]] = {
    "no document": (replace(PART, record=b"\xc1"), "record"),
    "a record cut short": (replace(PART, record=PART.record[:-1]), "record"),
    "no place for this safe": (with_record(places=places(THERE, ROSTER.safes[2].safe_id)), "record.places"),
    "a place for a safe that is not in the roster": (
        with_record(places=places(HERE, THERE, SafeId(b"s" * 16))),
        "record.places",
    ),
    "another safe's place": (with_record(places=places(THERE, HERE)), "unlock_share"),
    "another safe's share of r": (replace(PART, unlock_share=ELSEWHERE.unlock_share), "unlock_share"),
    "another safe's share of the OPRF key": (replace(PART, oprf_share=ELSEWHERE.oprf_share), "oprf_share"),
    "both shares exchanged": (
        replace(PART, unlock_share=PART.oprf_share, oprf_share=PART.unlock_share),
        "unlock_share",
    ),
    "a share that is not canonical": (replace(PART, unlock_share=HIGH_ORDER), "unlock_share"),
    "a share of zero": (replace(PART, oprf_share=bytes(32)), "oprf_share"),
    "a commitment that is the identity": (
        with_record(**swapped("unlock_commitments", 0, IDENTITY)),
        "record.unlock_commitments",
    ),
    "a commitment that is no point": (
        with_record(**swapped("oprf_commitments", 1, b"\xff" * 32)),
        "record.oprf_commitments",
    ),
    "another commitment": (
        with_record(**swapped("oprf_commitments", 1, DEALT.record.unlock_commitments[0])),
        "oprf_share",
    ),
    "other sealed secrets": (replace(PART, sealed=bytes(119)), "sealed_secrets"),
    "another hash of them": (with_record(sealed_hash=bytes(32)), "sealed_secrets"),
}


@pytest.mark.parametrize(("candidate", "field"), INVALID.values(), ids=INVALID)
def test_a_part_is_refused_that_has(candidate: CandidatePart, field: str) -> None:
    """And the refusal names where."""
    with pytest.raises(RecordInvalid) as refused:
        admit_record(sent_with(candidate), OWNER, MEMBERSHIP)
    assert refused.value.field == field


WAYS: tuple[Way, ...] = (("authority", "pin"), ("device",), ("device", "pin"), PIN_ALONE)
BY_WAYS = deal_owner(
    ROSTER, access=Access(WAYS, (TOUCH, FINGER), (AuthorityKey(wallet_key("authority").public),))
)
SENT_BY_WAYS = BY_WAYS.candidate(HERE)
FIRST_WAY, *_, LAST_WAY = SENT_BY_WAYS.parts


def test_a_part_of_each_way_is_admitted() -> None:
    """In the order of the policy; with a device, the wraps stand behind the sealed secrets."""
    kept = BY_WAYS.admitted(HERE, ROSTER).record
    assert tuple(part.way for part in kept.parts) == WAYS
    assert [len(part.sealed) for part in kept.parts] == [119, 119 + 2 * 112, 119 + 2 * 112, 119]
    assert {part.record_id for part in kept.parts} == {kept.record_id}
    assert kept.read_policy() == BY_WAYS.policy


def signed(owner: DealtOwner = BY_WAYS, **changes: Any) -> CandidateRecord:
    """What was sent, under another policy of the owner's."""
    policy = sign_policy(structs.replace(owner.policy, **changes), owner.key)
    return replace(SENT_BY_WAYS, policy=policy.policy, signature=policy.signature)


def exchanged(first: int, second: int) -> CandidateRecord:
    parts = list(SENT_BY_WAYS.parts)
    parts[first], parts[second] = parts[second], parts[first]
    return replace(SENT_BY_WAYS, parts=tuple(parts))


OTHER_VERSION = deal_owner(ROSTER, version="other").candidate(HERE)
INVALID_RECORDS: dict[str, tuple[CandidateRecord, str]] = {
    "no policy": (replace(SENT_BY_WAYS, policy=b"\xc1"), "policy"),
    "a policy that the owner did not sign": (replace(SENT_BY_WAYS, signature=bytes(64)), "policy_signature"),
    "a part too few": (replace(SENT_BY_WAYS, parts=SENT_BY_WAYS.parts[1:]), "parts"),
    "a part too many": (replace(SENT_BY_WAYS, parts=(*SENT_BY_WAYS.parts, LAST_WAY)), "parts"),
    "parts in another order than their ways": (exchanged(0, 1), "sealed_secrets"),
    "a policy with fewer devices than wraps": (signed(devices=(TOUCH,)), "sealed_secrets"),
    "a policy of another version": (signed(record_id=RecordId(bytes(16))), "record.record_id"),
    "a policy of another name": (signed(owner_id=OwnerId(bytes(32))), "record.record_id"),
    "a part of another version": (
        replace(SENT_BY_WAYS, parts=(*SENT_BY_WAYS.parts[:3], OTHER_VERSION.parts[0])),
        "record.record_id",
    ),
}


@pytest.mark.parametrize(("candidate", "field"), INVALID_RECORDS.values(), ids=INVALID_RECORDS)
def test_a_version_is_refused_that_has(candidate: CandidateRecord, field: str) -> None:
    """And the refusal names where."""
    with pytest.raises(RecordInvalid) as refused:
        admit_record(candidate, OWNER, MEMBERSHIP)
    assert refused.value.field == field


def test_a_share_of_zero_is_refused_even_where_the_commitments_agree() -> None:
    """Nothing can be evaluated with it: a dealing made to have one would break Evaluate."""
    point = DEALT.record.oprf_commitments[0]
    # f(x) = a - a x is zero at x = 1: commitments a G and -a G.
    negated = _minus(point)
    crafted = replace(with_record(oprf_commitments=(point, negated)), oprf_share=bytes(32))
    with pytest.raises(RecordInvalid, match="oprf_share"):
        admit_record(sent_with(crafted), OWNER, MEMBERSHIP)


def _minus(point: bytes) -> bytes:
    from threshold.ristretto import Point

    return (Point.identity() - Point.from_bytes(point)).to_bytes()


def test_only_the_owner_key_of_the_record_may_bring_it() -> None:
    """Whatever else is right."""
    with pytest.raises(NotTheOwner):
        admit_record(SENT, STRANGER, MEMBERSHIP)


def admitted(dealt: DealtOwner) -> Any:
    return dealt.admitted(HERE, ROSTER)


SECOND, THIRD = (deal_owner(ROSTER, version=version) for version in ("second", "third"))
FIRST_PART, SECOND_PART, THIRD_PART = admitted(DEALT), admitted(SECOND), admitted(THIRD)
STRANGERS_PART = admitted(deal_owner(ROSTER, owner="stranger"))
FRESH = EnrolmentState(None, key_taken=False, invitation="fresh")
KEPT = KeptOwner(FIRST_PART.owner_id, FIRST_PART.owner_key, Ledger(3, 7, 5), FIRST_PART.record)
STAGED = replace(KEPT, staged=SECOND_PART.record)
COMMITTED = replace(KEPT, current=SECOND_PART.record, old=(FIRST_PART.record,))


@pytest.mark.parametrize("needed", [False, True], ids=["open to all", "by invitation"])
def test_a_new_name_is_enrolled(needed: bool) -> None:
    """With no guess spent."""
    assert plan_enrolment(FRESH, FIRST_PART, needed) == replace(KEPT, ledger=Ledger())


@pytest.mark.parametrize("invitation", ["none", "unknown", "used", "fresh"])
@pytest.mark.parametrize("needed", [False, True])
def test_the_same_part_again_changes_nothing(needed: bool, invitation: Any) -> None:
    """Also when the invitation was used up by the first time."""
    assert plan_enrolment(EnrolmentState(KEPT, True, invitation), FIRST_PART, needed) is None


NOT_ENROLLED: dict[str, tuple[EnrolmentState, Any, bool, type[Refusal]]] = {
    "another record of the same owner": (EnrolmentState(KEPT, True, "none"), SECOND_PART, False, OwnerExists),
    "a stranger's record over the name": (
        EnrolmentState(KEPT, False, "none"),
        STRANGERS_PART,
        False,
        OwnerExists,
    ),
    "a stranger's record over the name, with an invitation": (
        EnrolmentState(KEPT, False, "fresh"),
        STRANGERS_PART,
        True,
        OwnerExists,
    ),
    "a stranger's record over the name, without the invitation it needs": (
        EnrolmentState(KEPT, False, "none"),
        STRANGERS_PART,
        True,
        InvitationNeeded,
    ),
    "a record that was in force before": (
        EnrolmentState(COMMITTED, True, "none"),
        FIRST_PART,
        False,
        OwnerExists,
    ),
    "the owner key of another name": (EnrolmentState(None, True, "none"), FIRST_PART, False, RecordInvalid),
    "the key of an owner who was forgotten": (
        replace(FRESH, forgotten=True),
        FIRST_PART,
        True,
        OwnerForgotten,
    ),
    "the key of an owner who was forgotten, without the invitation it needs": (
        replace(FRESH, forgotten=True, invitation="none"),
        FIRST_PART,
        True,
        InvitationNeeded,
    ),
    "no invitation": (replace(FRESH, invitation="none"), FIRST_PART, True, InvitationNeeded),
    "an unknown invitation": (replace(FRESH, invitation="unknown"), FIRST_PART, True, InvitationInvalid),
    "an invitation that was used": (replace(FRESH, invitation="used"), FIRST_PART, True, InvitationInvalid),
}


@pytest.mark.parametrize(("state", "part", "needed", "refusal"), NOT_ENROLLED.values(), ids=NOT_ENROLLED)
def test_nobody_is_enrolled_with(state: Any, part: Any, needed: bool, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        plan_enrolment(state, part, needed)


def test_a_part_that_differs_in_what_the_record_does_not_say_is_another_part() -> None:
    """Tag and number of guesses are this safe's alone."""
    other = replace(FIRST_PART, record=replace(FIRST_PART.record, guesses=11))
    with pytest.raises(OwnerExists):
        plan_enrolment(EnrolmentState(KEPT, True, "none"), other, False)


def test_old_records_do_not_grow_without_bound() -> None:
    """Who commits and never drops loses the oldest; what is in force stays."""
    owner = STAGED
    for _ in range(MOST_OLD_RECORDS + 3):
        owner = replace(plan_commit(owner, OWNER, SECOND.record.record_id), staged=THIRD_PART.record)
        owner = plan_commit(owner, OWNER, THIRD_PART.record.record_id)
        owner = replace(owner, staged=SECOND_PART.record)
    assert len(owner.old) == MOST_OLD_RECORDS
    assert (owner.current, owner.old[-1]) == (THIRD_PART.record, SECOND_PART.record)


CHANGES: dict[str, tuple[Callable[[], KeptOwner], KeptOwner]] = {
    "staging keeps the new one beside the one in force": (
        lambda: plan_staging(KEPT, SECOND_PART),
        STAGED,
    ),
    "staging takes the place of what was staged before": (
        lambda: plan_staging(STAGED, THIRD_PART),
        replace(KEPT, staged=THIRD_PART.record),
    ),
    "staging again changes nothing": (lambda: plan_staging(STAGED, SECOND_PART), STAGED),
    "staging what is in force already changes nothing": (
        lambda: plan_staging(COMMITTED, SECOND_PART),
        COMMITTED,
    ),
    "committing puts it in force, and the one before becomes old": (
        lambda: plan_commit(STAGED, OWNER, SECOND.record.record_id),
        COMMITTED,
    ),
    "committing again changes nothing": (
        lambda: plan_commit(COMMITTED, OWNER, SECOND.record.record_id),
        COMMITTED,
    ),
    "dropping takes an old one away": (
        lambda: plan_drop(COMMITTED, OWNER, DEALT.record.record_id),
        replace(COMMITTED, old=()),
    ),
    "dropping takes a staged one away": (
        lambda: plan_drop(STAGED, OWNER, SECOND.record.record_id),
        KEPT,
    ),
    "dropping what was never seen changes nothing": (
        lambda: plan_drop(STAGED, OWNER, RecordId(b"n" * 16)),
        STAGED,
    ),
}


@pytest.mark.parametrize(("change", "after"), CHANGES.values(), ids=CHANGES)
def test_records_follow_one_another(change: Callable[[], KeptOwner], after: KeptOwner) -> None:
    """The ledger stays as it is: one counts for all."""
    assert change() == after
    assert change().ledger == KEPT.ledger


UNCHANGED: dict[str, tuple[Callable[[], object], type[Refusal]]] = {
    "staging for nobody": (lambda: plan_staging(None, SECOND_PART), OwnerUnknown),
    "staging under another key": (lambda: plan_staging(KEPT, STRANGERS_PART), OwnerUnknown),
    "staging what was in force before": (lambda: plan_staging(COMMITTED, FIRST_PART), RecordInvalid),
    "staging another part under the id of the one in force": (
        lambda: plan_staging(KEPT, replace(FIRST_PART, record=replace(FIRST_PART.record, guesses=9))),
        RecordInvalid,
    ),
    "committing for nobody": (lambda: plan_commit(None, OWNER, SECOND.record.record_id), OwnerUnknown),
    "committing under another key": (
        lambda: plan_commit(STAGED, STRANGER, SECOND.record.record_id),
        OwnerUnknown,
    ),
    "committing what is not staged": (
        lambda: plan_commit(KEPT, OWNER, SECOND.record.record_id),
        RecordUnknown,
    ),
    "committing what was in force before": (
        lambda: plan_commit(COMMITTED, OWNER, DEALT.record.record_id),
        RecordUnknown,
    ),
    "dropping for nobody": (lambda: plan_drop(None, OWNER, SECOND.record.record_id), OwnerUnknown),
    "dropping under another key": (
        lambda: plan_drop(STAGED, STRANGER, SECOND.record.record_id),
        OwnerUnknown,
    ),
    "dropping what is in force": (lambda: plan_drop(KEPT, OWNER, DEALT.record.record_id), RecordInForce),
}


@pytest.mark.parametrize(("change", "refusal"), UNCHANGED.values(), ids=UNCHANGED)
def test_nothing_changes_by(change: Callable[[], object], refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        change()


def another_tag(record: KeptRecord) -> KeptRecord:
    return replace(record, parts=(replace(record.parts[0], unlock_tag=bytes(32)),))


def test_a_staged_part_sent_again_with_another_tag_takes_its_place() -> None:
    """The owner mended it; nothing was in force under it yet."""
    mended = replace(SECOND_PART, record=another_tag(SECOND_PART.record))
    assert plan_staging(STAGED, mended).staged == mended.record


def test_records_read_as_they_were_dealt() -> None:
    """What BeginUnlock shows are the very bytes that were enrolled."""
    assert OwnerRecord.from_bytes(FIRST_PART.record.parts[0].record) == DEALT.record
