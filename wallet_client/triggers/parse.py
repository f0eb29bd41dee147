"""Phrases as people write them become values; what is no phrase is refused with what may stand there.

The phrases are few and have no nesting, so a table of patterns reads them. Case and repeated spaces do
not matter. What is read prints itself in one canonical form, which reads back as the same value.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final, TypeVar

from wallet_client.triggers.errors import TriggerInvalid
from wallet_client.triggers.phrases import (
    At,
    BatteryAbove,
    Direction,
    Every,
    FreeCapacity,
    NetworkAvailable,
    OnMains,
    OnRequest,
    OnShortage,
    Phrase,
    RecoverSuspended,
    RecoverUsable,
    SensorHolds,
    Start,
    StartBackup,
    ValidityApproaching,
)
from wallet_client.triggers.units import DAY_SECONDS, read_duration, read_size

PHRASE_MAX_CHARACTERS: Final = 200
PERIOD_MIN_SECONDS: Final = 60
PERIOD_MAX_SECONDS: Final = 366 * DAY_SECONDS
DAYS_MAX: Final = 366
NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

_Read = TypeVar("_Read")
_Maker = Callable[[re.Match[str]], _Read]

_WHEN: Final = (
    "begins with none of: every PERIOD, at HH:MM, on shortage, on request, validity approaching DAYS, "
    "free capacity above|below SIZE|PERCENT, network available, battery above PERCENT [or on mains], "
    "on mains, sensor NAME [above|below NUMBER]"
)
_START: Final = (
    "is none of: backup, backup and delete, recover usable within DAYS, recover usable, recover suspended"
)


def read_when(text: str) -> Phrase:
    """What must hold.

    Raises:
        TriggerInvalid: It is no such phrase, or a figure in it is out of its range.
    """
    return _read(text, _WHEN_TABLE, _WHEN)


def read_start(text: str, *, usable_days: int | None = None) -> Start:
    """What it starts.

    Args:
        usable_days: What `recover usable` means without a number of days: those of a condition
            `validity approaching DAYS` beside it; None where there is none.

    Raises:
        TriggerInvalid: It is no such phrase.
    """
    if _plain(text) == "recover usable" and usable_days is not None:
        return RecoverUsable(usable_days)
    return _read(text, _START_TABLE, _START)


def _plain(text: str) -> str:
    return " ".join(text.split()).lower()


def _read(text: str, table: tuple[tuple[re.Pattern[str], _Maker[_Read]], ...], otherwise: str) -> _Read:
    if len(text) > PHRASE_MAX_CHARACTERS:
        raise TriggerInvalid(text[:40] + "…", f"is longer than {PHRASE_MAX_CHARACTERS} characters")
    plain = _plain(text)
    for pattern, make in table:
        match = pattern.fullmatch(plain)
        if match is not None:
            return make(match)
    raise TriggerInvalid(f"'{plain}'", otherwise)


def _every(match: re.Match[str]) -> Every:
    seconds = read_duration(match[1])
    if seconds is None or not PERIOD_MIN_SECONDS <= seconds <= PERIOD_MAX_SECONDS:
        raise TriggerInvalid(f"'{match[0]}'", "needs a period of 1 minute to 366 days, such as 12 hours")
    return Every(seconds)


def _at(match: re.Match[str]) -> At:
    hour, minute = int(match[1]), int(match[2])
    if hour > 23 or minute > 59:
        raise TriggerInvalid(f"'{match[0]}'", "needs a time of day from 00:00 to 23:59")
    return At(hour, minute)


def _days(match: re.Match[str]) -> int:
    seconds = read_duration(match[1])
    if seconds is None or seconds % DAY_SECONDS or not DAY_SECONDS <= seconds <= DAYS_MAX * DAY_SECONDS:
        raise TriggerInvalid(f"'{match[0]}'", "needs 1 day to 366 days: validity is counted in days")
    return seconds // DAY_SECONDS


def _direction(text: str) -> Direction:
    return "above" if text == "above" else "below"


def _free_capacity(match: re.Match[str]) -> FreeCapacity:
    direction, level = _direction(match[1]), match[2]
    if level.endswith("%"):
        return FreeCapacity(direction, _percent(match, level[:-1]), is_percent=True)
    size = read_size(level)
    if size is None:
        raise TriggerInvalid(f"'{match[0]}'", "needs a size such as 64 KiB, or a percentage such as 20%")
    return FreeCapacity(direction, size, is_percent=False)


def _battery(match: re.Match[str]) -> BatteryAbove:
    return BatteryAbove(_percent(match, match[1]), or_mains=match[2] is not None)


def _percent(match: re.Match[str], digits: str) -> int:
    text = digits.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 100):
        raise TriggerInvalid(f"'{match[0]}'", "needs a whole percentage from 0% to 100%")
    return int(text)


def _sensor(match: re.Match[str]) -> SensorHolds:
    if match[2] is None:
        return SensorHolds(match[1])
    return SensorHolds(match[1], _direction(match[2]), Decimal(match[3]))


_WHEN_TABLE: Final[tuple[tuple[re.Pattern[str], _Maker[Phrase]], ...]] = (
    (re.compile(r"every (.+)"), _every),
    (re.compile(r"at ([0-9]{1,2}):([0-9]{2})"), _at),
    (re.compile(r"on shortage"), lambda match: OnShortage()),
    (re.compile(r"on request"), lambda match: OnRequest()),
    (re.compile(r"validity approaching (.+)"), lambda match: ValidityApproaching(_days(match))),
    (re.compile(r"free capacity (above|below) (.+)"), _free_capacity),
    (re.compile(r"network available"), lambda match: NetworkAvailable()),
    (re.compile(r"battery above (.+?) ?%( or (?:on )?mains)?"), _battery),
    (re.compile(r"on mains"), lambda match: OnMains()),
    (
        re.compile(rf"sensor ({NAME.pattern})(?: (above|below) (-?[0-9]{{1,18}}(?:\.[0-9]{{1,9}})?))?"),
        _sensor,
    ),
)
_START_TABLE: Final[tuple[tuple[re.Pattern[str], _Maker[Start]], ...]] = (
    (re.compile(r"backup"), lambda match: StartBackup(delete=False)),
    (re.compile(r"backup and delete"), lambda match: StartBackup(delete=True)),
    (re.compile(r"recover usable within (.+)"), lambda match: RecoverUsable(_days(match))),
    (re.compile(r"recover suspended"), lambda match: RecoverSuspended()),
)
