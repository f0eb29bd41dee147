"""Owners in a store, with the decisions bound in, for the contract suite."""

from functools import partial
from typing import Any

import pysqlite3

from safe_node.accounts import AdmittedAuthorisation, AdmittedRevocation, Standing
from safe_node.decisions.accounts import plan_authorisation
from safe_node.decisions.enrolment import plan_commit, plan_drop, plan_enrolment, plan_staging
from safe_node.decisions.guessing import plan_guess
from safe_node.decisions.undeletion import (
    judge_forgetting,
    judge_revival,
    plan_forgetting,
    plan_undeletion,
)
from safe_node.decisions.unlocking import plan_unlock
from safe_node.deletions import AdmittedForgetting, AdmittedRevival, AdmittedTombstone, Forgetting
from safe_node.guesses import Attempt, GuessPlan, UnlockPlan
from safe_node.owners import AdmittedRecord, KeptOwner
from support.owners import DealtOwner, deal_owner, guess_at, output_of
from support.sample_documents import NOW, draw, key
from support.store_bench import CALLER, OTHER, ROSTER, SAFE_ID, Bench
from trust.authorisation import authorise_wallet, revoke_wallet
from trust.ids import Hash, OwnerId, OwnerKey, RecordId, WalletKey
from trust.tombstone import forget_owner, revive

T = 1_790_000_000_000
DEALT = deal_owner(ROSTER, guesses=100)
SECOND, THIRD = (deal_owner(ROSTER, version=version, guesses=100) for version in ("second", "third"))
PART, SECOND_PART, THIRD_PART = (dealt.admitted(SAFE_ID, ROSTER) for dealt in (DEALT, SECOND, THIRD))
OWNER = PART.owner_key
SIGNER = WalletKey(OWNER)
NOBODY = OwnerId(draw("nobody", 32))
DECOY_TAG = draw("decoy tag", 32)
FIRST_DECOY = RecordId(draw("first decoy", 16))
OTHER_WALLET = WalletKey(OTHER.public)


async def enroll(
    bench: Bench, part: AdmittedRecord = PART, invitation: Hash | None = None, needed: bool = False
) -> None:
    plan = partial(plan_enrolment, invitation_needed=needed)
    await bench.store.owners.enroll(part, invitation, T, plan)


async def found(bench: Bench, dealt: DealtOwner = DEALT) -> KeptOwner:
    owner = await bench.store.owners.find(dealt.owner_id)
    assert owner is not None
    return owner


def attempt_at(dealt: DealtOwner = DEALT, label: str = "guess", at_ms: int = T) -> Attempt:
    return guess_at(dealt.record, label=label).attempt(at_ms)


async def guess(bench: Bench, attempt: Attempt) -> GuessPlan:
    return await bench.store.owners.guess(attempt, partial(plan_guess, first_decoy=FIRST_DECOY))


async def unlock(bench: Bench, dealt: DealtOwner = DEALT, label: str = "guess") -> UnlockPlan:
    claim = guess_at(dealt.record, label=label).claim(SAFE_ID, output_of(dealt, ROSTER))
    plan = partial(plan_unlock, safe_id=SAFE_ID, decoy_tag=DECOY_TAG, now_ms=T)
    return await bench.store.owners.unlock(claim, plan)


async def stage(bench: Bench, part: AdmittedRecord) -> None:
    await bench.store.owners.change(part.owner_id, partial(plan_staging, came=part))


async def commit(bench: Bench, part: AdmittedRecord) -> None:
    plan = partial(plan_commit, caller=SIGNER, record_id=part.record.record_id)
    await bench.store.owners.change(part.owner_id, plan)


async def drop(bench: Bench, part: AdmittedRecord) -> None:
    plan = partial(plan_drop, caller=SIGNER, record_id=part.record.record_id)
    await bench.store.owners.change(part.owner_id, plan)


def count(bench: Bench, table: str) -> int:
    connection = pysqlite3.connect(str(bench.folder / "safe.db"))
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
    finally:
        connection.close()


OWNER_KEY, OTHER_OWNER_KEY = DEALT.key, key("other owner")
OTHER_OWNER = OwnerKey(OTHER_OWNER_KEY.public)


def word_for(wallet: WalletKey, by: Any = OWNER_KEY, at: int = NOW) -> AdmittedAuthorisation:
    signed = authorise_wallet(wallet, at, by)
    return AdmittedAuthorisation(OwnerKey(by.public), wallet, signed.authorisation, signed.signature)


def word_against(wallet: WalletKey, by: Any = OWNER_KEY, at: int = NOW) -> AdmittedRevocation:
    body, signature = revoke_wallet(wallet, at, by)
    return AdmittedRevocation(OwnerKey(by.public), wallet, body, signature)


def word_back(tombstone: AdmittedTombstone, by: Any = OWNER_KEY, at: int = NOW) -> AdmittedRevival:
    body, signature = revive(tombstone.body, tombstone.item_id, tombstone.generation, at, by)
    return judge_revival(body, signature, Standing(CALLER, OwnerKey(by.public)))


async def undelete(bench: Bench, word: AdmittedRevival, now: int = NOW) -> None:
    plan = partial(plan_undeletion, now=now, bytes_per_wallet=bench.rules.bytes_per_wallet)
    await bench.store.owners.undelete(word, plan)


def word_against_oneself(by: Any = OWNER_KEY, at: int = NOW) -> AdmittedForgetting:
    return judge_forgetting(*forget_owner(DEALT.owner_id, at, by))


async def forget(bench: Bench, word: AdmittedForgetting, now: int = NOW) -> Forgetting:
    return await bench.store.owners.forget(word, partial(plan_forgetting, rules=bench.deletion_rules(now)))


async def authorise(bench: Bench, word: AdmittedAuthorisation) -> None:
    await bench.store.owners.authorise(word, plan_authorisation)
