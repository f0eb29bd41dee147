"""Asks a fork server (support.fork_server) for a process; as a program, stands for that process.

python -I -S fork_client.py SOCKET MODULE [ARGUMENTS]

It is what a shell starts in a test instead of `python -m MODULE`: it hands over its streams, environment and
working directory, passes SIGINT and SIGTERM on, and ends as the process does. So it imports what Python has
built in and next to nothing else; that takes it 0.02 s.
"""

import _signal  # type: ignore[import-not-found]  # `signal` would take as long again as all the rest
import _socket
import marshal
import os
import sys
from collections.abc import Mapping, Sequence

NUMBER_BYTES = 16


def ask(
    address: str,
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    streams: Sequence[int],
    *,
    tied: bool,
) -> _socket.socket:
    """Have `python -m MODULE ARGUMENTS` start in this working directory.

    Args:
        address: Path of the server's socket.
        module: What to run.
        arguments: Its command line after the module's name.
        environment: All of it.
        streams: Descriptors for standard input, output and errors.
        tied: Whether the process is killed when the connection ends before it.

    Returns:
        The connection. It gives the process's id, then its wait status, as numbers; it takes signals.

    Raises:
        OSError: There is no server.
    """
    asker = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    asker.connect(address)
    request = marshal.dumps((module, list(arguments), dict(environment), os.getcwd(), tied))
    rights = b"".join(stream.to_bytes(4, sys.byteorder) for stream in streams)
    asker.sendmsg([request], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
    return asker


def number_from(asker: _socket.socket) -> int:
    """The next number: the process's id, then its wait status.

    Raises:
        ChildProcessError: The server has ended.
    """
    number = asker.recv(NUMBER_BYTES)
    if not number:
        raise ChildProcessError("the fork server has ended")
    return int(number)


def main(address: str, module: str, *arguments: str) -> None:
    """Stand for the process."""
    asker = ask(address, module, arguments, os.environ, (0, 1, 2), tied=True)
    for number in (_signal.SIGINT, _signal.SIGTERM):
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, lambda number, _: asker.send(b"%d" % number))
    number_from(asker)
    code = os.waitstatus_to_exitcode(number_from(asker))
    if code < 0:
        _signal.signal(-code, _signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
