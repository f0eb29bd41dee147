"""Guesses are spent, waited for, locked and regained as docs/DESIGN.md has it, whatever the clock does."""

from dataclasses import replace

import pytest

from safe_node.decisions.guessing import (
    FIRST_WAIT_MS,
    LONGEST_WAIT_MS,
    REGAIN_MS,
    give_back,
    may_guess,
    next_guess_at_ms,
    plan_guess,
    spend,
    target_now,
)
from safe_node.guesses import Attempt, GuessPlan, GuessState, KnownGuess, Target
from safe_node.owners import KeptOwner, KeptRecord, Ledger
from support.owners import deal_owner, guess_at
from support.safe_requests import roster_of
from trust.ids import GuessId, RecordId

T = 1_790_000_000_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 24 * 3_600_000
ROSTER = roster_of(1)
SAFE_ID = ROSTER.safes[0].safe_id
FIRST = deal_owner(ROSTER, version="first")
SECOND = deal_owner(ROSTER, version="second", guesses=3)
THIRD = deal_owner(ROSTER, version="third")
RECORDS = [owner.admitted(SAFE_ID, ROSTER).record for owner in (FIRST, SECOND, THIRD)]
OWNER = KeptOwner(
    FIRST.owner_id,
    FIRST.admitted(SAFE_ID, ROSTER).owner_key,
    Ledger(),
    current=RECORDS[0],
    staged=RECORDS[1],
    old=(RECORDS[2],),
)
ATTEMPT = guess_at(FIRST.record).attempt(T)
OTHER_ATTEMPT = guess_at(FIRST.record, label="other").attempt(T)
NO_RECORD = RecordId(b"n" * 16)
DECOY = RecordId(b"d" * 16)
AT_DECOY = replace(ATTEMPT, record_id=DECOY)
FIRST_DECOY, WAITING_DECOY = Target(None, waiting=False), Target(None, waiting=True)


def owner(spent: int, last_spent_ms: int = T) -> KeptOwner:
    return replace(OWNER, ledger=Ledger(spent, last_spent_ms))


def state(spent: int, last_spent_ms: int = T, known: KnownGuess | None = None) -> GuessState:
    """Of the owner."""
    return GuessState(owner(spent, last_spent_ms), known)


def nobody(spent: int = 0, last_spent_ms: int = T, known: KnownGuess | None = None) -> GuessState:
    """Of a name that nobody has, at which so many guesses were made."""
    return GuessState(None, known, Ledger(spent, last_spent_ms))


def planned(state: GuessState, attempt: Attempt = ATTEMPT) -> GuessPlan:
    return plan_guess(state, attempt, DECOY)


def at(record: KeptRecord) -> Target:
    return Target(record.parts[0], waiting=False)


@pytest.mark.parametrize(
    ("spent", "limit", "wait_ms"),
    [
        pytest.param(0, 10, None, id="none spent: at once"),
        pytest.param(3, 10, None, id="three spent: at once"),
        pytest.param(4, 10, MINUTE, id="four spent: a minute"),
        pytest.param(5, 10, 2 * MINUTE, id="five: two"),
        pytest.param(9, 10, 32 * MINUTE, id="nine: 32"),
        pytest.param(14, 100, 1024 * MINUTE, id="fourteen: 17 hours"),
        pytest.param(15, 100, DAY, id="fifteen: a day, and no longer"),
        pytest.param(99, 100, DAY, id="the last of a hundred: a day"),
        pytest.param(10, 10, 30 * DAY, id="all: 30 days"),
        pytest.param(1, 1, 30 * DAY, id="the only one: 30 days"),
        pytest.param(12, 10, 30 * DAY, id="more than the record in force allows: 30 days"),
    ],
)
def test_the_next_guess_is_taken(spent: int, limit: int, wait_ms: int | None) -> None:
    """To the millisecond."""
    ledger = Ledger(spent, T)
    if wait_ms is None:
        assert next_guess_at_ms(ledger, limit) == 0
        assert may_guess(ledger, limit, 0)
        return
    assert next_guess_at_ms(ledger, limit) == T + wait_ms
    assert not may_guess(ledger, limit, T + wait_ms - 1)
    assert may_guess(ledger, limit, T + wait_ms)


