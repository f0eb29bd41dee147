"""`kura run-triggers`."""

from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.operations.triggers import Look
    from wallet_client.wallet import Wallet

_EXAMPLES = """
kura run-triggers
kura run-triggers --json
"""


@click.command("run-triggers", cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.option("--request", metavar="NAME", help="Only this one, which runs on request.")
@pass_session
def run_triggers(session: Session, request: str | None) -> int:
    """Run the triggers that are due, and tell what ran, why, and what waits.

    For cron and systemd timers: run it every few minutes. What was missed is made up once. Ends with 0
    whether anything was due or not, and with 1 if a trigger failed (it is tried again later), or if the
    one that was asked for did not run.
    """
    from wallet_client.cli.looks import run_row, run_text
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit, warn, warn_of_safes

    looks = with_wallet(session, lambda wallet: _run(wallet, request))
    for one in looks:
        warn_of_safes({} if one.done is None else one.done.failed)
        if one.error is not None:
            warn(f"the trigger {one.name} failed: {one.error}")
    document = {"triggers": [run_row(one) for one in looks]}
    emit(session, document, lambda: "\n".join(map(run_text, looks)) or "No triggers.")
    fine = {"ran"} if request else {"ran", "waits", "idle"}
    return 0 if all(one.outcome in fine for one in looks) else 1


async def _run(wallet: "Wallet", request: str | None) -> "list[Look]":
    from wallet_client.operations.triggers import TriggerRunner

    runner = TriggerRunner(wallet)
    return await runner.run_due() if request is None else [await runner.run_requested(request)]
