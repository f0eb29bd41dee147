"""`kura owner forget`."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.factors import Named, ask_proofs, opened_by
from wallet_client.cli.session import Session, pass_session
from wallet_client.errors import WalletError

if TYPE_CHECKING:
    from wallet_client.operations.forget_owner import OwnerForgotten
    from wallet_client.wallet import Wallet

_EXAMPLES = """
kura owner forget
kura owner forget --name anna
"""


@dataclass(eq=False)
class NameNotSaid(WalletError):
    """Nobody confirmed whom to forget."""

    sentence = "Nothing was forgotten: the owner's name was not said."
    hint = "Without a terminal, say it: kura owner forget --name NAME"


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.option("--name", help="The owner's name; at a terminal it is asked for.")
@opened_by()
@pass_session
def forget(session: Session, name: str | None, named: Named) -> None:
    """End the owner, for good: asks for the name, and what opens the record.

    Every safe erases, at once, the owner's record and everything that any wallet of the owner's backed up,
    and gives a signed receipt. What is in this wallet stays; what is at the safes alone is lost. The name is
    free then. A safe that is away is told at the next `kura resume`.
    """
    from wallet_client.cli.opened import reading, with_wallet
    from wallet_client.cli.output import count_of, emit, warn, warn_of_safes
    from wallet_client.operations.forget_owner import forget_owner, nowhere_else
    from wallet_client.owners.names import OwnerName

    with reading(session) as store:
        lost = nowhere_else(store)
    if lost:
        warn(f"{count_of(len(lost), 'value is', 'values are')} at the safes alone, and will be lost.")
    owner_name = OwnerName(_confirmed(name))
    proofs = ask_proofs(session, named)

    async def work(wallet: "Wallet") -> "tuple[OwnerForgotten, dict[str, int]]":
        done = await forget_owner(wallet, owner_name, proofs)
        return done, {wallet.safe_name(one): at for one, at in done.forgetting.erased_at.items()}

    done, erased = with_wallet(session, work)
    warn_of_safes(done.failed)
    n = len(done.forgetting.safes)
    document = {
        "owner": done.forgetting.name,
        "safes": n,
        "erased": [{"safe": safe, "erased_at": at} for safe, at in erased.items()],
        "lost": list(lost),
        "failed": {safe: str(failure) for safe, failure in done.failed.items()},
    }
    emit(session, document, lambda: _text(done, erased, n))


def _confirmed(name: str | None) -> str:
    if name is not None:
        return name
    if not sys.stdin.isatty():
        raise NameNotSaid
    return str(click.prompt("Type the owner's name to erase everything at the safes", err=True))


def _text(done: "OwnerForgotten", erased: dict[str, int], n: int) -> str:
    from wallet_client.cli.output import moment
    from wallet_client.values.shown import shown

    lines = [f"{shown(done.forgetting.name)} is forgotten: {len(erased)} of {n} safes erased everything."]
    lines += [f"  {safe}  erased on {moment(at)}" for safe, at in sorted(erased.items())]
    return "\n".join(lines)
