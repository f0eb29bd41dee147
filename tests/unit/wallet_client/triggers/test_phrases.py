"""What may be said in a trigger, how it prints, and what is refused with a reason."""

import random
from decimal import Decimal

import pytest

from wallet_client.triggers.errors import TriggerInvalid
from wallet_client.triggers.parse import read_start, read_when
from wallet_client.triggers.phrases import (
    At,
    BatteryAbove,
    Every,
    FreeCapacity,
    NetworkAvailable,
    OnMains,
    OnRequest,
    OnShortage,
    RecoverSuspended,
    RecoverUsable,
    SensorHolds,
    StartBackup,
    ValidityApproaching,
)
from wallet_client.triggers.trigger import new_trigger

WHEN = {
    "every day": Every(86_400),
    "every 12 hours": Every(43_200),
    "every 90m": Every(5_400),
    "every 2 weeks": Every(1_209_600),
    "at 02:00": At(2, 0),
    "at 6:30": At(6, 30),
    "on shortage": OnShortage(),
    "On   Request": OnRequest(),
    "validity approaching 1 day": ValidityApproaching(1),
    "validity approaching week": ValidityApproaching(7),
    "free capacity above 64 KiB": FreeCapacity("above", 65_536, is_percent=False),
    "free capacity above 1.5MiB": FreeCapacity("above", 1_572_864, is_percent=False),
    "free capacity above 100": FreeCapacity("above", 100, is_percent=False),
    "free capacity above 0 bytes": FreeCapacity("above", 0, is_percent=False),
    "free capacity below 20%": FreeCapacity("below", 20, is_percent=True),
    "network available": NetworkAvailable(),
    "battery above 50%": BatteryAbove(50, or_mains=False),
    "battery above 50 % or mains": BatteryAbove(50, or_mains=True),
    "battery above 50% or on mains": BatteryAbove(50, or_mains=True),
    "on mains": OnMains(),
    "sensor home-wifi": SensorHolds("home-wifi"),
    "sensor signal above -70.5": SensorHolds("signal", "above", Decimal("-70.5")),
    "sensor load below 2": SensorHolds("load", "below", Decimal(2)),
}
START = {
    "backup": StartBackup(delete=False),
    "backup and delete": StartBackup(delete=True),
    "recover usable within 2 days": RecoverUsable(2),
    "recover suspended": RecoverSuspended(),
}


@pytest.mark.parametrize(("text", "phrase"), WHEN.items())
def test_a_condition_is_read_and_prints_as_it_reads_back(text: str, phrase: object) -> None:
    """One canonical form for each."""
    assert read_when(text) == phrase
    assert read_when(str(phrase)) == phrase


@pytest.mark.parametrize(("text", "phrase"), START.items())
def test_a_start_is_read_and_prints_as_it_reads_back(text: str, phrase: object) -> None:
    """One canonical form for each."""
    assert read_start(text) == phrase
    assert read_start(str(phrase)) == phrase


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "every PERIOD", id="nothing"),
        pytest.param("sometimes", "on shortage", id="no phrase"),
        pytest.param("every", "every PERIOD", id="a period that is missing"),
        pytest.param("every moon", "period of 1 minute", id="a period that is none"),
        pytest.param("every 0 days", "1 minute to 366 days", id="a period of nothing"),
        pytest.param("every 367 days", "1 minute to 366 days", id="a period over a year"),
        pytest.param("every 1.5 days", "period", id="half a day, which is 36 hours"),
        pytest.param("every -1 day", "period", id="a period backwards"),
        pytest.param("every ١ day", "period", id="digits that are not ours"),
        pytest.param("at 24:00", "23:59", id="an hour that no day has"),
        pytest.param("at 12:60", "23:59", id="a minute that no hour has"),
        pytest.param("at noon", "at HH:MM", id="a time in words"),
        pytest.param("validity approaching 12 hours", "counted in days", id="validity in hours"),
        pytest.param("validity approaching soon", "counted in days", id="validity in no time at all"),
        pytest.param("free capacity above half", "size such as", id="a level that is none"),
        pytest.param("free capacity above 101%", "0% to 100%", id="more than all of it"),
        pytest.param("free capacity above ٥%", "0% to 100%", id="a percentage in other digits"),
        pytest.param("free capacity above 0.3 B", "size such as", id="part of a byte"),
        pytest.param("battery above 120%", "0% to 100%", id="an overfull battery"),
        pytest.param("battery above half%", "0% to 100%", id="a battery in words"),
        pytest.param("sensor", "sensor NAME", id="a sensor without name"),
        pytest.param("sensor Wifi!", "sensor NAME", id="a name that is none"),
        pytest.param("sensor wifi above", "sensor NAME", id="a bound that is missing"),
        pytest.param("sensor wifi above 1e9", "sensor NAME", id="a bound with an exponent"),
        pytest.param("x" * 201, "200 characters", id="more than a phrase"),
    ],
)
def test_what_is_no_condition_is_refused_with_what_may_stand_there(text: str, said: str) -> None:
    """The reason names the choices, or the range."""
    with pytest.raises(TriggerInvalid) as refused:
        read_when(text)
    assert said in str(refused.value)
    assert "docs/TRIGGERS.md" in refused.value.hint


