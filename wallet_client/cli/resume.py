"""`kura resume`."""

from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.operations.resume import ResumeReport
    from wallet_client.wallet import Wallet

_EXAMPLES = """
kura resume
kura resume --json
"""


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@pass_session
def resume(session: Session) -> None:
    """Finish or withdraw what a crash interrupted; deliver what waits for a safe.

    May be run at any time. What a safe that is away is still owed waits on; run it again when it is back.
    Recoveries that wait for room are counted; `kura recover --suspended` goes on with them.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit, warn_of_safes
    from wallet_client.cli.owner_recovered import recovered_document
    from wallet_client.operations.recover_in_room import suspended_in
    from wallet_client.operations.resume import resume as finish

    async def work(wallet: "Wallet") -> "tuple[ResumeReport, int]":
        return await finish(wallet), len(suspended_in(wallet.store))

    report, suspended = with_wallet(session, work)
    warn_of_safes(report.failed)
    document = {
        "finished": report.finished,
        "withdrawn": report.withdrawn,
        "delivered": report.delivered,
        "still_owed": dict(report.still_owed),
        "suspended": suspended,
        "older_generations": report.older,
        "root_changing": report.root_changing,
        "owner": None if report.owner is None else recovered_document(report.owner),
        "failed": {name: str(failure) for name, failure in report.failed.items()},
    }
    emit(session, document, lambda: _text(report, suspended))


def _text(report: "ResumeReport", suspended: int) -> str:
    from wallet_client.cli.output import count_of
    from wallet_client.cli.owner_recovered import recovered_text

    lines = []
    if report.finished or report.withdrawn:
        batches = count_of(report.finished, "interrupted batch", "interrupted batches")
        lines.append(f"{batches} finished, {report.withdrawn} withdrawn")
    if report.delivered:
        lines.append(f"{count_of(report.delivered, 'message')} delivered")
    lines += [
        f"{name} is still owed {count_of(number, 'message')}"
        for name, number in sorted(report.still_owed.items())
    ]
    if report.older:
        waits = count_of(report.older, "old generation waits", "old generations wait")
        lines.append(f"{waits} until all safes gave the new ones back")
    if report.root_changing:
        lines.append("A new root is not brought in everywhere yet: `kura reseed --root` goes on")
    if report.owner is not None:
        lines.append(recovered_text(report.owner))
    if suspended:
        count = count_of(suspended, "recovery waits", "recoveries wait")
        lines.append(f"{count} for room: `kura recover --suspended` goes on")
    return "\n".join(lines) or "Nothing was open."
