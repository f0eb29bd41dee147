"""What is no condition is refused when it is made, with the place and what is allowed there."""

import subprocess
import sys

import pytest

from support.kura import environment
from wallet_client.conditions.condition import condition_name, parse_condition
from wallet_client.conditions.errors import ConditionInvalid, ConditionNameRefused

FIELDS = (
    "class, name, place, remarks, media-type, file-name, currency",
    "unit-price, quantity, total, remaining",
    "size, free, capacity",
    "valid-from, valid-until, held-since",
    "held-for",
)
BEGINNINGS = (*FIELDS, "today", "has", "usable within", "not", "(", "a day such as 2026-12-31")
TEXT = ("a word", 'a text in "quotes"')
SIZES = ("size, free, capacity", "a size such as 64 KiB", "a percentage such as 20% of capacity")
GO_ON = ("and", "or", "the end")
SAME, LESS, PRESENT = "is, is not, =", "<, <=, >, >=", ("is absent", "is not absent")
LISTED = ("in", "not in")
DAYS = ("valid-from, valid-until, held-since", "today", "a day such as 2026-12-31")
SPANS = ("a span such as 7 days or 1 month",)


def refused(text: str) -> ConditionInvalid:
    with pytest.raises(ConditionInvalid) as caught:
        parse_condition(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "at", "allowed"),
    [
        pytest.param("", 1, BEGINNINGS, id="nothing"),
        pytest.param("  \t ", 1, BEGINNINGS, id="blank"),
        pytest.param("clas is x", 1, BEGINNINGS, id="an unknown field"),
        pytest.param("class < 3", 7, (SAME, "contains", *LISTED, *PRESENT), id="a class below a number"),
        pytest.param("size is movie", 9, SIZES, id="a size that is a word"),
        pytest.param("size > 64", 8, SIZES, id="a size without a unit"),
        pytest.param("free > 20% of total", 15, ("size, free, capacity",), id="a share of another kind"),
        pytest.param("total > 64 KiB", 12, GO_ON, id="an amount in bytes"),
        pytest.param("total contains 3", 7, (SAME, LESS, *LISTED, *PRESENT), id="an amount that contains"),
        pytest.param("held-for > 3", 12, SPANS, id="a span without a unit"),
        pytest.param("held-for > 2026-12-31", 12, SPANS, id="a span that is a day"),
        pytest.param("valid-until < 7 days", 15, DAYS, id="a day that is a span"),
        pytest.param("today is absent", 10, DAYS, id="today is never absent"),
        pytest.param("has today", 5, FIELDS, id="today is always there"),
        pytest.param("usable in 3 days", 8, ("within",), id="usable without within"),
        pytest.param("class is free", 10, TEXT, id="a word of the language without quotes"),
        pytest.param("class is AND", 10, TEXT, id="the same in capitals"),
        pytest.param("class is", 9, TEXT, id="cut off"),
        pytest.param("class is a and", 15, BEGINNINGS, id="cut off after and"),
        pytest.param("name contains City Bus", 20, GO_ON, id="two words without quotes"),
        pytest.param("class in ()", 11, TEXT, id="an empty list"),
        pytest.param("class in (a b)", 13, ("a comma", ")"), id="a list without commas"),
        pytest.param("class in a", 10, ("(",), id="a list without parentheses"),
        pytest.param("(class is a", 12, (")",), id="never closed"),
        pytest.param("(class is a or", 15, BEGINNINGS, id="never closed after or"),
        pytest.param("class is a)", 11, ("the end",), id="never opened"),
        pytest.param("not not class is a", 5, tuple(one for one in BEGINNINGS if one != "not"), id="not not"),
        pytest.param("today +1 month +", 17, SPANS, id="a sum cut off"),
        pytest.param("today +1 month", 15, (SAME, LESS, *LISTED), id="a sum alone"),
        pytest.param("__import__('os')", 1, BEGINNINGS, id="Python"),
        pytest.param("1 < 2", 1, BEGINNINGS, id="numbers alone"),
    ],
)
def test_the_place_and_what_is_allowed_there_are_told(text: str, at: int, allowed: tuple[str, ...]) -> None:
    """Kinds that do not fit are no sentence of the language; nothing waits for a value to be judged."""
    error = refused(text)
    assert (error.line, error.column) == (1, at)
    assert set(error.allowed) == set(allowed)


