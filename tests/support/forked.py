"""Processes that this worker's fork server starts (support.fork_server): safes, and `kura`."""

import atexit
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from support import fork_client
from support.kura import COMMAND_SECONDS, Finished, KuraCommand, bytes_of, environment
from tools.local_cluster.processes import ProcessRecord, command_of

END_SECONDS = 10


@cache
def address() -> str:
    """Path of the socket of the worker's fork server, which this starts."""
    folder = tempfile.mkdtemp(prefix="forks-")
    path = os.path.join(folder, "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen()
        number = str(listener.fileno())
        server = subprocess.Popen(
            [sys.executable, "-m", "support.fork_server", folder, number],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    atexit.register(_end, server)
    return path


def _end(server: "subprocess.Popen[bytes]") -> None:
    server.communicate(timeout=END_SECONDS)


def start(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> ProcessRecord:
    """As tools.local_cluster.processes.start, of `python -m MODULE ...`; it ends with this worker."""
    _, option, module, *arguments = command
    assert option == "-m"
    with log.open("ab") as errors, open(os.devnull, "rb") as nothing:
        streams = (nothing.fileno(), errors.fileno(), errors.fileno())
        asker = fork_client.ask(address(), module, arguments, environment, streams, tied=False)
    with closing(asker):
        pid = fork_client.number_from(asker)
    return ProcessRecord(pid, command_of(pid))


def run(module: str, *arguments: str, environment: Mapping[str, str], typed: bytes = b"") -> Finished:
    """`python -m MODULE ARGUMENTS` to its end; a signal's end has a negative code.

    Raises:
        TimeoutError: It took too long, and is killed.
    """
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        files[0].write(typed)
        files[0].seek(0)
        streams = [file.fileno() for file in files]
        asker = stack.enter_context(
            closing(fork_client.ask(address(), module, arguments, environment, streams, tied=True))
        )
        asker.settimeout(COMMAND_SECONDS)
        fork_client.number_from(asker)
        code = os.waitstatus_to_exitcode(fork_client.number_from(asker))
        output, messages = (_content(file) for file in files[1:])
    return Finished(code, output, messages)


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@dataclass(frozen=True)
class KuraForked(KuraCommand):
    """`kura` as a process that did not start anew; what it is not is told in support.fork_server."""

    def __call__(self, *arguments: str | Path, typed: str | bytes = "") -> Finished:
        """As Kura."""
        words = map(str, arguments)
        return run("wallet_client.cli", *words, environment=self.environment, typed=bytes_of(typed))
