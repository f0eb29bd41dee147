"""What conditions select, and the clause that decided."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from support.wallet_samples import EXAMPLES, FULL_VALUE, small_value
from trust.value_fields import HELD_SINCE_MAX_SECONDS
from wallet_client.conditions.condition import Verdict, parse_condition
from wallet_client.conditions.default import DEFAULT_TEXT
from wallet_client.conditions.subject import Subject, WalletState
from wallet_client.values.figures import read_values

IDES = date(2000, 3, 15)
STATE = WalletState(IDES, free_bytes=1_000, capacity_bytes=8_000)
FIGURE_19 = {value.name: value for value in read_values(EXAMPLES / "figure-19.json", now=0)}
LATE, EARLY = date(2000, 12, 31), date(2000, 1, 1)


def judged(text: str, state: WalletState = STATE, size_bytes: int = 100, **fields: Any) -> Verdict:
    """What a condition says of a movie ticket with these fields."""
    return parse_condition(text).judge(Subject(small_value(**fields).fields, size_bytes), state)


def selected(text: str, state: WalletState = STATE) -> str:
    """The names of figure 19's values that a condition selects."""
    condition = parse_condition(text)
    return "".join(
        name
        for name, value in FIGURE_19.items()
        if condition.judge(Subject(value.fields, 100), state).selected
    )


class TestFigures:
    """Figures 19 and 20 of the source, as docs/CONDITIONS.md reads them."""

    def test_figure_20a_selects_the_movie_tickets(self) -> None:
        """As printed."""
        assert selected("class is movie-ticket") == "AG"

    @pytest.mark.parametrize(
        "text",
        [
            "today is 2000-03-15 and not (usable within 1 month)",
            "not usable within 1 month",
            "today is 2000-03-15 and (valid-from > today + 1 month or valid-until < today)",
        ],
    )
    def test_figure_20b_selects_what_its_text_says(self, text: str) -> None:
        """C and G; a card without a period is usable on every day. The printed figure has E and G."""
        assert selected(text) == "CG"

    def test_figure_20b_selects_nothing_on_another_day(self) -> None:
        """The day is part of the condition."""
        assert selected("today is 2000-03-15 and not usable within 1 month", WalletState(LATE)) == ""

    def test_the_printed_figure_can_be_asked_for(self) -> None:
        """E as well, where it is wanted."""
        assert (
            selected("not usable within 1 month or (valid-from is absent and valid-until is absent)") == "CEG"
        )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("class is not movie-ticket", "CE"),
        ("class = prepaid-card", "E"),
        ("class in (concert-ticket, prepaid-card)", "CE"),
        ("class not in (concert-ticket, prepaid-card)", "AG"),
        ("CLASS IS NOT movie-ticket", "CE"),
        ("class contains TICKET", "ACG"),
        ('class contains "e-t"', "AG"),
        ("unit-price < 4500", "AEG"),
        ("unit-price <= 4500", "ACEG"),
        ("unit-price > 1600", "C"),
        ("unit-price >= 1600", "ACG"),
        ("unit-price = 1600.00", "AG"),
        ("unit-price in (1000, 4500)", "CE"),
        ("quantity not in (1)", "CG"),
        ("remaining > 50% of total", "E"),
        ("total = unit-price", "AE"),
        ("valid-until < 2000-05-31", "C"),
        ("valid-until >= 2000-05-31", "AG"),
        ("valid-from = valid-until", "C"),
        ("valid-from in (2000-04-01, today + 47 days)", "AG"),
        ("2000-05-01 <= valid-from", "G"),
        ("today + 2 weeks + 3 days = valid-from", "A"),
        ("valid-until - 1 month <= valid-from", "C"),
        ("valid-until - 30 days = valid-from + 1 month", "A"),
        ("valid-until is absent", "E"),
        ("has valid-until", "ACG"),
        ("valid-until is not absent", "ACG"),
        ("name in (A, E) and class is movie-ticket or place is H", "AG"),
        ("name in (A, E) and (class is movie-ticket or place is F)", "AE"),
        ("not class is movie-ticket and not place is F", "C"),
        ("not (class is movie-ticket or place is F)", "C"),
    ],
)
def test_a_condition_selects_what_it_says(text: str, names: str) -> None:
    """Of the four values of figure 19."""
    assert selected(text) == names


