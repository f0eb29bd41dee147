"""`kura owner factor`: devices and an authority beside the PIN."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command, Group, Later
from wallet_client.cli.factors import Named, ask_proofs, device_named, opened_by, read_signed_authority
from wallet_client.cli.owner_policy import show_access
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallet_client.network.failures import SafeFailure
    from wallet_client.operations.owner_status import OwnerView
    from wallet_client.wallet import Wallet

_HERE = "wallet_client.cli.owner_factor:"
_COMMANDS = {
    "add": Later(_HERE + "add", "Add a device, or an authority."),
    "list": Later(_HERE + "list_", "List devices and authority."),
    "remove": Later(_HERE + "remove", "Remove a device, or the authority."),
}
_ADD = {
    "device": Later(_HERE + "add_device", "Register a device for the owner."),
    "authority": Later(_HERE + "add_authority", "Name an authority that knows the owner."),
}
_REMOVE = {
    "device": Later(_HERE + "remove_device", "A device opens nothing any more."),
    "authority": Later(_HERE + "remove_authority", "The authority's word opens nothing any more."),
}
_EXAMPLES = """
kura owner factor add device stick --device file:stick/kura.device
kura owner factor list
"""


@click.group(cls=Group, later=_COMMANDS, examples=_EXAMPLES)
def factor() -> None:
    """Look after what may prove the owner beside the PIN; `kura owner policy` says what is asked for."""


@click.group(cls=Group, later=_ADD, examples="kura owner factor add authority --authority authority.json")
def add() -> None:
    """Add a device, or an authority: asks for what opens the record now."""


@click.group(cls=Group, later=_REMOVE, examples="kura owner factor remove device stick")
def remove() -> None:
    """Remove a device, or the authority: asks for what opens the record now."""


@click.command(
    cls=Command,
    opens_wallet=True,
    examples="kura owner factor add device stick --device file:stick/kura.device",
)
@click.argument("label")
@click.option(
    "--device",
    required=True,
    metavar="DEVICE",
    help="The new one: file:PATH (made where there is none), pkcs11:token=NAME?module-path=PATH, or fido2.",
)
@opened_by(device="--with-device", authority="--with-authority", deals=True)
@pass_session
def add_device(session: Session, label: str, device: str, named: Named) -> None:
    """Register a device for the owner, under a LABEL of 1 to 64 characters that the safes can read.

    The device is touched, and answers once, as the safes will ask it. It counts where the policy asks for a
    device: `kura owner policy`. Where nothing comes of it, no new file is left.
    """
    from trust.errors import TrustError
    from wallet_client.devices.file import FileDevice
    from wallet_client.errors import WalletError
    from wallet_client.operations.change_access import changed_record, new_device, with_device

    if not 1 <= len(label) <= 64:
        raise click.UsageError("a label has 1 to 64 characters")
    proofs = ask_proofs(session, named, "PIN of now")
    opened = device_named(device, new=True)

    async def work(wallet: "Wallet") -> "Mapping[str, SafeFailure]":
        change = with_device(await new_device(wallet, opened, label))
        return await changed_record(wallet, proofs, change)

    try:
        show_access(session, work, _text)
    except (WalletError, TrustError):  # raised before the new record is in force, and never after
        if isinstance(opened, FileDevice):
            opened.discard()
        raise


@click.command(
    cls=Command,
    opens_wallet=True,
    examples="kura owner factor add authority --authority authority.json",
)
@click.option(
    "--authority",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="What the authority says of itself [default: the authority that this wallet knows].",
)
@opened_by(device="--with-device", authority="--with-authority", deals=True)
@pass_session
def add_authority(session: Session, file: Path | None, named: Named) -> None:
    """Name an authority at which the owner has an account under the same name, in the place of another."""
    from wallet_client.operations.change_access import changed_record, known_authority, with_authority

    signed = read_signed_authority(file)
    proofs = ask_proofs(session, named, "PIN of now")

    async def work(wallet: "Wallet") -> "Mapping[str, SafeFailure]":
        return await changed_record(wallet, proofs, with_authority(known_authority(wallet, signed)))

    show_access(session, work, _text)


@click.command(cls=Command, opens_wallet=True, examples="kura owner factor remove device stick")
@click.argument("label")
@opened_by(deals=True)
@pass_session
def remove_device(session: Session, label: str, named: Named) -> None:
    """Remove a device by its LABEL, or the beginning of its id; a lost device opens nothing then."""
    from wallet_client.operations.change_access import changed_record, without_device

    proofs = ask_proofs(session, named, "PIN of now")

    async def work(wallet: "Wallet") -> "Mapping[str, SafeFailure]":
        return await changed_record(wallet, proofs, without_device(label))

    show_access(session, work, _text)


@click.command(cls=Command, opens_wallet=True, examples="kura owner factor remove authority")
@opened_by(deals=True)
@pass_session
def remove_authority(session: Session, named: Named) -> None:
    """Ask no authority any more."""
    from wallet_client.operations.change_access import changed_record, without_authority

    proofs = ask_proofs(session, named, "PIN of now")

    async def work(wallet: "Wallet") -> "Mapping[str, SafeFailure]":
        return await changed_record(wallet, proofs, without_authority)

    show_access(session, work, _text)


@click.command(
    "list", cls=Command, opens_wallet=True, examples="kura owner factor list\nkura owner factor list --json"
)
@pass_session
def list_(session: Session) -> None:
    """List the owner's devices and authority, as the safes have them."""
    show_access(session, text=_text)


def _text(view: "OwnerView") -> str:
    from wallet_client.cli.output import cell, columns, fingerprint
    from wallet_client.operations.change_access import device_id

    access = view.access
    rows = [
        (
            "device",
            cell(one.label),
            device_id(one)[:16],
            "verifies its owner" if one.verifies else "",
            "A COPY IS ABOUT" if bytes.fromhex(device_id(one)) in view.copied else "",
        )
        for one in access.devices
    ]
    rows += [("authority", "", fingerprint(one), "", "") for one in access.authority]
    if not rows:
        return "Nothing but the PIN."
    return columns(("FACTOR", "LABEL", "ID", "NOTE", ""), rows)
