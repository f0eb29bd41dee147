"""What was proven is taken once, for one guess, by one process, however many ask for whatever else."""

from dataclasses import replace

import pytest
from msgspec import structs

from safe_node.decisions import factor_memory
from safe_node.decisions.factor_memory import MOST_FOR_AN_OWNER, FactorMemory
from safe_node.guesses import Proven
from support.sample_access import CHALLENGES
from support.sample_authority import ASSERTION
from support.sample_documents import NOW, draw
from trust.device_proof import CHALLENGE_MS
from trust.ids import GuessId, OwnerId

START = NOW * 1_000
CHALLENGE = CHALLENGES[0]
OWNER, OTHER = OwnerId(draw("owner", 32)), OwnerId(draw("other owner", 32))
GUESS, OTHER_GUESS = GuessId(draw("guess", 16)), GuessId(draw("other guess", 16))
BY_AUTHORITY = Proven(b"", None, None, ASSERTION, 2)
BY_DEVICE = Proven(b"", None, CHALLENGE, None, 0)
BY_BOTH = replace(BY_DEVICE, assertion=ASSERTION, authority_version=2)


def memory(started_ms: int = START) -> FactorMemory:
    return FactorMemory(started_ms)


def test_an_assertion_and_a_challenge_are_taken_for_one_guess() -> None:
    """For which they may be taken again: a write that fails is done once more."""
    for proven in (BY_AUTHORITY, BY_DEVICE, BY_BOTH):
        one = memory()
        assert one.take(OWNER, proven, GUESS, START)
        assert not one.take(OWNER, proven, OTHER_GUESS, START)
        assert one.take(OWNER, proven, GUESS, START)


def test_both_are_needed_where_both_were_shown() -> None:
    one = memory()
    assert one.take(OWNER, BY_AUTHORITY, OTHER_GUESS, START)
    assert not one.take(OWNER, BY_BOTH, GUESS, START)


def test_what_is_older_than_the_process_is_not_taken() -> None:
    """To the millisecond; of an assertion, rounded up to the second that it can say."""
    late = memory(CHALLENGE.issued_ms + 1)
    assert not late.is_fresh(CHALLENGE, CHALLENGE.issued_ms + 1)
    assert not late.take(OWNER, BY_DEVICE, GUESS, CHALLENGE.issued_ms + 1)
    assert not memory(START + 1).take(OWNER, BY_AUTHORITY, GUESS, START + 1)


def test_a_challenge_lives_five_minutes_by_the_latest_time_ever_seen() -> None:
    one, end = memory(), CHALLENGE.issued_ms + CHALLENGE_MS
    assert one.is_fresh(CHALLENGE, end - 1)
    assert not one.is_fresh(CHALLENGE, end)
    assert one.take(OWNER, BY_AUTHORITY, OTHER_GUESS, START)
    assert not one.take(OWNER, BY_DEVICE, GUESS, end)
    assert not one.take(OWNER, BY_DEVICE, GUESS, START)
    assert not one.is_fresh(CHALLENGE, START)


def test_an_older_description_than_one_that_was_seen_is_not_believed() -> None:
    """It may name a key that was stolen since, and left out of the newer one."""
    one = memory()
    newer = replace(BY_AUTHORITY, authority_version=3)
    assert one.take(OWNER, newer, GUESS, START)
    other = structs.replace(ASSERTION, assertion_id=draw("another", 16))
    assert not one.take(OWNER, replace(BY_AUTHORITY, assertion=other), OTHER_GUESS, START)
    assert one.take(OWNER, replace(newer, assertion=other), OTHER_GUESS, START)


def challenged(label: str, issued_ms: int = START) -> Proven:
    challenge = structs.replace(CHALLENGE, nonce=draw(label, 32), issued_ms=issued_ms)
    return replace(BY_DEVICE, challenge=challenge)


def test_no_owner_takes_more_than_their_part() -> None:
    """Until the oldest has had its time; others are not concerned."""
    one = memory()
    for number in range(MOST_FOR_AN_OWNER):
        assert one.take(OWNER, challenged(f"{number}"), GUESS, START)
    assert not one.take(OWNER, challenged("one more"), GUESS, START)
    assert one.take(OTHER, challenged("another's"), GUESS, START)
    later = START + factor_memory.LONGEST_MS
    assert one.take(OWNER, challenged("later", later), GUESS, later)


def test_who_shows_a_used_assertion_again_takes_no_part_of_the_owners() -> None:
    """A safe that was shown one could else keep the owner out of all others for ten minutes."""
    one = memory()
    assert one.take(OWNER, BY_AUTHORITY, GUESS, START)
    for _ in range(MOST_FOR_AN_OWNER):
        assert not one.take(OWNER, BY_AUTHORITY, OTHER_GUESS, START)
    assert one.take(OWNER, challenged("the owner's next"), OTHER_GUESS, START)


def test_a_full_memory_takes_no_more_challenges_until_some_expire(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And never one that it forgot."""
    one = memory()
    monkeypatch.setattr(factor_memory, "MOST_CHALLENGES", 2)
    assert one.take(OWNER, challenged("first"), GUESS, START)
    assert one.take(OWNER, challenged("second"), GUESS, START)
    assert not one.take(OWNER, challenged("third"), GUESS, START)
    later = START + CHALLENGE_MS
    assert one.take(OWNER, challenged("fourth", later), GUESS, later)
    assert not one.take(OWNER, challenged("first"), OTHER_GUESS, later)
