"""Columns, sizes, validities, fingerprints."""

from datetime import date

import pytest

from wallet_client.cli import output

DAY, LATER = date(2026, 1, 31), date(2026, 2, 28)


def test_columns_stand_under_one_another() -> None:
    """Numbers at their right; no space at the end of a line."""
    table = output.columns(("NAME", "SIZE", "X"), [("a", "1", ""), ("long name", "100", "y")], frozenset({1}))
    assert table.splitlines() == ["NAME       SIZE  X", "a             1", "long name   100  y"]


def test_wide_letters_take_two_columns() -> None:
    """And combining marks none."""
    rows = [("歌舞", "."), ("e\u0301", "."), ("abcd", ".")]
    lines = output.columns(("NAME", "."), rows).splitlines()
    assert lines == ["NAME  .", "歌舞  .", "e\u0301     .", "abcd  ."]


def test_fields_leave_out_what_is_empty() -> None:
    """Names are padded to the widest that is shown."""
    assert output.fields([("A", "1"), ("Very long", ""), ("Bee", "2")]) == "A    1\nBee  2"


def test_a_cell_is_escaped_and_cut() -> None:
    """Nothing in it steers a terminal."""
    assert output.cell("a\x1b[2Jb") == r"a\x1b[2Jb"
    assert output.cell("x" * 100) == "x" * 39 + "…"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_572_864, "1.5 MiB"), (1 << 30, "1.0 GiB")],
)
def test_sizes_read_well(count: int, text: str) -> None:
    """In binary units."""
    assert output.size(count) == text


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (None, None, ""),
        (DAY, DAY, "2026-01-31"),
        (DAY, LATER, "2026-01-31 to 2026-02-28"),
        (DAY, None, "2026-01-31 to"),
        (None, LATER, "to 2026-02-28"),
    ],
)
def test_validities_read_well(first: date | None, last: date | None, text: str) -> None:
    """Open ends stay open."""
    assert output.period(first, last) == text


def test_a_fingerprint_comes_in_groups_of_four() -> None:
    """To be read aloud."""
    assert output.fingerprint(bytes(range(4))) == "0001 0203"


def test_a_moment_is_in_utc() -> None:
    """Whatever the machine's zone."""
    assert output.moment(0) == "1970-01-01 00:00:00 UTC"


@pytest.mark.parametrize(("number", "text"), [(0, "0 values"), (1, "1 value"), (2, "2 values")])
def test_counts_agree(number: int, text: str) -> None:
    """Singular and plural."""
    assert output.count_of(number, "value") == text
    assert output.count_of(number, "batch", "batches") == text.replace("value", "batch").replace("hs", "hes")
