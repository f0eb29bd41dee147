"""Unlock an owner's record: a name and factors in, the owner's secrets out.

    begin     every safe: which record is in force?      nothing is spent
    evaluate  k safes that agree: a guess, blinded       each judges the other factors, and spends one
    unlock    the same: proof that the PIN is right      each gives it back, and releases its part

This file finds the record and whom to ask; unlock_attempt.py makes the guess. A record is believed only when
k safes name it, and k is at least what the roster says, or one of its versions said: else a lying safe could
invent one that it alone opens, and would learn the PIN from the proof.

A change of the record that stopped half-way can leave no record in force at k safes. Then each that one of
them has in force, and that k of them keep, is tried in turn: a wrong PIN costs one guess for each, and a
device is touched for each.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from threshold.randomness import RandomSource
from trust.access_policy import PIN_ALONE, Factor
from trust.device_proof import read_challenge
from trust.errors import TrustError
from trust.ids import OwnerId, RecordId, SafeId
from trust.owner_record import OwnerRecord
from trust.roster import Roster
from wallet_client.network.failures import OtherRecord, SafeFailure, WrongReply
from wallet_client.network.fan_out import Answers, fan_out
from wallet_client.network.links import Links
from wallet_client.network.owner_messages import Begun
from wallet_client.operations.asserting import asserted_for
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.owner_errors import OwnerNotUnlocked, OwnerOutOfReach
from wallet_client.operations.owner_status import owner_status, require_owner
from wallet_client.operations.unlock_attempt import Attempt, FoundRecord, Unlocked
from wallet_client.owners.access import expression_of
from wallet_client.owners.factors import Factors, Proofs
from wallet_client.owners.names import OwnerName, Pin
from wallet_client.owners.stretch import StretchedPin, stretch_pin
from wallet_client.wallet import Wallet, pinned_versions

SETTLE_SECONDS = 0.25
"""How long safes that are slower than the first k may still answer."""
DEVICE_SETTLE_SECONDS = 1.0
"""With a device: who is not there when it is touched cannot be asked in another's place."""


async def unlock_owner(
    links: Links,
    rosters: Sequence[Roster],
    owner_id: OwnerId,
    factors: Factors,
    rng: RandomSource,
    record_id: RecordId | None = None,
) -> Unlocked:
    """Open the record in force, or the one that is named and no other, by one way.

    Args:
        links: To the safes of the newest roster.
        rosters: Every version, the newest last.
        owner_id: Whose record.
        factors: Secret: by which way, and what it needs.
        rng: Draws the blind, the guess's id and the recipient key.
        record_id: A record that is staged, to be tried.

    Raises:
        OwnerOutOfReach: Fewer than k safes agree on a record, or answer well; says whether it cost a guess.
        OwnerNotUnlocked: A factor is wrong, or the name unknown, or there is no such way, or the record takes
            no guess now.
        RecoveryWaits: The owner's waiting period runs.
        OwnerRecordBroken: k safes agree on a record that does not hold.
        DeviceFailed, AuthorityFailed: A factor could not be had.
    """
    question = _Question(links, rosters, owner_id, factors.way, record_id)
    *others, last = await _find(question)
    for found in others:
        try:
            return await Attempt(links, rosters, found, factors, rng).run()
        except OwnerNotUnlocked:
            continue
    return await Attempt(links, rosters, last, factors, rng).run()


async def open_with(wallet: Wallet, proofs: Proofs) -> tuple[Unlocked, Factors]:
    """Open the record of the owner for whom a wallet acts; no safe need wait.

    Args:
        wallet: Whose links are used.
        proofs: Secret.

    Returns:
        Secret: the record, and what it was opened with; the new PIN in the place of the PIN, if there is one.

    Raises:
        WalletWithoutOwner: It acts for none.
        OwnerOutOfReach, OwnerNotUnlocked, OwnerRecordBroken: As `unlock_owner`.
        DeviceFailed, AuthorityFailed: A factor could not be had.
    """
    owner = require_owner(wallet)
    owner_id = OwnerId(owner.owner_id)
    factors = replace(await factors_from(wallet, OwnerName(owner.name), owner_id, proofs), as_wallet=True)
    versions = await asyncio.to_thread(pinned_versions, wallet.store)
    try:
        unlocked = await unlock_owner(wallet.links, versions, owner_id, factors, wallet.rng)
    except OwnerNotUnlocked as refused:
        raise await _told_to_the_owner(wallet, refused) from None
    return unlocked, factors.with_pin(await _stretched(proofs.new_pin, owner_id))


async def _told_to_the_owner(wallet: Wallet, refused: OwnerNotUnlocked) -> OwnerNotUnlocked:
    """With the policy in force, where the way is none of it; strangers may not know it."""
    try:
        ways = (await owner_status(wallet)).access.ways
    except TooFewSafes:
        return refused
    return refused if refused.way in ways else OwnerNotUnlocked(refused.way, expression_of(ways))