ABSENT = ("place", "remarks", "file-name", "currency", "valid-from", "valid-until", "held-since", "held-for")
AMOUNTS = ("unit-price", "quantity", "total", "remaining")


@pytest.mark.parametrize("field", [*ABSENT, *AMOUNTS])
def test_an_absent_field_can_be_asked_about(field: str) -> None:
    """`has` and `is absent` tell."""
    assert judged(f"{field} is absent").selected
    assert not judged(f"has {field}").selected
    assert not judged(f"{field} is not absent").selected


@pytest.mark.parametrize(
    "text",
    [
        *(f"{field} {word}" for field, word in product(("place", "currency"), ("is x", "is not x"))),
        *(f"total {relation} 1" for relation in ("is", "is not", "<", "<=", ">", ">=", "=")),
        *(f"valid-until {relation} today" for relation in ("is", "is not", "<", "<=", ">", ">=", "=")),
        *(f"held-for {relation} 1 day" for relation in ("is", "is not", "<", "<=", ">", ">=", "=")),
        "today < valid-until + 1 month",
        "remarks contains x",
        "place in (x)",
        "place not in (x)",
        "unit-price < 20% of total",
        "quantity > remaining",
    ],
)
def test_a_comparison_with_an_absent_field_is_false(text: str) -> None:
    """Whatever the relation, and the verdict says why; its opposite is true."""
    verdict = judged(text)
    assert not verdict.selected
    assert verdict.clause.endswith(" is absent)")
    assert judged(f"not {text}").selected


@pytest.mark.parametrize("text", ["free < 1 GiB", "capacity < 1 GiB", "free < 20% of capacity", "has free"])
def test_a_wallet_without_a_limit_has_no_free_room_to_speak_of(text: str) -> None:
    """Both are absent."""
    assert judged(text).selected is not judged(text, WalletState(IDES)).selected


@pytest.mark.parametrize(
    ("free", "chosen"), [(1_599, True), (1_600, False), (0, True)], ids=["below", "at the line", "full"]
)
def test_a_fifth_of_the_capacity_is_exact(free: int, chosen: bool) -> None:
    """20% of 8,000 bytes are 1,600 bytes."""
    assert judged("free < 20% of capacity", WalletState(IDES, free, 8_000)).selected is chosen


def test_a_share_of_a_long_amount_loses_no_digit() -> None:
    """28 digits, of which the last decides."""
    total = Decimal("9" * 28)
    for remaining, chosen in ((total, False), (total - 1, True)):
        fields: dict[str, Any] = {"total_amount": total, "remaining_amount": remaining}
        assert judged("remaining < 100% of total", **fields).selected is chosen


@pytest.mark.parametrize(
    ("first", "last", "usable"),
    [
        pytest.param(None, None, True, id="without a period"),
        pytest.param(None, date(2000, 3, 14), False, id="over since yesterday"),
        pytest.param(None, IDES, True, id="over after today"),
        pytest.param(date(2000, 4, 15), None, True, id="from the last day asked on"),
        pytest.param(date(2000, 4, 16), None, False, id="from the day after"),
        pytest.param(EARLY, LATE, True, id="all the time"),
        pytest.param(date(2000, 3, 20), date(2000, 3, 21), True, id="two days amid"),
    ],
)
def test_usable_means_that_some_day_of_both_periods_is_the_same(
    first: date | None, last: date | None, usable: bool
) -> None:
    """Both ends count; an absent one is open."""
    assert judged("usable within 1 month", valid_from=first, valid_until=last).selected is usable
    assert judged("not usable within 1 month", valid_from=first, valid_until=last).selected is not usable


