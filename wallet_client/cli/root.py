"""`kura`: the root of all commands."""

import click

from wallet_client.cli.commands import Group, Later

PROGRAM = "kura"

_COMMANDS = {
    "wallet": Later(
        "wallet_client.cli.wallet:wallet", "Make a wallet; add, list, show and change its values."
    ),
    "backup": Later("wallet_client.cli.backup:backup", "Register values at the safes."),
    "receipts": Later("wallet_client.cli.receipts:receipts", "Show, verify and export receipts."),
    "condition": Later(
        "wallet_client.cli.condition:condition", "Say which values are backed up by themselves."
    ),
    "recover": Later("wallet_client.cli.recover:recover", "Bring values back from the safes."),
    "key": Later("wallet_client.cli.key:key", "Make, back up, forget and bring back the wallet's keys."),
    "undelete": Later("wallet_client.cli.undelete:undelete", "Take a deletion back, with the owner's PIN."),
    "resume": Later("wallet_client.cli.resume:resume", "Finish what was interrupted; deliver what waits."),
    "owner": Later("wallet_client.cli.owner:owner", "Come back with nothing but a name and a PIN."),
    "authority": Later(
        "wallet_client.cli.authority:authority", "Prove to an authority who you are, and let it say so."
    ),
    "reseed": Later("wallet_client.cli.reseed:reseed", "Seal what is backed up anew, under fresh secrets."),
    "trigger": Later(
        "wallet_client.cli.trigger:trigger", "Say what starts backups and recoveries by itself."
    ),
    "sensor": Later("wallet_client.cli.sensor:sensor", "Show and name the sensors that triggers ask."),
    "run-triggers": Later("wallet_client.cli.run_triggers:run_triggers", "Run the triggers that are due."),
    "policy": Later(
        "wallet_client.cli.policy:policy", "Show, explain and add the ways in which values can be backed up."
    ),
    "roster": Later(
        "wallet_client.cli.roster:roster", "Assemble, sign, verify and update the list of safes."
    ),
    "terminal": Later(
        "wallet_client.cli.terminal:terminal", "Carry a wallet's traffic with the safes, and read none of it."
    ),
    "safes": Later("wallet_client.cli.safes:safes", "Show what each safe holds, and have them repair."),
    "cluster": Later("wallet_client.cli.cluster:cluster", "Run safes on this machine, to try Kura out."),
    "completion": Later("wallet_client.cli.completion:completion", "Print the completion script of a shell."),
}

_EXAMPLES = """
kura cluster up --dir /tmp/safes --safes 5
kura wallet init --roster /tmp/safes/roster.json
kura wallet add ticket.pkpass notes.txt
kura backup --all
kura recover --all
"""


def _print_version(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        number = version(PROGRAM)
    except PackageNotFoundError:
        number = "(not installed: runs from its source tree)"
    click.echo(f"{PROGRAM} {number}")
    context.exit()


@click.group(
    cls=Group,
    later=_COMMANDS,
    examples=_EXAMPLES,
    opens_wallet=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
def root() -> None:
    """Keep tickets, cards, keys and files in a wallet, and back them up at safes that nobody has to trust.

    KURA_HOME names the wallet's folder, KURA_PASSPHRASE its passphrase, KURA_TERMINAL who carries its
    traffic, KURA_VIA the one safe through which it reaches all; KURA_DEBUG=1 shows tracebacks.
    """
