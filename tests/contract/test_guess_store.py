"""What safe_node.store.owners_base promises of guesses, held against every store."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import pysqlite3
import pytest

from safe_node.accounts import Standing
from safe_node.decisions.accounts import plan_rearming
from safe_node.decisions.registration import RegistrationRules
from safe_node.guesses import Attempt, GuessPlan, Target, UnlockPlan
from safe_node.owners import KeptOwner, Ledger
from safe_node.store.owners_base import KEPT_GUESS_MS, KEPT_GUESSES
from safe_node.store.schema import migrations
from safe_node.store.sqlite_store import open_store
from support.owner_bench import (
    FIRST_DECOY,
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
from trust.access_policy import PIN_ALONE
from trust.certificate import COUNTER_LIMIT
from trust.ids import GuessId, OwnerId, RecordId
from trust.owner_refusals import RearmedLately, UnlockRefused

RECORD, AT_DECOY = Target(PART.record.parts[0], waiting=False), Target(None, waiting=False)
WAITING_DECOY = Target(None, waiting=True)
NO_RECORD = RecordId(bytes(16))


async def test_guesses_are_durable_before_they_are_answered(opened: Opener) -> None:
    """A restart forgets none of them, and knows the last one again."""
    async with opened() as bench:
        await enroll(bench)
        for number in range(3):
            assert await guess(bench, attempt_at(label=f"{number}")) == GuessPlan(
                RECORD, Ledger(number + 1, T)
            )
    async with opened() as bench:
        assert (await found(bench)).ledger == Ledger(3, T)
        assert await guess(bench, attempt_at(label="2")) == GuessPlan(RECORD, None)
        assert (await found(bench)).ledger == Ledger(3, T)


async def test_of_many_guesses_at_once_no_more_are_taken_than_are_left(opened: Opener) -> None:
    """The plan decides inside the write."""
    dealt = deal_owner(ROSTER, "three guesses", guesses=3)
    async with opened() as bench:
        await enroll(bench, dealt.admitted(SAFE_ID, ROSTER))
        plans = await asyncio.gather(*(guess(bench, attempt_at(dealt, f"{n}")) for n in range(40)))
        assert len([plan for plan in plans if plan.target.part is not None]) == 3
        assert (await found(bench, dealt)).ledger == Ledger(3, T)


async def test_a_guess_that_was_right_is_given_back_once(opened: Opener) -> None:
    """Also across a restart."""
    async with opened() as bench:
        await enroll(bench)
        await guess(bench, attempt_at(label="wrong"))
        await guess(bench, attempt_at())
        assert await unlock(bench) == UnlockPlan(PART.record.parts[0], Ledger(1, T))
    async with opened() as bench:
        assert await unlock(bench) == UnlockPlan(PART.record.parts[0], None)
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


async def test_guesses_at_nobody_are_counted_across_a_restart(opened: Opener) -> None:
    """Each name by itself; the same guess again is free, and owners lose none."""
    async with opened() as bench:
        await enroll(bench)
        for number in range(3):
            assert (await guess(bench, at_nobody(f"{number}"))).ledger == Ledger(number + 1, T)
    async with opened() as bench:
        assert await guess(bench, at_nobody("2")) == GuessPlan(AT_DECOY, None)
        assert (await bench.store.owners.guesses_at(NOBODY, PIN_ALONE)).at_nobody == Ledger(3, T)
        assert (await guess(bench, at_nobody("another", OwnerId(bytes(32))))).ledger == Ledger(1, T)
        assert (await found(bench)).ledger == Ledger()


async def test_names_that_nobody_has_take_no_more_room_than_their_slots(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One takes the place of another, and starts with no guesses; what was guessed goes within the hour."""
    monkeypatch.setattr("safe_node.store.guesses.NOBODIES", 3)
    async with opened() as bench:
        for number in range(40):
            name, at_ms = OwnerId(draw(f"nobody {number}", 32)), T + number * KEPT_GUESS_MS * 2
            assert (await guess(bench, at_nobody(f"{number}", name, at_ms))).ledger == Ledger(1, at_ms)
        assert count(bench, "nobodies") == 3
        assert count(bench, "guesses") == 3


async def test_which_name_takes_whose_place_differs_from_safe_to_safe(opened: Opener) -> None:
    """Nobody can choose names that push out a certain one."""
    async with opened() as bench:
        key = slot_key(bench)
        assert len(key) == 32
        assert any(key)


async def test_guesses_that_are_not_taken_take_no_more_room_than_their_slots(opened: Opener) -> None:
    """They overwrite each other."""
    async with opened() as bench:
        for number in range(300):
            attempt = replace(at_nobody(f"{number}", OwnerId(draw(f"{number % 3}", 32))), record_id=NO_RECORD)
            assert await guess(bench, attempt) == GuessPlan(WAITING_DECOY, None)
        assert 1 <= count(bench, "decoy_guesses") <= 3
        assert count(bench, "guesses") == 0


