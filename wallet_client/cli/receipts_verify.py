"""`kura receipts verify`: every signature of every receipt, with nobody asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session
from wallet_client.errors import WalletError

if TYPE_CHECKING:
    from trust.roster import Roster
    from wallet_client.receipts.receipt import Receipt

_EXAMPLES = """
kura receipts verify
kura receipts verify "City Bus"
"""


@dataclass(eq=False)
class ReceiptsDoNotHold(WalletError):
    """Certificates that do not hold.

    Args:
        findings: One line for each: receipt, safe, reason.
    """

    findings: tuple[str, ...]
    hint = "Do not count on those pieces: recover the values and back them up again."

    def __str__(self) -> str:
        """Name each."""
        return "\n".join(["not everything holds:", *(f"  {line}" for line in self.findings)])


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.argument("receipts", nargs=-1, metavar="[RECEIPT]...")
@pass_session
def verify(session: Session, receipts: Sequence[str]) -> None:
    """Check every signature of all receipts, or of those named, offline.

    Manifest, leaf and certificates are checked against each other and against the pinned roster.
    """
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import count_of, emit
    from wallet_client.cli.rows import find_receipts
    from wallet_client.receipts.receipt import ReceiptId
    from wallet_client.receipts.shelf import get_receipt
    from wallet_client.wallet import pinned_roster

    with reading(session) as store:
        roster = pinned_roster(store)
        kept = store.receipts
        ids = find_receipts(kept, receipts) or [entry.id for entry in kept.entries()]
        found = [get_receipt(store, ReceiptId(receipt_id)) for receipt_id in ids]
    problems = [line for receipt in found for line in _problems(receipt, roster)]
    if problems:
        raise ReceiptsDoNotHold(tuple(problems))
    certificates = sum(len(receipt.certificates) for receipt in found)
    document = {"receipts": [{"id": one.receipt_id, "certificates": len(one.certificates)} for one in found]}
    checked = f"{count_of(len(found), 'receipt')} with {count_of(certificates, 'certificate')}"
    emit(session, document, lambda: f"{checked}: every signature holds")


def _problems(receipt: "Receipt", roster: "Roster") -> Iterator[str]:
    from trust.errors import TrustError
    from wallet_client.receipts.receipt import verify_receipt

    names = {safe.safe_id: safe.name for safe in roster.safes}
    try:
        findings = verify_receipt(receipt, roster)
    except TrustError as error:
        yield f"{receipt.receipt_id}: {error}"
        return
    for safe_id, problem in findings.items():
        if safe_id not in names:
            yield f"{receipt.receipt_id}, former safe {safe_id.hex()}: it is not in the roster any more"
        elif problem is not None:
            yield f"{receipt.receipt_id}, {names[safe_id]}: {problem}"