def test_the_constants_are_those_of_the_design() -> None:
    """60 s, 24 h, 30 days."""
    assert (FIRST_WAIT_MS, LONGEST_WAIT_MS, REGAIN_MS) == (MINUTE, DAY, 30 * DAY)


def test_the_last_guess_locks_and_thirty_days_give_back_one() -> None:
    """Which leaves the owner locked when it is wrong, for 30 days more."""
    ledger = spend(Ledger(9, T - DAY), 10, T)
    assert ledger == Ledger(10, T)
    regained = T + 30 * DAY
    assert may_guess(ledger, 10, regained)
    locked = spend(ledger, 10, regained)
    assert locked == Ledger(10, regained)
    assert not may_guess(locked, 10, regained + 30 * DAY - 1)


def test_a_regained_guess_that_was_right_is_given_back() -> None:
    """And then the wait is that of one guess fewer."""
    ledger = give_back(spend(Ledger(10, T), 10, T + 30 * DAY))
    assert ledger == Ledger(9, T + 30 * DAY)
    assert next_guess_at_ms(ledger, 10) == T + 30 * DAY + 32 * MINUTE


def test_nothing_is_given_back_beyond_nothing_spent() -> None:
    """A guess that was right after a re-arming leaves no credit."""
    assert give_back(Ledger(0, T, T)) == Ledger(0, T, T)


@pytest.mark.parametrize("back_ms", [1, HOUR, 400 * DAY])
@pytest.mark.parametrize("spent", [4, 10])
def test_a_clock_set_back_gives_no_guess_away(spent: int, back_ms: int) -> None:
    """It only makes the wait longer."""
    assert not may_guess(Ledger(spent, T), 10, T - back_ms)


def test_a_guess_under_a_clock_set_back_does_not_shorten_the_next_wait() -> None:
    """The last one stays the latest there was."""
    assert spend(Ledger(3, T), 10, T - DAY) == Ledger(4, T)


def test_spending_keeps_when_a_wallet_gave_them_back() -> None:
    """That is for the next re-arming to judge."""
    assert spend(Ledger(0, 0, T - HOUR), 10, T) == Ledger(1, T, T - HOUR)


@pytest.mark.parametrize(
    ("kept", "asked", "target"),
    [
        pytest.param(state(0), None, at(RECORDS[0]), id="nothing named: the one in force"),
        pytest.param(state(0), RECORDS[0].record_id, at(RECORDS[0]), id="the one in force by name"),
        pytest.param(state(0), RECORDS[1].record_id, at(RECORDS[1]), id="the staged one by name"),
        pytest.param(state(0), RECORDS[2].record_id, at(RECORDS[2]), id="an old one by name"),
        pytest.param(state(0), NO_RECORD, WAITING_DECOY, id="none of that name: the waiting decoy"),
        pytest.param(state(4), None, WAITING_DECOY, id="to wait for: the waiting decoy"),
        pytest.param(state(10), RECORDS[1].record_id, WAITING_DECOY, id="locked: the same, also by name"),
        pytest.param(state(4, T - MINUTE), None, at(RECORDS[0]), id="waited for: the one in force"),
        pytest.param(nobody(), None, FIRST_DECOY, id="nobody: the first decoy"),
        pytest.param(nobody(3), DECOY, FIRST_DECOY, id="nobody: the first decoy by name"),
        pytest.param(nobody(), NO_RECORD, WAITING_DECOY, id="nobody, none of that name: the waiting decoy"),
        pytest.param(nobody(4), None, WAITING_DECOY, id="nobody, to wait for: the waiting decoy"),
        pytest.param(nobody(10), DECOY, WAITING_DECOY, id="nobody, locked: the same, also by name"),
        pytest.param(nobody(4, T - MINUTE), None, FIRST_DECOY, id="nobody, waited for: the first decoy"),
    ],
)
def test_what_may_be_tried(kept: GuessState, asked: RecordId | None, target: Target) -> None:
    assert target_now(kept, asked, DECOY, T) == target


