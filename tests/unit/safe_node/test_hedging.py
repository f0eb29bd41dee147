"""Whom a gateway asks in whose place, and when it has enough."""

import pytest

from safe_node.decisions.hedging import Hedging, begin
from trust.ids import SafeId

A, B, C, D, E = (SafeId(bytes([number] * 16)) for number in range(1, 6))


def started() -> Hedging:
    """Three first, two spare."""
    return begin([A, B, C], [D, E])


def test_those_that_are_not_spare_are_asked_at_once() -> None:
    assert started().running == {A, B, C}
    assert not started().is_over


def test_it_is_over_when_all_of_them_gave_everything_and_no_spare_was_asked() -> None:
    done = started().gave_all(A).gave_all(B).gave_all(C)
    assert done.is_over
    assert done.spares == (D, E)


@pytest.mark.parametrize(
    ("hedging", "running", "spares"),
    [
        pytest.param(started().failed(B), {A, C, D}, (E,), id="one fails: the first spare"),
        pytest.param(started().failed(B).failed(D), {A, C, E}, (), id="its spare fails too: the next"),
        pytest.param(
            started().failed(B).failed(D).failed(E), {A, C}, (), id="no spare is left: the others go on"
        ),
        pytest.param(started().is_slow(B), {A, B, C, D}, (E,), id="one is slow: it goes on beside its spare"),
        pytest.param(
            started().is_slow(B).is_slow(B), {A, B, C, D}, (E,), id="it stays slow: one spare is enough"
        ),
        pytest.param(
            started().is_slow(B).failed(B),
            {A, C, D},
            (E,),
            id="it fails after that: its spare is there already",
        ),
        pytest.param(
            started().is_slow(B).is_slow(D), {A, B, C, D, E}, (), id="its spare is slow as well: the next"
        ),
        pytest.param(started().gave_all(B).is_slow(B), {A, C}, (D, E), id="who is done is not slow"),
    ],
)
def test_a_spare_is_asked_in_the_place_of_who_fails_or_is_slow(
    hedging: Hedging, running: set[SafeId], spares: tuple[SafeId, ...]
) -> None:
    """In their order, each once."""
    assert (set(hedging.running), hedging.spares) == (running, spares)


def test_the_first_who_are_done_count() -> None:
    """The slow one is waited for no longer than until its spare is done."""
    hedging = started().is_slow(B).gave_all(A).gave_all(C)
    assert not hedging.is_over
    assert hedging.gave_all(D).is_over
    assert hedging.gave_all(D).running == {B}


def test_it_is_over_when_nobody_is_left() -> None:
    """Whatever they gave."""
    assert begin([A], []).failed(A).is_over
    assert begin([A, B], []).failed(A).gave_all(B).is_over
    assert begin([], [A]).is_over
