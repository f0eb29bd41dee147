"""Any k parts and the PIN open an owner's secrets; k - 1 parts, or another PIN, open nothing."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import pytest

from support.memory_safes import roster_of
from support.safe_requests import seeded
from support.sample_documents import draw, key
from threshold import feldman, oprf, shared_oprf
from threshold.errors import InvalidThreshold, NotEnoughShares, SealBroken
from threshold.feldman import ScalarShare
from threshold.oprf import Mode
from threshold.ristretto import Point, Scalar
from trust.ids import OwnerId, SafeId
from trust.owner_record import OwnerRecord, OwnerSecrets, WaySecrets, open_secrets, sealed_hash
from trust.roster import Roster
from trust.unlock_proof import unlock_tag
from wallet_client.owners.dealing import DealtWay, deal_record, true_total_of_guesses
from wallet_client.owners.stretch import StretchedPin

OWNER_ID = OwnerId(draw("dealt owner", 32))
SECRETS = OwnerSecrets(key("owner").seed, draw("root", 32))
PIN = StretchedPin(draw("the PIN, stretched", 32))
OTHER_PIN = StretchedPin(draw("another PIN, stretched", 32))
ROSTER = roster_of(5, 3)


def dealt(roster: Roster = ROSTER, pin: StretchedPin = PIN, seed: str = "dealing") -> DealtWay:
    """The one way into a record of the owner's."""
    (way,) = deal_record(OWNER_ID, SECRETS, pin, roster, seeded(seed)).ways
    return way


DEALT = dealt()
SAFES = tuple(safe.safe_id for safe in ROSTER.safes)


def numbers(safes: Sequence[SafeId]) -> str:
    """Such as "1-2-5"."""
    return "-".join(str(SAFES.index(safe_id) + 1) for safe_id in safes)


def points(encoded: Sequence[bytes]) -> tuple[Point, ...]:
    """Commitments, decoded."""
    return tuple(Point.from_bytes(one) for one in encoded)


def share(record: OwnerRecord, safe_id: SafeId, value: bytes) -> ScalarShare:
    """A safe's share at its place."""
    x = record.x_at(safe_id)
    assert x is not None
    return ScalarShare(x, Scalar.from_bytes(value))


def output_at(made: DealtWay, safes: Sequence[SafeId], pin: StretchedPin, k: int) -> bytes:
    """What the PIN comes to at these safes, each evaluation checked as a wallet checks it."""
    request = oprf.blind(pin.reveal(), Mode.VOPRF, seeded("blind"))
    commitments = points(made.record.oprf_commitments)
    answers = []
    for safe_id in safes:
        held = share(made.record, safe_id, made.parts[safe_id].oprf_share)
        answer = shared_oprf.evaluate_share(held, request.element, seeded(safe_id.hex()))
        shared_oprf.verify_evaluation(answer, request.element, commitments, made.record.k)
        answers.append(answer)
    return oprf.finalize(request, shared_oprf.combine_evaluations(answers, k))


def unlock_secret_at(made: DealtWay, safes: Sequence[SafeId], k: int) -> bytes:
    """r from these safes' shares."""
    shares = [share(made.record, safe_id, made.parts[safe_id].unlock_share) for safe_id in safes]
    return feldman.combine(shares, k).to_bytes()


@pytest.mark.parametrize("safes", list(combinations(SAFES, 3)), ids=numbers)
def test_any_k_parts_and_the_pin_open_the_secrets(safes: tuple[SafeId, ...]) -> None:
    """Every choice of three of five, with the evaluation of three and r of three others."""
    others = tuple(reversed(SAFES))[:3]
    for evaluating, releasing in ((safes, safes), (safes, others), (others, safes)):
        output = output_at(DEALT, evaluating, PIN, 3)
        unlock_secret = unlock_secret_at(DEALT, releasing, 3)
        assert open_secrets(DEALT.sealed, WaySecrets(unlock_secret, output), DEALT.record) == SECRETS


def test_another_pin_opens_nothing() -> None:
    """Though every safe evaluates it and all release their parts."""
    output = output_at(DEALT, SAFES, OTHER_PIN, 3)
    with pytest.raises(SealBroken):
        open_secrets(DEALT.sealed, WaySecrets(unlock_secret_at(DEALT, SAFES, 3), output), DEALT.record)


@pytest.mark.parametrize("safes", list(combinations(SAFES, 2)), ids=numbers)
def test_fewer_than_k_parts_open_nothing(safes: tuple[SafeId, ...]) -> None:
    """Neither the evaluation nor r comes out, also with the right PIN and the whole of the other."""
    with pytest.raises(NotEnoughShares):
        output_at(DEALT, safes, PIN, 3)
    output, unlock_secret = output_at(DEALT, safes, PIN, 2), unlock_secret_at(DEALT, safes, 2)
    right_output, right_secret = output_at(DEALT, SAFES, PIN, 3), unlock_secret_at(DEALT, SAFES, 3)
    for secret, evaluated in ((right_secret, output), (unlock_secret, right_output), (unlock_secret, output)):
        with pytest.raises(SealBroken):
            open_secrets(DEALT.sealed, WaySecrets(secret, evaluated), DEALT.record)


