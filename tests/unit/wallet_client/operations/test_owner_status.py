"""What the wallet makes of what the safes say of an owner's recoveries that wait."""

import pytest

from support.sample_documents import NOW, draw
from trust.ids import RecordId
from wallet_client.operations.owner_status import OwnerView, SafesView, Waiting

RELEASED_AT_MS = NOW * 1_000


def view_at(now_ms: int, *by_safe: int) -> OwnerView:
    """Safes that all tell of one recovery; each releases at a time of its own."""
    safes = {
        f"safe-{number}": SafesView(
            record_id=RecordId(draw("record", 16)),
            staged=RecordId(b""),
            old=0,
            guesses_allowed=10,
            guesses_spent=0,
            next_guess_at_ms=0,
            items=0,
            size_bytes=0,
            waiting=(Waiting(draw("recipient", 32), ("pin",), at_ms - 60_000, at_ms),),
        )
        for number, at_ms in enumerate(by_safe, 1)
    }
    return OwnerView("anna", safes, 3, now_ms)


@pytest.mark.parametrize(
    ("now_ms", "over"),
    [
        pytest.param(RELEASED_AT_MS - 1, False, id="a moment before the last safe releases it"),
        pytest.param(RELEASED_AT_MS, True, id="when the last safe does"),
    ],
)
def test_a_wait_is_over_when_it_is_at_every_safe(now_ms: int, *, over: bool) -> None:
    """By the clock of each; the wallet compares with its own."""
    view = view_at(now_ms, RELEASED_AT_MS - 5_000, RELEASED_AT_MS, RELEASED_AT_MS - 2_000)
    (one,) = view.waiting.values()
    assert view.may_go_on(one) is over
