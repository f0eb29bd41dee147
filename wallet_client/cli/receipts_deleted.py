"""`kura receipts deleted`: what was deleted at the safes, and which of them gave their word for it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from trust.roster import Roster
    from wallet_client.receipts.deletion import DeletedGeneration
    from wallet_client.receipts.forgetting import Forgetting
    from wallet_client.storage.store import WalletStore

_EXAMPLES = """
kura receipts deleted
kura receipts deleted --json
"""

_LATER_SECONDS = 86_400
"""A safe that erases so much later had the pieces wait; the clocks of wallet and safe differ by less."""


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.argument("receipt", required=False)
@pass_session
def deleted(session: Session, receipt: str | None) -> None:
    """List what was deleted at the safes, and how many of them confirmed it with a signed receipt.

    Generations of a value that newer ones replaced and backups that were withdrawn are among it. RECEIPT is
    the id that the receipt had, or the beginning of one: neither class nor name of what was deleted are
    kept. `kura receipts verify` checks the signatures; `kura resume` delivers what is still owed. Until the
    time that "erased on" states `kura undelete` takes the deletion back. Forgotten owners stand below.
    """
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import emit
    from wallet_client.receipts.shelf import all_forgettings
    from wallet_client.wallet import pinned_roster

    with reading(session) as store:
        roster = pinned_roster(store)
        found = _found(store, receipt)
        owners = [] if receipt else list(all_forgettings(store))
    document = {
        "deletions": [_row(one, roster) for one in found],
        "owners": [_owner_row(one, roster) for one in owners],
    }
    emit(session, document, lambda: _text(found, owners, roster))


def _found(store: "WalletStore", text: str | None) -> "list[DeletedGeneration]":
    """All deleted generations, or those of the one receipt that the person means."""
    from wallet_client.receipts.deletion import generations_of
    from wallet_client.receipts.errors import UnknownDeletion
    from wallet_client.receipts.shelf import all_deletions
    from wallet_client.storage.naming import resolve

    found = [one for deletion in all_deletions(store) for one in generations_of(deletion)]
    if text is None:
        return found
    ids = dict.fromkeys(one.receipt_id for one in found)
    meant = resolve(text, ((one, one) for one in ids), "deletion", UnknownDeletion)
    return [one for one in found if one.receipt_id == meant]


def _row(one: "DeletedGeneration", roster: "Roster") -> dict[str, object]:
    from wallet_client.wallet import safe_name

    return {
        "receipt_id": one.receipt_id,
        "item_id": one.item_id.hex(),
        "generation": one.generation,
        "policy": one.policy_name,
        "deleted_at": one.deleted_at,
        "safes": len(one.erased_at) + len(one.owed_to) + len(one.undone_at),
        "safes_erased": len(one.erased_at),
        "erased": [
            {"safe": safe_name(roster, safe_id), "safe_id": safe_id.hex(), "erased_at": erased_at}
            for safe_id, erased_at in one.erased_at.items()
        ],
        "owed_to": [safe_name(roster, safe_id) for safe_id in one.owed_to],
        "undone_at": [safe_name(roster, safe_id) for safe_id in one.undone_at],
    }


def _owner_row(one: "Forgetting", roster: "Roster") -> dict[str, object]:
    from wallet_client.wallet import safe_name

    return {
        "owner": one.name,
        "forgotten_at": one.forgotten_at,
        "safes": len(one.safes),
        "erased": [
            {"safe": safe_name(roster, safe_id), "safe_id": safe_id.hex(), "erased_at": erased_at}
            for safe_id, erased_at in one.erased_at.items()
        ],
        "owed_to": [safe_name(roster, safe_id) for safe_id in one.owed_to],
    }


def _text(found: "Sequence[DeletedGeneration]", owners: "Sequence[Forgetting]", roster: "Roster") -> str:
    parts = [_table(found, roster)] if found else []
    parts += [_owners_table(owners, roster)] if owners else []
    return "\n".join(parts) or "No deletions."


def _owners_table(owners: "Sequence[Forgetting]", roster: "Roster") -> str:
    from wallet_client.cli.output import columns, moment
    from wallet_client.values.shown import shown

    rows = (
        (shown(one.name), moment(one.forgotten_at), "; ".join(_erased_and_owed(one, len(one.safes), roster)))
        for one in owners
    )
    return columns(("OWNER", "FORGOTTEN", "STATE"), rows)


def _table(found: "Sequence[DeletedGeneration]", roster: "Roster") -> str:
    from wallet_client.cli.output import columns, moment

    rows = (
        (one.receipt_id, str(one.generation), one.policy_name, moment(one.deleted_at), _state(one, roster))
        for one in found
    )
    return columns(("RECEIPT", "GENERATION", "POLICY", "DELETED", "STATE"), rows, right=frozenset({1}))


def _state(one: "DeletedGeneration", roster: "Roster") -> str:
    """How many safes confirmed, and which did not; when it is erased, where that is a later day."""
    n = len(one.erased_at) + len(one.owed_to) + len(one.undone_at)
    parts = [f"undone at {_of_all(len(one.undone_at), n)}"] if one.undone_at else []
    if len(one.undone_at) < n:
        parts += _erased_and_owed(one, n, roster, one.deleted_at)
    return "; ".join(parts)


def _erased_and_owed(
    one: "DeletedGeneration | Forgetting", n: int, roster: "Roster", deleted_at: int | None = None
) -> list[str]:
    from wallet_client.cli.output import moment
    from wallet_client.wallet import safe_name

    last = max(one.erased_at.values(), default=0)
    waits = deleted_at is not None and last >= deleted_at + _LATER_SECONDS
    when = f"erased on {moment(last)}" if waits else "erased"
    parts = [f"{when} at {_of_all(len(one.erased_at), n)}"]
    if one.owed_to:
        parts.append(f"owed to {', '.join(safe_name(roster, safe_id) for safe_id in one.owed_to)}")
    return parts


def _of_all(count: int, n: int) -> str:
    return f"all {n}" if count == n else f"{count} of {n}"
