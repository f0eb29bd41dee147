"""What people write for sizes, spans, days and amounts."""

from datetime import date, timedelta
from decimal import Decimal

import click
import pytest

from wallet_client.cli.parameters import Amount, Day, Duration, Size

GOOD = [
    (Size(), "0", 0),
    (Size(), "65536", 65_536),
    (Size(), "12B", 12),
    (Size(), "64KiB", 65_536),
    (Size(), "64kib", 65_536),
    (Size(), "1.5 MiB", 1_572_864),
    (Size(), "2GiB", 2_147_483_648),
    (Duration(), "12h", timedelta(hours=12)),
    (Duration(), "7d", timedelta(days=7)),
    (Duration(), "2w", timedelta(days=14)),
    (Day(), "2026-12-31", date(2026, 12, 31)),
    (Day(), "", None),
    (Day(), date(2026, 1, 1), date(2026, 1, 1)),
    (Amount(), "1600", Decimal("1600")),
    (Amount(), "21.50", Decimal("21.50")),
    (Amount(), "", None),
    (Amount(), Decimal("1.0"), Decimal("1.0")),
]
BAD = [
    (Size(), "64KB"),
    (Size(), "-1"),
    (Size(), "1.5B"),
    (Size(), "many"),
    (Size(), ""),
    (Duration(), "7"),
    (Duration(), "7m"),
    (Duration(), "-7d"),
    (Day(), "31.12.2026"),
    (Day(), "20261231"),
    (Day(), "2026-02-30"),
    (Day(), "2026-W01-1"),
    (Amount(), "-1"),
    (Amount(), "1e9"),
    (Amount(), "1_000"),
    (Amount(), "١"),
    (Amount(), "NaN"),
]


@pytest.mark.parametrize(("kind", "text", "expected"), GOOD)
def test_what_is_written_is_understood(kind: click.ParamType, text: object, expected: object) -> None:
    """Digits of amounts are kept, so 21.50 stays 21.50."""
    converted = kind.convert(text, None, None)
    assert converted == expected
    assert str(converted) == str(expected)


@pytest.mark.parametrize(("kind", "text"), BAD)
def test_anything_else_is_wrong_usage(kind: click.ParamType, text: str) -> None:
    """The message says what to write."""
    with pytest.raises(click.BadParameter, match=r"write|whole"):
        kind.convert(text, None, None)
