"""`kura owner recover`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.factors import Named, ask_proofs, opened_by
from wallet_client.cli.parameters import Size
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.operations.owner_recovery import OwnerRecovered
    from wallet_client.owners.factors import Proofs
    from wallet_client.owners.names import OwnerName
    from wallet_client.storage.settings import WalletSettings
    from wallet_client.wallet import Wallet

_EXAMPLES = """
kura owner recover anna --roster roster.json --home ~/new-phone
kura owner recover anna --roster roster.json --with pin,device --device file:stick/kura.device
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
@opened_by()
@pass_session
def recover(
    session: Session, name: str, roster_file: Path | None, capacity: int | None, named: Named
) -> None:
    """Come back on a new device: asks for the PIN, makes a wallet, brings everything back.

    Where the owner asks for more than a PIN, --with says by which factors to come. Where the owner has a
    waiting period, the command says when to come back; the same command goes on then, and asks for nothing.

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
    is_owners, proofs = _made_ready(session, owner_name, roster_file, capacity, named)

    async def work(wallet: "Wallet") -> "OwnerRecovered":
        with Bars(WORTH_WATCHING_BYTES) as progress:
            if is_owners:
                return await continue_recovery(wallet, progress)
            return await recover_owner(wallet, owner_name, proofs, progress)

    done = with_wallet(session, work)
    warn_of_safes(done.failed)
    for receipt_id, error in done.left.items():
        warn(f"{receipt_id}: {error}")
    document = {"owner": owner_name.text, **recovered_document(done)}
    emit(session, document, lambda: recovered_text(done))


def _made_ready(
    session: Session, name: "OwnerName", roster_file: Path | None, capacity: int | None, named: Named
) -> "tuple[bool, Proofs | None]":
    """Whether the wallet acts for that owner already; what opens the record, and a wallet made ready for it.

    Returns:
        Secret: nothing to open the record with where the wallet is the owner's, or a recovery waits in it.

    Raises:
        WalletHasOwnerAlready: It acts for another.
        RosterRefused: The roster does not hold, or the wallet that is there believes another.
        PinMissing, PinRefused, DeviceFailed, FactorMissing: A factor is not to be had.
        WalletError: The wallet does not open, or cannot be made.
    """
    from wallet_client.cli.files import read_input
    from wallet_client.cli.wallet_init import make_wallet, settings_of_wallet
    from wallet_client.operations.owner_errors import WalletHasOwnerAlready

    known = settings_of_wallet(session)
    content = read_input(roster_file) if roster_file else None
    if known is None:
        if content is None:
            raise click.UsageError("there is no wallet here: --roster FILE says which safes it shall believe")
        proofs = ask_proofs(session, named)
        make_wallet(session, content, capacity)
        return False, proofs
    if known.owner is not None:
        if known.owner.name != name.text:
            raise WalletHasOwnerAlready(known.owner.name)
        return True, None
    _use_wallet(session, known, content, capacity)
    return False, None if _waits(session) else ask_proofs(session, named)


def _waits(session: Session) -> bool:
    from wallet_client.cli.opened import reading
    from wallet_client.operations.waiting_recovery import waiting_in

    with reading(session) as store:
        return waiting_in(store) is not None


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
