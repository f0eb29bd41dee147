"""Whether a trigger runs: its occasion, its states with their figures, and its rests."""

from datetime import UTC, date, timedelta
from decimal import Decimal

import pytest

from wallet_client.triggers.judge import Event, findings_of, occasion_of
from wallet_client.triggers.reading import Away, Circumstances, Reading
from wallet_client.triggers.trigger import History, Trigger, new_trigger

NOW = 1_700_000_000
TODAY = date(2023, 11, 14)
FRESH = History()


def trigger(*when: str, start: str = "backup", made: int = NOW) -> Trigger:
    """With these conditions."""
    return new_trigger("t", when, start, policy="", now=made)


def seen(**facts: object) -> Circumstances:
    """What it is judged by."""
    return Circumstances(now=NOW, zone=UTC, **facts)  # type: ignore[arg-type]


def holds(phrase: str, **facts: object) -> bool:
    """Whether one state does."""
    (finding,) = findings_of(trigger(phrase), FRESH, seen(**facts))
    return finding.holds


LEVEL, MAINS, YES, NO, GONE = (
    Reading(holds=True, number=Decimal(50)),
    {"mains": Reading(holds=True)},
    Reading(holds=True),
    Reading(holds=False),
    Reading(absent="gone"),
)


@pytest.mark.parametrize(
    ("phrase", "facts", "expected"),
    [
        ("free capacity above 100 B", {"capacity": 1_000, "free": 101}, True),
        ("free capacity above 100 B", {"capacity": 1_000, "free": 100}, False),
        ("free capacity below 100 B", {"capacity": 1_000, "free": 99}, True),
        ("free capacity below 100 B", {"capacity": 1_000, "free": 100}, False),
        ("free capacity above 20%", {"capacity": 999, "free": 200}, True),
        ("free capacity above 20%", {"capacity": 1_001, "free": 200}, False),
        ("free capacity above 0 B", {"capacity": 0, "free": 0}, False),
        ("free capacity above 99%", {"capacity": None, "free": None}, True),
        ("free capacity below 99%", {"capacity": None, "free": None}, False),
        ("network available", {"readings": {"network": YES}}, True),
        ("network available", {"readings": {"network": NO}}, False),
        ("network available", {"readings": {"network": GONE}}, False),
        ("network available", {}, False),
        ("battery above 49%", {"readings": {"battery": LEVEL}}, True),
        ("battery above 50%", {"readings": {"battery": LEVEL}}, False),
        ("battery above 50%", {"readings": {"battery": LEVEL, **MAINS}}, False),
        ("battery above 50% or on mains", {"readings": {"battery": LEVEL, **MAINS}}, True),
        ("battery above 50% or on mains", {"readings": {"battery": GONE, **MAINS}}, True),
        ("battery above 49% or on mains", {"readings": {"battery": LEVEL, "mains": GONE}}, True),
        ("battery above 50% or on mains", {"readings": {"battery": GONE, "mains": NO}}, False),
        ("on mains", {"readings": MAINS}, True),
        ("sensor s", {"readings": {"s": YES}}, True),
        ("sensor s", {"readings": {"s": NO}}, False),
        ("sensor s above 49.5", {"readings": {"s": LEVEL}}, True),
        ("sensor s below 49.5", {"readings": {"s": LEVEL}}, False),
        ("sensor s below 50.5", {"readings": {"s": LEVEL}}, True),
        ("sensor s above 1", {"readings": {"s": YES}}, False),
    ],
)
def test_a_state_holds_by_its_figures(phrase: str, facts: dict[str, object], expected: bool) -> None:
    """Above and below are strict; what is absent never holds."""
    assert holds(phrase, **facts) is expected


@pytest.mark.parametrize(
    ("phrase", "readings", "said"),
    [
        ("network available", {"network": GONE}, "gone"),
        ("network available", {}, "was not asked"),
        ("battery above 50%", {"battery": GONE}, "gone"),
        ("battery above 50% or on mains", {"battery": GONE, "mains": GONE}, "gone"),
        ("sensor s above 1", {"s": YES}, "it gave no number"),
    ],
)
def test_an_absent_sensor_is_told(phrase: str, readings: dict[str, Reading], said: str) -> None:
    """With its reason, beside the phrase."""
    (finding,) = findings_of(trigger(phrase), FRESH, seen(readings=readings))
    assert (finding.is_absent, finding.holds) == (True, False)
    assert str(finding) == f"{phrase} ({said})"


