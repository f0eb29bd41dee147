"""`kura terminal`."""

from pathlib import Path

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

_EXAMPLES = """
kura terminal --listen 127.0.0.1:7500 --roster roster.json
kura terminal --listen unix:/run/user/1000/kura-terminal.sock --roster roster.json --record carried.bin
"""


@click.command(cls=Command, examples=_EXAMPLES)
@click.option(
    "--listen",
    "address",
    required=True,
    metavar="ADDRESS",
    help="unix:PATH, or a loopback address such as 127.0.0.1:7500; port 0 is any free one.",
)
@click.option(
    "--roster",
    "roster_file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Whose safes to carry to, and to nobody else.",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write every byte that is carried here, to see that there is nothing to read in it. Where the "
    "disk is full, recording ends with a line on standard error, and carrying goes on.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
    help="What is logged to standard error: `info` is a line for each carriage.",
)
@pass_session
def terminal(session: Session, address: str, roster_file: Path, record: Path | None, log_level: str) -> None:
    """Carry a wallet's traffic with the safes, until SIGTERM or Ctrl-C, and read none of it.

    For a wallet that has no network of its own: tell it --terminal ADDRESS, or KURA_TERMINAL. What it says to
    a safe is sealed to that safe; a terminal needs no wallet, no passphrase and no key.
    """
    import asyncio

    from rpc_edge.logs import configure_logs
    from rpc_edge.server import AddressUnavailable
    from trust.roster import verify_chain
    from trust.roster_file import read_roster
    from wallet_client.cli.files import read_input
    from wallet_client.network.loopback import read_address
    from wallet_client.network.terminal import serve_terminal
    from wallet_client.service.entrance import CannotListen

    try:
        where = read_address(address)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--listen") from None
    roster = verify_chain(read_roster(read_input(roster_file)))

    def ready(at: str) -> None:
        from wallet_client.cli.output import emit, fields

        emit(session, {"address": at}, lambda: fields([("Carrying", at)]))

    try:
        asyncio.run(serve_terminal(where, roster, record, ready, configure_logs(log_level)))
    except AddressUnavailable:
        raise CannotListen(where) from None
