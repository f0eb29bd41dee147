"""An assertion holds for one owner, call and safe, and is taken once, whoever shows it how often."""

from typing import Any

import pytest

from safe_node.decisions.assertions import admit_assertion
from safe_node.decisions.factor_memory import FactorMemory
from safe_node.owners import Proven
from support.sample_authority import (
    ASSERTION,
    DESCRIPTION,
    OLD_SIGNING,
    SHOWN,
    SIGNED_ASSERTION,
    SIGNED_DESCRIPTION,
    asserted,
    described,
    shown,
)
from support.sample_documents import NOW, draw, key
from trust.assertion import Presentation
from trust.errors import TrustError
from trust.ids import AuthorityKey, GuessId

BODY = SIGNED_ASSERTION.to_bytes()
AUTHORITY = SIGNED_DESCRIPTION.to_bytes()
GUESS, OTHER_GUESS = GuessId(draw("guess", 16)), GuessId(draw("other guess", 16))


def admit(
    body: bytes = BODY, authority: bytes = AUTHORITY, call: Presentation = SHOWN, now: int = NOW
) -> Any:
    return admit_assertion(body, authority, call, now)


def test_what_holds_is_told_with_whose_word_it_is() -> None:
    assert admit() == (ASSERTION, DESCRIPTION)


REFUSED: dict[str, dict[str, Any]] = {
    "no document": {"body": b"\x00"},
    "no description": {"authority": b""},
    "another authority than the owner's": {"call": shown(authority=AuthorityKey(key("other").public))},
    "no authority in the owner's policy": {"call": shown(authority=AuthorityKey(b""))},
    "for other safes": {"call": shown(safe_id=bytes(16))},
    "expired": {"now": NOW + 300},
    "signed by a retired key": {"body": asserted(OLD_SIGNING).to_bytes(), "now": NOW + 900},
    "signed by a stranger": {"body": asserted(key("nobody's")).to_bytes()},
}


@pytest.mark.parametrize("what", REFUSED.values(), ids=REFUSED)
def test_what_does_not_hold_is_refused(what: dict[str, Any]) -> None:
    with pytest.raises(TrustError):
        admit(**what)


def proven(version: int = 2) -> Proven:
    return Proven(b"", None, None, ASSERTION, version)


def test_an_assertion_is_taken_for_one_guess() -> None:
    """For which it may be taken again: a write that fails is done once more."""
    memory = FactorMemory(NOW * 1_000)
    assert memory.take(proven(), GUESS, NOW * 1_000)
    assert not memory.take(proven(), OTHER_GUESS, NOW * 1_000)
    assert memory.take(proven(), GUESS, NOW * 1_000)


def test_an_assertion_older_than_the_process_is_not_taken() -> None:
    """To the millisecond at which it began, rounded up to what an assertion can say."""
    assert not FactorMemory(NOW * 1_000 + 1).take(proven(), GUESS, NOW * 1_000 + 1)


def test_an_older_description_than_one_that_was_seen_is_not_believed() -> None:
    """It may name a key that was stolen since, and left out of the newer one."""
    memory = FactorMemory(NOW * 1_000)
    assert memory.take(proven(3), GUESS, NOW * 1_000)
    assert not memory.take(proven(2), GUESS, NOW * 1_000)
    assert described(version=1).description != SIGNED_DESCRIPTION.description
