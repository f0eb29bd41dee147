"""What every command has in common: examples in its help, the wallet's options, `--json`, late loading."""

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from wallet_client.cli.session import (
    home_option,
    json_option,
    passphrase_options,
    terminal_option,
    via_option,
)


class Later(NamedTuple):
    """A command that is imported when it is needed.

    Args:
        target: "module:attribute".
        summary: Its line in the list of commands.
    """

    target: str
    summary: str

    def load(self) -> click.Command:
        """Import it."""
        module, _, attribute = self.target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


class _WithExamples(click.Command):
    """Help ends with examples.

    Args:
        examples: Command lines, one a line; there is no command without.
        opens_wallet: It takes --home, --terminal, --via and the passphrase options.
        prints_data: It takes --json.
    """

    def __init__(
        self,
        *arguments: Any,
        examples: str,
        opens_wallet: bool = False,
        prints_data: bool = False,
        **keywords: Any,
    ) -> None:
        super().__init__(*arguments, **keywords)
        self.examples = examples.strip().splitlines()
        if opens_wallet:
            self.params += [home_option(), *passphrase_options(), terminal_option(), via_option()]
        if prints_data:
            self.params.append(json_option())

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they are typed."""
        formatter.write_paragraph()
        formatter.write("Example:\n" if len(self.examples) == 1 else "Examples:\n")
        for line in self.examples:
            formatter.write(f"  {line}\n")


class Command(_WithExamples):
    """One command; it prints data unless said otherwise."""

    def __init__(self, *arguments: Any, prints_data: bool = True, **keywords: Any) -> None:
        super().__init__(*arguments, prints_data=prints_data, **keywords)


class Group(_WithExamples, click.Group):
    """Commands under one word, in the order of the table, each imported when it runs.

    Args:
        later: The commands by name.
    """

    def __init__(self, *arguments: Any, later: Mapping[str, Later], **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.later = later

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, as in the table."""
        return list(self.later)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None where there is none of that name."""
        return self.later[cmd_name].load() if cmd_name in self.later else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, later.summary) for name, later in self.later.items()])