def test_k_safes_without_the_pin_have_r_and_must_still_guess() -> None:
    """What they have beside it are their tags, which come from the PIN as well."""
    unlock_secret = unlock_secret_at(DEALT, SAFES, 3)
    for known in (bytes(64), *(part.unlock_tag * 2 for part in DEALT.parts.values())):
        with pytest.raises(SealBroken):
            open_secrets(DEALT.sealed, WaySecrets(unlock_secret, known), DEALT.record)


def test_every_part_matches_the_commitments() -> None:
    """So a safe can check what it is to keep, and a wallet what it gets back."""
    record = DEALT.record
    for safe_id, part in DEALT.parts.items():
        for value, commitments in (
            (part.unlock_share, record.unlock_commitments),
            (part.oprf_share, record.oprf_commitments),
        ):
            feldman.verify_share(share(record, safe_id, value), points(commitments), 3)


def test_the_record_is_of_the_owner_and_places_a_part_at_every_safe() -> None:
    """In the roster's order, as decoys have it; and it reads back."""
    record = DEALT.record
    assert (record.owner_id, record.owner_key, record.k) == (OWNER_ID, SECRETS.owner_key, 3)
    assert [(place.x, place.safe_id) for place in record.places] == list(enumerate(SAFES, 1))
    assert tuple(DEALT.parts) == SAFES
    assert record.sealed_hash == sealed_hash(DEALT.sealed)
    assert OwnerRecord.from_bytes(record.to_bytes()) == record


def test_each_safe_recognises_the_pin_by_a_tag_of_its_own() -> None:
    """The tag that the wallet derives when it unlocks."""
    output = output_at(DEALT, SAFES, PIN, 3)
    tags = {safe_id: part.unlock_tag for safe_id, part in DEALT.parts.items()}
    assert tags == {safe_id: unlock_tag(output, safe_id, DEALT.record.record_id) for safe_id in SAFES}
    assert len(set(tags.values())) == 5


def test_the_same_randomness_deals_the_same_record_and_other_randomness_shares_nothing_with_it() -> None:
    """Of one owner, with one PIN: old parts are of no use with new ones."""
    assert dealt() == DEALT
    other = dealt(seed="another dealing")
    kept = [
        {record.record_id, *record.unlock_commitments, *record.oprf_commitments, record.sealed_hash}
        for record in (DEALT.record, other.record)
    ]
    assert kept[0] & kept[1] == set()
    output = output_at(other, SAFES, PIN, 3)
    with pytest.raises(SealBroken):
        open_secrets(DEALT.sealed, WaySecrets(unlock_secret_at(DEALT, SAFES, 3), output), DEALT.record)


@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 1), (2, 2), (7, 4)])
def test_the_rosters_threshold_is_the_records(n: int, k: int) -> None:
    """Whatever it is."""
    roster = roster_of(n, k)
    made = dealt(roster)
    safes = tuple(safe.safe_id for safe in roster.safes)[-k:]
    output = output_at(made, safes, PIN, k)
    assert (
        open_secrets(made.sealed, WaySecrets(unlock_secret_at(made, safes, k), output), made.record)
        == SECRETS
    )


def test_what_is_dealt_does_not_show() -> None:
    """A part prints none of what it holds."""
    assert repr(next(iter(DEALT.parts.values()))) == "DealtPart()"
    changed = replace(DEALT, parts={})
    assert SECRETS.root.hex() not in repr(changed)


@pytest.mark.parametrize(("lying", "total"), [(0, 16), (1, 20), (2, 30)])
def test_the_total_of_guesses_is_the_true_one(lying: int, total: int) -> None:
    """Of 3 of 5 safes with ten guesses each, as docs/DESIGN.md tells the owner."""
    assert true_total_of_guesses(5, 3, 10, lying) == total


@pytest.mark.parametrize(("n", "k"), [(1, 1), (3, 2), (5, 2), (5, 3), (5, 5), (7, 4), (9, 5)])
@pytest.mark.parametrize("guesses", [1, 2, 10])
def test_no_thief_does_better_nor_worse_than_the_total(n: int, k: int, guesses: int) -> None:
    """One who always asks the honest safes that have counted least, for as long as enough take guesses."""
    for lying in range(k):
        left = [guesses] * (n - lying)
        tried = 0
        while sum(one > 0 for one in left) >= k - lying:
            left.sort(reverse=True)
            left[: k - lying] = [one - 1 for one in left[: k - lying]]
            tried += 1
        assert tried == true_total_of_guesses(n, k, guesses, lying)


@pytest.mark.parametrize(("n", "k", "lying"), [(5, 3, 3), (5, 3, 4), (5, 3, -1), (5, 6, 0), (5, 0, 0)])
def test_k_lying_safes_have_no_total(n: int, k: int, lying: int) -> None:
    """They count nothing; nor is there one for a threshold that no roster has."""
    with pytest.raises(InvalidThreshold):
        true_total_of_guesses(n, k, 10, lying)
