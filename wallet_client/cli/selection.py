"""What the backup conditions say of the values, as `kura condition test` and `kura backup` show it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from wallet_client.cli.output import cell, columns
from wallet_client.values.shown import shown

if TYPE_CHECKING:
    from wallet_client.operations.select import Selected

NOTHING_SELECTED = "No condition selects a value: nothing to back up."


def asked_on(day: date | None) -> datetime:
    """Now, or this time of another day, where days begin as they do here."""
    now = datetime.now(UTC).astimezone()
    return now if day is None else datetime.combine(day, now.timetz())


def selection_row(one: "Selected") -> dict[str, object]:
    """A value for --json."""
    return {
        "id": one.summary.id,
        "name": one.summary.name,
        "class": one.summary.item_class,
        "size_bytes": one.summary.size_bytes,
        "selected": one.selected,
        "condition": one.condition,
        "clause": one.clause,
        "already": one.already,
    }


def selection_table(judged: "Sequence[Selected]") -> str:
    """Values as columns, what decided last."""
    rows = (
        (one.summary.id, cell(one.summary.name), _answer(one), _state(one), shown(one.clause))
        for one in judged
    )
    return columns(("VALUE", "TITLE", "SELECTED", "BACKED UP", "WHAT DECIDED"), rows)


def _answer(one: "Selected") -> str:
    if not one.selected:
        return "no"
    return f"yes, {one.condition}" if one.condition else "yes"


def _state(one: "Selected") -> str:
    return "already" if one.already else "not yet"
