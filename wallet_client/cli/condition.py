"""`kura condition`: which values are backed up by themselves (docs/CONDITIONS.md)."""

from datetime import date
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command, Group, Later
from wallet_client.cli.parameters import Day
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.operations.select import Named, Selected
    from wallet_client.storage.conditions import ConditionEntry
    from wallet_client.storage.store import WalletStore

_HERE = "wallet_client.cli.condition:"
_COMMANDS = {
    "list": Later(_HERE + "list_conditions", "List the conditions with what they say."),
    "add": Later(_HERE + "add", "Add a condition."),
    "edit": Later(_HERE + "edit", "Let a condition say something else."),
    "remove": Later(_HERE + "remove", "Remove a condition."),
    "test": Later(_HERE + "test", "Show which values would be selected, and what decides."),
}
_EXAMPLES = """
kura condition list
kura condition add cinema "class is movie-ticket and not usable within 2 weeks"
kura condition test
"""
_note_option = click.option("--note", metavar="TEXT", help="A word about it, for yourself.")


@click.group(cls=Group, later=_COMMANDS, examples=_EXAMPLES)
def condition() -> None:
    """Say which values `kura backup --conditions` selects by itself.

    A value is selected when at least one condition selects it. A new wallet begins with the condition
    `default`, which is yours to change or remove.
    """


@click.command("list", cls=Command, opens_wallet=True, examples="kura condition list")
@pass_session
def list_conditions(session: Session) -> None:
    """List the conditions with what they say, in the order in which they were made."""
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import columns, emit
    from wallet_client.conditions.layout import one_line
    from wallet_client.values.shown import shown

    with reading(session) as store:
        entries = store.conditions.entries()

    def text() -> str:
        if not entries:
            return "No conditions: `kura backup --conditions` selects nothing."
        rows = [(one.name, shown(one_line(one.text)), shown(one.note)) for one in entries]
        return columns(("CONDITION", "SELECTS", "NOTE"), rows)

    emit(session, {"conditions": [_row(one) for one in entries]}, text)


_ADD_EXAMPLES = """
kura condition add cinema "class is movie-ticket"
kura condition add later "valid-from > today + 1 month" --note "Nothing for now"
kura condition add big "size > 64 KiB and free < 10% of capacity"
"""


@click.command(cls=Command, opens_wallet=True, examples=_ADD_EXAMPLES)
@click.argument("name")
@click.argument("expression")
@_note_option
@pass_session
def add(session: Session, name: str, expression: str, note: str | None) -> None:
    """Add a condition.

    EXPRESSION is a short sentence over a value's fields (class, name, place, size, total, remaining,
    valid-from, valid-until, held-since, held-for ...) and the wallet's state (today, free, capacity),
    joined with and, or, not. NAME is 1 to 64 of a-z, 0-9 and -.
    """
    from wallet_client.cli.opened import writing
    from wallet_client.conditions.condition import condition_name, parse_condition

    wanted, read = condition_name(name), parse_condition(expression)
    with writing(session) as store:
        store.conditions.add(wanted, read.text, note=note or "")
        entry = store.conditions.entry(wanted)
    _tell(session, entry, "added")


@click.command(
    cls=Command, opens_wallet=True, examples='kura condition edit default "not usable within 2 weeks"'
)
@click.argument("name")
@click.argument("expression")
@_note_option
@pass_session
def edit(session: Session, name: str, expression: str, note: str | None) -> None:
    """Let a condition say something else; its note stays unless you give one."""
    from wallet_client.cli.opened import writing
    from wallet_client.conditions.condition import parse_condition

    read = parse_condition(expression)
    with writing(session) as store:
        store.conditions.replace(name, read.text, note=note)
        entry = store.conditions.entry(name)
    _tell(session, entry, "changed")


@click.command(cls=Command, opens_wallet=True, examples="kura condition remove default")
@click.argument("name")
@pass_session
def remove(session: Session, name: str) -> None:
    """Remove a condition. `default`, too, stays removed."""
    from wallet_client.cli.opened import writing

    with writing(session) as store:
        entry = store.conditions.entry(name)
        store.conditions.remove(name)
    _tell(session, entry, "removed")


_TEST_EXAMPLES = """
kura condition test
kura condition test default --today 2026-12-31
kura condition test --expression "usable within 7 days"
"""


@click.command(cls=Command, opens_wallet=True, examples=_TEST_EXAMPLES)
@click.argument("name", required=False)
@click.option("--expression", metavar="TEXT", help="Try a condition without keeping it.")
@click.option("--today", type=Day(), metavar="DAY", help="As if it were this day, such as 2026-12-31.")
@pass_session
def test(session: Session, name: str | None, expression: str | None, today: date | None) -> None:
    """Show for each value whether it is selected, and what decided.

    By the condition NAME, by an expression, or by all conditions of the wallet. Nothing is backed up.
    """
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import emit
    from wallet_client.cli.selection import asked_on, selection_row
    from wallet_client.operations.select import select

    if name is not None and expression is not None:
        raise click.UsageError("name a condition or give an --expression, not both")
    now = asked_on(today)
    with reading(session) as store:
        judged = select(store, now=now, only=_named(store, name, expression))
    document = {"today": now.date(), "values": [selection_row(one) for one in judged]}
    emit(session, document, lambda: _test_text(judged))


def _named(store: "WalletStore", name: str | None, expression: str | None) -> "list[Named] | None":
    """What to judge by; None for the wallet's own."""
    from wallet_client.conditions.condition import parse_condition
    from wallet_client.operations.select import Named

    if expression is not None:
        return [Named("", parse_condition(expression))]
    if name is not None:
        return [Named(name, parse_condition(store.conditions.entry(name).text))]
    return None


def _test_text(judged: "list[Selected]") -> str:
    from wallet_client.cli.output import count_of
    from wallet_client.cli.selection import selection_table

    table = selection_table(judged) + "\n\n" if judged else ""
    return f"{table}{sum(one.selected for one in judged)} of {count_of(len(judged), 'value')} selected"


def _row(entry: "ConditionEntry") -> dict[str, object]:
    return {"name": entry.name, "expression": entry.text, "note": entry.note}


def _tell(session: Session, entry: "ConditionEntry", done: str) -> None:
    from wallet_client.cli.output import emit

    emit(session, {"conditions": [_row(entry)]}, lambda: f"condition {entry.name} {done}")