@pytest.mark.parametrize(
    ("held", "text", "chosen"),
    [
        (date(2000, 2, 15), "held-for >= 1 month", True),
        (date(2000, 2, 15), "held-for > 1 month", False),
        (date(2000, 2, 15), "held-for is 29 days", True),
        (date(2000, 2, 16), "held-for >= 1 month", False),
        (date(2000, 2, 16), "held-for < 1 month", True),
        (date(1999, 3, 15), "held-for = 1 year", True),
        (date(2000, 3, 16), "held-for < 1 day", True),
        (date(2000, 3, 8), "held-since = today - 1 week", True),
    ],
)
def test_how_long_a_value_was_held_is_counted_by_the_calendar(held: date, text: str, chosen: bool) -> None:
    """From the day on which the wallet got it; one from the future was not held yet."""
    noon = int(datetime(held.year, held.month, held.day, 12, tzinfo=UTC).timestamp())
    assert judged(text, held_since=noon).selected is chosen


def test_a_day_begins_where_the_wallet_is() -> None:
    """23:30 in Greenwich is the next day in Tokyo."""
    held = int(datetime(2000, 3, 14, 23, 30, tzinfo=UTC).timestamp())
    tokyo = WalletState(IDES, zone=timezone(timedelta(hours=9)))
    assert not judged("held-since is 2000-03-15", held_since=held).selected
    assert judged("held-since is 2000-03-15", tokyo, held_since=held).selected


def test_the_end_of_time_is_a_day_like_another() -> None:
    """The latest moment that a value may have lies beyond the calendar."""
    assert judged("held-since > today and held-for < 1 day", held_since=HELD_SINCE_MAX_SECONDS).selected
    assert judged("held-since + 999999 years > today - 999999 weeks", held_since=1).selected


@pytest.mark.parametrize(
    ("name", "text", "chosen"),
    [
        ("Café", 'name is "Cafe\u0301"', True),
        ("Cafe\u0301 de la Paix", "name contains CAFÉ", True),
        ("Straße", "name contains STRASSE", True),
        ("bus", "name is Bus", False),
        ("忠臣蔵", "name is 忠臣蔵", True),
        ('say "no" \\ or', r'name is "say \"no\" \\ or"', True),
        ("today", 'name is "today"', True),
        ("a  b", 'name is "a  b"', True),
        ("a b", 'name is "a  b"', False),
        ("2000-03-15", "name is 2000-03-15", True),
    ],
)
def test_texts_are_compared_as_people_read_them(name: str, text: str, chosen: bool) -> None:
    """Composed or not is the same letter; `contains` looks past capitals, `is` does not."""
    assert judged(text, name=name).selected is chosen


