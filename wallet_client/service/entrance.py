"""Who may call the wallet: where it listens, and what a caller must have.

    unix     HOME/wallet.sock, mode 0600 in a folder of mode 0700: whoever may open it is the owner. gRPC
             does not tell a server which user is at the other end, so the file's permissions are the lock.
    loopback 127.0.0.1 or ::1 over TLS 1.3. Certificate and token are made anew at every start; the key
             never leaves the process, and the files that let callers in are removed at its end.

One process serves a wallet at a time: gRPC would quietly take the socket away from another one.
"""

import fcntl
import hmac
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import grpc

from rpc_edge.edge import Call, Layer, RawRequest
from rpc_edge.server import UNIX_PREFIX
from rpc_edge.tls import server_credentials
from rpc_edge.tls_identity import make_tls_identity
from wallet_client.errors import WalletError
from wallet_client.service.errors import TokenInvalid
from wallet_client.values.shown import shown

SOCKET_NAME: Final = "wallet.sock"
CERTIFICATE_NAME: Final = "service-cert.pem"
TOKEN_NAME: Final = "service-token"  # noqa: S105 - a file's name
LOCK_NAME: Final = "service.lock"
SERVER_NAME: Final = "localhost"
TOKEN_BYTES: Final = 32
SOCKET_PATH_BYTES: Final = 107
"""sockaddr_un(7): 108 with the zero at the end."""

_CERTIFICATE_DAYS = 365
_OTHERS = 0o077


@dataclass(eq=False)
class AlreadyServed(WalletError):
    """Another process serves this wallet."""

    hint = "Use that one, or stop it first."

    def __str__(self) -> str:
        """Say so."""
        return "This wallet is being served by another process."


@dataclass(eq=False)
class FolderOpen(WalletError):
    """Others may enter the folder in which the socket would lie.

    Args:
        folder: The folder.
    """

    folder: Path
    hint = "Close it with `chmod 700`, then try again."

    def __str__(self) -> str:
        """Name the folder."""
        return f"Other users may enter {shown(str(self.folder))}."


@dataclass(eq=False)
class SocketPathTooLong(WalletError):
    """The system allows no socket of that name.

    Args:
        path: Where it would be.
    """

    path: Path
    hint = "Use a wallet whose folder has a shorter path, or serve it with --listen 127.0.0.1:PORT."

    def __str__(self) -> str:
        """Name the path and the limit."""
        return (
            f"{shown(str(self.path))} is longer than the {SOCKET_PATH_BYTES} bytes a socket's path may have."
        )


@dataclass(eq=False)
class CannotListen(WalletError):
    """The address cannot be had.

    Args:
        address: What was asked for.
    """

    address: str

    @property
    def hint(self) -> str:  # type: ignore[override]
        """What helps with an address of this kind."""
        if self.address.startswith(UNIX_PREFIX):
            return "Name a path where nothing is yet, in a folder that you may write to."
        return "Name another port, or port 0 for any free one."

    def __str__(self) -> str:
        """Name the address."""
        if self.address.startswith(UNIX_PREFIX):
            at = shown(self.address)
            return f"Something else listens or lies at {at}, or the system allows no socket there."
        return f"Something else listens at {shown(self.address)}, or the system does not allow it."


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where a wallet is served.

    Args:
        address: What gRPC listens at.
        credentials: TLS credentials; None on a Unix socket.
        layers: What a caller must pass.
        files: What the caller needs, by its name; empty on a Unix socket.
    """

    address: str
    credentials: grpc.ServerCredentials | None = None
    layers: tuple[Layer, ...] = ()
    files: dict[str, Path] = field(default_factory=dict)


@contextmanager
def only_server(home: Path) -> Iterator[None]:
    """Be the one process that serves the wallet in a folder.

    Raises:
        AlreadyServed: There is one.
        OSError: The folder cannot be written.
    """
    descriptor = os.open(home / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AlreadyServed from None


@contextmanager
def socket_entrance(home: Path) -> Iterator[Entrance]:
    """The Unix socket in the wallet's folder; gone at the end.

    Raises:
        FolderOpen: Others may enter the folder.
        SocketPathTooLong: Its path has more than 107 bytes.
    """
    path = home.resolve() / SOCKET_NAME
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES:
        raise SocketPathTooLong(path)
    if path.parent.stat().st_mode & _OTHERS:
        raise FolderOpen(path.parent)
    path.unlink(missing_ok=True)
    try:
        yield Entrance(UNIX_PREFIX + str(path))
    finally:
        path.unlink(missing_ok=True)


def close_socket_to_others(home: Path) -> None:
    """Give the socket mode 0600; the folder has kept others out since before it was made."""
    (home / SOCKET_NAME).chmod(0o600)


@contextmanager
def loopback_entrance(home: Path, address: str) -> Iterator[Entrance]:
    """A loopback address over TLS; certificate and token lie in the wallet's folder while it is served.

    Args:
        home: The wallet's folder.
        address: From `read_loopback`.

    Raises:
        OSError: The folder cannot be written.
    """
    now = datetime.now(UTC)
    key, certificate = make_tls_identity(
        SERVER_NAME, now - timedelta(minutes=5), now + timedelta(days=_CERTIFICATE_DAYS)
    )
    token = secrets.token_urlsafe(TOKEN_BYTES)
    files = {"certificate": home / CERTIFICATE_NAME, "token": home / TOKEN_NAME}
    try:
        _write_privately(files["certificate"], certificate)
        _write_privately(files["token"], token.encode("ascii"))
        yield Entrance(address, server_credentials(key, certificate), (token_layer(token),), files)
    finally:
        for path in files.values():
            path.unlink(missing_ok=True)


def token_layer(token: str) -> Layer:
    """The layer that lets only calls with the token pass.

    Args:
        token: Secret: what follows "Bearer " in the metadata `authorization`; ASCII.

    Raises (to the caller, as a status):
        TokenInvalid: It is missing, twice there, or another one; told apart by nobody.
    """
    expected = f"Bearer {token}".encode("ascii")

    @asynccontextmanager
    async def layer(call: Call, request: RawRequest) -> AsyncIterator[RawRequest]:
        given = [value for key, value in call.context.invocation_metadata() or () if key == "authorization"]
        text = given[0] if len(given) == 1 else ""
        if not hmac.compare_digest(text if isinstance(text, bytes) else text.encode(), expected):
            raise TokenInvalid
        yield request

    return layer


def _write_privately(path: Path, content: bytes) -> None:
    """A new file of mode 0600 in the place of whatever was there, in one step."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    beside.replace(path)
