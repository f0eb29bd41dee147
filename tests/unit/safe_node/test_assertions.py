"""Whatever is wrong with an assertion, a safe says the one thing it says of a wrong PIN too."""

import asyncio
from typing import Any

import pytest

from safe_node.decisions.assertions import admit_assertion
from support.sample_authority import (
    ASSERTION,
    DESCRIPTION,
    OLD_SIGNING,
    SHOWN,
    SIGNED_ASSERTION,
    asserted,
    shown,
)
from support.sample_documents import NOW, key
from trust.assertion import AssertionMemory, Presentation
from trust.errors import TrustError
from trust.owner_refusals import UnlockRefused

BODY = SIGNED_ASSERTION.to_bytes()


def admit(
    body: bytes = BODY,
    call: Presentation = SHOWN,
    needed: Any = frozenset(),
    memory: AssertionMemory | None = None,
    now: int = NOW,
) -> Any:
    return admit_assertion(body, DESCRIPTION, call, frozenset(needed), memory or AssertionMemory(NOW), now)


def test_what_holds_is_taken() -> None:
    assert admit(needed={"password", "device"}) == ASSERTION


REFUSED: dict[str, dict[str, Any]] = {
    "no document": {"body": b"\x00"},
    "for other safes": {"call": shown(safe_id=bytes(16))},
    "expired": {"now": NOW + 300},
    "signed by a retired key": {"body": asserted(OLD_SIGNING).to_bytes(), "now": NOW + 900},
    "signed by a stranger": {"body": asserted(key("nobody's")).to_bytes()},
    "by fewer methods than the owner asks for": {"needed": {"device-verified"}},
    "older than the process": {"memory": AssertionMemory(NOW + 1)},
}


@pytest.mark.parametrize("what", REFUSED.values(), ids=REFUSED)
def test_what_does_not_hold_is_refused_in_one_way(what: dict[str, Any]) -> None:
    """The cause is there for the log, and nothing of it in the refusal."""
    with pytest.raises(UnlockRefused) as caught:
        admit(**what)
    assert str(caught.value) == str(UnlockRefused())
    assert isinstance(caught.value.__cause__, TrustError)


def test_what_is_refused_uses_nothing_up() -> None:
    memory = AssertionMemory(NOW)
    with pytest.raises(UnlockRefused):
        admit(needed={"device-verified"}, memory=memory)
    assert admit(memory=memory)


async def test_one_of_fifty_calls_at_once_gets_through() -> None:
    memory = AssertionMemory(NOW)

    async def show() -> bool:
        await asyncio.sleep(0)
        try:
            admit(memory=memory)
        except UnlockRefused:
            return False
        return True

    assert sum(await asyncio.gather(*(show() for _ in range(50)))) == 1
