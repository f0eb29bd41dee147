"""`kura wallet`: the wallet and what is in it."""

import click

from wallet_client.cli.commands import Group, Later

_COMMANDS = {
    "init": Later("wallet_client.cli.wallet_init:init", "Make a wallet that believes a roster."),
    "add": Later("wallet_client.cli.wallet_add:add", "Add files, or a value made of its fields."),
    "import": Later("wallet_client.cli.wallet_add:import_values", "Add all values of a JSON file."),
    "list": Later("wallet_client.cli.wallet_list:list_all", "List values and receipts."),
    "show": Later("wallet_client.cli.wallet_show:show", "Show all fields of a value."),
    "edit": Later(
        "wallet_client.cli.wallet_edit:edit", "Change a value; what was backed up is registered anew."
    ),
    "export": Later("wallet_client.cli.wallet_show:export", "Write a value's bytes to a file."),
    "remove": Later("wallet_client.cli.wallet_remove:remove", "Erase values from the wallet."),
    "serve": Later("wallet_client.cli.serve:serve", "Serve the wallet to programs of this machine."),
}

_EXAMPLES = """
kura wallet init --roster roster.json --capacity 64KiB
kura wallet add boardingpass.pkpass
kura wallet list --expires-within 7d
"""


@click.group(cls=Group, later=_COMMANDS, examples=_EXAMPLES)
def wallet() -> None:
    """Make a wallet; add, list, show and change its values.

    VALUE is a value's id, the beginning of one, or a name that only one value has.
    """
