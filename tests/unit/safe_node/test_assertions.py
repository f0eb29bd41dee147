"""An assertion holds for one guess and safe; that it is taken once, factor_memory sees to."""

from dataclasses import replace
from typing import Any

import pytest

from safe_node.decisions.assertions import admit_assertion
from support.sample_authority import (
    ASSERTION,
    DESCRIPTION,
    LOGIN,
    OLD_SIGNING,
    SHOWN,
    SIGNED_ASSERTION,
    SIGNED_DESCRIPTION,
    asserted,
    shown,
)
from support.sample_documents import NOW, key
from trust.assertion import Presentation
from trust.errors import TrustError
from trust.ids import AuthorityKey, GuessId

BODY = SIGNED_ASSERTION.to_bytes()
AUTHORITY = SIGNED_DESCRIPTION.to_bytes()


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
    "for another guess": {"call": shown(login=replace(LOGIN, guess_id=GuessId(bytes(16))))},
    "expired": {"now": NOW + 300},
    "signed by a retired key": {"body": asserted(OLD_SIGNING).to_bytes(), "now": NOW + 900},
    "signed by a stranger": {"body": asserted(key("nobody's")).to_bytes()},
}


@pytest.mark.parametrize("what", REFUSED.values(), ids=REFUSED)
def test_what_does_not_hold_is_refused(what: dict[str, Any]) -> None:
    with pytest.raises(TrustError):
        admit(**what)
