"""`kura safes`: what each safe holds of this wallet's items, and how the safes repair one another."""

from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command, Group, Later
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallet_client.network.failures import SafeFailure
    from wallet_client.operations.safes_status import Holdings, SafesStatus
    from wallet_client.wallet import Wallet

_HERE = "wallet_client.cli.safes:"
_COMMANDS = {
    "status": Later(_HERE + "status", "Show what each safe holds, lacks and repairs."),
    "repair": Later(_HERE + "repair", "Have the safes rebuild now what they lost."),
}
_POLL_SECONDS = 0.5


@click.group(cls=Group, later=_COMMANDS, examples="kura safes status\nkura safes repair")
def safes() -> None:
    """Look after what the safes keep.

    Safes rebuild what one of them lost by themselves, from one another, every few minutes.
    """


@click.command(cls=Command, opens_wallet=True, examples="kura safes status\nkura safes status --json")
@pass_session
def status(session: Session) -> None:
    """Ask every safe for all pieces it should keep of this wallet's items.

    What a safe lost and rebuilt has a new certificate; the receipts get it. What is lacking and cannot be
    rebuilt by other safes (one safe had all of it, or every share was sealed by itself) is marked: `kura
    backup` puts it there again.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.operations.safes_status import safes_status

    _emit(session, with_wallet(session, safes_status))


@click.command(cls=Command, opens_wallet=True, examples="kura safes repair\nkura safes repair --wait 120")
@click.option(
    "--wait",
    type=click.IntRange(0, 3_600),
    default=60,
    show_default=True,
    help="How many seconds to wait for the safes to be done.",
)
@pass_session
def repair(session: Session, wait: int) -> None:
    """Have every safe look for what it lost, wait until all are done, and show what each holds.

    A safe goes on when nobody waits for it.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.operations.safes_status import safes_status

    async def work(wallet: "Wallet") -> "SafesStatus":
        await _repaired(wallet, wait)
        return await safes_status(wallet)

    _emit(session, with_wallet(session, work))


async def _repaired(wallet: "Wallet", wait: int) -> None:
    import asyncio

    from wallet_client.operations.safes_status import ask_for_repair, still_repairing

    await ask_for_repair(wallet)
    for _ in range(int(wait / _POLL_SECONDS)):
        if not await still_repairing(wallet):
            return
        await asyncio.sleep(_POLL_SECONDS)


def _emit(session: Session, found: "SafesStatus") -> None:
    from wallet_client.cli.output import emit, warn_of_safes

    warn_of_safes(found.failed)
    rows = [_row(name, one) for name, one in found.safes.items()]
    document = {
        "safes": rows,
        "failed": {name: str(failure) for name, failure in found.failed.items()},
    }
    emit(session, document, lambda: _text(found.safes, found.failed))


def _row(name: str, one: "Holdings") -> dict[str, object]:
    return {
        "safe": name,
        "pieces": one.pieces,
        "held": one.held,
        "renewed": one.renewed,
        "lacking": list(one.lacking),
        "unrepairable": list(one.unrepairable),
        "repairing": one.repair.running,
        "repaired_by_safe": one.repair.repaired,
        "silent_peers": list(one.repair.silent),
        "suspected_peers": list(one.repair.suspected),
    }


def _text(safes: "Mapping[str, Holdings]", failed: "Mapping[str, SafeFailure]") -> str:
    from wallet_client.cli.output import columns

    rows = [
        (name, f"{one.held} of {one.pieces}", str(len(one.lacking)), str(one.repair.repaired), _note(one))
        for name, one in safes.items()
    ]
    rows += [(name, "", "", "", "does not answer") for name in failed]
    return columns(("SAFE", "HOLDS", "LACKS", "REBUILT", "NOTE"), rows, right=frozenset({1, 2, 3}))


def _note(one: "Holdings") -> str:
    notes = []
    if one.repair.running:
        notes.append("is repairing")
    if one.renewed:
        notes.append(f"{one.renewed} new certificates")
    if one.unrepairable:
        notes.append(f"{len(one.unrepairable)} beyond repair: kura backup")
    if one.repair.suspected:
        notes.append(f"suspected of a lie: {', '.join(one.repair.suspected)}")
    return "; ".join(notes)
