"""`kura authority`: an authority that knows the owner by a password or a device (docs/AUTHORITY.md)."""

import click

from wallet_client.cli.commands import Group, Later

_HERE = "wallet_client.cli.authority_account:"
_COMMANDS = {
    "register": Later(_HERE + "register", "Make an account."),
    "login": Later(_HERE + "login", "Start a session."),
    "logout": Later(_HERE + "logout", "End the session."),
    "change-password": Later(_HERE + "change_password", "Replace the password; end every session."),
    "devices": Later("wallet_client.cli.authority_devices:devices", "List, add and remove devices."),
    "events": Later(_HERE + "events", "What happened to the account."),
}
_EXAMPLES = """
kura authority register anna --authority authority.json
kura authority login
"""


@click.group(cls=Group, later=_COMMANDS, examples=_EXAMPLES)
def authority() -> None:
    """Prove to an authority who you are, so that it says so to safes.

    The password is asked for; without a terminal it is read from standard input, one line (two to register
    or change it). It is never an argument, and travels sealed to the authority alone. The authority keeps
    nothing that you back up, and no safe takes its word alone.
    """
