"""When a schedule was last due, and when it will be next.

A schedule is a row of moments: `every` counts from when the trigger was made, `at` has one a day at a
local time of day. It is *pending* when one of them lies after the last run. However many were missed,
that is one run. With both, a day's moment counts if a period has ended by then.

A time of day that a change to summer time skips is taken as if the clock had not been changed yet; one
that comes twice, the first time. A clock that was set back by less than a period makes nobody run twice;
one that was set back by more says nothing about the last run, so the schedule is pending.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from wallet_client.triggers.phrases import At, Every
from wallet_client.triggers.units import DAY_SECONDS

_LONGEST_DAY_SECONDS: Final = DAY_SECONDS + 2 * 3_600


@dataclass(frozen=True, slots=True)
class Schedule:
    """The clock's part of a trigger.

    Args:
        every: Its period, if it has one.
        at: Its time of day, if it has one; one of the two is there.
        made_at: When the trigger was made, whole seconds since 1970-01-01 UTC.
        zone: Whose local time is meant; None for this machine's.
    """

    every: Every | None
    at: At | None
    made_at: int
    zone: tzinfo | None

    def is_pending(self, served_at: int | None, now: int) -> bool:
        """Whether a moment passed since the last run.

        Args:
            served_at: When the last run was started; None before the first.
            now: Whole seconds since 1970-01-01 UTC.
        """
        if served_at is not None and served_at - now > self._span:
            return True
        return self._counts(now if self.at is None else self._last_at(self.at, now), served_at)

    def next_after(self, served_at: int | None, now: int) -> int:
        """The first moment after now at which it may be pending, where it is not pending now."""
        if self.at is None:
            return self._last_every(now) + self._period
        return next(moment for moment in self._coming_at(self.at, now) if self._counts(moment, served_at))

    @property
    def _period(self) -> int:
        return self.every.seconds if self.every else 0

    @property
    def _span(self) -> int:
        return max(self._period, _LONGEST_DAY_SECONDS if self.at else 0)

    def _counts(self, moment: int, served_at: int | None) -> bool:
        """Whether a moment asks for a run of its own."""
        if self.at and moment <= (self.made_at if served_at is None else served_at):
            return False
        # A period's first moment is when the trigger was made: it need not wait for its first run.
        since = self.made_at - 1 if served_at is None else served_at
        return self.every is None or self._last_every(moment) > since

    def _last_every(self, now: int) -> int:
        return self.made_at + (now - self.made_at) // self._period * self._period

    def _last_at(self, at: At, now: int) -> int:
        """The newest moment at the time of day that is not after now."""
        today = local_day(now, self.zone)
        return max(moment for back in range(3) if (moment := self._moment(at, today, -back)) <= now)

    def _coming_at(self, at: At, now: int) -> Iterator[int]:
        """The moments at the time of day after now, for as long as one of them may take to count."""
        today = local_day(now, self.zone)
        days = 3 + 2 * self._span // DAY_SECONDS
        return (moment for ahead in range(days) if (moment := self._moment(at, today, ahead)) > now)

    def _moment(self, at: At, day: date, ahead: int) -> int:
        clock = time(at.hour, at.minute, tzinfo=self.zone)
        return int(datetime.combine(day + timedelta(days=ahead), clock).timestamp())


def local_day(now: int, zone: tzinfo | None) -> date:
    """The day it is there; None for this machine's zone."""
    return datetime.fromtimestamp(now, zone).date()
