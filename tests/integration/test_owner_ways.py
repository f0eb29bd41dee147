"""Nobody can tell which ways a name has: one that it lacks answers as a name that nobody has."""

from collections.abc import AsyncIterator
from typing import Any

import pysqlite3
import pytest
import pytest_asyncio

from kura.safe.v1 import owner_pb2 as pb
from safe_node.handlers.owner_converters import write_way
from support.factors import (
    AUTHORITY_ALONE,
    AUTHORITY_AND_PIN,
    DEVICE,
    DEVICE_AND_PIN,
    access,
    asserted,
    device_of,
    enrolled,
    shown,
    signed_by,
)
from support.owner_safes import LocalSafe, LocalSafes, local_safes
from support.owners import WRONG_PIN, DealtOwner, Guess, deal_owner, guess_at
from support.sample_documents import draw
from support.software_device import Device
from trust.access_policy import PIN_ALONE, Way
from trust.device_proof import SignedChallenge
from trust.ids import OwnerId, Signature
from trust.owner_record import OwnerRecord
from trust.owner_refusals import UnlockRefused

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = OwnerId(draw("nobody", 32))
EVERY_WAY: tuple[Way, ...] = (
    AUTHORITY_ALONE,
    ("authority", "device"),
    ("authority", "device", "pin"),
    AUTHORITY_AND_PIN,
    DEVICE,
    DEVICE_AND_PIN,
)
TABLES = ("guesses", "nobodies", "decoy_guesses", "owner_devices", "way_ledgers", "waiting")


class People:
    """Owners with different ways, at safes that know them, and a device that is nobody's."""

    def __init__(self, safes: LocalSafes, plain: DealtOwner, all_ways: DealtOwner, stray: Device) -> None:
        self.safes, self.plain, self.all_ways, self.stray = safes, plain, all_ways, stray

    @property
    def everybody(self) -> dict[str, OwnerId]:
        return {"plain": self.plain.owner_id, "all": self.all_ways.owner_id, "nobody": NOBODY}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[People]:
    """Three safes that know one owner with the PIN alone and one with every way but that."""
    async with local_safes(tmp_path_factory.mktemp("three"), 3, 2) as safes:
        plain = deal_owner(safes.roster, "plain")
        await safes.enroll(plain)
        all_ways = await enrolled(safes, "all", access(*EVERY_WAY, devices=[device_of(safes)]))
        yield People(safes, plain, all_ways, device_of(safes, counts=False))


async def told(people: People, safe: LocalSafe, owner_id: OwnerId, way: Way) -> dict[str, Any]:
    """What a stranger gets to see who has neither device nor authority, from the first call to the last."""
    begun = await safe.ask(pb.BeginUnlockRequest(owner_id=owner_id, factors=write_way(way)))
    record = OwnerRecord.from_bytes(begun.record)
    guess = guess_at(record, WRONG_PIN, f"{owner_id.hex()} {way} {safe.port}", way)
    before = rows(safe)
    evaluated = await safe.ask(guess.request(**evidence(people, begun, guess)))
    after = rows(safe)
    return {
        "begun": len(begun.SerializeToString()),
        "evaluated": len(evaluated.SerializeToString()),
        "taken": evaluated.record_id == record.record_id,
        "new rows": {table: after[table] - before[table] for table in TABLES if table != "decoy_guesses"},
        "refusal": await safe.status_of(guess.unlock_request(safe.safe_id, bytes(64))),
    }


def evidence(people: People, begun: pb.BeginUnlockResponse, guess: Guess) -> dict[str, bytes]:
    """A device that is nobody's, and the word of an authority for somebody else."""
    challenge = SignedChallenge(begun.challenge, Signature(begun.challenge_signature))
    proof = signed_by(people.stray, [challenge], guess)
    word = asserted(people.safes, guess, owner_id=OwnerId(draw("somebody", 32)))
    return {"device_proof": proof.to_bytes(), **shown(word)}