@pytest.mark.parametrize(
    ("text", "at", "reason"),
    [
        ("valid-from > 2026-02-30", 14, "there is no day 2026-02-30"),
        ("valid-from > 0000-01-01", 14, "there is no day 0000-01-01"),
        ("today + 1000000 days > valid-from", 9, "at most 6 digits"),
        ("size < 1.0001 KiB", 8, "no whole number of bytes"),
        (f"total > {'9' * 29}", 9, "at most 28 digits"),
        (f"total > {'9' * 28}.1% of remaining", 9, "at most 28 digits"),
        (f"size > {'9' * 29} GiB", 8, "at most 28 digits"),
        ('name is "abc', 9, "does not end on its line"),
        ('name is "a\nb"', 9, "does not end on its line"),
        (r'name is "a\b"', 9, "a backslash before other than"),
        ("class is free", 10, "`free` is a word of the language"),
        ("name is \udcff", 9, "half of a surrogate pair"),
        (f"name is a {'x' * 100}", 11, f"`{'x' * 39}…` does not fit"),
        ("name is a \x1b[2J", 11, r"`\x1b[2J` does not fit"),
    ],
)
def test_what_is_impossible_is_told_with_its_place(text: str, at: int, reason: str) -> None:
    """Days, spans, sizes, quotes; nothing of it steers a terminal."""
    error = refused(text)
    assert error.column == at
    assert reason in str(error)
    assert "\x1b" not in str(error)


def test_the_line_is_shown_with_a_caret() -> None:
    """The line in question alone, and the caret under the place."""
    error = refused("class is card\n  and size is movie\n  or has place")
    assert (error.line, error.column, error.text) == (2, 15, "  and size is movie")
    assert str(error).splitlines()[1:] == ["    and size is movie", "                ^"]
    assert "line 2, column 15" in str(error)


def test_a_condition_that_breaks_off_is_refused_at_its_end() -> None:
    """Blank lines after it are not its end."""
    error = refused("has place\nand \n\n")
    assert (error.line, error.column) == (2, 4)


def test_the_caret_stands_below_wide_letters_too() -> None:
    """Letters of East Asia take two columns, combining marks none."""
    error = refused("name is 忠臣蔵 e\u0301 x")
    assert str(error).splitlines()[2] == "  " + " " * 8 + "\u3000" * 3 + " " + "^"


def test_a_long_line_is_shown_in_part() -> None:
    """What stands around the place."""
    error = refused("has place and " * 100 + "hm" + " or has place" * 100)
    _, line, caret = str(error).splitlines()
    assert line[caret.index("^") :].startswith("hm or")
    assert len(line) < 90


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("(" * 100_000, id="a hundred thousand parentheses"),
        pytest.param("(" * 4_000, id="four thousand"),
        pytest.param("(" * 51 + "has place" + ")" * 51, id="one deeper than allowed"),
        pytest.param("not " * 999, id="not without end"),
        pytest.param("not (" * 51 + "has place" + ")" * 51, id="not, too deep"),
        pytest.param("has place or " * 400, id="over 4,000 characters"),
        pytest.param('"' * 3_999, id="quotes"),
        pytest.param("\\" * 3_999, id="backslashes"),
        pytest.param("9" * 4_000, id="digits"),
        pytest.param("name is " + "\u0301" * 3_000 + " x", id="combining marks"),
    ],
)
def test_no_size_or_depth_does_harm(text: str) -> None:
    """Refused like any other mistake, with little to read."""
    assert len(str(refused(text))) < 1_000


@pytest.mark.parametrize(
    "text",
    [
        "(" * 50 + "has place" + ")" * 50,
        "not (" * 50 + "has place" + ")" * 50,
        " or ".join(["has place"] * 300),
        f'name is "{"(" * 51}"',
        "name is " + "x" * 3_992,
    ],
    ids=["parentheses", "not", "a long chain", "parentheses in quotes", "as long as may be"],
)
def test_what_is_within_the_bounds_is_taken(text: str) -> None:
    """50 deep, 4,000 characters."""
    assert parse_condition(text).text == text


@pytest.mark.parametrize("name", ["", "Cinema", "a b", "a" * 65, "é", "a\n"])
def test_a_name_is_short_and_plain(name: str) -> None:
    """So that it needs no quotes in a shell."""
    with pytest.raises(ConditionNameRefused):
        condition_name(name)
    assert condition_name("old-tickets-2") == "old-tickets-2"


def test_the_parser_is_loaded_when_a_condition_is_read_and_not_before() -> None:
    """Opening a wallet must not wait for it."""
    script = (
        "import sys\n"
        "import wallet_client.conditions.condition, wallet_client.storage.store\n"
        "assert 'lark' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], env=environment(), check=True)
