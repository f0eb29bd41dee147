"""The examples that the help of the commands prints."""

import click

from wallet_client.cli.commands import Command, Group
from wallet_client.cli.root import root


def printed_examples(group: Group = root) -> list[str]:
    """Each once; those of the groups themselves are among them or like them."""
    found: dict[str, None] = {}
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, Group):
            found |= dict.fromkeys(printed_examples(command))
        elif isinstance(command, Command):
            found |= dict.fromkeys(command.examples)
    return list(found)
