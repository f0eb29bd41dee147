"""`kura receipts`: the proofs of what is backed up. Nothing here contacts a safe."""

import click

from wallet_client.cli.commands import Command, Group, Later
from wallet_client.cli.session import Session, pass_session

_COMMANDS = {
    "list": Later(
        "wallet_client.cli.receipts:list_receipts", "List receipts; also what `kura receipts` alone does."
    ),
    "show": Later("wallet_client.cli.receipts_show:show", "Show a receipt's certificates."),
    "verify": Later("wallet_client.cli.receipts_verify:verify", "Check every signature, offline."),
    "deleted": Later(
        "wallet_client.cli.receipts_deleted:deleted", "List what was deleted, and which safes confirmed it."
    ),
    "export": Later(
        "wallet_client.cli.receipts_show:export", "Write a receipt's signed documents to a file."
    ),
}
_EXAMPLES = """
kura receipts
kura receipts show "City Bus"
kura receipts verify
"""


@click.group(
    cls=Group,
    later=_COMMANDS,
    examples=_EXAMPLES,
    invoke_without_command=True,
    opens_wallet=True,
    prints_data=True,
)
@click.pass_context
def receipts(context: click.Context) -> None:
    """Show, verify and export receipts; without a command, list them.

    RECEIPT is a receipt's id, the beginning of one, or the name or id of its value.
    """
    if context.invoked_subcommand is None:
        _list(context.ensure_object(Session))


@click.command("list", cls=Command, opens_wallet=True, examples="kura receipts list --json")
@pass_session
def list_receipts(session: Session) -> None:
    """List receipts: class, title, size, validity, and how many safes have it."""
    _list(session)


def _list(session: Session) -> None:
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import emit
    from wallet_client.cli.rows import read_entries, receipt_row, receipts_table

    with reading(session) as store:
        pairs = read_entries(store.receipts.entries())
    document = {"receipts": [receipt_row(*pair) for pair in pairs]}
    emit(session, document, lambda: receipts_table(pairs) if pairs else "No receipts.")
