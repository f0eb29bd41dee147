"""Whether a trigger runs now, and if not, what it waits for and until when.

Two questions, so that sensors are asked only where the answer matters: has its occasion come, and does
every state hold? A trigger without an occasion runs whenever its states hold and there is something to do.
A run that failed is tried again after a minute, then two, then four, and at last once an hour; one without
a schedule rests a minute between runs.
"""

from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from wallet_client.triggers.phrases import (
    BatteryAbove,
    Direction,
    FreeCapacity,
    NetworkAvailable,
    OnMains,
    Phrase,
    SensorHolds,
    ValidityApproaching,
)
from wallet_client.triggers.reading import Circumstances, Reading, approaching
from wallet_client.triggers.schedule import Schedule, local_day
from wallet_client.triggers.trigger import History, Rules, Trigger
from wallet_client.triggers.units import size_text

Event: TypeAlias = Literal["clock", "request", "shortage"]
"""Why triggers are looked at: time passed, somebody asked for one, or room is short."""

REST_SECONDS: Final = 60
RETRY_MAX_SECONDS: Final = 3_600


@dataclass(frozen=True, slots=True)
class Occasion:
    """Whether a trigger's moment has come.

    Args:
        has_come: It has.
        why: Which it was, or what is waited for.
        next_at: When to look again, whole seconds since 1970-01-01 UTC; None: time alone will not do.
    """

    has_come: bool
    why: str
    next_at: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """How one state stands.

    Args:
        phrase: As it is written.
        holds: It does.
        detail: By which figures.
        is_absent: A sensor that it asks said nothing.
    """

    phrase: str
    holds: bool
    detail: str = ""
    is_absent: bool = False

    def __str__(self) -> str:
        """The phrase with its figures."""
        return f"{self.phrase} ({self.detail})" if self.detail else self.phrase


def occasion_of(trigger: Trigger, history: History, event: Event, now: int, zone: tzinfo | None) -> Occasion:
    """Whether a trigger's moment has come.

    Args:
        event: Why it is looked at; for a request, that it is this one that was asked for.
        now: Whole seconds since 1970-01-01 UTC.
        zone: Whose local time is meant; None for this machine's.
    """
    rules = trigger.read()
    if rules.on_request or rules.on_shortage:
        wanted = "request" if rules.on_request else "shortage"
        return Occasion(event == wanted, f"on {wanted}")
    if event != "clock":
        return Occasion(False, "by itself")
    rest = _rest(rules, history, now)
    if rest is not None:
        return rest
    if rules.every is None and rules.at is None:
        return Occasion(True, "whenever its conditions hold")
    schedule = Schedule(rules.every, rules.at, trigger.made_at, zone)
    why = " and ".join(str(one) for one in (rules.every, rules.at) if one is not None)
    if schedule.is_pending(history.served_at, now):
        return Occasion(True, why)
    return Occasion(False, why, schedule.next_after(history.served_at, now))


def _rest(rules: Rules, history: History, now: int) -> Occasion | None:
    """A pause after a failure, or between runs that no schedule spaces; a clock set back ends it."""
    if history.begun_at is not None:
        seconds = min(REST_SECONDS * 2 ** min(history.attempts - 1, 10), RETRY_MAX_SECONDS)
        again, why = history.begun_at + seconds, "after a run that failed or was interrupted"
        is_resting = history.begun_at <= now < again
    elif history.served_at is not None and rules.every is None and rules.at is None:
        again, why = history.served_at + REST_SECONDS, "a minute after its last run"
        is_resting = history.served_at <= now < again
    else:
        return None
    return Occasion(False, why, again) if is_resting else None


def findings_of(trigger: Trigger, history: History, seen: Circumstances) -> tuple[Finding, ...]:
    """How every state of a trigger stands."""
    states = (_finding(phrase, trigger, history, seen) for phrase in trigger.read().when)
    return tuple(one for one in states if one is not None)


def _finding(phrase: Phrase, trigger: Trigger, history: History, seen: Circumstances) -> Finding | None:
    match phrase:
        case ValidityApproaching(days=days):
            since = local_day(trigger.made_at, seen.zone)
            near = approaching(
                seen.away, today=seen.today, days=days, since=since, brought_back=history.brought_back
            )
            return Finding(str(phrase), bool(near), f"{len(near)} of {len(seen.away)} away")
        case FreeCapacity():
            return _capacity(phrase, seen)
        case NetworkAvailable():
            return _yes_or_no(phrase, seen.read("network"))
        case OnMains():
            return _yes_or_no(phrase, seen.read("mains"))
        case BatteryAbove():
            return _battery(phrase, seen)
        case SensorHolds():
            return _sensor(phrase, seen.read(phrase.name))
        case _:
            return None


def _capacity(phrase: FreeCapacity, seen: Circumstances) -> Finding:
    if seen.free is None or seen.capacity is None:
        return Finding(str(phrase), phrase.direction == "above", "the wallet has no limit")
    scale, level = (100, seen.capacity * phrase.level) if phrase.is_percent else (1, phrase.level)
    holds = seen.free * scale > level if phrase.direction == "above" else seen.free * scale < level
    return Finding(str(phrase), holds, f"{size_text(seen.free)} of {size_text(seen.capacity)} are free")


def _yes_or_no(phrase: Phrase, reading: Reading) -> Finding:
    if reading.absent:
        return Finding(str(phrase), False, reading.absent, is_absent=True)
    return Finding(str(phrase), reading.holds, "yes" if reading.holds else "no")


def _compared(phrase: Phrase, reading: Reading, direction: Direction, bound: Decimal) -> Finding:
    if reading.absent or reading.number is None:
        return Finding(str(phrase), False, reading.absent or "it gave no number", is_absent=True)
    holds = reading.number > bound if direction == "above" else reading.number < bound
    return Finding(str(phrase), holds, f"it is {reading.number}")


def _sensor(phrase: SensorHolds, reading: Reading) -> Finding:
    if phrase.direction is None:
        return _yes_or_no(phrase, reading)
    return _compared(phrase, reading, phrase.direction, phrase.bound)


def _battery(phrase: BatteryAbove, seen: Circumstances) -> Finding:
    level = _compared(phrase, seen.read("battery"), "above", Decimal(phrase.percent))
    if level.holds or not phrase.or_mains:
        return level
    mains = _yes_or_no(phrase, seen.read("mains"))
    return Finding(str(phrase), True, "on mains") if mains.holds else level
