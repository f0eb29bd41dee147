"""`kura owner change-pin` and `kura owner rearm`."""

from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.factors import Named, ask_proofs, opened_by
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallet_client.network.failures import SafeFailure
    from wallet_client.wallet import Wallet

_CHANGE_EXAMPLES = """
kura owner change-pin
kura owner change-pin --guesses 5
"""


@click.command(cls=Command, opens_wallet=True, examples=_CHANGE_EXAMPLES)
@click.option(
    "--guesses", type=click.IntRange(1, 100), help="Wrong PINs until a safe takes no more [default: as now]."
)
@opened_by()
@pass_session
def change_pin(session: Session, guesses: int | None, named: Named) -> None:
    """Replace the PIN: asks for the one of now, and twice for the new one.

    Forgotten, it is replaced by who opens the record another way: --with device --device file:PATH.

    The new record is tried before it takes the place of the old. While a safe is away the old one is kept
    beside it, and who knows its PIN can still use it: say the same again when all safes answer. With the same
    PIN the command renews the record, which brings a safe that was away up to date.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit, warn, warn_of_safes
    from wallet_client.cli.pin import ask_new_pin
    from wallet_client.operations.change_pin import change_pin as change

    proofs, new_pin = ask_proofs(session, named, "PIN of now"), ask_new_pin()

    async def work(wallet: "Wallet") -> "tuple[Mapping[str, SafeFailure], int]":
        return await change(wallet, proofs, new_pin, guesses), len(wallet.roster.safes)

    failed, n = with_wallet(session, work)
    warn_of_safes(failed)
    told = {name: str(failure) for name, failure in failed.items()}
    document = {"safes_holding": n - len(failed), "safes": n, "failed": told}
    if failed:
        warn(
            "who knows the PIN of before can still use it: say the same again, from the new PIN, once all"
            " safes answer"
        )
    emit(session, document, lambda: f"The new PIN holds at {n - len(failed)} of {n} safes.")


@click.command(cls=Command, opens_wallet=True, examples="kura owner rearm")
@pass_session
def rearm(session: Session) -> None:
    """Have every safe give all guesses back, also where the record is locked; once a day."""
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit, warn_of_safes
    from wallet_client.operations.owner_status import rearm as give_back

    async def work(wallet: "Wallet") -> "tuple[dict[str, SafeFailure], int]":
        return await give_back(wallet), len(wallet.roster.safes)

    failed, n = with_wallet(session, work)
    warn_of_safes(failed)
    document = {
        "safes": n,
        "rearmed": n - len(failed),
        "failed": {name: str(one) for name, one in failed.items()},
    }
    emit(session, document, lambda: f"{n - len(failed)} of {n} safes gave all guesses back.")