async def test_an_owner_starts_with_all_guesses_whatever_was_guessed_before(opened: Opener) -> None:
    """While nobody had the name."""
    async with opened() as bench:
        for number in range(4):
            await guess(bench, at_nobody(f"{number}", PART.owner_id))
        await enroll(bench)
        assert await guess(bench, attempt_at()) == GuessPlan(RECORD, Ledger(1, T))


def at_nobody(label: str, owner_id: OwnerId = NOBODY, at_ms: int = T) -> Attempt:
    return replace(attempt_at(label=label, at_ms=at_ms), owner_id=owner_id, record_id=FIRST_DECOY)


def slot_key(bench: Bench) -> bytes:
    connection = pysqlite3.connect(str(bench.folder / "safe.db"))
    try:
        return bytes(connection.execute("SELECT slot_key FROM decoys").fetchone()[0])
    finally:
        connection.close()


async def test_every_guess_is_one_write_whoever_is_asked_about(opened: Opener) -> None:
    """At a known owner, at nobody, repeated, at a locked one: the log grows by as many pages."""
    locked = deal_owner(ROSTER, "locked", guesses=1)
    async with opened() as bench:
        await enroll(bench)
        await enroll(bench, locked.admitted(SAFE_ID, ROSTER))
        await guess(bench, attempt_at(locked, "the last"))
        await guess(bench, at_nobody("first"))
        await guess(bench, replace(at_nobody("not taken"), record_id=NO_RECORD))
        attempts = {
            "known": attempt_at(label="known"),
            "nobody": at_nobody("second"),
            "nobody, for the first time": at_nobody("first", OwnerId(bytes(32))),
            "nobody, not taken": replace(at_nobody("third"), record_id=NO_RECORD),
            "repeated": attempt_at(label="known"),
            "locked": attempt_at(locked, "one more"),
            "by a device, that nobody has": replace(at_nobody("fourth"), way=("device",)),
            "by a device, that the owner lacks": replace(attempt_at(label="device"), way=("device",)),
        }
        grown = {}
        for name, attempt in attempts.items():
            before = log_pages(bench)
            await guess(bench, attempt)
            grown[name] = log_pages(bench) - before
        assert set(grown.values()) == {3}, grown


async def test_a_database_of_the_version_before_keeps_the_guesses(tmp_path: Path) -> None:
    """One whose answer was lost is repeated for nothing; the record is the PIN's alone, without a policy."""
    spent = attempt_at()
    third_version(tmp_path / "safe.db", spent)
    store = await open_store(tmp_path, SAFE_ID)
    try:
        bench = Bench(tmp_path, store, RegistrationRules(SAFE_ID, COUNTER_LIMIT, 0))
        assert await guess(bench, spent) == GuessPlan(RECORD, None)
        assert await guess(bench, attempt_at(label="another")) == GuessPlan(RECORD, Ledger(2, T))
        owner = await found(bench)
        assert owner.current == replace(PART.record, policy=b"", policy_signature=b"")
        assert (owner.waiting, owner.devices, owner.ledgers) == ((), {}, {})
    finally:
        await store.close()


_OWNER_BEFORE = """INSERT INTO owners (owner_id, owner_key, spent, last_spent_ms, rearmed_ms, current, staged)
    VALUES (?, ?, 1, ?, 0, 1, NULL)"""
_RECORD_BEFORE = """INSERT INTO owner_records
    (owner, record, record_id, x, unlock_share, oprf_share, unlock_tag, sealed, guesses)
    VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)"""


def third_version(path: Path, spent: Attempt) -> None:
    """The database as the third migration leaves it, with one owner and their guess in it."""
    from sqlite_utils import Database

    database = Database(path)
    database.enable_wal()
    migrations().apply(database, stop_before="0004 guesses at nobody")
    database.execute("PRAGMA user_version = 3")
    database.execute(_OWNER_BEFORE, (PART.owner_id, OWNER, T))
    part = PART.record.parts[0]
    secrets = (part.unlock_share, part.oprf_share, part.unlock_tag, part.sealed)
    database.execute(_RECORD_BEFORE, (part.record, part.record_id, part.x, *secrets, PART.record.guesses))
    row = (spent.guess_id, spent.record_id, spent.element, T)
    add = "INSERT INTO guesses (owner, guess_id, record_id, element, spent_ms) VALUES (1, ?, ?, ?, ?)"
    database.execute(add, row)
    database.conn.commit()
    database.close()


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
