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
    shown_record,
    spend,
)
from safe_node.owners import GuessPlan, GuessState, KeptOwner, KnownGuess, Ledger
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


def owner(spent: int, last_spent_ms: int = T) -> KeptOwner:
    return replace(OWNER, ledger=Ledger(spent, last_spent_ms))


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
    ("kept", "asked", "shown"),
    [
        pytest.param(owner(0), None, RECORDS[0], id="nothing named: the one in force"),
        pytest.param(owner(0), RECORDS[0].record_id, RECORDS[0], id="the one in force by name"),
        pytest.param(owner(0), RECORDS[1].record_id, RECORDS[1], id="the staged one by name"),
        pytest.param(owner(0), RECORDS[2].record_id, RECORDS[2], id="an old one by name"),
        pytest.param(owner(0), NO_RECORD, None, id="none of that name: the decoy"),
        pytest.param(None, None, None, id="nobody: the decoy"),
        pytest.param(owner(4), None, None, id="to wait for: the decoy"),
        pytest.param(owner(10), RECORDS[1].record_id, None, id="locked: the decoy, also by name"),
        pytest.param(owner(4, T - MINUTE), None, RECORDS[0], id="waited for: the one in force"),
    ],
)
def test_the_record_that_is_shown(kept: KeptOwner | None, asked: RecordId | None, shown: object) -> None:
    assert shown_record(kept, asked, T) is shown


def test_a_guess_is_spent_whatever_comes_of_it() -> None:
    """Before anything is evaluated."""
    assert plan_guess(GuessState(owner(2, 5), None), ATTEMPT) == GuessPlan(RECORDS[0], Ledger(3, T))


@pytest.mark.parametrize("record", RECORDS, ids=["in force", "staged", "old"])
def test_one_ledger_counts_for_every_record(record: object) -> None:
    """And its limit is that of the record in force."""
    attempt = replace(ATTEMPT, record_id=record.record_id)  # type: ignore[attr-defined]
    assert plan_guess(GuessState(owner(9, 0), None), attempt) == GuessPlan(record, Ledger(10, T))  # type: ignore[arg-type]
    assert plan_guess(GuessState(owner(10), None), attempt) == GuessPlan(None, None)


@pytest.mark.parametrize("spent", [1, 4, 10], ids=["open", "to wait for", "locked"])
def test_the_same_guess_again_is_free_and_gives_the_same(spent: int) -> None:
    """Also when it was the last one: its answer may have been lost."""
    known = KnownGuess(ATTEMPT.record_id, ATTEMPT.element)
    assert plan_guess(GuessState(owner(spent), known), ATTEMPT) == GuessPlan(RECORDS[0], None)


def test_a_guess_that_was_right_can_be_evaluated_again() -> None:
    """It gives the same element, for nothing."""
    known = KnownGuess(ATTEMPT.record_id, ATTEMPT.element, returned_to=bytes(32))
    assert plan_guess(GuessState(owner(0), known), ATTEMPT) == GuessPlan(RECORDS[0], None)


DECOYED = {
    "nobody": (None, None, ATTEMPT),
    "no record of that id": (owner(0), None, replace(ATTEMPT, record_id=NO_RECORD)),
    "to wait for": (owner(4), None, ATTEMPT),
    "locked": (owner(10), None, ATTEMPT),
    "another element under a known guess id": (
        owner(1),
        KnownGuess(ATTEMPT.record_id, OTHER_ATTEMPT.element),
        ATTEMPT,
    ),
    "another record under a known guess id": (
        owner(1),
        KnownGuess(RECORDS[1].record_id, ATTEMPT.element),
        ATTEMPT,
    ),
    "a known guess at a record that was dropped": (
        owner(1),
        KnownGuess(NO_RECORD, ATTEMPT.element),
        replace(ATTEMPT, record_id=NO_RECORD),
    ),
}


@pytest.mark.parametrize(("kept", "known", "attempt"), DECOYED.values(), ids=DECOYED)
def test_the_decoy_is_evaluated_and_nothing_spent_for(kept: object, known: object, attempt: object) -> None:
    """One plan for all of them."""
    state = GuessState(kept, known)  # type: ignore[arg-type]
    assert plan_guess(state, attempt) == GuessPlan(None, None)  # type: ignore[arg-type]


def test_another_guess_id_is_another_guess() -> None:
    """Even with the same element."""
    again = replace(ATTEMPT, guess_id=GuessId(b"g" * 16))
    assert plan_guess(GuessState(owner(1, 5), None), again) == GuessPlan(RECORDS[0], Ledger(2, T))
