"""Nobody, a wrong PIN and a locked record are answered alike, by one safe and by more than k of them."""

import json
from collections.abc import AsyncIterator
from itertools import combinations
from typing import Any

import pytest
import pytest_asyncio

from kura.safe.v1 import owner_pb2 as pb
from support.owner_safes import LocalSafe, LocalSafes, local_safes
from support.owners import WRONG_PIN, DealtOwner, deal_owner, guess_at
from support.sample_documents import draw
from trust.ids import OwnerId
from trust.owner_record import OwnerRecord
from trust.owner_refusals import UnlockRefused
from trust.refusals import Malformed

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = OwnerId(draw("nobody", 32))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def four(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalSafes]:
    """Four safes, of which three open a record; they know one owner with guesses left and one without."""
    async with local_safes(tmp_path_factory.mktemp("four"), 4, 3) as safes:
        for owner in (known(safes), locked(safes)):
            await safes.enroll(owner)
        for safe in safes.safes:
            await safe.ask(guess_at(locked(safes).record, WRONG_PIN, "the last").request())
        yield safes


def known(four: LocalSafes) -> DealtOwner:
    return deal_owner(four.roster, "known", guesses=100)


def locked(four: LocalSafes) -> DealtOwner:
    return deal_owner(four.roster, "locked", guesses=1)


def everybody(four: LocalSafes) -> dict[str, OwnerId]:
    return {"known": known(four).owner_id, "locked": locked(four).owner_id, "nobody": NOBODY}


async def answers(safe: LocalSafe, owner_id: OwnerId, label: str) -> dict[str, Any]:
    """What a stranger gets to see who tries a wrong PIN, from the first call to the last."""
    shown = await safe.ask(pb.BeginUnlockRequest(owner_id=owner_id))
    guess = guess_at(OwnerRecord.from_bytes(shown.record), WRONG_PIN, label)
    evaluated = await safe.ask(guess.request())
    guess.check(safe.safe_id, evaluated)
    again = await safe.ask(guess.request())
    return {
        "record": len(shown.SerializeToString()),
        "evaluated": len(evaluated.SerializeToString()),
        "repeated alike": evaluated.evaluated_element == again.evaluated_element,
        "refusal": await safe.status_of(guess.unlock_request(safe.safe_id, bytes(64))),
    }


async def test_one_safe_answers_alike_whoever_is_asked_about(four: LocalSafes) -> None:
    """Sizes, proofs that hold, code, text and metadata of the refusal."""
    seen = [
        await answers(safe, owner_id, f"alike {name} {number}")
        for number, safe in enumerate(four.safes)
        for name, owner_id in everybody(four).items()
    ]
    assert all(each == seen[0] for each in seen)


async def test_all_safes_show_one_record_of_whomever_they_are_asked_about(four: LocalSafes) -> None:
    """Each time the same."""
    for owner_id in everybody(four).values():
        assert len({await safe.begin(owner_id) for safe in four.safes * 2}) == 1


async def test_answers_of_k_plus_1_safes_fit_one_polynomial(four: LocalSafes) -> None:
    """Any three of the four combine to one output, of nobody as of the owner."""
    for name, owner_id in everybody(four).items():
        guess = guess_at(await four.safes[0].begin(owner_id), WRONG_PIN, f"fits {name}")
        evaluations = [await safe.evaluate(guess) for safe in four.safes]
        assert len({guess.output(chosen) for chosen in combinations(evaluations, 3)}) == 1


async def test_what_is_shown_changes_alike_while_wrong_pins_are_tried(four: LocalSafes) -> None:
    """At an owner and at nobody: four guesses at once, one after each wait, ten in all; again in 30 days.

    Who tries does as a thief would: asks for the record, guesses at what is shown, notes what changes.
    """
    owner = deal_owner(four.roster, "watched")
    await four.enroll(owner)
    seen = [await changes(four, owner_id) for owner_id in (owner.owner_id, OwnerId(draw("watched too", 32)))]
    assert seen[0] == seen[1]
    waits = [wait for wait in seen[0] if wait]
    assert len(seen[0]) == 10
    assert waits == [60_000 << n for n in range(6)]