def test_a_guess_is_spent_whatever_comes_of_it() -> None:
    """Before anything is evaluated."""
    assert planned(state(2, 5)) == GuessPlan(at(RECORDS[0]), Ledger(3, T))


def test_a_guess_at_nobody_is_counted_like_one_at_an_owner() -> None:
    """Up to ten, which leave it locked; else waiting would tell who is an owner."""
    assert planned(nobody(2, 5), AT_DECOY) == GuessPlan(FIRST_DECOY, Ledger(3, T))
    assert planned(nobody(9, 0), AT_DECOY) == GuessPlan(FIRST_DECOY, Ledger(10, T))
    assert planned(nobody(10, T - 30 * DAY), AT_DECOY) == GuessPlan(FIRST_DECOY, Ledger(10, T))


@pytest.mark.parametrize("record", RECORDS, ids=["in force", "staged", "old"])
def test_one_ledger_counts_for_every_record(record: KeptRecord) -> None:
    """And its limit is that of the record in force."""
    attempt = replace(ATTEMPT, record_id=record.record_id)
    assert planned(state(9, 0), attempt) == GuessPlan(at(record), Ledger(10, T))
    assert planned(state(10), attempt) == GuessPlan(WAITING_DECOY, None)


@pytest.mark.parametrize("spent", [1, 4, 10], ids=["open", "to wait for", "locked"])
def test_the_same_guess_again_is_free_and_gives_the_same(spent: int) -> None:
    """Also when it was the last one: its answer may have been lost. At nobody too."""
    known = KnownGuess(ATTEMPT.record_id, ATTEMPT.element)
    assert planned(state(spent, known=known)) == GuessPlan(at(RECORDS[0]), None)
    known = KnownGuess(DECOY, ATTEMPT.element)
    assert planned(nobody(spent, known=known), AT_DECOY) == GuessPlan(FIRST_DECOY, None)


def test_a_guess_that_was_right_can_be_evaluated_again() -> None:
    """It gives the same element, for nothing."""
    known = KnownGuess(ATTEMPT.record_id, ATTEMPT.element, returned_to=bytes(32))
    assert planned(state(0, known=known)) == GuessPlan(at(RECORDS[0]), None)


ANOTHER_ELEMENT = KnownGuess(ATTEMPT.record_id, OTHER_ATTEMPT.element)
ANOTHER_RECORD = KnownGuess(RECORDS[1].record_id, ATTEMPT.element)
DROPPED = KnownGuess(NO_RECORD, ATTEMPT.element)
AT_NO_RECORD = replace(ATTEMPT, record_id=NO_RECORD)
NOT_TAKEN = {
    "no record of that id": (state(0), AT_NO_RECORD),
    "no decoy of that id": (nobody(0), AT_NO_RECORD),
    "to wait for": (state(4), ATTEMPT),
    "to wait for, at nobody": (nobody(4), AT_DECOY),
    "locked": (state(10), ATTEMPT),
    "locked, at nobody": (nobody(10), AT_DECOY),
    "another element under a known guess id": (state(1, known=ANOTHER_ELEMENT), ATTEMPT),
    "another element under a known guess id, at nobody": (
        nobody(1, known=replace(ANOTHER_ELEMENT, record_id=DECOY)),
        AT_DECOY,
    ),
    "another record under a known guess id": (state(1, known=ANOTHER_RECORD), ATTEMPT),
    "a known guess at a record that was dropped": (state(1, known=DROPPED), AT_NO_RECORD),
    "a known guess at the decoy of an older roster": (nobody(1, known=DROPPED), AT_NO_RECORD),
}


@pytest.mark.parametrize(("kept", "attempt"), NOT_TAKEN.values(), ids=NOT_TAKEN)
def test_the_waiting_decoy_is_evaluated_and_nothing_spent_for(kept: GuessState, attempt: Attempt) -> None:
    """One plan for all of them."""
    assert planned(kept, attempt) == GuessPlan(WAITING_DECOY, None)


def test_another_guess_id_is_another_guess() -> None:
    """Even with the same element."""
    again = replace(ATTEMPT, guess_id=GuessId(b"g" * 16))
    assert planned(state(1, 5), again) == GuessPlan(at(RECORDS[0]), Ledger(2, T))
