"""`kura wallet serve`: open the wallet, let callers in, run its triggers, and end in good order.

It ends as every Kura server does (rpc_edge.server), then waits for what departed callers began, and
closes the wallet last. A wallet that is killed instead loses nothing: `resume` ends what was begun.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kura.wallet.v1 import wallet_pb2_grpc
from rpc_edge.logs import FilteringBoundLogger
from rpc_edge.server import UNIX_PREFIX, AddressUnavailable, Listening, ServerRunner, run_server
from wallet_client.network.carriers import Carrier
from wallet_client.operations.backup_desk import BackupDesk
from wallet_client.operations.triggers import TriggerRunner
from wallet_client.service.entrance import (
    CannotListen,
    Entrance,
    close_socket_to_others,
    loopback_entrance,
    only_server,
    socket_entrance,
)
from wallet_client.service.errors import WALLET_ERRORS
from wallet_client.service.served import Operations, Served
from wallet_client.service.servicer import SERVICE, WalletServicer
from wallet_client.service.translation import wallet_errors_as_refusals
from wallet_client.service.watch import watching
from wallet_client.storage.keyfile import Unlock
from wallet_client.wallet import Wallet

GRACE_SECONDS = 10.0
DEPARTED_SECONDS = 5.0
"""How long operations whose callers left may go on once the server has stopped."""

MAX_CALLS = 256


@dataclass(frozen=True, slots=True)
class Ready:
    """What a caller must know.

    Args:
        address: As gRPC clients take it: "unix:/..." or "127.0.0.1:PORT".
        certificate: The file with the only certificate to trust; None on a Unix socket.
        token: The file with the token; None on a Unix socket.
    """

    address: str
    certificate: Path | None
    token: Path | None


async def serve(
    home: Path,
    unlock: Unlock,
    loopback: str | None,
    on_ready: Callable[[Ready], None],
    log: FilteringBoundLogger,
    carrier: Carrier | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        home: The wallet's folder.
        unlock: Secret: what opens it.
        loopback: An address from `read_loopback`; None for the Unix socket in the wallet's folder.
        on_ready: Told once calls are served.
        log: Where calls are logged.
        carrier: Carries all that the wallet asks of the safes; None: nobody does.

    Raises:
        WalletError: The wallet cannot be opened or served.
    """
    async with _opened(home, unlock, carrier) as served:
        with only_server(home), _entrance(home, loopback) as entrance:
            try:
                async with watching(served, TriggerRunner(served.wallet), log):
                    await run_server(
                        build_runner(served, entrance, log), partial(_ready, home, entrance, on_ready)
                    )
            except AddressUnavailable:
                raise CannotListen(entrance.address) from None
            finally:
                await served.operations.finish(DEPARTED_SECONDS)


def build_runner(served: Served, entrance: Entrance, log: FilteringBoundLogger) -> ServerRunner:
    """The server, not started yet."""
    return ServerRunner(
        {SERVICE: partial(wallet_pb2_grpc.add_WalletServiceServicer_to_server, WalletServicer(served))},
        Listening(entrance.address, entrance.credentials, max_calls=MAX_CALLS, grace_seconds=GRACE_SECONDS),
        layers=(*entrance.layers, wallet_errors_as_refusals),
        errors=WALLET_ERRORS,
        log=log,
    )


@asynccontextmanager
async def _opened(home: Path, unlock: Unlock, carrier: Carrier | None) -> AsyncIterator[Served]:
    async with await Wallet.open(home, unlock, carrier=carrier) as wallet:
        served = Served(wallet, BackupDesk(wallet), Operations())
        try:
            yield served
        finally:
            await served.desk.close()


def _entrance(home: Path, loopback: str | None) -> AbstractContextManager[Entrance]:
    return socket_entrance(home) if loopback is None else loopback_entrance(home, loopback)


def _ready(home: Path, entrance: Entrance, on_ready: Callable[[Ready], None], port: int) -> None:
    if entrance.address.startswith(UNIX_PREFIX):
        close_socket_to_others(home)
        address = entrance.address
    else:
        address = f"{entrance.address.rpartition(':')[0]}:{port}"
    on_ready(Ready(address, entrance.files.get("certificate"), entrance.files.get("token")))
