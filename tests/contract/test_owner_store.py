"""What safe_node.store.owners_base promises of owners and their records, held against every store."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pysqlite3
import pytest

from safe_node.accounts import Standing
from safe_node.decisions.accounts import plan_rearming
from safe_node.decisions.enrolment import plan_commit, plan_drop
from safe_node.owners import AdmittedRecord, KeptOwner, Ledger
from support.owner_bench import (
    DEALT,
    NOBODY,
    OWNER,
    PART,
    SECOND_PART,
    THIRD,
    THIRD_PART,
    T,
    attempt_at,
    commit,
    count,
    drop,
    enroll,
    found,
    guess,
    stage,
)
from support.owners import Access, deal_owner
from support.sample_access import FINGER, TOUCH
from support.sample_documents import draw, key
from support.store_bench import CALLER, ROSTER, SAFE_ID, Bench, Opener
from trust.access_policy import PIN_ALONE, Way
from trust.ids import AuthorityKey, Hash, OwnerKey, WalletKey
from trust.owner_refusals import InvitationInvalid, OwnerExists, OwnerUnknown, RecordInForce, RecordInvalid
from trust.refusals import Refusal


async def test_an_owner_comes_back_as_they_were_enrolled(opened: Opener) -> None:
    """Every byte of the part, no guess spent, also after a restart."""
    async with opened() as bench:
        assert await bench.store.owners.find(DEALT.owner_id) is None
        await enroll(bench)
    async with opened() as bench:
        assert await found(bench) == KeptOwner(PART.owner_id, OWNER, Ledger(), PART.record)
        assert await bench.store.owners.find(NOBODY) is None


WAYS: tuple[Way, ...] = (("authority", "pin"), ("device",), PIN_ALONE)
BY_WAYS = deal_owner(
    ROSTER, version="by ways", access=Access(WAYS, (TOUCH, FINGER), (AuthorityKey(key("authority").public),))
)
WAYS_PART = BY_WAYS.admitted(SAFE_ID, ROSTER)


async def test_every_way_comes_back_with_its_part_and_the_policy(opened: Opener) -> None:
    """In force, staged and old; and what goes is erased with all its parts."""
    async with opened() as bench:
        await enroll(bench)
        await stage(bench, WAYS_PART)
    async with opened() as bench:
        assert (await found(bench)).staged == WAYS_PART.record
        await commit(bench, WAYS_PART)
        await stage(bench, SECOND_PART)
        await commit(bench, SECOND_PART)
    async with opened() as bench:
        owner = await found(bench)
        assert (owner.current, owner.old) == (SECOND_PART.record, (PART.record, WAYS_PART.record))
        assert count(bench, "owner_policies") == 3
        await drop(bench, WAYS_PART)
        assert_gone(bench, WAYS_PART)
        assert (count(bench, "owner_records"), count(bench, "owner_policies")) == (2, 2)


async def test_enrolling_again_changes_nothing_and_over_a_name_is_refused(opened: Opener) -> None:
    """Whoever tries."""
    strangers = deal_owner(ROSTER, owner="stranger").admitted(SAFE_ID, ROSTER)
    async with opened() as bench:
        await enroll(bench)
        await guess(bench, attempt_at())
        await enroll(bench)
        for part in (SECOND_PART, strangers):
            with pytest.raises(OwnerExists):
                await enroll(bench, part)
        assert await found(bench) == KeptOwner(PART.owner_id, OWNER, Ledger(1, T), PART.record)
        assert count(bench, "owner_records") == 1


async def test_one_owner_key_has_one_name(opened: Opener) -> None:
    """Else nobody could tell whose the key's calls are."""
    other_name = deal_owner(ROSTER, "other name", owner="owner").admitted(SAFE_ID, ROSTER)
    async with opened() as bench:
        await enroll(bench)
        with pytest.raises(RecordInvalid, match=r"record\.owner_key"):
            await enroll(bench, other_name)


