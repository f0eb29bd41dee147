"""Unlock an owner's record: a name and a PIN in, the owner's secrets out.

    begin     every safe: which record is in force?      nothing is spent
    evaluate  k safes that agree: a guess, blinded       each spends one, durably
    unlock    the same: proof that the PIN is right      each gives it back, and releases its part

This file finds the record and whom to ask; unlock_attempt.py makes the guess. A record is believed only when
k safes name it, and k is at least what the roster says, or one of its versions said: else a lying safe could
invent one that it alone opens, and would learn the PIN from the proof.

A change of the record that stopped half-way can leave no record in force at k safes. Then each that one of
them has in force, and that k of them keep, is tried in turn: a wrong PIN costs one guess for each.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from threshold.randomness import RandomSource
from trust.ids import OwnerId, RecordId, SafeId
from trust.owner_record import OwnerRecord
from trust.roster import Roster
from wallet_client.network.failures import OtherRecord, SafeFailure
from wallet_client.network.fan_out import Answers, fan_out
from wallet_client.network.links import Links
from wallet_client.operations.owner_errors import OwnerNotUnlocked, OwnerOutOfReach
from wallet_client.operations.owner_status import require_owner
from wallet_client.operations.unlock_attempt import Attempt, FoundRecord, Unlocked
from wallet_client.owners.names import Pin
from wallet_client.owners.stretch import StretchedPin, stretch_pin
from wallet_client.wallet import Wallet, pinned_versions

SETTLE_SECONDS = 0.25
"""How long safes that are slower than the first k may still answer."""


async def unlock_owner(
    links: Links,
    rosters: Sequence[Roster],
    owner_id: OwnerId,
    pin: StretchedPin,
    rng: RandomSource,
    record_id: RecordId | None = None,
) -> Unlocked:
    """Open the record in force, or the one that is named and no other.

    Args:
        links: To the safes of the newest roster.
        rosters: Every version, the newest last.
        owner_id: Whose record.
        pin: Secret: stretched.
        rng: Draws the blind, the guess's id and the recipient key.
        record_id: A record that is staged, to be tried.

    Raises:
        OwnerOutOfReach: Fewer than k safes agree on a record, or answer well; says whether it cost a guess.
        OwnerNotUnlocked: The PIN is wrong, or the name unknown, or the record takes no guess now.
        OwnerRecordBroken: k safes agree on a record that does not hold.
    """
    question = _Question(links, rosters, owner_id, record_id)
    *others, last = await _find(question)
    for found in others:
        try:
            return await Attempt(links, rosters[-1], found, pin, rng).run()
        except OwnerNotUnlocked:
            continue
    return await Attempt(links, rosters[-1], last, pin, rng).run()


async def open_with_pin(wallet: Wallet, pin: Pin) -> Unlocked:
    """Open the record of the owner for whom a wallet acts.

    Args:
        wallet: Whose links are used.
        pin: Secret.

    Raises:
        WalletWithoutOwner: It acts for none.
        OwnerOutOfReach, OwnerNotUnlocked, OwnerRecordBroken: As `unlock_owner`.
    """
    owner = OwnerId(require_owner(wallet).owner_id)
    stretched = await asyncio.to_thread(stretch_pin, pin, owner)
    return await unlock_owner(wallet.links, pinned_versions(wallet.store), owner, stretched, wallet.rng)


@dataclass(frozen=True, slots=True)
class _Question:
    """What every safe is asked.

    Args:
        record_id: Which record; None: the one in force.
    """

    links: Links
    rosters: Sequence[Roster]
    owner_id: OwnerId
    record_id: RecordId | None

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


async def _ask_all(question: _Question) -> Answers[bytes]:
    """The exact bytes of the record that each safe names."""
    calls = {safe.safe_id: partial(_ask, question, safe.safe_id) for safe in question.newest.safes}
    return await fan_out(
        calls,
        enough=lambda good: _agreed(Answers(dict(good))) is not None,
        settle_seconds=SETTLE_SECONDS,
    )


async def _ask(question: _Question, safe_id: SafeId) -> bytes:
    link = question.links.to_owners(safe_id)
    body = await link.begin_unlock(question.owner_id, question.record_id)
    record = OwnerRecord.from_bytes(body)
    if question.record_id not in (None, record.record_id):
        raise OtherRecord
    if record.k < question.least_k or record.x_at(safe_id) is None:
        raise OtherRecord
    return body


def _agreed(answers: Answers[bytes]) -> FoundRecord | None:
    """The record that most safes name, if they can open it; a safe that names another counts as failed."""
    for body, count in Counter(answers.good.values()).most_common():
        record = OwnerRecord.from_bytes(body)
        if count >= record.k:
            keepers = tuple(safe_id for safe_id, named in answers.good.items() if named == body)
            others: Mapping[SafeId, SafeFailure] = {
                safe_id: OtherRecord() for safe_id in answers.good if safe_id not in keepers
            }
            return FoundRecord(record, keepers, {**answers.failed, **others})
    return None


def _named(answers: Answers[bytes]) -> list[RecordId]:
    """Every record that a safe has in force, the one that most have first."""
    counted = Counter(OwnerRecord.from_bytes(body).record_id for body in answers.good.values())
    return [record_id for record_id, _ in counted.most_common()]


def _nothing_agreed(roster: Roster, answers: Answers[bytes]) -> OwnerOutOfReach:
    """Where those that answered differ, nobody can tell which of them are at fault."""
    failed, good = answers.failed, len(answers.good)
    if len(set(answers.good.values())) > 1:
        failed, good = failed | {safe_id: OtherRecord() for safe_id in answers.good}, 0
    return OwnerOutOfReach.of(roster, failed, good=good, needed=roster.threshold, spent=False)
