"""`kura terminal`: carries a wallet's traffic with the safes of one roster, and can read none of it.

It answers SafeService.Carry and nothing else. It has no wallet, no key and no database; what it knows is a
roster, which says where safes are. A wallet on the same machine that has no network of its own reaches it at
a Unix socket or a loopback address, without TLS: all that comes there is sealed from wallet to safe.

On request it writes all that it carries into a file, for whoever wants to look for something to read in it:
each frame behind a line "> safe-1 1120" (to the safe) or "< safe-1 1072" (from it), and followed by an end of
line. Where it cannot write, it says so once and records no more: what is in the file is whole, and carrying
goes on.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from rpc_edge.bounds import bounded_messages
from rpc_edge.carrying import Carriages, Forwarding, most_carried_bytes
from rpc_edge.logs import FilteringBoundLogger
from rpc_edge.server import AddressUnavailable, Listening, ServerRunner, run_server
from rpc_edge.tls import MAX_MESSAGE_BYTES
from trust.roster import Roster, SafeEntry
from wallet_client.network.loopback import UNIX_PREFIX

MOST_CARRIAGES = 256
MAX_CALLS = 512
MOST_BYTES = most_carried_bytes(MAX_MESSAGE_BYTES)
SERVICE = "kura.safe.v1.SafeService"
_MOST_FIELDS = 16


class Record:
    """A file of all that was carried, until it cannot be written.

    Args:
        stream: Where it is written, without a buffer.
        log: Told when it ends.
    """

    def __init__(self, stream: FileIO, log: FilteringBoundLogger) -> None:
        self._stream = stream
        self._log = log
        self._turn = threading.Lock()
        """A thread's, for a write goes on when the carriage that waits for it is cancelled."""
        self._ended = False

    async def note(self, safe: SafeEntry, direction: str, frame: bytes) -> None:
        """Write one frame, before it is carried on."""
        head = f"{direction} {safe.name} {len(frame)}\n".encode()
        await asyncio.to_thread(self._write, b"".join((head, frame, b"\n")))

    def _write(self, content: bytes) -> None:
        with self._turn:
            if self._ended:
                return
            whole = os.fstat(self._stream.fileno()).st_size
            try:
                self._write_all(memoryview(content))
            except OSError as error:
                self._ended = True
                with suppress(OSError):  # no half of a frame, where it is a file of which one can be cut off
                    self._stream.truncate(whole)
                self._log.error("record.stopped", error=error.strerror)

    def _write_all(self, rest: memoryview) -> None:
        """A write to a disk that is almost full takes part of what it is given, and says how much."""
        while rest:
            rest = rest[self._stream.write(rest) :]


async def serve_terminal(
    address: str,
    roster: Roster,
    record: Path | None,
    on_ready: Callable[[str], None],
    log: FilteringBoundLogger,
) -> None:
    """Carry until SIGTERM or SIGINT.

    Args:
        address: From `read_address`.
        roster: Verified; its safes alone are reached.
        record: Where to write all that is carried, behind what is there; None: nowhere.
        on_ready: Told the address, as a wallet is to be told it, once calls are served.
        log: Where calls are logged.

    Raises:
        AddressUnavailable: The address cannot be had.
        OSError: The record cannot be opened.
    """
    with _recording(record, log) as kept, _socket_alone(address):
        forwarding = Forwarding(roster, most=MOST_CARRIAGES, witness=kept.note if kept else None)
        carriages = Carriages(forwarding)
        listening = Listening(
            address, None, max_message_bytes=MOST_BYTES, max_calls=MAX_CALLS, envelopes_only=True
        )
        runner = ServerRunner(
            {SERVICE: carriages.only_service},
            listening,
            layers=(bounded_messages({}, MOST_BYTES, _MOST_FIELDS),),
            log=log,
            closing=forwarding.close,
        )
        await run_server(runner, lambda port: on_ready(_ready(address, port)))


@contextmanager
def _recording(path: Path | None, log: FilteringBoundLogger) -> Iterator[Record | None]:
    if path is None:
        yield None
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "ab", buffering=0) as stream:
        yield Record(stream, log)


@contextmanager
def _socket_alone(address: str) -> Iterator[None]:
    """A socket that only its owner opens, from its first moment on; gone at the end.

    Raises:
        AddressUnavailable: Somebody listens there, or something lies there that is no socket: it stays.
    """
    if not address.startswith(UNIX_PREFIX):
        yield
        return
    path = Path(address.removeprefix(UNIX_PREFIX))
    if os.path.lexists(path) and not _is_socket(path):
        raise AddressUnavailable(address)
    if _somebody_listens(path):  # gRPC would take the socket away from them
        raise AddressUnavailable(address)
    before = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(before)
        if _is_socket(path):
            path.unlink(missing_ok=True)


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.lstat().st_mode)
    except OSError:
        return False


def _somebody_listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as trial:
        try:
            trial.connect(str(path))
        except OSError:
            return False
    return True


def _ready(address: str, port: int) -> str:
    return address if address.startswith(UNIX_PREFIX) else f"{address.rpartition(':')[0]}:{port}"