@pytest.mark.parametrize(
    "text", ["", "restore", "backup everything", "recover", "recover usable", "recover usable within 1 hour"]
)
def test_what_is_no_start_is_refused(text: str) -> None:
    """With what may stand there."""
    with pytest.raises(TriggerInvalid):
        read_start(text)


@pytest.mark.parametrize(
    ("when", "start", "said"),
    [
        pytest.param([], "backup", "1 to 10 times", id="nothing to wait for"),
        pytest.param(["on mains"] * 11, "backup", "1 to 10 times", id="too much to wait for"),
        pytest.param(["every day", "every 2 days"], "backup", "twice", id="two periods"),
        pytest.param(["at 02:00", "at 14:00"], "backup", "twice", id="two times of day"),
        pytest.param(["every day", "on request"], "backup", "of its own", id="a schedule and a request"),
        pytest.param(
            ["at 02:00", "on shortage"], "backup and delete", "of its own", id="a schedule and a shortage"
        ),
        pytest.param(
            ["on request", "on shortage"], "backup and delete", "of its own", id="a request and a shortage"
        ),
        pytest.param(["on shortage"], "backup", "and delete", id="a shortage that makes no room"),
        pytest.param(["on shortage"], "recover suspended", "and delete", id="a shortage that takes room"),
        pytest.param(["validity approaching 1 day"], "backup", "usable within", id="validity and a backup"),
        pytest.param(["every day"], "recover usable", "is none of", id="usable within nobody knows when"),
    ],
)
def test_what_does_not_go_together_is_refused(when: list[str], start: str, said: str) -> None:
    """When the trigger is made, not when it would run."""
    with pytest.raises(TriggerInvalid) as refused:
        new_trigger("t", when, start, policy="", now=0)
    assert said in str(refused.value)


@pytest.mark.parametrize("name", ["", "-x", "Nightly", "a b", "ä", "x" * 65, "a\n"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    """1 to 64 of a-z, 0-9 and -."""
    with pytest.raises(TriggerInvalid):
        new_trigger(name, ["every day"], "backup", policy="", now=0)


def test_a_policy_goes_with_a_backup_alone() -> None:
    """What is recovered has its policy already."""
    assert new_trigger("t", ["every day"], "backup", policy="apart", now=0).policy == "apart"
    with pytest.raises(TriggerInvalid):
        new_trigger("t", ["every day"], "recover suspended", policy="apart", now=0)


def test_what_becomes_usable_need_not_be_said_twice() -> None:
    """The days of the condition are those of the recovery."""
    made = new_trigger("t", ["validity approaching 3 days"], "recover usable", policy="", now=0)
    assert made.start == "recover usable within 3 days"


def test_no_text_is_too_strange_to_be_refused() -> None:
    """Seeded: pieces of phrases in any order are read or refused, and nothing else happens."""
    rng = random.Random(20)
    pieces = [*" ".join(WHEN).split(), "%", "٣", "\0", "\ud800", "9" * 30, ":", "", "é"]
    for _ in range(3_000):
        text = " ".join(rng.choices(pieces, k=rng.randrange(1, 6)))
        try:
            phrase = read_when(text)
        except TriggerInvalid:
            continue
        assert read_when(str(phrase)) == phrase
