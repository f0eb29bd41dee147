"""`kura recover`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.operations.recover import RecoveryReport
    from wallet_client.wallet import Wallet

_EXAMPLES = """
kura recover --all
kura recover "City Bus"
kura recover "City Bus" --delete-receipt
"""


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.argument("receipts", nargs=-1, metavar="[RECEIPT]...")
@click.option("--all", "everything", is_flag=True, help="Every receipt of the wallet.")
@click.option(
    "--delete-receipt",
    is_flag=True,
    help="Once a value is back, delete its receipt and its pieces at the safes.",
)
@pass_session
def recover(session: Session, receipts: Sequence[str], everything: bool, delete_receipt: bool) -> None:
    """Bring values back from the safes.

    Asks all safes at once, checks every piece, and goes on without safes that are dead, slow, wiped or
    lying; they are named. A value that is in the wallet stays as it is. RECEIPT is a receipt's id, the
    beginning of one, or the name or id of its value.
    """
    from wallet_client.cli.opened import reading, with_wallet
    from wallet_client.cli.output import emit, warn_of_safes
    from wallet_client.cli.rows import receipt_states, value_row, values_table

    if everything == bool(receipts):
        raise click.UsageError("name receipts, or say --all")

    async def work(wallet: "Wallet") -> "RecoveryReport":
        return await _recover(wallet, receipts, everything, delete_receipt)

    report = with_wallet(session, work)
    with reading(session) as store:
        states = receipt_states(store)
        back = [store.values.summary(value_id) for value_id in report.recovered]
    warn_of_safes(report.failed)
    document = {
        "values": [value_row(one, states) for one in back],
        "already": list(report.already),
        "failed": {name: str(failure) for name, failure in report.failed.items()},
    }
    table = values_table(back, states) + "\n\n" if back else ""
    emit(session, document, lambda: table + _summary(report, delete_receipt))


async def _recover(
    wallet: "Wallet", texts: Sequence[str], everything: bool, delete_receipts: bool
) -> "RecoveryReport":
    from wallet_client.cli.progress import Bars
    from wallet_client.cli.rows import find_receipts, read_entries
    from wallet_client.operations.recover import recover as bring_back
    from wallet_client.receipts.receipt import ReceiptId

    kept = wallet.store.receipts
    entries = kept.entries() if everything else [kept.entry(one) for one in find_receipts(kept, texts)]
    expected = sum(summary.size_bytes for _, summary in read_entries(entries))
    ids = [ReceiptId(entry.id) for entry in entries]
    with Bars(expected) as bars:
        return await bring_back(wallet, ids, delete_receipts=delete_receipts, progress=bars)


def _summary(report: "RecoveryReport", receipts_deleted: bool) -> str:
    from wallet_client.cli.output import count_of

    text = f"{count_of(len(report.recovered), 'value')} recovered"
    if report.already:
        text += f", {len(report.already)} in the wallet already"
    if not receipts_deleted:
        return text
    return f"{text}; {count_of(len(report.recovered) + len(report.already), 'receipt')} deleted"
