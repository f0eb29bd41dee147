"""`kura owner waiting-period` and `kura owner veto`."""

from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.factors import Named, ask_proofs, opened_by
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallet_client.network.failures import SafeFailure
    from wallet_client.operations.veto import Vetoed
    from wallet_client.wallet import Wallet

_EXAMPLES = """
kura owner waiting-period 48h
kura owner waiting-period off
"""


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.argument("period")
@opened_by(deals=True)
@pass_session
def waiting_period(session: Session, period: str, named: Named) -> None:
    """Have a recovery wait that no wallet of yours asks for: PERIOD is 48h, 7d, up to 30d, or off.

    Meanwhile any wallet of the owner's sees it in `kura owner status`, and may end it: `kura owner veto`.
    """
    from wallet_client.cli.owner_policy import show_access
    from wallet_client.operations.change_access import changed_record, with_waiting

    change = with_waiting(_seconds(period))
    proofs = ask_proofs(session, named, "PIN of now")

    async def work(wallet: "Wallet") -> "Mapping[str, SafeFailure]":
        return await changed_record(wallet, proofs, change)

    show_access(session, work)


def _seconds(text: str) -> int:
    from trust.access_policy import MAX_WAITING_SECONDS
    from wallet_client.triggers.units import read_duration

    seconds = 0 if text.lower() == "off" else read_duration(text)
    if seconds is None or not 0 <= seconds <= MAX_WAITING_SECONDS:
        raise click.UsageError("a waiting period is such as 90m, 48h, 7d, up to 30d, or off")
    return seconds


@click.command(cls=Command, opens_wallet=True, examples="kura owner veto")
@click.argument("key", default="")
@opened_by()
@pass_session
def veto(session: Session, key: str, named: Named) -> None:
    """End a recovery that waits, for good; once in 30 days.

    KEY is the beginning of the key that `kura owner status` shows; it may be left out where one recovery
    waits. Whoever it was has what opens the record: change the PIN, or remove the device. That alone ends all
    that waits, and needs no veto.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit, warn, warn_of_safes
    from wallet_client.operations.veto import veto as end

    proofs = ask_proofs(session, named)

    async def work(wallet: "Wallet") -> "tuple[Vetoed, int]":
        return await end(wallet, key, proofs), len(wallet.roster.safes)

    done, n = with_wallet(session, work)
    failed = done.failed
    warn_of_safes(failed)
    if done.others:
        warn(f"{done.others} more wait, and no veto is taken for 30 days: change the PIN or the policy now")
    document = {
        "safes": n,
        "ended": n - len(failed),
        "others": done.others,
        "failed": {name: str(one) for name, one in failed.items()},
    }
    emit(session, document, lambda: f"The recovery is ended at {n - len(failed)} of {n} safes.")
