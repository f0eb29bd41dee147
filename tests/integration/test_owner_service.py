"""Real safes on real ports, and an owner who comes back with nothing but a name and a PIN."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
import pytest_asyncio

from kura.safe.v1 import owner_pb2 as pb
from support.owner_safes import LocalSafe, LocalSafes, local_safes
from support.owners import WRONG_PIN, DealtOwner, deal_owner, guess_at
from support.sample_documents import draw
from threshold.hpke import KeyPair
from trust.ids import OwnerId
from trust.owner_record import OwnerSecrets
from trust.owner_refusals import NotTheOwner, OwnerExists, RecordInvalid, UnlockRefused

pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTE, DAY = 60_000, 24 * 3_600_000
NOBODY = OwnerId(draw("nobody", 32))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def five(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalSafes]:
    """Five safes, of which three open a record; each test enrols an owner of its own."""
    async with local_safes(tmp_path_factory.mktemp("five"), 5, 3) as safes:
        yield safes


async def enrolled(five: LocalSafes, name: str, **options: Any) -> DealtOwner:
    owner = deal_owner(five.roster, name, **options)
    await five.enroll(owner)
    return owner


async def wrong_guess(safe: LocalSafe, owner: DealtOwner, label: str) -> bool:
    """Try a wrong PIN at one safe; whether it was evaluated under the owner's record."""
    answer = await safe.ask(guess_at(owner.record, WRONG_PIN, label).request())
    return bool(answer.record_id == owner.record.record_id)


async def test_k_safes_and_the_right_pin_open_the_record(five: LocalSafes) -> None:
    """Whichever three they are; nothing else is needed, and no guess is spent."""
    owner = await enrolled(five, "alice")
    for number, safes in enumerate(combinations(five.safes, 3)):
        secrets = await five.unlock(owner.owner_id, label=f"alice {number}", safes=safes)
        assert secrets == owner.secrets
    assert [await five.spent(owner, safe) for safe in five.safes] == [0] * 5


async def test_a_wrong_pin_opens_nothing_and_costs_a_guess(five: LocalSafes) -> None:
    """At every safe that evaluated it; k safes that agree cannot tell it from the right one before."""
    owner = await enrolled(five, "bob")
    with pytest.raises(UnlockRefused):
        await five.unlock(owner.owner_id, WRONG_PIN)
    assert [await five.spent(owner, safe) for safe in five.safes] == [1, 1, 1, 0, 0]
    assert await five.unlock(owner.owner_id, label="now right") == owner.secrets
    assert [await five.spent(owner, safe) for safe in five.safes] == [1, 1, 1, 0, 0]


async def test_wrong_pins_down_to_the_last_guess_and_beyond(five: LocalSafes) -> None:
    """Four at once, then ever longer waits, then locked; after 30 days one more, which may be right."""
    owner, safe = await enrolled(five, "carol", guesses=6), five.safes[0]
    for number in range(4):
        assert await wrong_guess(safe, owner, f"carol {number}")
    for wait, label in ((MINUTE, "fifth"), (2 * MINUTE, "sixth")):
        five.clock.ms += wait - 1
        assert not await wrong_guess(safe, owner, f"carol too early for the {label}")
        five.clock.ms += 1
        assert await wrong_guess(safe, owner, f"carol {label}")
    five.clock.ms += 30 * DAY - 1
    assert not await wrong_guess(safe, owner, "carol locked")
    assert (await safe.begin(owner.owner_id)) != owner.record
    five.clock.ms += 1
    assert await five.unlock(owner.owner_id, label="carol at last") == owner.secrets
    assert await five.spent(owner) == 5


async def test_the_last_guess_may_be_the_right_one(five: LocalSafes) -> None:
    """It locks the record for as long as nobody proved it."""
    owner = await enrolled(five, "dave", guesses=1)
    guess = guess_at(owner.record, label="dave")
    output = await five.output(guess)
    asked = five.safes[: five.k]
    assert not await wrong_guess(asked[0], owner, "dave, while it is locked")
    parts = {safe.safe_id: await safe.unlock(guess, output) for safe in asked}
    assert guess.secrets(parts, output) == owner.secrets
    assert await five.unlock(owner.owner_id, label="dave again") == owner.secrets


async def test_of_fifty_guesses_at_once_one_is_evaluated_when_one_is_left(five: LocalSafes) -> None:
    """The others get decoys, all of them whole answers."""
    owner, safe = await enrolled(five, "erin", guesses=1), five.safes[0]
    requests = [guess_at(owner.record, WRONG_PIN, f"erin {number}").request() for number in range(50)]
    answers = await asyncio.gather(*(safe.ask(request) for request in requests))
    real = [answer for answer in answers if answer.record_id == owner.record.record_id]
    assert len(real) == 1
    assert len({len(answer.SerializeToString()) for answer in answers}) == 1
    assert await five.spent(owner) == 1


async def test_a_lost_answer_is_asked_for_again_for_nothing(five: LocalSafes) -> None:
    """The same element, the same part, one guess spent and one given back."""
    owner, safe = await enrolled(five, "frank"), five.safes[0]
    guess = guess_at(owner.record, label="frank")
    first, again = [await safe.ask(guess.request()) for _ in range(2)]
    assert first.evaluated_element == again.evaluated_element
    assert first.proof != again.proof  # a nonce of its own, else the share would be given away
    assert await five.spent(owner) == 1
    output = await five.output(guess)
    parts = [await safe.unlock(guess, output) for _ in range(3)]
    assert len(set(parts)) == 1
    assert await five.spent(owner) == 0


