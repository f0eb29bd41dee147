"""`kura trigger`: what starts backups and recoveries by itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command, Group, Later
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.operations.triggers import Look

_COMMANDS = {
    "list": Later("wallet_client.cli.trigger:list_triggers", "List triggers, and how they stand."),
    "add": Later("wallet_client.cli.trigger:add", "Make a trigger."),
    "remove": Later("wallet_client.cli.trigger:remove", "Forget triggers."),
    "test": Later("wallet_client.cli.trigger:test", "Show what holds, and what would run; run nothing."),
}
_EXAMPLES = """
kura trigger add nightly --when "at 02:00" --when "network available" --start backup
kura trigger list
kura trigger test nightly
"""
_ADD_EXAMPLES = """
kura trigger add nightly --when "at 02:00" --when "battery above 50% or on mains" --start backup
kura trigger add weekly --when "every week" --start "backup and delete" --policy apart
kura trigger add full --when "on shortage" --start "backup and delete"
kura trigger add tomorrow --when "validity approaching 1 day" --start "recover usable"
kura trigger add back --when "free capacity above 20%" --when "sensor wifi" --start "recover suspended"
"""


@click.group(cls=Group, later=_COMMANDS, examples=_EXAMPLES)
def trigger() -> None:
    """Say what starts backups and recoveries by itself.

    `kura wallet serve` runs triggers while it serves; `kura run-triggers` runs what is due, for cron and
    systemd timers. docs/TRIGGERS.md explains every phrase.
    """


@click.command(cls=Command, opens_wallet=True, examples=_ADD_EXAMPLES)
@click.argument("name")
@click.option(
    "--when",
    multiple=True,
    required=True,
    metavar="PHRASE",
    help="What must hold; repeat it for all that must hold together.",
)
@click.option("--start", required=True, metavar="PHRASE", help="What it starts.")
@click.option("--policy", metavar="NAME", help="How values without a receipt are backed up.")
@pass_session
def add(session: Session, name: str, when: Sequence[str], start: str, policy: str | None) -> None:
    """Make a trigger.

    --when is one of: every PERIOD, at HH:MM (local time), on shortage, on request, validity approaching
    DAYS, free capacity above|below SIZE|PERCENT, network available, battery above PERCENT [or on mains],
    on mains, sensor NAME [above|below NUMBER].

    --start is one of: backup (of what the conditions select), backup and delete, recover usable within
    DAYS, recover suspended.
    """
    from wallet_client.cli.opened import writing
    from wallet_client.cli.output import emit
    from wallet_client.policies.shelf import find_policy
    from wallet_client.triggers.trigger import new_trigger
    from wallet_client.wallet import pinned_roster

    made = new_trigger(name, when, start, policy=policy or "", now=_now())
    with writing(session) as store:
        if policy:
            find_policy(store, policy, pinned_roster(store))
        store.triggers.add(made)
    document = {"name": made.name, "when": made.when, "start": made.start, "policy": made.policy or None}
    emit(session, document, lambda: f"{made.name}: {', '.join(made.when)}: {made.start}")


@click.command("list", cls=Command, opens_wallet=True, examples="kura trigger list\nkura trigger list --json")
@pass_session
def list_triggers(session: Session) -> None:
    """List triggers: what must hold, what it starts, the last run, and what it waits for.

    Sensors are asked; one that is absent is named with the reason.
    """
    from wallet_client.cli.looks import look_row, looks_table
    from wallet_client.cli.output import emit

    looks = _look(session, ())
    document = {"triggers": [look_row(one) for one in looks]}
    emit(session, document, lambda: looks_table(looks) if looks else "No triggers.")


@click.command(cls=Command, opens_wallet=True, examples="kura trigger test\nkura trigger test go-on --json")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@pass_session
def test(session: Session, names: Sequence[str]) -> None:
    """Show for each trigger what holds now, by which figures, and whether it would run; run nothing."""
    from wallet_client.cli.looks import look_row, look_text
    from wallet_client.cli.output import emit

    looks = _look(session, names)
    document = {"triggers": [look_row(one) for one in looks]}
    emit(session, document, lambda: "\n\n".join(map(look_text, looks)) or "No triggers.")


@click.command(cls=Command, opens_wallet=True, examples="kura trigger remove go-on")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@pass_session
def remove(session: Session, names: Sequence[str]) -> None:
    """Forget triggers; what they backed up or recovered stays."""
    from wallet_client.cli.opened import writing
    from wallet_client.cli.output import count_of, emit

    wanted = list(dict.fromkeys(names))
    with writing(session) as store:
        for name in wanted:
            store.triggers.remove(name)
    emit(session, {"removed": wanted}, lambda: f"{count_of(len(wanted), 'trigger')} removed")


def _look(session: Session, names: Sequence[str]) -> "list[Look]":
    from wallet_client.cli.opened import with_wallet
    from wallet_client.operations.triggers import TriggerRunner

    return with_wallet(session, lambda wallet: TriggerRunner(wallet).look(names))


def _now() -> int:
    import time

    return int(time.time())
