"""What safe_node.store.owners_base promises of guesses, held against every store."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from safe_node.accounts import Standing
from safe_node.decisions.accounts import plan_rearming
from safe_node.owners import GuessPlan, KeptOwner, Ledger, UnlockPlan
from safe_node.store.owners_base import KEPT_GUESS_MS, KEPT_GUESSES
from support.owner_bench import (
    NOBODY,
    OWNER,
    PART,
    T,
    attempt_at,
    count,
    enroll,
    found,
    guess,
    unlock,
)
from support.owners import deal_owner
from support.sample_documents import draw
from support.store_bench import CALLER, ROSTER, SAFE_ID, Bench, Opener
from trust.ids import GuessId, OwnerId
from trust.refusals import (
    RearmedLately,
    UnlockRefused,
)


async def test_guesses_are_durable_before_they_are_answered(opened: Opener) -> None:
    """A restart forgets none of them, and knows the last one again."""
    async with opened() as bench:
        await enroll(bench)
        for number in range(3):
            assert await guess(bench, attempt_at(label=f"{number}")) == GuessPlan(
                PART.record, Ledger(number + 1, T)
            )
    async with opened() as bench:
        assert (await found(bench)).ledger == Ledger(3, T)
        assert await guess(bench, attempt_at(label="2")) == GuessPlan(PART.record, None)
        assert (await found(bench)).ledger == Ledger(3, T)


async def test_of_many_guesses_at_once_no_more_are_taken_than_are_left(opened: Opener) -> None:
    """The plan decides inside the write."""
    dealt = deal_owner(ROSTER, "three guesses", guesses=3)
    async with opened() as bench:
        await enroll(bench, dealt.admitted(SAFE_ID, ROSTER))
        plans = await asyncio.gather(*(guess(bench, attempt_at(dealt, f"{n}")) for n in range(40)))
        assert len([plan for plan in plans if plan.record is not None]) == 3
        assert (await found(bench, dealt)).ledger == Ledger(3, T)


async def test_a_guess_that_was_right_is_given_back_once(opened: Opener) -> None:
    """Also across a restart."""
    async with opened() as bench:
        await enroll(bench)
        await guess(bench, attempt_at(label="wrong"))
        await guess(bench, attempt_at())
        assert await unlock(bench) == UnlockPlan(PART.record, Ledger(1, T))
    async with opened() as bench:
        assert await unlock(bench) == UnlockPlan(PART.record, None)
        assert (await found(bench)).ledger == Ledger(1, T)


async def test_a_refused_claim_writes_nothing(opened: Opener) -> None:
    """At nobody, and without a guess."""
    async with opened() as bench:
        with pytest.raises(UnlockRefused):
            await unlock(bench)
        await enroll(bench)
        with pytest.raises(UnlockRefused):
            await unlock(bench)
        assert await found(bench) == KeptOwner(PART.owner_id, OWNER, Ledger(), PART.record)


async def test_guesses_are_forgotten_after_an_hour(opened: Opener) -> None:
    """With the next one, and not before: what is forgotten can be neither repeated nor unlocked."""
    async with opened() as bench:
        await enroll(bench)
        await guess(bench, attempt_at(label="first"))
        await guess(bench, attempt_at(label="just in time", at_ms=T + KEPT_GUESS_MS))
        assert count(bench, "guesses") == 2
        await guess(bench, attempt_at(label="later", at_ms=T + KEPT_GUESS_MS + 1))
        assert count(bench, "guesses") == 2
        with pytest.raises(UnlockRefused):
            await unlock(bench, label="first")
        await unlock(bench, label="just in time")


async def test_no_more_than_256_guesses_of_an_owner_are_kept(opened: Opener) -> None:
    """However many were given back; those of others stay."""
    other = deal_owner(ROSTER, "other")
    async with opened() as bench:
        await enroll(bench)
        await enroll(bench, other.admitted(SAFE_ID, ROSTER))
        await guess(bench, attempt_at(other, "others"))
        for number in range(KEPT_GUESSES + 2):
            attempt = replace(attempt_at(), guess_id=GuessId(number.to_bytes(16, "big")))
            await guess(bench, attempt)
            await bench.store.owners.rearm(OWNER, lambda _: Ledger())
        assert count(bench, "guesses") == KEPT_GUESSES + 1
        again = replace(attempt_at(), guess_id=GuessId((2).to_bytes(16, "big")))
        assert (await guess(bench, again)).ledger is None
        forgotten = replace(attempt_at(), guess_id=GuessId((1).to_bytes(16, "big")))
        assert (await guess(bench, forgotten)).ledger == Ledger(1, T)
        assert (await guess(bench, attempt_at(other, "others"))).ledger is None


async def test_guesses_at_nobody_take_no_more_room_than_their_slots(opened: Opener) -> None:
    """And are answered with no record."""
    async with opened() as bench:
        await enroll(bench)
        for number in range(300):
            owner_id = OwnerId(draw(f"nobody {number % 3}", 32))
            assert await guess(bench, replace(attempt_at(label=f"{number}"), owner_id=owner_id)) == (
                GuessPlan(None, None)
            )
        assert 1 <= count(bench, "decoy_guesses") <= 3
        assert count(bench, "guesses") == 0
        assert (await found(bench)).ledger == Ledger()


async def test_every_guess_is_one_write_whoever_is_asked_about(opened: Opener) -> None:
    """At a known owner, at nobody, repeated, at a locked one: the log grows by as many pages."""
    locked = deal_owner(ROSTER, "locked", guesses=1)
    async with opened() as bench:
        await enroll(bench)
        await enroll(bench, locked.admitted(SAFE_ID, ROSTER))
        await guess(bench, attempt_at(locked, "the last"))
        await guess(bench, replace(attempt_at(), owner_id=NOBODY))
        attempts = {
            "known": attempt_at(label="known"),
            "nobody": replace(attempt_at(), owner_id=NOBODY),
            "repeated": attempt_at(label="known"),
            "locked": attempt_at(locked, "one more"),
        }
        grown = {}
        for name, attempt in attempts.items():
            before = log_pages(bench)
            await guess(bench, attempt)
            grown[name] = log_pages(bench) - before
        assert set(grown.values()) == {3}, grown


def log_pages(bench: Bench) -> int:
    """Frames in the write-ahead log; nothing cuts it here."""
    return (bench.folder / "safe.db-wal").stat().st_size // (16_384 + 24)


async def test_guesses_are_given_back_by_the_owners_wallet_once_a_day(opened: Opener) -> None:
    """The ledger remembers when, across a restart."""
    plan = partial(plan_rearming, caller=Standing(CALLER, OWNER), now_ms=T)
    async with opened() as bench:
        await enroll(bench)
        await guess(bench, attempt_at())
        await bench.store.owners.rearm(OWNER, plan)
    async with opened() as bench:
        assert (await found(bench)).ledger == Ledger(0, 0, T)
        with pytest.raises(RearmedLately):
            await bench.store.owners.rearm(OWNER, plan)