@pytest.mark.parametrize(
    "text",
    [
        "class is movie-ticket",
        'name contains "忠臣蔵"',
        "place is Kabuki-za",
        "remarks contains seats",
        "media-type is text/plain",
        "file-name is ticket.txt",
        "currency is JPY",
        "unit-price is 1600.5",
        "quantity is 2",
        "total is 3201",
        "remaining is 0",
        "size is 0.5 KiB",
        "valid-from is 2000-04-01",
        "valid-until is 2000-05-31",
        "held-since is 2023-11-14",
        "held-for >= 1 year",
        "free is 1000 bytes",
        "capacity > free",
        "today is 2026-07-01",
    ],
)
def test_every_field_is_read(text: str) -> None:
    """Of a value that has all of them."""
    state = WalletState(date(2026, 7, 1), 1_000, 8_000)
    assert parse_condition(text).judge(Subject(FULL_VALUE.fields, 512), state).selected


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("class is movie-ticket", "class is movie-ticket"),
        ("class is card", "class is card (movie-ticket is card is false)"),
        ("class is not card", "class is not card (movie-ticket is not card)"),
        ("class in (card, movie-ticket)", "class in (card, movie-ticket) (movie-ticket in (…))"),
        ("class not  in (movie-ticket)", "class not in (movie-ticket) (movie-ticket not in (…) is false)"),
        (
            "valid-until < today + 7 days",
            "valid-until < today + 7 days (2000-05-31 < 2000-03-22 is false)",
        ),
        (
            "usable within 1 month",
            "usable within 1 month (2000-04-01 to 2000-05-31 meets 2000-03-15 to 2000-04-15)",
        ),
        (
            "not usable within 1 week",
            "usable within 1 week (2000-04-01 to 2000-05-31 misses 2000-03-15 to 2000-03-22)",
        ),
        ("size > 64 KiB", "size > 64 KiB (100 bytes > 65536 bytes is false)"),
        ("free < 20% of capacity", "free < 20% of capacity (1000 bytes < 1600 bytes)"),
        ("total > 1600.50", "total > 1600.50 (3201.00 > 1600.50)"),
        ("has place", "has place"),
        ("place is absent", 'place is absent (place is "a b")'),
        ("size is absent", "size is absent (size is 100 bytes)"),
        ("held-for is absent", "held-for is absent (held since 2000-03-01)"),
        ("held-for > 30 days", "held-for > 30 days (14 days > 30 days is false)"),
        ('remarks contains "x y"', f'remarks contains "x y" ("{"x " * 19}x…" contains "x y")'),
        ("has place and has size", "has place and has size"),
        ("has currency or has place", "has place"),
        (
            "has currency or class is x or has place and has file-name",
            "has currency (currency is absent) and class is x (movie-ticket is x is false)"
            " and has file-name (file-name is absent)",
        ),
        ("not (has place and has size)", "has place and has size"),
        ("has place\n  and has currency", "has currency (currency is absent)"),
        ('name\tis\n "today"', 'name is "today" (A is "today" is false)'),
    ],
)
def test_the_smallest_clause_that_decided_is_named(text: str, clause: str) -> None:
    """As it stands in the condition, on one line, with the value's own figures."""
    fields: dict[str, Any] = {
        "valid_from": date(2000, 4, 1),
        "valid_until": date(2000, 5, 31),
        "total_amount": Decimal("3201.00"),
        "place": "a b",
        "remarks": "x " * 40 + "x y",
        "held_since": int(datetime(2000, 3, 1, tzinfo=UTC).timestamp()),
    }
    assert judged(text, **fields).clause == clause


def test_a_value_without_a_period_is_usable_every_day() -> None:
    """And the verdict says so."""
    clause = judged("usable within 1 month").clause
    assert clause == "usable within 1 month (every day meets 2000-03-15 to 2000-04-15)"
    open_end = judged("usable within 1 day", valid_from=EARLY).clause
    assert open_end == "usable within 1 day (2000-01-01 to … meets 2000-03-15 to 2000-03-16)"


@pytest.mark.parametrize(
    ("fields", "free", "chosen"),
    [
        pytest.param({}, 8_000, False, id="a fresh card in an empty wallet stays"),
        pytest.param({"valid_until": IDES}, 8_000, False, id="a ticket for today stays"),
        pytest.param({"valid_from": LATE}, 8_000, True, id="a ticket for later goes"),
        pytest.param({"valid_until": EARLY}, 8_000, True, id="a ticket that is over goes"),
        pytest.param({"held_since": 1}, 8_000, True, id="what was held for long goes"),
        pytest.param({"valid_until": IDES}, 1_599, True, id="anything goes when room is short"),
    ],
)
def test_the_default_condition_selects_what_would_not_be_missed(
    fields: dict[str, Any], free: int, chosen: bool
) -> None:
    """The initial setting of the source."""
    held = int(datetime(2000, 3, 1, tzinfo=UTC).timestamp())
    state = WalletState(IDES, free, 8_000)
    assert judged(DEFAULT_TEXT, state, **{"held_since": held, **fields}).selected is chosen
