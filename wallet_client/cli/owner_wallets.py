"""`kura owner wallets` and `kura owner revoke`."""

from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.factors import Named, ask_proofs, opened_by
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.network.failures import SafeFailure
    from wallet_client.operations.owner_wallets import OwnersWallet
    from wallet_client.wallet import Wallet

_KEY_SHOWN = 16


@click.command(cls=Command, opens_wallet=True, examples="kura owner wallets\nkura owner wallets --json")
@pass_session
def wallets(session: Session) -> None:
    """List the owner's wallets: when each was authorised, and whether it may still act."""
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import columns, emit, warn_of_safes
    from wallet_client.operations.owner_wallets import owners_wallets

    found = with_wallet(session, owners_wallets)
    warn_of_safes(found.failed)
    document = {
        "wallets": [
            {
                "wallet": one.wallet_key.hex(),
                "authorised_at": one.authorised_at,
                "revoked_at": one.revoked_at,
                "this": one.is_this,
            }
            for one in found.wallets
        ],
        "failed": {name: str(failure) for name, failure in found.failed.items()},
    }
    header = ("WALLET", "AUTHORISED", "STATE")
    emit(session, document, lambda: columns(header, [_cells(one) for one in found.wallets]))


def _cells(one: "OwnersWallet") -> tuple[str, str, str]:
    from wallet_client.cli.output import moment

    state = "may act" if one.revoked_at is None else f"revoked {moment(one.revoked_at)}"
    note = ", this wallet" if one.is_this else ""
    return one.wallet_key.hex()[:_KEY_SHOWN], moment(one.authorised_at), state + note


@click.command(cls=Command, opens_wallet=True, examples="kura owner revoke 3f9c0a77")
@click.argument("wallet")
@opened_by()
@pass_session
def revoke(session: Session, wallet: str, named: Named) -> None:
    """End the right of a lost wallet to act for the owner, for good: asks for the PIN.

    WALLET is the beginning of its key, as `kura owner wallets` shows it. A safe that is away is told at the
    next `kura resume`. What the thief could read while the wallet was open stays read: `kura reseed` makes
    its keys worthless for what is stored from now on.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit, warn_of_safes
    from wallet_client.operations.owner_wallets import revoke as end

    proofs = ask_proofs(session, named)

    async def work(opened: "Wallet") -> "tuple[dict[str, SafeFailure], int]":
        return await end(opened, wallet, proofs), len(opened.roster.safes)

    failed, n = with_wallet(session, work)
    warn_of_safes(failed)
    told = {name: str(failure) for name, failure in failed.items()}
    document = {"safes": n, "told": n - len(failed), "failed": told}
    emit(session, document, lambda: f"{n - len(failed)} of {n} safes refuse the wallet from now on.")