def away(first: int, last: int | None = None, put_away: int = -10) -> Away:
    """A receipt by days from today."""
    days = [TODAY + timedelta(days=one) for one in (first, put_away)]
    return Away("r-1", days[0], None if last is None else TODAY + timedelta(days=last), days[1])


@pytest.mark.parametrize(
    ("receipt", "expected"),
    [
        pytest.param(away(1), True, id="usable from tomorrow: recover today"),
        pytest.param(away(0), True, id="usable from today"),
        pytest.param(away(-2), True, id="became usable while the machine slept"),
        pytest.param(away(2), False, id="usable from the day after tomorrow"),
        pytest.param(away(-4), False, id="was usable before the trigger was made"),
        pytest.param(away(-2, -1), False, id="is over"),
        pytest.param(away(-2, 0), True, id="ends today"),
        pytest.param(away(-1, None, 0), False, id="was put away once it was usable"),
        pytest.param(away(0, None, 0), True, id="was put away on its first day"),
    ],
)
def test_validity_approaches(receipt: Away, expected: bool) -> None:
    """For one day, by a trigger that was made three days ago."""
    made = trigger("validity approaching 1 day", start="recover usable", made=NOW - 3 * 86_400)
    (finding,) = findings_of(made, FRESH, seen(away=(receipt,)))
    assert finding.holds is expected
    (again,) = findings_of(made, History(brought_back=("r-1",)), seen(away=(receipt,)))
    assert not again.holds


@pytest.mark.parametrize(
    ("phrase", "event", "expected"),
    [
        ("every day", "clock", True),
        ("every day", "request", False),
        ("every day", "shortage", False),
        ("on request", "clock", False),
        ("on request", "request", True),
        ("on request", "shortage", False),
        ("on shortage", "clock", False),
        ("on shortage", "request", False),
        ("on shortage", "shortage", True),
        ("on mains", "clock", True),
        ("on mains", "shortage", False),
    ],
)
def test_each_trigger_has_its_occasion(phrase: str, event: Event, expected: bool) -> None:
    """One without an occasion of its own is looked at whenever time passes."""
    one = trigger(phrase, start="backup and delete")
    assert occasion_of(one, FRESH, event, NOW, UTC).has_come is expected


def test_occasions_are_named() -> None:
    """For the report of a run."""
    assert occasion_of(trigger("every day", "at 02:00"), FRESH, "clock", NOW, UTC).why == (
        "every 1 day and at 02:00"
    )


def test_a_failed_run_is_tried_again_less_and_less_often() -> None:
    """After 1, 2, 4, ... minutes and at last every hour; a run that was killed counts as one that failed."""
    one, history, now = trigger("every 5 minutes"), FRESH, NOW
    pauses = []
    for _ in range(9):
        assert occasion_of(one, history, "clock", now, UTC).has_come
        history = history.begun(now)
        resting = occasion_of(one, history, "clock", now, UTC)
        assert not resting.has_come
        assert resting.next_at is not None
        assert not occasion_of(one, history, "clock", resting.next_at - 1, UTC).has_come
        pauses.append(resting.next_at - now)
        now = resting.next_at
    assert pauses == [60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]
    assert occasion_of(one, history.begun(now).served("done"), "clock", now + 300, UTC).has_come


def test_a_clock_set_back_ends_every_rest() -> None:
    """Else it might be years until the next try."""
    one = trigger("on mains")
    for history in (FRESH.begun(NOW), FRESH.begun(NOW).served("done")):
        assert not occasion_of(one, history, "clock", NOW + 59, UTC).has_come
        assert occasion_of(one, history, "clock", NOW - 1, UTC).has_come


def test_a_request_does_not_wait_for_a_rest() -> None:
    """Whoever asks wants it now."""
    assert occasion_of(trigger("on request"), FRESH.begun(NOW), "request", NOW, UTC).has_come


def test_a_history_counts_what_was_not_finished() -> None:
    """Begun is written before, served after; the moment noted is that of the start."""
    history = FRESH.begun(NOW).begun(NOW + 60).failed("no")
    assert (history.served_at, history.begun_at, history.attempts, history.outcome) == (
        None,
        NOW + 60,
        2,
        "no",
    )
    assert history.served("yes", ["r-1", "r-1"]) == History(
        served_at=NOW + 60, outcome="yes", brought_back=("r-1",)
    )
