"""`kura owner`: come back with nothing but a name and a PIN (docs/OWNERS.md)."""

import click

from wallet_client.cli.commands import Group, Later

_COMMANDS = {
    "enroll": Later("wallet_client.cli.owner_enroll:enroll", "Let a name and a PIN bring everything back."),
    "recover": Later("wallet_client.cli.owner_recover:recover", "Come back on a new device."),
    "status": Later("wallet_client.cli.owner_status:status", "What each safe has, and guesses left."),
    "policy": Later("wallet_client.cli.owner_policy:policy", "Show or change who can open the record."),
    "factor": Later("wallet_client.cli.owner_factor:factor", "Add or remove devices and an authority."),
    "waiting-period": Later(
        "wallet_client.cli.owner_waiting:waiting_period", "Have a stranger's recovery wait."
    ),
    "veto": Later("wallet_client.cli.owner_waiting:veto", "End a recovery that waits."),
    "change-pin": Later("wallet_client.cli.owner_pin:change_pin", "Replace the PIN."),
    "wallets": Later("wallet_client.cli.owner_wallets:wallets", "List the owner's wallets."),
    "revoke": Later("wallet_client.cli.owner_wallets:revoke", "End a lost wallet's rights."),
    "forget": Later("wallet_client.cli.owner_forget:forget", "End the owner; erase all at the safes."),
    "rearm": Later("wallet_client.cli.owner_pin:rearm", "Give the guesses back."),
}
_EXAMPLES = """
kura owner enroll anna
kura owner status
"""


@click.group(cls=Group, later=_COMMANDS, examples=_EXAMPLES)
def owner() -> None:
    """Enrol an owner, so that a name and a PIN bring everything back to a new device.

    The PIN is asked for; without a terminal it is read from standard input, one line (two to enrol or change
    it). It is never an argument. Without it nobody gets anything: fewer than the threshold of safes learn
    nothing, and who has that many still has to guess the PIN, with 64 MiB of memory for each try.
    """
