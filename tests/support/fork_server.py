"""Starts our programs without importing them anew: it has imported them, and forks for each start.

python -m support.fork_server FOLDER DESCRIPTOR

An import costs a process 0.2 to 0.4 s, a fork 0.01 s, and the suite starts hundreds of safes and commands.
Each worker of pytest has one fork server (support.forked), which listens at the socket DESCRIPTOR and ends,
with all that it started and with FOLDER, when its standard input does: when the worker ends, however.

What is forked is a process: its own id, session, signals, streams, environment and working directory. It is
not a new interpreter: what Python reads at its start (options, PYTHON* variables, the locale) and what /proc
shows as its command line are the server's; nothing waits for `atexit` or a thread; what a program forgets to
import may be there; its memory may hold the words of starts before it. A test about any of these starts
Python itself; so does one that coverage.py shall follow.

Forking is safe here and only here: one thread (looked at before each fork), and gRPC imported, never used.
"""

import ctypes
import gc
import importlib
import marshal
import os
import pkgutil
import runpy
import selectors
import shutil
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import NoReturn

PROGRAMS = ("wallet_client", "safe_node", "auth_service", "tools.local_cluster")
REQUEST_BYTES = 1 << 18
"""What a socket takes as one message; an environment and a command line have some kilobytes."""
STREAMS = 3
SIGNAL_BYTES = 4
_PR_SET_PDEATHSIG = 1  # prctl(2)


def import_all(packages: Sequence[str]) -> None:
    """What the programs import at their start, and what they put off until a command needs it."""
    for name in packages:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


class ForkServer:
    """Takes requests, forks, tells how each process ended.

    Args:
        listener: A listening Unix socket of whole messages; support.fork_client is the other side.
    """

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._events = selectors.DefaultSelector()
        self._ended = False

    def serve(self) -> None:
        """Until standard input ends. One event a round: what it closes may have had another."""
        self._on(sys.stdin.fileno(), self._end)
        self._on(self._listener, self._accept)
        while not self._ended:
            key, _ = self._events.select()[0]
            key.data()

    def _on(self, source: int | socket.socket, action: Callable[[], None]) -> None:
        self._events.register(source, selectors.EVENT_READ, action)

    def _end(self) -> None:
        self._ended = True

    def _accept(self) -> None:
        asker, _ = self._listener.accept()
        self._on(asker, partial(self._start, asker))

    def _forget(self, asker: socket.socket) -> None:
        if asker.fileno() >= 0:
            self._events.unregister(asker)
            asker.close()

    def _start(self, asker: socket.socket) -> None:
        content, streams, _, _ = socket.recv_fds(asker, REQUEST_BYTES, STREAMS)
        if not content:
            return self._forget(asker)
        *words, tied = marshal.loads(content)  # noqa: S302 - from this user's own tests
        if len(os.listdir("/proc/self/task")) != 1:
            raise RuntimeError("something that was imported has started a thread: forking is not safe")
        server, pid = os.getpid(), os.fork()
        if pid == 0:
            _become(server, streams, *words)
        for stream in streams:
            os.close(stream)
        self._watch(asker, pid, tied=tied)
        return None

    def _watch(self, asker: socket.socket, pid: int, *, tied: bool) -> None:
        process = os.pidfd_open(pid)
        self._on(process, partial(self._reap, asker, pid, process))
        self._events.modify(asker, selectors.EVENT_READ, partial(self._hear, asker, process, tied=tied))
        _tell(asker, pid)

    def _hear(self, asker: socket.socket, process: int, *, tied: bool) -> None:
        """A signal for the process; or the asker is gone, and what is tied to it goes too."""
        number = b""
        with suppress(ConnectionResetError):  # it left without reading what it was told
            number = asker.recv(SIGNAL_BYTES)
        if number or tied:
            signal.pidfd_send_signal(process, int(number) if number else signal.SIGKILL)
        if not number:
            self._forget(asker)

    def _reap(self, asker: socket.socket, pid: int, process: int) -> None:
        _, status = os.waitpid(pid, 0)
        self._events.unregister(process)
        os.close(process)
        if asker.fileno() >= 0:
            _tell(asker, status)
        self._forget(asker)


def _tell(asker: socket.socket, number: int) -> None:
    with suppress(OSError):  # it is gone
        asker.send(b"%d" % number)


def _become(
    server: int,
    streams: Sequence[int],
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: str,
) -> NoReturn:
    """Be `python -m MODULE ARGUMENTS`; called in the child, whose caller's objects live on, unused."""
    code = 1
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server:
            raise ChildProcessError("the fork server has ended")
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(STREAMS, os.sysconf("SC_OPEN_MAX"))
        _open_streams()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        os.chdir(folder)
        sys.path[0] = folder
        sys.argv[1:] = arguments
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = _code(end)
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(code)


def _open_streams() -> None:
    """Anew: Python looks once at what a stream can do, and the server's could do other things."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        old = getattr(sys, name)
        by_line = 1 if name == "stderr" else -1
        new = open(number, mode, by_line, old.encoding, old.errors, closefd=False)  # noqa: SIM115 - it stays open
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)


def _code(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


def main(folder: str, descriptor: str) -> None:
    """Import, then serve; leave nothing behind."""
    try:
        import_all(PROGRAMS)
        gc.collect()
        gc.freeze()  # a collection in a child would copy every page
        with socket.socket(fileno=int(descriptor)) as listener:
            ForkServer(listener).serve()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
