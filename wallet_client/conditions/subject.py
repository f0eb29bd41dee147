"""What a condition is judged on: one value, and the state of the wallet that holds it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import cached_property
from typing import Final

from trust.value_fields import ValueFields

_CALENDAR_SECONDS: Final = 253_402_128_000
"""9999-12-30 00:00 UTC: from here on the calendar ends in some time zone."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One value.

    Args:
        fields: All that is known of it; its payload is not looked at.
        size_bytes: What it takes of the wallet's capacity.
    """

    fields: ValueFields
    size_bytes: int


@dataclass(frozen=True, slots=True)
class WalletState:
    """The wallet, and the day on which it is asked.

    Args:
        today: The day. An argument, never the clock: any day can be tried.
        free_bytes: How much more fits; None where the wallet has no limit.
        capacity_bytes: How much fits in all; None where the wallet has no limit.
        zone: Where a day begins; `held-since` is a day there.
    """

    today: date
    free_bytes: int | None = None
    capacity_bytes: int | None = None
    zone: tzinfo = UTC


@dataclass(frozen=True)
class Case:
    """One value in one wallet on one day."""

    subject: Subject
    state: WalletState

    @cached_property
    def held_since(self) -> date | None:
        """The day on which the wallet got the value, None where that is not known."""
        seconds = self.subject.fields.held_since
        if seconds == 0:
            return None
        if seconds >= _CALENDAR_SECONDS:
            return date.max
        return datetime.fromtimestamp(seconds, self.state.zone).date()
