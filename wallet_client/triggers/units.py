"""Durations, days and sizes in phrases, as people write them and as they are printed."""

import re
from decimal import Decimal
from typing import Final

DAY_SECONDS: Final = 86_400
_UNIT_SECONDS: Final = {"minute": 60, "hour": 3_600, "day": DAY_SECONDS, "week": 7 * DAY_SECONDS}
_FACTORS: Final = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_DURATION: Final = re.compile(
    r"(?:(?P<number>[0-9]{1,6}) ?)?(?P<unit>m|h|d|w|minutes?|hours?|days?|weeks?)", re.IGNORECASE
)
_SIZE: Final = re.compile(
    r"(?P<number>[0-9]{1,15}(?:\.[0-9]{1,3})?) ?(?P<unit>b|bytes|kib|mib|gib)?", re.IGNORECASE
)


def read_duration(text: str) -> int | None:
    """Seconds of `12 hours`, `12h` or `day` (one day); None where it is no duration."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    (unit,) = (name for name in _UNIT_SECONDS if name[0] == match["unit"][0].lower())
    return int(match["number"] or 1) * _UNIT_SECONDS[unit]


def duration_text(seconds: int) -> str:
    """The largest unit of which it is a whole number; days for weeks, which are written so seldom."""
    unit = next(name for name in ("day", "hour", "minute") if seconds % _UNIT_SECONDS[name] == 0)
    return _counted(seconds // _UNIT_SECONDS[unit], unit)


def days_text(days: int) -> str:
    """`1 day`, `7 days`."""
    return _counted(days, "day")


def read_size(text: str) -> int | None:
    """Bytes of `65536`, `64 KiB` or `1.5 MiB`; None where it is no whole number of bytes."""
    match = _SIZE.fullmatch(text)
    if match is None:
        return None
    unit = (match["unit"] or "b").lower()
    factor = next(factor for name, factor in _FACTORS.items() if name.lower() == unit or unit == "bytes")
    number = Decimal(match["number"]) * factor
    return int(number) if number == number.to_integral_value() else None


def size_text(count: int) -> str:
    """The largest unit of which it is a whole number."""
    name = next(name for name in ("GiB", "MiB", "KiB", "B") if count % _FACTORS[name] == 0)
    return f"{count // _FACTORS[name]} {name}" if count else "0 B"


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
