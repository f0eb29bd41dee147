"""A decoy cannot be told from a record: its form, its proofs, and that all answers fit one polynomial."""

import hashlib
from itertools import combinations

import pysodium
import pytest
from msgspec.structs import replace

from safe_node.decisions.decoy import Decoy, decoy_tag, first_decoy_id, make_decoy
from safe_node.decisions.evaluating import evaluate_guess
from safe_node.guesses import DecoyNames
from support.owners import deal_owner, guess_at
from support.safe_requests import roster_of, seeded
from support.sample_documents import draw
from threshold import feldman, shared_oprf
from threshold.ristretto import Point
from trust.access_policy import PIN_ALONE, Way
from trust.errors import RosterRefused
from trust.ids import OwnerId, OwnerKey, RecordId, SafeId
from trust.owner_record import OwnerRecord
from trust.roster import Roster

ROSTER = replace(roster_of(5), threshold=3)
SECRET = draw("decoy secret", 32)
NOBODY = OwnerId(draw("nobody", 32))


def decoy_of(
    owner_id: OwnerId = NOBODY, secret: bytes = SECRET, roster: Roster = ROSTER, *, waiting: bool = False
) -> Decoy:
    return make_decoy(secret, owner_id, roster, waiting=waiting)


def read(decoy: Decoy) -> OwnerRecord:
    return OwnerRecord.from_bytes(decoy.record())


def test_every_safe_shows_the_same_record_each_time() -> None:
    assert decoy_of().record() == decoy_of().record()


