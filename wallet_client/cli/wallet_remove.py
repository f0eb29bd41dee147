"""`kura wallet remove`."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session
from wallet_client.errors import WalletError


@dataclass(eq=False)
class NotConfirmed(WalletError):
    """The person said no."""

    hint = "`kura backup` first, then nothing is lost."

    def __str__(self) -> str:
        """Say what that means."""
        return "Nothing was erased."


_EXAMPLES = """
kura wallet remove "City Bus"
kura wallet remove "City Bus" "Old ticket" --yes
"""


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.argument("values", nargs=-1, required=True, metavar="VALUE...")
@click.option("--yes", is_flag=True, help="Do not ask, even where a value is nowhere else.")
@pass_session
def remove(session: Session, values: Sequence[str], yes: bool) -> None:
    """Erase values from the wallet, beyond recovery from its files.

    Receipts stay: `kura recover` brings back what was backed up. At a terminal, asks before it erases a
    value that is nowhere else. VALUE is a value's id, the beginning of one, or a name that only one value
    has.
    """
    from wallet_client.cli.opened import reading, writing
    from wallet_client.cli.output import count_of, emit
    from wallet_client.cli.rows import receipt_states, value_row

    with reading(session) as store:
        states = receipt_states(store)
        found = {store.values.find(text): None for text in values}
        summaries = [store.values.summary(value_id) for value_id in found]
    lost = [one.id for one in summaries if one.receipt_id is None]
    if lost and not yes and sys.stdin.isatty():
        _ask(lost)
    with writing(session) as store:
        for one in summaries:
            store.values.remove(one.id)
    document = {"removed": [value_row(one, states) for one in summaries]}
    emit(session, document, lambda: f"{count_of(len(summaries), 'value')} erased from the wallet")


def _ask(lost: Sequence[str]) -> None:
    if not click.confirm(f"{', '.join(lost)}: not backed up anywhere. Erase for ever?", err=True):
        raise NotConfirmed
