"""What a sensor says, and what may come back from the safes: the facts that triggers are judged by."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from decimal import Decimal

from wallet_client.triggers.schedule import local_day


@dataclass(frozen=True, slots=True)
class Reading:
    """What a sensor said.

    Args:
        holds: Its yes or no.
        number: Its figure, if it gave one.
        absent: Why it said nothing; "" where it did. What is absent never holds.
    """

    holds: bool = False
    number: Decimal | None = None
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Away:
    """A value that is backed up, is not in the wallet and has a first day of validity.

    Args:
        value_id: The value.
        valid_from: Its first day.
        valid_until: Its last day, if it has one.
        put_away_on: The local day on which it was backed up.
    """

    value_id: str
    valid_from: date
    valid_until: date | None
    put_away_on: date


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All that a trigger is judged by.

    Args:
        now: Whole seconds since 1970-01-01 UTC.
        zone: Whose local time is meant; None for this machine's.
        capacity: The wallet's, in bytes; None for no limit.
        free: Bytes that are free; None for no limit.
        away: What may come back.
        readings: What the sensors said, by name.
    """

    now: int
    zone: tzinfo | None
    capacity: int | None = None
    free: int | None = None
    away: tuple[Away, ...] = ()
    readings: Mapping[str, Reading] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The local day."""
        return local_day(self.now, self.zone)

    def read(self, sensor: str) -> Reading:
        """What a sensor said."""
        return self.readings.get(sensor, Reading(absent="was not asked"))


def approaching(
    away: Iterable[Away], *, today: date, days: int, since: date, brought_back: Collection[str]
) -> list[Away]:
    """What becomes usable within so many days, or became so since the trigger was made.

    Values that were put away once they were usable stay away, as do those that the trigger has brought
    back before: whoever puts them away again means it.

    Args:
        away: What may come back.
        today: The local day.
        days: How far ahead, at least 1.
        since: The local day on which the trigger was made.
        brought_back: Values that it has dealt with.
    """
    return [
        one
        for one in away
        if since <= one.valid_from
        and one.put_away_on <= one.valid_from
        and (one.valid_from - today).days <= days
        and (one.valid_until is None or today <= one.valid_until)
        and one.value_id not in brought_back
    ]
