"""What stands behind an option: sizes, durations, days, amounts. A text that is none is wrong usage."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import click

from wallet_client.values.sizes import EXAMPLES, read_size

_DURATION = re.compile(r"([0-9]{1,6})(h|d|w)", re.IGNORECASE)
_HOURS = {"h": 1, "d": 24, "w": 168}
_AMOUNT = re.compile(r"[0-9]{1,28}(\.[0-9]{1,28})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Size(click.ParamType[int]):
    """Bytes: 65536, 64KiB, 1.5MiB, 2GiB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Text to whole bytes."""
        count = read_size(str(value))
        if count is None:
            self.fail(f"{value!r} is no size in whole bytes; write {EXAMPLES}", param, ctx)
        return count


class Duration(click.ParamType[timedelta]):
    """A time span: 12h, 7d, 2w."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Text to a time span."""
        match = _DURATION.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is no duration; write 12h, 7d or 2w", param, ctx)
        return timedelta(hours=int(match[1]) * _HOURS[match[2].lower()])


class Day(click.ParamType[date | None]):
    """A day: 2026-12-31. An empty text clears it."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date | None:
        """Text to a day."""
        if isinstance(value, date) or value == "":
            return None if value == "" else value
        try:
            if _DAY.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        return self.fail(f"{value!r} is no day; write 2026-12-31", param, ctx)


class Amount(click.ParamType[Decimal | None]):
    """A number of at least 0, kept digit by digit: 1600, 21.50. An empty text clears it."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal | None:
        """Text to a number."""
        if isinstance(value, Decimal) or value == "":
            return None if value == "" else value
        if not _AMOUNT.fullmatch(value):
            self.fail(f"{value!r} is no amount; write 1600 or 21.50", param, ctx)
        return Decimal(value)