async def test_an_invitation_is_good_for_one_owner(opened: Opener) -> None:
    """Who was enrolled with it may repeat the call; who was refused has not used it up."""
    code, unknown = Hash(draw("code", 32)), Hash(draw("unknown", 32))
    other = deal_owner(ROSTER, "other").admitted(SAFE_ID, ROSTER)
    third = deal_owner(ROSTER, "third").admitted(SAFE_ID, ROSTER)
    async with opened() as bench:
        await enroll(bench)
        add_invitation(bench, code)
        with pytest.raises(OwnerExists):
            await enroll(bench, SECOND_PART, code, needed=True)
        with pytest.raises(InvitationInvalid):
            await enroll(bench, other, unknown, needed=True)
        for _ in range(2):
            await enroll(bench, other, code, needed=True)
        with pytest.raises(InvitationInvalid):
            await enroll(bench, third, code, needed=True)


def add_invitation(bench: Bench, code_hash: Hash) -> None:
    """Through a connection of its own, as the operator's command does."""
    from safe_node.store.invitations import add_invitation as add

    connection = pysqlite3.connect(str(bench.folder / "safe.db"))
    add(connection, code_hash, T)
    connection.commit()
    connection.close()


async def test_records_follow_one_another_and_what_goes_is_erased(opened: Opener) -> None:
    """Staged, replaced, in force, old, dropped; the guesses at a dropped record go too."""
    async with opened() as bench:
        await enroll(bench)
        await guess(bench, attempt_at())
        await stage(bench, THIRD_PART)
        await guess(bench, attempt_at(THIRD, "at the staged one"))
        await stage(bench, SECOND_PART)
        assert await found(bench) == KeptOwner(
            PART.owner_id, OWNER, Ledger(2, T), PART.record, staged=SECOND_PART.record
        )
        assert_gone(bench, THIRD_PART)
        assert count(bench, "guesses") == 1
        await commit(bench, SECOND_PART)
    async with opened() as bench:
        assert await found(bench) == KeptOwner(
            PART.owner_id, OWNER, Ledger(2, T), SECOND_PART.record, old=(PART.record,)
        )
        assert PART.record.parts[0].oprf_share in bench.files()
        await drop(bench, PART)
        assert_gone(bench, PART)
        assert await found(bench) == KeptOwner(PART.owner_id, OWNER, Ledger(2, T), SECOND_PART.record)
        assert SECOND_PART.record.parts[0].oprf_share in bench.files()


def assert_gone(bench: Bench, part: AdmittedRecord) -> None:
    files = bench.files()
    for kept in part.record.parts:
        for secret in (kept.unlock_share, kept.oprf_share, kept.unlock_tag, kept.sealed):
            assert secret not in files


async def test_no_stale_copy_outlives_many_changes_of_many_owners(opened: Opener) -> None:
    """Rows come and go in turn; nothing that went is found in any file."""
    async with opened() as bench:
        gone: list[AdmittedRecord] = []
        for turn in range(4):
            for name in ("a", "b", "c", "d", "e"):
                part = deal_owner(ROSTER, name, version=f"{turn}").admitted(SAFE_ID, ROSTER)
                before = await bench.store.owners.find(part.owner_id)
                if before is None:
                    await enroll(bench, part)
                    continue
                await stage(bench, part)
                signer = WalletKey(part.owner_key)
                for plan, record in ((plan_commit, part.record), (plan_drop, before.current)):
                    bound = partial(plan, caller=signer, record_id=record.record_id)
                    await bench.store.owners.change(part.owner_id, bound)
                gone.append(replace(part, record=before.current))
        for part in gone:
            assert_gone(bench, part)
        assert count(bench, "owner_records") == 5


CHANGES: dict[str, tuple[Callable[[Bench], Awaitable[None]], type[Refusal]]] = {
    "staging for nobody": (
        lambda bench: stage(bench, replace(SECOND_PART, owner_id=NOBODY)),
        OwnerUnknown,
    ),
    "dropping what is in force": (lambda bench: drop(bench, PART), RecordInForce),
    "re-arming nobody": (
        lambda bench: bench.store.owners.rearm(
            OwnerKey(CALLER), partial(plan_rearming, caller=Standing(CALLER), now_ms=T)
        ),
        OwnerUnknown,
    ),
}


@pytest.mark.parametrize(("change", "refusal"), CHANGES.values(), ids=CHANGES)
async def test_a_refused_change_writes_nothing(opened: Opener, change: Any, refusal: type[Refusal]) -> None:
    async with opened() as bench:
        await enroll(bench)
        with pytest.raises(refusal):
            await change(bench)
        assert await found(bench) == KeptOwner(PART.owner_id, OWNER, Ledger(), PART.record)
