"""`kura receipts verify`: every signature of every receipt and deletion, with nobody asked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session
from wallet_client.errors import WalletError

if TYPE_CHECKING:
    from trust.ids import SafeId
    from trust.roster import Roster
    from wallet_client.receipts.deletion import Deletion
    from wallet_client.receipts.forgetting import Forgetting
    from wallet_client.receipts.receipt import Receipt

_EXAMPLES = """
kura receipts verify
kura receipts verify "City Bus"
"""


@dataclass(eq=False)
class ReceiptsDoNotHold(WalletError):
    """Certificates or deletion receipts that do not hold.

    Args:
        findings: One line for each: receipt, safe, reason.
    """

    findings: tuple[str, ...]
    hint = (
        "Do not count on those pieces: recover the values and back them up again. "
        "Do not take for deleted what a safe's deletion receipt does not prove."
    )

    def __str__(self) -> str:
        """Name each."""
        return "\n".join(["not everything holds:", *(f"  {line}" for line in self.findings)])


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.argument("receipts", nargs=-1, metavar="[RECEIPT]...")
@pass_session
def verify(session: Session, receipts: Sequence[str]) -> None:
    """Check every signature of all receipts, or of those named, offline.

    Manifest, leaf and certificates are checked against each other and against the pinned roster. Unless
    receipts are named, so are all deletions, of values and of owners: each tombstone, and the safes' deletion
    receipts for it.
    """
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import count_of, emit
    from wallet_client.cli.rows import find_receipts
    from wallet_client.receipts.receipt import ReceiptId
    from wallet_client.receipts.shelf import all_deletions, all_forgettings, get_receipt
    from wallet_client.wallet import pinned_roster, pinned_signing_keys

    with reading(session) as store:
        roster, keys = pinned_roster(store), pinned_signing_keys(store)
        kept = store.receipts
        ids = find_receipts(kept, receipts) or [entry.id for entry in kept.entries()]
        found = [get_receipt(store, ReceiptId(receipt_id)) for receipt_id in ids]
        deletions = [] if receipts else list(all_deletions(store))
        forgettings = [] if receipts else list(all_forgettings(store))
    problems = [line for receipt in found for line in _problems(receipt, roster)]
    problems += _problems_of_deletions(deletions, roster, keys)
    problems += _problems_of_forgettings(forgettings, roster, keys)
    if problems:
        raise ReceiptsDoNotHold(tuple(problems))
    certificates = sum(len(receipt.certificates) for receipt in found)
    erasures = sum(deletion.receipts_kept for deletion in deletions)
    erasures += sum(len(forgetting.erased_at) for forgetting in forgettings)
    document = {
        "receipts": [{"id": one.receipt_id, "certificates": len(one.certificates)} for one in found],
        "deletion_receipts": erasures,
    }
    checked = f"{count_of(len(found), 'receipt')} with {count_of(certificates, 'certificate')}"
    if deletions or forgettings:
        checked += f", and {count_of(erasures, 'deletion receipt')}"
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


def _problems_of_deletions(
    deletions: "Iterable[Deletion]", roster: "Roster", keys: "Mapping[SafeId, Sequence[bytes]]"
) -> Iterator[str]:
    from wallet_client.receipts.deletion import verify_deletion
    from wallet_client.wallet import safe_name

    for problem in (one for deletion in deletions for one in verify_deletion(deletion, keys)):
        whose = "this wallet" if problem.safe_id is None else safe_name(roster, problem.safe_id)
        yield f"deleted {problem.receipt_id}, {whose}: {problem.error}"


def _problems_of_forgettings(
    forgettings: "Iterable[Forgetting]", roster: "Roster", keys: "Mapping[SafeId, Sequence[bytes]]"
) -> Iterator[str]:
    from wallet_client.receipts.forgetting import verify_forgetting
    from wallet_client.values.shown import shown
    from wallet_client.wallet import safe_name

    for problem in (one for forgetting in forgettings for one in verify_forgetting(forgetting, keys)):
        whose = "the owner" if problem.safe_id is None else safe_name(roster, problem.safe_id)
        yield f"forgotten {shown(problem.name)}, {whose}: {problem.error}"
