"""`kura wallet list`."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.parameters import Duration
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from trust.value_fields import ValueFields
    from wallet_client.storage.values import Usage

_EXAMPLES = """
kura wallet list
kura wallet list --class movie-ticket --expires-within 7d
kura wallet list --json
"""


@click.command("list", cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.option("--class", "item_class", metavar="CLASS", help="Only this class.")
@click.option(
    "--expires-within",
    type=Duration(),
    metavar="TIME",
    help="Only what ends from today on within 12h, 7d, 2w.",
)
@pass_session
def list_all(session: Session, item_class: str | None, expires_within: timedelta | None) -> None:
    """List values and receipts: class, title, size, validity, state.

    A value is `not-backed-up`, `registered` (enough safes have it) or `safe` (all its safes have it).
    A receipt stays when its value leaves the wallet: `kura recover` brings it back.
    """
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import emit
    from wallet_client.cli.rows import (
        read_entries,
        receipt_row,
        receipts_table,
        value_row,
        values_table,
    )

    ends = _days(expires_within)
    with reading(session) as store:
        values = store.values.summaries(item_class=item_class, ending_within=ends)
        entries, usage = read_entries(store.receipts.entries()), store.usage()
    states = {entry.id: entry.state for entry, _ in entries}
    receipts = [pair for pair in entries if _meets(pair[1].fields, item_class, ends)]

    def document() -> dict[str, object]:
        return {
            "values": [value_row(one, states) for one in values],
            "receipts": [receipt_row(*pair) for pair in receipts],
            "capacity_bytes": usage.capacity,
            "used_bytes": usage.used,
        }

    def text() -> str:
        tables = [values_table(values, states)] if values else []
        tables += [receipts_table(receipts)] if receipts else []
        return "\n\n".join([*tables, _footer(len(values), len(receipts), usage)])

    emit(session, document() if session.json else None, text)


def _days(span: timedelta | None) -> tuple[date, date] | None:
    """Today, and the last day that the span reaches."""
    if span is None:
        return None
    from datetime import UTC, datetime

    now = datetime.now(UTC).astimezone()
    try:
        return now.date(), (now + span).date()
    except OverflowError:
        return now.date(), date.max


def _meets(fields: "ValueFields", item_class: str | None, ends: tuple[date, date] | None) -> bool:
    if item_class is not None and fields.item_class != item_class:
        return False
    return ends is None or (fields.valid_until is not None and ends[0] <= fields.valid_until <= ends[1])


def _footer(values: int, receipts: int, usage: "Usage") -> str:
    from wallet_client.cli.output import count_of, size

    room = f"{size(usage.used)} used"
    if usage.capacity is not None:
        room += f" of {size(usage.capacity)}"
    return f"{count_of(values, 'value')}, {count_of(receipts, 'receipt')}, {room}"
