"""Owners' records dealt by the wallet, kept by safes in memory, and what these count."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

import msgspec
import pytest

from support.memory_safes import MemorySafes
from support.safe_requests import seeded
from support.sample_documents import draw, key
from threshold.randomness import RandomSource
from trust.ids import Hash, OwnerId, RecordId, SafeId
from trust.owner_record import OwnerRecord, OwnerSecrets, sealed_hash
from trust.roster import Roster
from wallet_client.network.failures import SafeFailure
from wallet_client.network.links import Links
from wallet_client.operations.owner_errors import OwnerNotUnlocked
from wallet_client.operations.put_record import version_for
from wallet_client.operations.unlock_attempt import Unlocked
from wallet_client.operations.unlocking import unlock_owner
from wallet_client.owners.dealing import DealtRecord, deal_record
from wallet_client.owners.factors import Factors
from wallet_client.owners.stretch import StretchedPin

GUESSES = 10
OWNER_ID = OwnerId(draw("an owner", 32))
SECRETS = OwnerSecrets(key("an owner").seed, draw("an owner's root", 32))
PIN = StretchedPin(draw("the PIN", 32))
NEW_PIN = StretchedPin(draw("the new PIN", 32))
WRONG_PIN = StretchedPin(draw("another PIN", 32))


def dealt(
    roster: Roster, pin: StretchedPin = PIN, seed: str = "first record", secrets: OwnerSecrets = SECRETS
) -> DealtRecord:
    """A record of the owner's; equal seeds deal equal records."""
    return deal_record(OWNER_ID, secrets, pin, roster, seeded(seed))


async def enrolled(n: int = 5, k: int = 3, guesses: int = GUESSES) -> MemorySafes:
    """Safes that all have the owner's record in force."""
    safes = MemorySafes.of(n, k)
    made = dealt(safes.roster)
    for safe_id in safes.all:
        await safes.to_owners(safe_id, SECRETS.signing_key).enroll(version_for(made, safe_id, guesses))
    return safes


async def staged(safes: MemorySafes, made: DealtRecord, at: Iterable[int] = range(1, 6)) -> None:
    """Have these safes keep a record beside the one in force."""
    for safe_id in numbered(safes, at):
        await safes.to_owners(safe_id, SECRETS.signing_key).stage(version_for(made, safe_id, GUESSES))


async def committed(safes: MemorySafes, made: DealtRecord, at: Iterable[int]) -> None:
    """Have these safes put it in force."""
    for safe_id in numbered(safes, at):
        await safes.to_owners(safe_id, SECRETS.signing_key).commit(OWNER_ID, made.record.record_id)


def numbered(safes: MemorySafes, numbers: Iterable[int]) -> list[SafeId]:
    """The ids of safes 1, 2, ..."""
    return [safes.roster.safes[number - 1].safe_id for number in numbers]


async def unlocked(
    safes: object,
    rosters: Sequence[Roster],
    pin: StretchedPin = PIN,
    record_id: RecordId | None = None,
    rng: RandomSource | None = None,
) -> Unlocked:
    """What the wallet's operation comes to."""
    links = cast(Links, safes)
    return await unlock_owner(links, rosters, OWNER_ID, Factors(pin=pin), rng or seeded("guess"), record_id)


def spent(safes: MemorySafes) -> list[int]:
    """By safe: guesses that are spent and were not given back."""
    return [one.spent(OWNER_ID) for one in safes.owners.values()]


def guesses_made(safes: MemorySafes) -> list[int]:
    """By safe: guesses of different ids that it ever counted."""
    return [len(one.guesses) for one in safes.owners.values()]


def asked(safes: MemorySafes, call: str) -> list[int]:
    """By safe: how often it was called so."""
    return [safe.calls.count(call) for safe in safes]


def counted(safes: MemorySafes, count: int, at: Iterable[int]) -> None:
    """Have these safes counted so many wrong guesses: just now where that locks the record, else long ago."""
    for safe_id in numbered(safes, at):
        half = safes.owners[safe_id]
        owner = half.owners[OWNER_ID]
        last = half.now_ms if count >= owner.limit else 0
        ledger = replace(owner.ledger, spent=count, last_spent_ms=last)
        half.owners[OWNER_ID] = replace(owner, ledger=ledger)


async def opens(
    safes: MemorySafes, pin: StretchedPin = PIN, record_id: RecordId | None = None
) -> dict[SafeId, SafeFailure]:
    """Open the secrets; what went wrong all the same, by safe."""
    done = await unlocked(safes, [safes.roster], pin, record_id)
    assert done.secrets == SECRETS
    assert max(guesses_made(safes)) == 1
    return dict(done.failed)


async def is_refused(safes: MemorySafes, pin: StretchedPin = WRONG_PIN) -> None:
    """As a wrong PIN is."""
    with pytest.raises(OwnerNotUnlocked):
        await unlocked(safes, [safes.roster], pin, rng=seeded("a guess that is refused"))


def kinds(failed: dict[SafeId, SafeFailure], safes: MemorySafes) -> dict[int, type[SafeFailure]]:
    """What kind of failure each safe had, by number."""
    numbers = {safe.safe_id: number for number, safe in enumerate(safes.roster.safes, 1)}
    return {numbers[safe_id]: type(failure) for safe_id, failure in failed.items()}


def invented(body: bytes, k: int) -> bytes:
    """A record that k safes could open who made it up: they know r, the OPRF key and whatever they sealed."""
    truth = OwnerRecord.from_bytes(body)
    rng = seeded("an invented record")
    record = msgspec.structs.replace(
        truth,
        record_id=RecordId(rng.read(16)),
        k=k,
        unlock_commitments=tuple(truth.unlock_commitments[0] for _ in range(k)),
        oprf_commitments=tuple(truth.unlock_commitments[0] for _ in range(k)),
        sealed_hash=Hash(sealed_hash(rng.read(119))),
    )
    return record.to_bytes()
