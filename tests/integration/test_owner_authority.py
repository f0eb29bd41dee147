"""Real safes take an authority's word for an owner, once, and the word of nobody else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from support.factors import (
    AUTHORITY_ALONE,
    AUTHORITY_AND_PIN,
    IDENTITY,
    RETIRED,
    access,
    asserted,
    described,
    enrolled,
    evaluated,
    guess_by,
    opened,
    shown,
    status,
)
from support.owner_safes import LocalSafes, local_safes
from support.owners import WRONG_PIN, DealtOwner, Guess
from support.sample_documents import draw, key
from threshold.hpke import KeyPair
from trust.ids import AuthorityKey, Hash, OwnerId
from trust.owner_refusals import UnlockRefused

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def three(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalSafes]:
    """Three safes, of which two open a record; each test enrols an owner of its own."""
    async with local_safes(tmp_path_factory.mktemp("three"), 3, 2) as safes:
        yield safes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def anna(three: LocalSafes) -> DealtOwner:
    """An owner whose record the authority's word opens."""
    return await enrolled(three, "anna", access(AUTHORITY_ALONE))


async def test_the_authoritys_word_opens_the_record(three: LocalSafes, anna: DealtOwner) -> None:
    """One assertion for all safes."""
    guess = guess_by(anna, AUTHORITY_ALONE, "anna")
    assert await opened(three, guess, shown(asserted(three, guess))) == anna.secrets


async def test_with_a_pin_guesses_are_counted(three: LocalSafes) -> None:
    """Only of who brings the authority's word."""
    owner, safe = await enrolled(three, "ben", access(AUTHORITY_AND_PIN)), three.safes[0]
    without = guess_by(owner, AUTHORITY_AND_PIN, "ben, without a word", WRONG_PIN)
    assert not await evaluated(safe, without, {})
    assert (await status(safe, owner)).guesses_spent == 0
    wrong = guess_by(owner, AUTHORITY_AND_PIN, "ben, wrong", WRONG_PIN)
    with pytest.raises(UnlockRefused):
        await opened(three, wrong, shown(asserted(three, wrong)))
    assert (await status(safe, owner)).guesses_spent == 1
    right = guess_by(owner, AUTHORITY_AND_PIN, "ben, right")
    assert await opened(three, right, shown(asserted(three, right))) == owner.secrets


Evidence = Callable[[LocalSafes, Guess], dict[str, bytes]]


def _with(**changes: Any) -> Evidence:
    return lambda safes, guess: shown(asserted(safes, guess, **changes))


def _expired(safes: LocalSafes, guess: Guess) -> dict[str, bytes]:
    evidence = shown(asserted(safes, guess))
    safes.clock.ms += 300_000
    return evidence


def _for_others(safes: LocalSafes, guess: Guess) -> dict[str, bytes]:
    audience = tuple(sorted(safe.safe_id for safe in safes.safes[1:]))
    return shown(asserted(safes, guess, audience=audience))


def _another_authority(safes: LocalSafes, guess: Guess) -> dict[str, bytes]:
    other = key("another authority")
    word = asserted(safes, guess, authority=AuthorityKey(other.public))
    return shown(word, described(identity=other))


def _described_by_another(safes: LocalSafes, guess: Guess) -> dict[str, bytes]:
    return shown(asserted(safes, guess), described(identity=key("another authority")))


def _no_description(safes: LocalSafes, guess: Guess) -> dict[str, bytes]:
    return shown(asserted(safes, guess)) | {"authority": b""}


NOT_TAKEN: dict[str, Evidence] = {
    "nothing": lambda safes, guess: {},
    "no document": lambda safes, guess: shown(asserted(safes, guess)) | {"assertion": b"\xc1"},
    "no description": _no_description,
    "a word for other safes": _for_others,
    "a word for another owner": _with(owner_id=OwnerId(draw("another owner", 32))),
    "a word for another roster": _with(genesis=Hash(draw("another roster", 32))),
    "a word for another recipient key": _with(recipient_key=KeyPair(draw("thief", 32)).public),
    "a word that has expired": _expired,
    "a word by a retired key": _with(signer=RETIRED),
    "a word by the identity key, which signs descriptions alone": _with(signer=IDENTITY),
    "another authority's word": _another_authority,
    "another authority's description": _described_by_another,
}


@pytest.mark.parametrize("show", NOT_TAKEN.values(), ids=NOT_TAKEN)
async def test_nothing_is_evaluated_for(three: LocalSafes, anna: DealtOwner, show: Evidence) -> None:
    """And the same guess is taken with a word that holds: what is refused uses nothing up."""
    safe, guess = three.safes[0], guess_by(anna, AUTHORITY_ALONE, f"anna {id(show)}")
    assert not await evaluated(safe, guess, show(three, guess))
    assert await evaluated(safe, guess, shown(asserted(three, guess)))


async def test_of_fifty_guesses_at_once_with_one_word_one_is_taken(
    three: LocalSafes, anna: DealtOwner
) -> None:
    safe, first = three.safes[0], guess_by(anna, AUTHORITY_ALONE, "anna, fifty times")
    evidence = shown(asserted(three, first))

    async def show(number: int) -> bool:
        other = guess_by(anna, AUTHORITY_ALONE, f"anna, time {number}")
        return await evaluated(safe, replace(other, recipient=first.recipient), evidence)

    assert sum(await asyncio.gather(*(show(number) for number in range(50)))) == 1


async def test_a_word_from_before_the_process_is_not_taken(three: LocalSafes, anna: DealtOwner) -> None:
    """It cannot know whether it took it already; the guess that it was taken for is repeated all the same."""
    safe, taken = three.safes[1], guess_by(anna, AUTHORITY_ALONE, "anna, before")
    evidence = shown(asserted(three, taken))
    assert await evaluated(safe, taken, evidence)
    three.clock.ms += 1_000
    await safe.restart()
    assert await evaluated(safe, taken, {})
    other = replace(guess_by(anna, AUTHORITY_ALONE, "anna, after"), recipient=taken.recipient)
    assert not await evaluated(safe, other, evidence)


async def test_a_part_goes_to_no_other_recipient_than_the_word_names(
    three: LocalSafes, anna: DealtOwner
) -> None:
    """Though the proof of the PIN is right."""
    guess = guess_by(anna, AUTHORITY_ALONE, "anna, for herself")
    evidence, asked = shown(asserted(three, guess)), three.safes[:2]
    output = guess.output(
        [guess.check(one.safe_id, await one.ask(guess.request(**evidence))) for one in asked]
    )
    with pytest.raises(UnlockRefused):
        await asked[0].unlock(replace(guess, recipient=KeyPair(draw("thief", 32))), output)


async def test_an_old_description_is_not_believed_once_a_newer_was_seen(
    three: LocalSafes, anna: DealtOwner
) -> None:
    """It may name a key that was stolen since."""
    safe, new, old = three.safes[2], *(guess_by(anna, AUTHORITY_ALONE, f"anna, {n}") for n in ("new", "old"))
    assert await evaluated(safe, new, shown(asserted(three, new), described(version=3)))
    assert not await evaluated(safe, old, shown(asserted(three, old), described(version=2)))