async def test_a_guess_survives_a_restart_on_both_sides_of_the_proof(five: LocalSafes) -> None:
    """Spent before it, given back after it, released once more after another."""
    owner, safe = await enrolled(five, "grace"), five.safes[0]
    guess = guess_at(owner.record, label="grace")
    output = await five.output(guess)
    await safe.restart()
    assert await five.spent(owner) == 1
    part = await safe.unlock(guess, output)
    await safe.restart()
    assert await safe.unlock(guess, output) == part
    assert await five.spent(owner) == 0


async def test_a_proof_that_was_seen_is_of_use_to_nobody_else(five: LocalSafes) -> None:
    """Replayed it releases the part to the same recipient; it holds for no other key, guess or safe."""
    owner, safe = await enrolled(five, "heidi"), five.safes[0]
    guess = guess_at(owner.record, label="heidi")
    output = await five.output(guess)
    seen = guess.unlock_request(safe.safe_id, output)
    thief = KeyPair(draw("thief", 32))
    for stolen in (
        {"recipient_key": thief.public},
        {"guess_id": guess_at(owner.record, label="thief").guess_id},
        {"owner_id": NOBODY},
    ):
        with pytest.raises(UnlockRefused):
            await safe.ask(_changed(seen, **stolen))
    with pytest.raises(UnlockRefused):
        await five.safes[1].ask(seen)
    sealed = (await safe.ask(seen)).sealed_part
    replayed = (await safe.ask(seen)).sealed_part
    assert guess.part(safe.safe_id, sealed) == guess.part(safe.safe_id, replayed)
    assert await five.spent(owner) == 0


async def test_a_guess_that_was_right_is_good_for_one_recipient(five: LocalSafes) -> None:
    """Who has the PIN and another key makes another guess."""
    owner, safe = await enrolled(five, "ivan"), five.safes[0]
    guess = guess_at(owner.record, label="ivan")
    output = await five.output(guess)
    await safe.unlock(guess, output)
    with pytest.raises(UnlockRefused):
        await safe.unlock(replace(guess, recipient=KeyPair(draw("other device", 32))), output)


def _changed(request: Any, **changes: Any) -> Any:
    copy = type(request)()
    copy.CopyFrom(request)
    for name, value in changes.items():
        setattr(copy, name, value)
    return copy


async def test_another_safes_part_is_refused(five: LocalSafes) -> None:
    """Nothing is kept of it: the name is still free."""
    owner = deal_owner(five.roster, "judy")
    first, second = five.safes[:2]
    swapped = _changed(owner.versions[first.safe_id])
    swapped.parts[0].unlock_share = owner.part(second.safe_id).unlock_share
    with pytest.raises(RecordInvalid, match="unlock_share"):
        await first.ask(pb.EnrollRequest(version=swapped), owner.key)
    with pytest.raises(RecordInvalid, match="unlock_share"):
        await first.ask(pb.EnrollRequest(version=owner.versions[second.safe_id]), owner.key)
    await first.enroll(owner)


async def test_a_name_is_enrolled_once(five: LocalSafes) -> None:
    """The owner may repeat it; neither they nor a stranger enrols another record over it."""
    owner, safe = await enrolled(five, "kim"), five.safes[0]
    await safe.enroll(owner)
    for other in (
        deal_owner(five.roster, "kim", version="other"),
        deal_owner(five.roster, "kim", owner="eve"),
    ):
        with pytest.raises(OwnerExists):
            await safe.enroll(other)
    stranger = deal_owner(five.roster, "eve")
    with pytest.raises(NotTheOwner):
        await safe.ask(pb.EnrollRequest(version=owner.versions[safe.safe_id]), stranger.key)
    assert await five.unlock(owner.owner_id, label="kim") == owner.secrets


async def test_a_new_pin_is_staged_tried_committed_and_the_old_one_dropped(five: LocalSafes) -> None:
    """At no moment is there no record that opens; one ledger counts for all."""
    old, new = await enrolled(five, "laura"), deal_owner(five.roster, "laura", pin=b"new", version="new")
    for safe in five.safes:
        await safe.ask(pb.StageRecordRequest(version=new.versions[safe.safe_id]), new.key)
    assert await _opens(five, new, b"new", "laura tries it")
    assert (await five.safes[0].begin(old.owner_id)) == old.record
    names = {"owner_id": new.owner_id, "record_id": new.record.record_id}
    for safe in five.safes:
        await safe.ask(pb.CommitRecordRequest(**names), new.key)
    assert (await five.safes[0].begin(old.owner_id)) == new.record
    assert await _opens(five, old, label="laura, the old PIN, by name")
    for safe in five.safes:
        await safe.ask(pb.DropRecordRequest(owner_id=old.owner_id, record_id=old.record.record_id), old.key)
    assert (await five.safes[0].begin(old.owner_id, old.record.record_id)) not in (old.record, new.record)
    assert await five.unlock(new.owner_id, b"new", "laura for good") == new.secrets


async def _opens(five: LocalSafes, owner: DealtOwner, pin: bytes = b"2718", label: str = "") -> bool:
    """Whether a record opens that is asked for by its id."""
    asked = five.safes[: five.k]
    shown = [await safe.begin(owner.owner_id, owner.record.record_id) for safe in asked]
    assert set(shown) == {owner.record}
    guess = guess_at(owner.record, pin, label)
    output = await five.output(guess)
    parts = {safe.safe_id: await safe.unlock(guess, output) for safe in asked}
    opened: OwnerSecrets = guess.secrets(parts, output)
    return opened == owner.secrets