async def factors_from(wallet: Wallet, name: OwnerName, owner_id: OwnerId, proofs: Proofs) -> Factors:
    """What a guess is made with, from what a person brought; Secret: both.

    Args:
        wallet: Keeps the authority's account.
        name: The owner's, and that of the account.
        owner_id: The same, as safes know it.
        proofs: Secret.
    """
    asserted = None
    if proofs.authority is not None:
        asserted = partial(asserted_for, wallet, name, proofs.authority)
    pin = await _stretched(proofs.pin, owner_id)
    return Factors(proofs.way, pin, proofs.device, asserted)


async def _stretched(pin: Pin | None, owner_id: OwnerId) -> StretchedPin | None:
    return None if pin is None else await asyncio.to_thread(stretch_pin, pin, owner_id)


@dataclass(frozen=True, slots=True)
class _Question:
    """What every safe is asked.

    Args:
        way: By which factors it is to be opened.
        record_id: Which record; None: the one in force.
    """

    links: Links
    rosters: Sequence[Roster]
    owner_id: OwnerId
    way: tuple[Factor, ...] = PIN_ALONE
    record_id: RecordId | None = None

    @property
    def newest(self) -> Roster:
        return self.rosters[-1]

    @property
    def least_k(self) -> int:
        """A record keeps the threshold of the roster under which it was made."""
        return min(roster.threshold for roster in self.rosters)


async def _find(question: _Question) -> list[FoundRecord]:
    """The records to try, one or more."""
    answers = await _ask_all(question)
    if (found := _agreed(answers)) is not None:
        return [found]
    names = _named(answers) if question.record_id is None else []
    by_name = [_agreed(await _ask_all(replace(question, record_id=one))) for one in names]
    believed = [one for one in by_name if one is not None]
    if not believed:
        raise _nothing_agreed(question.newest, answers)
    return believed


async def _ask_all(question: _Question) -> Answers[Begun]:
    """The record that each safe names, and its challenge."""
    calls = {safe.safe_id: partial(_ask, question, safe.safe_id) for safe in question.newest.safes}
    return await fan_out(
        calls,
        enough=lambda good: _agreed(Answers(dict(good))) is not None,
        settle_seconds=DEVICE_SETTLE_SECONDS if "device" in question.way else SETTLE_SECONDS,
    )


async def _ask(question: _Question, safe_id: SafeId) -> Begun:
    link = question.links.to_owners(safe_id)
    begun = await link.begin_unlock(question.owner_id, question.record_id, question.way)
    record = OwnerRecord.from_bytes(begun.record)
    if question.record_id not in (None, record.record_id):
        raise OtherRecord
    if record.k < question.least_k or record.x_at(safe_id) is None:
        raise OtherRecord
    if "device" in question.way:
        _check_challenge(question, safe_id, begun)
    return begun


def _check_challenge(question: _Question, safe_id: SafeId, begun: Begun) -> None:
    """No device signs what another than that very safe asked, or about another owner [C19].

    Raises:
        WrongReply: It is no challenge of that safe's for that owner.
    """
    try:
        challenge = read_challenge(begun.challenge, question.newest.safe(safe_id).signing_key)
    except TrustError:
        raise WrongReply from None
    if challenge.safe_id != safe_id or challenge.owner_id != question.owner_id:
        raise WrongReply


def _agreed(answers: Answers[Begun]) -> FoundRecord | None:
    """The record that most safes name, if they can open it; a safe that names another counts as failed."""
    for body, count in Counter(begun.record for begun in answers.good.values()).most_common():
        record = OwnerRecord.from_bytes(body)
        if count >= record.k:
            keepers = tuple(safe_id for safe_id, begun in answers.good.items() if begun.record == body)
            others: Mapping[SafeId, SafeFailure] = {
                safe_id: OtherRecord() for safe_id in answers.good if safe_id not in keepers
            }
            challenges = {safe_id: answers.good[safe_id].challenge for safe_id in keepers}
            return FoundRecord(record, keepers, {**answers.failed, **others}, challenges)
    return None


def _named(answers: Answers[Begun]) -> list[RecordId]:
    """Every record that a safe has in force, the one that most have first."""
    counted = Counter(OwnerRecord.from_bytes(begun.record).record_id for begun in answers.good.values())
    return [record_id for record_id, _ in counted.most_common()]


def _nothing_agreed(roster: Roster, answers: Answers[Begun]) -> OwnerOutOfReach:
    """Where those that answered differ, nobody can tell which of them are at fault."""
    failed, good = answers.failed, len(answers.good)
    if len({begun.record for begun in answers.good.values()}) > 1:
        failed, good = failed | {safe_id: OtherRecord() for safe_id in answers.good}, 0
    return OwnerOutOfReach.of(roster, failed, good=good, needed=roster.threshold, spent=False)
