"""`kura undelete`."""

from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.factors import Named, ask_proofs, opened_by
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.operations.undelete import Undeleted
    from wallet_client.wallet import Wallet

_EXAMPLES = """
kura undelete r-ra5abmuq7o
kura undelete r-ra5 --json
kura undelete r-ra5 --generation 2
"""


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.argument("item")
@click.option(
    "--generation",
    type=click.IntRange(1),
    help="An older one than the newest that was deleted, such as before an edit.",
)
@opened_by()
@pass_session
def undelete(session: Session, item: str, generation: int | None, named: Named) -> None:
    """Take a deletion back, while the safes still keep the pieces: asks for the PIN.

    ITEM is the id that the receipt had, or its beginning, as `kura receipts deleted` shows it; what another
    wallet of the owner's deleted counts as well. The receipt comes back, and `kura recover` brings the value.
    A safe that is away is told at the next `kura resume`. To have an item as it was before an edit, delete
    what stands (`kura recover ITEM --delete-receipt`), and take the generation before back.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit, warn_of_safes
    from wallet_client.operations.undelete import undelete as take_back

    proofs = ask_proofs(session, named)

    async def work(wallet: "Wallet") -> "Undeleted":
        return await take_back(wallet, item, proofs, generation)

    done = with_wallet(session, work)
    warn_of_safes(done.failed)
    document = {
        "receipt_id": done.receipt_id,
        "safes_holding": len(done.state.holding),
        "safes": len(done.state.placed),
        "may_still_be_lost": done.state.may_still_be_lost,
        "failed": {name: str(failure) for name, failure in done.failed.items()},
    }
    emit(session, document, lambda: _text(done))


def _text(done: "Undeleted") -> str:
    state = done.state
    return f"{done.receipt_id} is back, at {len(state.holding)} of {len(state.placed)} safes."