@pytest.mark.parametrize("waiting", [False, True], ids=["the first", "the waiting"])
@pytest.mark.parametrize("count", [1, 3, 5, 130])
def test_a_decoy_has_the_form_of_a_record_that_was_enrolled(count: int, waiting: bool) -> None:
    """As many bytes, the same k, the same places; a real key; commitments that hold."""
    roster = replace(roster_of(count), threshold=(count + 1) // 2)
    decoy = decoy_of(roster=roster, waiting=waiting)
    enrolled, shown = deal_owner(roster).record, read(decoy)
    assert len(decoy.record()) == len(enrolled.to_bytes())
    assert (shown.k, shown.places) == (enrolled.k, enrolled.places)
    for commitments in (shown.unlock_commitments, shown.oprf_commitments):
        feldman.check_commitments([Point.from_bytes(each) for each in commitments], shown.k)


def test_the_owner_key_is_one_that_could_have_signed() -> None:
    """A canonical point of the large subgroup; libsodium refuses others here."""
    pysodium.crypto_sign_pk_to_box_pk(read(decoy_of()).owner_key)
    with pytest.raises(ValueError):  # noqa: PT011 - pysodium gives no text
        pysodium.crypto_sign_pk_to_box_pk(draw("no point", 32))


def test_names_secrets_and_nothing_else_make_the_difference() -> None:
    """No field is shared by two decoys but the owner's own id and the form."""
    first, other_name = read(decoy_of()), read(decoy_of(OwnerId(draw("somebody", 32))))
    other_secret = read(decoy_of(secret=draw("another roster's", 32)))
    for other in (other_name, other_secret, read(decoy_of(waiting=True))):
        assert first.owner_key != other.owner_key
        assert first.record_id != other.record_id
        assert first.sealed_hash != other.sealed_hash
        assert not set(first.unlock_commitments) & set(other.unlock_commitments)
        assert not set(first.oprf_commitments) & set(other.oprf_commitments)


def test_the_bytes_are_pinned() -> None:
    """Safes of other versions of this program must give the same: docs/FORMATS.md says how."""
    tag = decoy_tag(SECRET, NOBODY, ROSTER.safes[0].safe_id)
    assert hashlib.sha256(decoy_of().record() + tag).hexdigest() == (
        "cf08708715d559c682eb2efdb8f53aff881a1e53dc5e887f6d41e38dbba941cd"
    )
    assert hashlib.sha256(decoy_of(waiting=True).record()).hexdigest() == (
        "ef09344108f350f40d6abc763d2cf47d8b3bb2ccd694103268861dc1ac0f5e76"
    )


def test_the_ways_of_a_name_have_its_ids_in_common_and_nothing_else() -> None:
    """As the ways of a record do; pinned as above."""
    ways: tuple[Way, ...] = (PIN_ALONE, ("device",), ("authority", "device", "pin"))
    for waiting in (False, True):
        shown = [read(make_decoy(SECRET, NOBODY, ROSTER, waiting=waiting, way=way)) for way in ways]
        assert len({(one.record_id, one.owner_key) for one in shown}) == 1
        assert (shown[0].record_id == first_decoy_id(SECRET, NOBODY)) is not waiting
        assert len({one.sealed_hash for one in shown}) == len(ways)
        points = [*(one.oprf_commitments for one in shown), *(one.unlock_commitments for one in shown)]
        assert len({point for commitments in points for point in commitments}) == 6 * 3
    pinned = make_decoy(SECRET, NOBODY, ROSTER, waiting=False, way=("device",)).record()
    assert hashlib.sha256(pinned).hexdigest() == (
        "117ccbeb0ea1b10e9c947d08aaa8ae5afe52a60f0fa48b4a45903ba792215cd8"
    )


def test_a_way_that_a_name_lacks_is_called_as_its_others() -> None:
    """Else who asks for two ways saw that one is there."""
    names = DecoyNames(RecordId(draw("in force", 16)), OwnerKey(draw("owner's", 32)))
    shown = read(make_decoy(SECRET, NOBODY, ROSTER, waiting=False, way=("device",), names=names))
    assert (shown.record_id, shown.owner_key) == (names.record_id, names.owner_key)


def test_both_polynomials_are_of_their_own() -> None:
    shown = read(decoy_of())
    assert not set(shown.unlock_commitments) & set(shown.oprf_commitments)


def test_every_safe_recognises_by_a_tag_of_its_own() -> None:
    assert len({decoy_tag(SECRET, NOBODY, safe.safe_id) for safe in ROSTER.safes}) == 5


@pytest.mark.parametrize("waiting", [False, True], ids=["the first", "the waiting"])
def test_evaluations_are_proven_and_any_k_of_k_plus_1_give_one_output(waiting: bool) -> None:
    """As those of an enrolled owner do."""
    decoy = decoy_of(waiting=waiting)
    guess = guess_at(read(decoy))
    commitments = [Point.from_bytes(each) for each in guess.record.oprf_commitments]
    evaluations = []
    for safe in ROSTER.safes[:4]:
        answer = evaluate_guess(None, decoy, safe.safe_id, guess.blinded.element, seeded("nonce"))
        assert answer.record_id == guess.record.record_id
        shared_oprf.verify_evaluation(answer.evaluation, guess.blinded.element, commitments, 3)
        evaluations.append(answer.evaluation)
    assert len({guess.output(chosen) for chosen in combinations(evaluations, 3)}) == 1


def test_a_record_is_evaluated_with_its_own_share() -> None:
    """And the answer names it."""
    dealt = deal_owner(ROSTER)
    guess = guess_at(dealt.record)
    for safe in ROSTER.safes:
        part = dealt.admitted(safe.safe_id, ROSTER).record.parts[0]
        answer = evaluate_guess(
            part, decoy_of(dealt.owner_id), safe.safe_id, guess.blinded.element, seeded("nonce")
        )
        assert answer.record_id == dealt.record.record_id
        commitments = [Point.from_bytes(each) for each in dealt.record.oprf_commitments]
        shared_oprf.verify_evaluation(answer.evaluation, guess.blinded.element, commitments, 3)


def test_a_safe_that_is_not_in_the_roster_has_no_share() -> None:
    with pytest.raises(RosterRefused):
        decoy_of().oprf_share(SafeId(b"s" * 16))