async def changes(four: LocalSafes, owner_id: OwnerId) -> list[int]:
    """How long each guess at one safe had to be waited for, to the millisecond, until none is taken."""
    safe, start, waits = four.safes[0], four.clock.ms, list[int]()
    first = await safe.begin(owner_id)
    while (waited := await shown_again_after(four, owner_id, first)) is not None:
        await safe.ask(guess_at(first, WRONG_PIN, f"{owner_id.hex()} {len(waits)}").request())
        waits.append(waited)
    four.clock.ms += 30 * 24 * 3_600_000
    assert await safe.begin(owner_id) == first
    four.clock.ms = start
    return waits


async def shown_again_after(four: LocalSafes, owner_id: OwnerId, first: OwnerRecord) -> int | None:
    """One of the waits there are, after which the first record is shown again; None: not within the day."""
    asked = four.clock.ms
    for wait in (0, *(60_000 << n for n in range(11)), 24 * 3_600_000):
        four.clock.ms = asked + wait
        if await four.safes[0].begin(owner_id) == first:
            four.clock.ms = asked + wait - 1
            assert not wait or await four.safes[0].begin(owner_id) != first
            four.clock.ms = asked + wait
            return wait
    four.clock.ms = asked
    return None


async def test_a_decoy_opens_for_no_pin(four: LocalSafes) -> None:
    """Not even for who carries the guess through at all safes."""
    guess = guess_at(await four.safes[0].begin(NOBODY), label="at nobody")
    output = await four.output(guess)
    for safe in four.safes:
        with pytest.raises(UnlockRefused):
            await safe.unlock(guess, output)


@pytest.mark.parametrize(
    ("field", "request_of"),
    [
        ("owner_id", lambda owner_id: pb.BeginUnlockRequest(owner_id=owner_id[:31])),
        ("record_id", lambda owner_id: pb.BeginUnlockRequest(owner_id=owner_id, record_id=b"short")),
        ("blinded_element", lambda owner_id: _evaluate(owner_id, bytes(32))),
        ("blinded_element", lambda owner_id: _evaluate(owner_id, b"\xff" * 32)),
        ("recipient_key", lambda owner_id: _unlock(owner_id, bytes(32))),
    ],
    ids=["an owner id cut short", "a record id cut short", "the identity", "no point", "a key of low order"],
)
async def test_what_cannot_be_read_is_refused_for_everybody(
    four: LocalSafes, field: str, request_of: Any
) -> None:
    """Before anybody is looked up: equal to the last byte."""
    refusals = {await four.safes[0].status_of(request_of(each)) for each in everybody(four).values()}
    assert len(refusals) == 1
    with pytest.raises(Malformed) as refused:
        await four.safes[0].ask(request_of(NOBODY))
    assert refused.value.field == field


def _evaluate(owner_id: OwnerId, element: bytes) -> pb.EvaluateRequest:
    return pb.EvaluateRequest(
        owner_id=owner_id, record_id=bytes(16), guess_id=bytes(16), blinded_element=element
    )


def _unlock(owner_id: OwnerId, recipient: bytes) -> pb.UnlockRequest:
    names = {"owner_id": owner_id, "record_id": bytes(16), "guess_id": bytes(16)}
    return pb.UnlockRequest(recipient_key=recipient, proof=bytes(32), **names)


async def test_the_log_tells_nobody_from_somebody(four: LocalSafes) -> None:
    """The same lines with the same sizes, and no name, key or share in any."""
    safe = four.safes[0]
    lines = {}
    for name, owner_id in everybody(four).items():
        before = len(safe.logged.entries)
        await answers(safe, owner_id, f"logged {name}")
        lines[name] = [
            {key: value for key, value in entry.items() if key != "ms"}
            for entry in safe.logged.entries[before:]
        ]
    assert lines["known"] == lines["locked"] == lines["nobody"]
    text = json.dumps(safe.logged.entries, default=repr)
    part = known(four).part(safe.safe_id)
    secrets = (part.unlock_share, part.oprf_share, part.unlock_tag, known(four).record.owner_key)
    for value in (*everybody(four).values(), *secrets):
        assert value.hex() not in text
        assert repr(bytes(value))[2:-1] not in text
