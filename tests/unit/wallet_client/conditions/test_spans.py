"""Spans by the calendar."""

from datetime import date

import pytest

from wallet_client.conditions.spans import Span, Unit, after


@pytest.mark.parametrize(
    ("day", "count", "unit", "then"),
    [
        ("2000-01-31", 1, "month", "2000-02-29"),
        ("2001-01-31", 1, "month", "2001-02-28"),
        ("2000-03-31", -1, "month", "2000-02-29"),
        ("2000-12-15", 1, "month", "2001-01-15"),
        ("2000-01-15", -1, "month", "1999-12-15"),
        ("2000-01-15", 25, "month", "2002-02-15"),
        ("2000-02-29", 1, "year", "2001-02-28"),
        ("2000-02-29", -4, "year", "1996-02-29"),
        ("2000-02-28", 2, "day", "2000-03-01"),
        ("2000-03-01", -2, "week", "2000-02-16"),
        ("2000-03-15", 0, "month", "2000-03-15"),
        ("2000-01-01", 999_999, "year", "9999-12-31"),
        ("2000-01-01", -999_999, "month", "0001-01-01"),
        ("2000-01-01", 999_999, "week", "9999-12-31"),
        ("2000-01-01", -999_999, "week", "0001-01-01"),
        ("9999-12-31", 1, "day", "9999-12-31"),
    ],
)
def test_a_span_later_is_a_day_of_the_calendar(day: str, count: int, unit: Unit, then: str) -> None:
    """The same day of the month or its last one; beyond the calendar, its end."""
    assert after(date.fromisoformat(day), Span(count, unit)) == date.fromisoformat(then)
