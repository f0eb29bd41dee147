"""Days and spans by the calendar: a month later is the same day of the next month, or its last."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Literal, get_args

Unit = Literal["day", "week", "month", "year"]
UNITS: Final[tuple[Unit, ...]] = get_args(Unit)
COUNT_MAX_DIGITS: Final = 6

_DAYS: Final = {"day": 1, "week": 7}
_MONTHS: Final = {"month": 1, "year": 12}


@dataclass(frozen=True, slots=True)
class Span:
    """So many days, weeks, months or years.

    Args:
        count: How many; negative leads back. At most six digits.
        unit: Of what.
    """

    count: int
    unit: Unit

    def __str__(self) -> str:
        """As a condition has it."""
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


@lru_cache(maxsize=1024)  # one day and one span are asked about for every value of a wallet
def after(day: date, span: Span) -> date:
    """The day that lies a span after another; a month of 30 days has no 31st, so its last day stands for it.

    What lies beyond the calendar (years 1 to 9999) is its first or last day.
    """
    if span.unit in _MONTHS:
        return _months_after(day, span.count * _MONTHS[span.unit])
    try:
        return day + timedelta(days=span.count * _DAYS[span.unit])
    except OverflowError:
        return date.max if span.count > 0 else date.min


def _months_after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        return date.max if months > 0 else date.min
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
