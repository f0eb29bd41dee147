"""`kura wallet edit`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session
from wallet_client.cli.value_options import given, value_options

if TYPE_CHECKING:
    from wallet_client.operations.edit import EditReport
    from wallet_client.values.value import ValueId
    from wallet_client.wallet import Wallet

_EXAMPLES = """
kura wallet edit "City Bus" --remaining 650
kura wallet edit "Passport, page 2" --file newer-scan.pdf --remarks ""
"""


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.argument("value")
@value_options
@click.option(
    "--file",
    "payload_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="New bytes.",
)
@click.pass_context
def edit(context: click.Context, /, value: str, payload_file: Path | None, **options: Any) -> None:
    """Change a value; what was backed up is registered anew.

    The new content is registered first, then the old is erased here and at the safes, so one of them always
    stands. An empty text clears a field. VALUE is a value's id, the beginning of one, or a name that only one
    value has.
    """
    from wallet_client.cli.opened import reading, with_wallet
    from wallet_client.cli.output import emit, warn_of_safes
    from wallet_client.cli.rows import receipt_states, state_word, value_row
    from wallet_client.operations.edit import edit as change

    session = context.ensure_object(Session)
    changes = given(context, options) | _payload(payload_file)
    if not changes:
        raise click.UsageError("say what to change, such as --remaining 650")

    async def work(wallet: "Wallet") -> "tuple[ValueId, EditReport]":
        value_id = wallet.store.values.find(value)
        old = wallet.store.values.get(value_id)
        return value_id, await change(wallet, value_id, old.with_fields(**changes))

    value_id, report = with_wallet(session, work)
    with reading(session) as store:
        states, summary = receipt_states(store), store.values.summary(value_id)
    warn_of_safes(report.failed)
    text = f"{summary.id} changed; it is {state_word(summary, states)}"
    emit(session, {"values": [value_row(summary, states)]}, lambda: text)


def _payload(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    from wallet_client.values.files import read_file

    taken = read_file(path, now=0)
    return {"payload": taken.payload, "file_name": taken.file_name, "media_type": taken.media_type}
