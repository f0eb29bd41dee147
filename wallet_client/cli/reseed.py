"""`kura reseed`."""

from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.factors import Named, ask_proofs, opened_by
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.operations.reseed import Reseeded
    from wallet_client.wallet import Wallet

_EXAMPLES = """
kura reseed
kura reseed r-ra5abmuq7o
kura reseed --root
"""


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.argument("items", metavar="[ITEM]...", nargs=-1)
@click.option("--root", "new_root", is_flag=True, help="A new root as well: asks for the PIN. For all items.")
@opened_by(deals=True)
@pass_session
def reseed(session: Session, items: tuple[str, ...], new_root: bool, named: Named) -> None:
    """Seal what is backed up anew, under fresh secrets; ITEM is a receipt's id, by default all.

    Old generations go once the new ones were read back from all their safes; while a safe is away they wait,
    and `kura resume` goes on. With --root, items are bound to a new root and the owner's other wallets are
    revoked: after a theft, what the thief has opens nothing that is stored.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit, warn, warn_of_safes
    from wallet_client.cli.progress import WORTH_WATCHING_BYTES, Bars
    from wallet_client.operations.reseed import reseed as reseed_items
    from wallet_client.operations.reseed import reseed_root
    from wallet_client.receipts.receipt import ReceiptId

    if new_root and items:
        raise click.UsageError("--root is for all items")
    proofs = ask_proofs(session, named) if new_root else None

    async def work(wallet: "Wallet") -> "Reseeded":
        with Bars(WORTH_WATCHING_BYTES) as progress:
            if proofs is not None:
                return await reseed_root(wallet, proofs, progress)
            ids = [ReceiptId(wallet.store.receipts.find(text)) for text in items]
            return await reseed_items(wallet, ids or None, progress)

    done = with_wallet(session, work)
    warn_of_safes(done.failed)
    for receipt_id, error in done.left.items():
        warn(f"{receipt_id}: {error}")
    document = {
        "resealed": list(done.resealed),
        "left": {receipt_id: str(error) for receipt_id, error in done.left.items()},
        "waiting": done.waiting,
        "ended": done.ended,
        "failed": {name: str(failure) for name, failure in done.failed.items()},
    }
    emit(session, document, lambda: _text(done))


def _text(done: "Reseeded") -> str:
    from wallet_client.cli.output import count_of

    lines = [f"{count_of(len(done.resealed), 'item')} sealed anew."]
    if done.waiting:
        waits = count_of(done.waiting, "old generation waits", "old generations wait")
        lines.append(f"{waits} until all safes answer: `kura resume` goes on.")
    if done.left:
        lines.append(f"{count_of(len(done.left), 'item stands', 'items stand')} as they were.")
    if not done.ended:
        lines.append("Not ended yet: say the same again when that is mended, and all safes answer.")
    return "\n".join(lines)
