"""`kura resume`."""

from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallet_client.operations.recover_in_room import Waiting
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
    Recoveries that were suspended are counted, by what they wait for; `kura recover --suspended` goes on.
    """
    import asyncio

    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit, warn_of_safes
    from wallet_client.cli.owner_recovered import recovered_document
    from wallet_client.operations.recover_in_room import waiting_in
    from wallet_client.operations.resume import resume as finish

    async def work(wallet: "Wallet") -> "tuple[ResumeReport, Waiting]":
        return await finish(wallet), await asyncio.to_thread(waiting_in, wallet)

    report, waiting = with_wallet(session, work)
    warn_of_safes(report.failed)
    document = {
        "finished": report.finished,
        "withdrawn": report.withdrawn,
        "delivered": report.delivered,
        "still_owed": dict(report.still_owed),
        "suspended": waiting.total,
        "suspended_for_a_key": waiting.for_key,
        "older_generations": report.older,
        "root_changing": report.root_changing,
        "owner": None if report.owner is None else recovered_document(report.owner),
        "failed": {name: str(failure) for name, failure in report.failed.items()},
    }
    emit(session, document, lambda: _text(report, waiting))


def _text(report: "ResumeReport", waiting: "Waiting") -> str:
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
    lines += suspended_lines(waiting)
    return "\n".join(lines) or "Nothing was open."


def suspended_lines(waiting: "Waiting") -> "Iterator[str]":
    """What suspended recoveries wait for, a line each."""
    from wallet_client.cli.output import count_of

    again = "`kura recover --suspended`"
    if waiting.for_room:
        yield f"{count_of(waiting.for_room, 'recovery waits', 'recoveries wait')} for room: {again} goes on"
    if waiting.for_nothing:
        fit = count_of(waiting.for_nothing, "suspended recovery fits", "suspended recoveries fit")
        yield f"{fit} now: {again} goes on, or says why not"
    if waiting.for_key:
        locked = count_of(waiting.for_key, "recovery waits", "recoveries wait")
        yield f"{locked} for a key that is not in the wallet: {again} names it"