def rows(safe: LocalSafe) -> dict[str, int]:
    """How many there are in each table that guesses are written into."""
    connection = pysqlite3.connect(str(safe.settings.data_dir) + "/safe.db")
    try:
        return {
            table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
            for table in TABLES
        }
    finally:
        connection.close()


@pytest.mark.parametrize("way", EVERY_WAY, ids=" and ".join)
async def test_a_way_answers_alike_whoever_is_asked_about(people: People, way: Way) -> None:
    """There, not there, and of nobody: sizes, rows, and the one refusal."""
    seen = [
        await told(people, safe, owner_id, way)
        for safe in people.safes.safes[:2]
        for owner_id in people.everybody.values()
    ]
    assert all(each == seen[0] for each in seen)
    assert not seen[0]["taken"]


@pytest.mark.parametrize("who", ["plain", "all", "nobody"])
async def test_all_ways_of_a_name_have_record_id_and_owner_key_in_common(people: People, who: str) -> None:
    """Those that there are, and those that there are not; and the places, k and the owner id."""
    records = [
        await people.safes.safes[0].begin(people.everybody[who], way=way) for way in (PIN_ALONE, *EVERY_WAY)
    ]
    assert len({(one.record_id, one.owner_key, one.owner_id, one.k, one.places) for one in records}) == 1
    assert len({one.oprf_commitments for one in records}) == len(records)
    assert len({one.sealed_hash for one in records}) == len(records)


async def test_all_safes_show_one_record_of_each_way(people: People) -> None:
    """And of each answer that stands in its place, one decoy, whose evaluations fit one polynomial."""
    for way in EVERY_WAY:
        for owner_id in people.everybody.values():
            records = {await safe.begin(owner_id, way=way) for safe in people.safes.safes}
            assert len(records) == 1
            guess = guess_at(records.pop(), label=f"one polynomial {owner_id.hex()} {way}", way=way)
            answers = [await safe.ask(guess.request()) for safe in people.safes.safes]
            assert len({answer.record_id for answer in answers}) == 1


async def test_a_pin_that_a_name_lacks_is_counted_and_waited_for_like_nobodys(people: People) -> None:
    """Four guesses are evaluated under what was shown, and then a wait; the owner loses none."""
    safe, taken = people.safes.safes[2], {}
    for who in ("all", "nobody"):
        record = await safe.begin(people.everybody[who])
        guesses = [guess_at(record, WRONG_PIN, f"{who} by the PIN alone, {number}") for number in range(6)]
        answers = [await safe.ask(guess.request()) for guess in guesses]
        for guess, answer in zip(guesses[:4], answers[:4], strict=True):
            guess.check(safe.safe_id, answer)
        again = await safe.ask(guesses[0].request())
        assert again.evaluated_element == answers[0].evaluated_element
        taken[who] = [answer.record_id == record.record_id for answer in answers]
        with pytest.raises(UnlockRefused):
            await safe.ask(guesses[0].unlock_request(safe.safe_id, bytes(64)))
        assert (await safe.begin(people.everybody[who])).record_id != record.record_id
    assert taken["all"] == taken["nobody"] == [True] * 4 + [False] * 2
    told = await safe.ask(pb.OwnerStatusRequest(), people.all_ways.key)
    assert told.guesses_spent == 0


async def test_a_challenge_is_fresh_each_time_whoever_is_asked_about(people: People) -> None:
    """And signed by the safe that gives it."""
    safe = people.safes.safes[0]
    shown = [await safe.shown(one) for one in people.everybody.values() for _ in range(2)]
    assert len({challenge.challenge for _, challenge in shown}) == 6


async def test_what_the_owner_signed_is_told_to_the_owner_alone(people: People) -> None:
    owner, safe = people.all_ways, people.safes.safes[0]
    told = await safe.ask(pb.OwnerStatusRequest(), owner.key)
    version = owner.versions[safe.safe_id]
    assert (told.policy, told.policy_signature) == (version.policy, version.policy_signature)
