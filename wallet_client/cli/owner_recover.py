"""`kura owner recover`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.parameters import Size
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.operations.owner_recovery import OwnerRecovered
    from wallet_client.owners.names import OwnerName, Pin
    from wallet_client.storage.settings import WalletSettings
    from wallet_client.wallet import Wallet

_EXAMPLES = """
kura owner recover anna --roster roster.json --home ~/new-phone
kura owner recover anna --roster roster.json --capacity 64KiB --json
kura owner recover anna
kura owner recover anna --roster roster.json --via safe-2
"""


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.argument("name")
@click.option(
    "--roster",
    "roster_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="The safes to believe: a roster file that their operators signed. A new device needs it.",
)
@click.option(
    "--capacity", type=Size(), help="How much the new wallet's values may take [default: no limit]."
)
@pass_session
def recover(session: Session, name: str, roster_file: Path | None, capacity: int | None) -> None:
    """Come back on a new device: asks for the PIN, makes a wallet, brings everything back.

    The wallet is made in the home folder, or the one that is there and acts for nobody is used. Values of
    which the validity ends soonest come first; what does not fit is suspended. Where the wallet acts for the
    owner already, it goes on without the PIN: with what was interrupted, or what another wallet backed up.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit, warn, warn_of_safes
    from wallet_client.cli.owner_recovered import recovered_document, recovered_text
    from wallet_client.cli.progress import WORTH_WATCHING_BYTES, Bars
    from wallet_client.operations.owner_recovery import continue_recovery, recover_owner
    from wallet_client.owners.names import OwnerName

    owner_name = OwnerName(name)
    pin = _pin_unless_adopted(session, owner_name, roster_file, capacity)

    async def work(wallet: "Wallet") -> "OwnerRecovered":
        with Bars(WORTH_WATCHING_BYTES) as progress:
            if pin is None:
                return await continue_recovery(wallet, progress)
            return await recover_owner(wallet, owner_name, pin, progress)

    done = with_wallet(session, work)
    warn_of_safes(done.failed)
    for receipt_id, error in done.left.items():
        warn(f"{receipt_id}: {error}")
    document = {"owner": owner_name.text, **recovered_document(done)}
    emit(session, document, lambda: recovered_text(done))


def _pin_unless_adopted(
    session: Session, name: "OwnerName", roster_file: Path | None, capacity: int | None
) -> "Pin | None":
    """The PIN, with a wallet made ready for it; None where the wallet acts for that owner already. Secret.

    Raises:
        WalletHasOwnerAlready: It acts for another.
        RosterRefused: The roster does not hold, or the wallet that is there believes another.
        PinMissing, PinRefused: There is no PIN to be had.
        WalletError: The wallet does not open, or cannot be made.
    """
    from wallet_client.cli.files import read_input
    from wallet_client.cli.pin import ask_pin
    from wallet_client.cli.wallet_init import make_wallet, settings_of_wallet
    from wallet_client.operations.owner_errors import WalletHasOwnerAlready

    known = settings_of_wallet(session)
    content = read_input(roster_file) if roster_file else None
    if known is None:
        if content is None:
            raise click.UsageError("there is no wallet here: --roster FILE says which safes it shall believe")
        pin = ask_pin()
        make_wallet(session, content, capacity)
        return pin
    if known.owner is not None:
        if known.owner.name != name.text:
            raise WalletHasOwnerAlready(known.owner.name)
        return None
    _use_wallet(session, known, content, capacity)
    return ask_pin()


def _use_wallet(
    session: Session, known: "WalletSettings", content: bytes | None, capacity: int | None
) -> None:
    """Hold the wallet that is there to what was said of it."""
    from trust.errors import RosterRefused
    from trust.roster import Roster
    from trust.roster_file import read_roster
    from wallet_client.cli.opened import writing
    from wallet_client.wallet import genesis_fingerprint

    if content is not None and genesis_fingerprint(read_roster(content)) != known.genesis_fingerprint:
        raise RosterRefused(Roster.title, "the wallet that is there believes another")
    if capacity is not None:
        with writing(session) as store:
            store.settings.set_capacity(capacity)
