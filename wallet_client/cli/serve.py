"""`kura wallet serve`."""

from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.service.server import Ready

_EXAMPLES = """
kura wallet serve
kura wallet serve --listen 127.0.0.1:7400
kura wallet serve --json > ready.json
"""


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.option(
    "--listen",
    metavar="ADDRESS",
    help="A loopback address, such as 127.0.0.1:7400; port 0 is any free one [default: a Unix socket].",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
    help="What is logged to standard error: `info` is a line for each call, never content.",
)
@pass_session
def serve(session: Session, listen: str | None, log_level: str) -> None:
    """Serve the wallet over gRPC to programs on this machine, until SIGTERM or Ctrl-C.

    By default on the Unix socket HOME/wallet.sock, which only its owner can open. With --listen over TLS:
    callers trust HOME/service-cert.pem and send the content of HOME/service-token as
    `authorization: Bearer TOKEN`; both are new at every start. docs/GRPC.md shows how to call it. Other
    kura commands may be used meanwhile.
    """
    import asyncio

    from rpc_edge.logs import configure_logs
    from rpc_edge.process_memory import keep_freed_memory
    from wallet_client.network.loopback import read_loopback
    from wallet_client.service.server import serve as serve_wallet

    try:
        loopback = None if listen is None else read_loopback(listen)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--listen") from None
    carrier, unlock = session.carrier(), session.unlock()

    def ready(where: "Ready") -> None:
        _announce(session, where)

    keep_freed_memory()
    log = configure_logs(log_level)
    asyncio.run(serve_wallet(session.home, unlock, loopback, ready, log, carrier))


def _announce(session: Session, where: "Ready") -> None:
    from wallet_client.cli.output import emit, fields

    files = {"certificate": where.certificate, "token": where.token}
    paths = {name: None if path is None else str(path) for name, path in files.items()}
    rows = [
        ("Serving", where.address),
        ("Certificate", paths["certificate"] or ""),
        ("Token", paths["token"] or ""),
    ]
    emit(session, {"address": where.address, **paths}, lambda: fields(rows))
