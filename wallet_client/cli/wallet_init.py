"""`kura wallet init`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.parameters import Size
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from trust.roster import Roster
    from wallet_client.storage.settings import WalletSettings

UNPROTECTED = (
    "No passphrase: whoever can read this wallet's folder, or a copy of it, can read every value in it."
)
_EXAMPLES = """
kura wallet init --roster /tmp/safes/roster.json
kura wallet init --roster roster.json --capacity 64KiB --home ~/card --passphrase-file secret.txt
"""


def settings_of_wallet(session: Session) -> "WalletSettings | None":
    """Those of the wallet of this run; None where there is no wallet.

    Raises:
        WalletError: It does not open.
    """
    from wallet_client.cli.opened import reading
    from wallet_client.storage.errors import WalletMissing

    try:
        with reading(session) as store:
            return store.settings.get()
    except WalletMissing:
        return None


def make_wallet(session: Session, roster_file: bytes, capacity: int | None) -> "Roster":
    """Make the wallet of this run.

    Args:
        roster_file: Bytes of a roster file.
        capacity: How much its values may take; None for no limit.

    Raises:
        RosterRefused: The roster does not hold.
        WalletError: It cannot be made.
    """
    import asyncio

    from wallet_client.cli.output import say
    from wallet_client.wallet import create_wallet

    roster = asyncio.run(create_wallet(session.home, session.new_unlock(), roster_file, capacity))
    if session.no_passphrase:
        say(UNPROTECTED)
    return roster


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.option(
    "--roster",
    "roster_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    metavar="FILE",
    help="The safes to believe: a roster file that their operators signed.",
)
@click.option("--capacity", type=Size(), help="How much the values may take [default: no limit].")
@pass_session
def init(session: Session, roster_file: Path, capacity: int | None) -> None:
    """Make a wallet that believes a roster.

    Shows the roster's fingerprint and pins it: from then on the wallet refuses any roster that does not
    follow from this one. Compare it with what the operators publish.
    """
    from trust.roster_file import read_roster
    from wallet_client.cli.files import read_input
    from wallet_client.cli.output import count_of, emit, fields, fingerprint, size
    from wallet_client.values.shown import shown
    from wallet_client.wallet import genesis_fingerprint

    content = read_input(roster_file)
    pinned = genesis_fingerprint(read_roster(content))
    roster = make_wallet(session, content, capacity)
    document = {
        "home": shown(str(session.home)),
        "fingerprint": pinned.hex(),
        "roster_version": roster.version,
        "safes": [safe.name for safe in roster.safes],
        "threshold": roster.threshold,
        "capacity_bytes": capacity,
        "passphrase": not session.no_passphrase,
    }
    shape = (
        f"version {roster.version}, {count_of(len(roster.safes), 'safe')}, any {roster.threshold} bring back"
    )
    pairs = (
        ("Wallet", shown(str(session.home))),
        ("Capacity", "no limit" if capacity is None else size(capacity)),
        ("Roster", shape),
        ("Pinned", fingerprint(pinned)),
    )
    emit(session, document, lambda: fields(pairs))
