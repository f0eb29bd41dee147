"""`kura completion`: the script that lets a shell complete commands and options."""

import sys

import click

from wallet_client.cli.commands import Command

_EXAMPLES = """
source <(kura completion bash)
kura completion zsh > ~/.zfunc/_kura
kura completion fish > ~/.config/fish/completions/kura.fish
"""


@click.command(cls=Command, prints_data=False, examples=_EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    Needs bash 4.4 or newer. Put the first example's line into ~/.bashrc to have it always.
    """
    from click.shell_completion import get_completion_class

    from wallet_client.cli.root import PROGRAM

    complete = get_completion_class(shell)
    if complete is None:
        raise click.UsageError(f"{shell} is not known")
    script = complete(context.find_root().command, {}, PROGRAM, "_KURA_COMPLETE").source()
    sys.stdout.write(script + "\n")
