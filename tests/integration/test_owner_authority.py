"""Real safes take an authority's word for an owner's very guess, once, and the word of nobody else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
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
    login_of,
    opened,
    shown,
    status,
)
from support.owner_safes import LocalSafes, local_safes
from support.owners import PIN, WRONG_PIN, DealtOwner, Guess
from support.owners_at_real_safes import wallet_at
from support.sample_documents import draw, key
from threshold.hpke import KeyPair
from trust.ids import AuthorityKey, Hash, OwnerId
from trust.login import Login
from trust.owner_refusals import UnlockRefused
from wallet_client.operations.unlocking import unlock_owner
from wallet_client.owners.factors import Asserted, Factors
from wallet_client.owners.stretch import StretchedPin
from wallet_client.wallet import pinned_versions

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


def _for_login(**changes: Any) -> Evidence:
    """A word for a guess that differs in this."""

    def word(safes: LocalSafes, guess: Guess) -> dict[str, bytes]:
        return shown(asserted(safes, guess, login=replace(login_of(guess), **changes).hash()))

    return word


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
    "a word for another recipient key": _for_login(recipient_key=KeyPair(draw("thief", 32)).public),
    "a word for another guess": _for_login(guess_id=draw("another guess", 16)),
    "a word for another element": _for_login(element=draw("another element", 32)),
    "a word for another way": _for_login(way=AUTHORITY_AND_PIN),
    "a word for another version of the record": _for_login(record_id=draw("another record", 16)),
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


async def test_of_fifty_guesses_at_once_with_one_word_the_one_that_it_names_is_taken(
    three: LocalSafes, anna: DealtOwner
) -> None:
    """Also where others are sooner."""
    safe, first = three.safes[0], guess_by(anna, AUTHORITY_ALONE, "anna, fifty times")
    evidence = shown(asserted(three, first))

    def other(number: int) -> Guess:
        guess = guess_by(anna, AUTHORITY_ALONE, f"anna, time {number}")
        return replace(guess, recipient=first.recipient)

    guesses = [*(other(number) for number in range(49)), first]
    taken = await asyncio.gather(*(evaluated(safe, guess, evidence) for guess in guesses))
    assert taken == [False] * 49 + [True]


async def test_one_guess_shown_fifty_times_at_once_is_spent_once(three: LocalSafes) -> None:
    """Each call gets its answer, whoever was first."""
    owner, safe = await enrolled(three, "cleo", access(AUTHORITY_AND_PIN)), three.safes[0]
    guess = guess_by(owner, AUTHORITY_AND_PIN, "cleo")
    evidence = shown(asserted(three, guess))
    assert all(await asyncio.gather(*(evaluated(safe, guess, evidence) for _ in range(50))))
    assert (await status(safe, owner)).guesses_spent == 1


async def test_a_safe_that_outruns_the_wallet_with_what_it_was_shown_costs_no_login(
    three: LocalSafes, tmp_path: Path
) -> None:
    """Its own guess is not taken; the wallet's is, and counts at the safe that the wallet does not ask."""
    owner = await enrolled(three, "dan", access(AUTHORITY_AND_PIN))
    record = owner.records[AUTHORITY_AND_PIN]
    outcomes = []

    async def outrun(login: Login) -> Asserted:
        """At every safe, before the wallet says anything to any of them."""
        own = guess_by(owner, AUTHORITY_AND_PIN, "a lying safe", WRONG_PIN)
        word = asserted(three, own, login=login.hash())
        evidence = {**shown(word), "recipient_key": login.recipient_key}
        for safe in three.safes:
            with_the_same_id = replace(own, guess_id=login.guess_id)
            tries = [own.request(**evidence), with_the_same_id.request(**evidence), own.request(**evidence)]
            tries[-1].guess_id, tries[-1].blinded_element = login.guess_id, login.element
            answers = [await safe.ask(one) for one in tries]
            outcomes.append([answer.record_id == record.record_id for answer in answers])
        return Asserted(word.to_bytes(), described().to_bytes())

    async with wallet_at(tmp_path / "wallet", three) as wallet:
        factors = Factors(AUTHORITY_AND_PIN, StretchedPin(PIN), asserted=outrun)
        versions, owner_id = pinned_versions(wallet.store), record.owner_id
        unlocked = await unlock_owner(wallet.links, versions, owner_id, factors, wallet.rng)
    assert outcomes == [[False, False, True]] * 3
    assert (unlocked.secrets, unlocked.failed) == (owner.secrets, {})
    assert sorted([(await status(safe, owner)).guesses_spent for safe in three.safes]) == [0, 0, 1]


async def test_a_word_from_before_the_process_is_not_taken(three: LocalSafes, anna: DealtOwner) -> None:
    """It cannot know whether it took it already; the guess that it was taken for is repeated all the same."""
    safe, taken = three.safes[1], guess_by(anna, AUTHORITY_ALONE, "anna, before")
    other = guess_by(anna, AUTHORITY_ALONE, "anna, after")
    early = shown(asserted(three, other))
    assert await evaluated(safe, taken, shown(asserted(three, taken)))
    three.clock.ms += 1_000
    await safe.restart()
    assert await evaluated(safe, taken, {})
    assert not await evaluated(safe, other, early)


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
