"""`kura authority devices`."""

from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command, Group, Later
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from trust.authority_calls import DeviceShown
    from wallet_client.operations.authority import Desk

_HERE = "wallet_client.cli.authority_devices:"
_COMMANDS = {
    "list": Later(_HERE + "list_", "List the devices of the account."),
    "add": Later(_HERE + "add", "Make this wallet a device of the account."),
    "remove": Later(_HERE + "remove", "Remove a device; end every other session."),
}


@click.group(cls=Group, later=_COMMANDS, examples="kura authority devices list --json")
def devices() -> None:
    """Look after the devices of the account.

    A device is a FIDO2 authenticator. The one that `add` makes is software in this wallet: it says that it
    verified its owner where the wallet has a passphrase. Security keys are registered by other programs, by
    the same calls.
    """


@click.command(cls=Command, opens_wallet=True, examples="kura authority devices list --json")
@pass_session
def list_(session: Session) -> None:
    """List the devices of the account, with the ids by which they are removed."""

    async def work(desk: "Desk") -> "tuple[DeviceShown, ...]":
        return await desk.devices()

    _show(session, work)


@click.command(cls=Command, opens_wallet=True, examples='kura authority devices add "my laptop"')
@click.argument("label")
@pass_session
def add(session: Session, label: str) -> None:
    """Make this wallet a device of the account, under a LABEL of 1 to 64 characters."""
    from trust.authority_calls import LABEL_MAX_CHARACTERS

    if not 1 <= len(label) <= LABEL_MAX_CHARACTERS:
        raise click.UsageError(f"a label has 1 to {LABEL_MAX_CHARACTERS} characters")

    async def work(desk: "Desk") -> "tuple[DeviceShown, ...]":
        await desk.add_device(label)
        return await desk.devices()

    _show(session, work)


@click.command(
    cls=Command,
    opens_wallet=True,
    examples="kura authority devices remove 5f3a0c4be19d2277a86e1f90c4d2b3a1",
)
@click.argument("device")
@pass_session
def remove(session: Session, device: str) -> None:
    """Remove a DEVICE by its id, and end every other session of the account."""
    try:
        device_id = bytes.fromhex(device)
    except ValueError:
        device_id = b""
    if len(device_id) != 16:
        raise click.UsageError("a device is named by the 32 digits that `devices list` shows")

    async def work(desk: "Desk") -> "tuple[DeviceShown, ...]":
        await desk.remove_device(device_id)
        return await desk.devices()

    _show(session, work)


def _show(session: Session, work: object) -> None:
    from wallet_client.cli.authority_account import at_the_desk
    from wallet_client.cli.output import cell, columns, emit, moment

    found: tuple[DeviceShown, ...] = at_the_desk(session, work)  # type: ignore[arg-type]
    document = {
        "devices": [
            {
                "id": one.device_id.hex(),
                "label": one.label,
                "verifies": one.verifies,
                "added_at": one.added_at,
            }
            for one in found
        ]
    }
    rows = [
        (one.device_id.hex(), cell(one.label), "yes" if one.verifies else "no", moment(one.added_at))
        for one in found
    ]
    emit(session, document, lambda: columns(("ID", "LABEL", "VERIFIES ITS OWNER", "ADDED"), rows))
