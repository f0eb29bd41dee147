"""Processes that outlive the command that started them, found again through a file.

The file holds the process id and the command line. Ids are used again by the system, so before a
signal is sent the process is opened (pidfd_open(2)), then its command line is compared, and the
signal goes to what was opened: never to a stranger that has the number by now.
"""

import os
import select
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec


class ProcessRecord(msgspec.Struct, frozen=True):
    """What the file says.

    Args:
        pid: The process id.
        command: Its whole command line.
    """

    pid: int
    command: tuple[str, ...]


def start(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> ProcessRecord:
    """Start a process in a session of its own; what it prints is added to the log.

    Raises:
        OSError: It cannot be started, or the log cannot be written.
    """
    pid = os.posix_spawn(
        command[0],
        list(command),
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    return ProcessRecord(pid, tuple(command))


def remember(pid_file: Path, record: ProcessRecord) -> None:
    """Write the file.

    Raises:
        OSError: It cannot be written.
    """
    beside = pid_file.with_suffix(".new")
    beside.write_bytes(msgspec.json.encode(record))
    beside.replace(pid_file)


def is_running(pid_file: Path) -> bool:
    """Whether the process of the file is alive."""
    with _opened(pid_file) as descriptor:
        return descriptor is not None


def send(pid_file: Path, number: signal.Signals) -> None:
    """Send a signal to the process of the file, if it is there."""
    with _opened(pid_file) as descriptor:
        if descriptor is not None:
            signal.pidfd_send_signal(descriptor, number)


def has_ended(pid_file: Path, seconds: float) -> bool:
    """Wait for the end of the process of the file; once it has ended, or was not there, the file goes."""
    with _opened(pid_file) as descriptor:
        if descriptor is not None and not select.select([descriptor], [], [], seconds)[0]:
            return False
    _forget(pid_file)
    return True


@contextmanager
def _opened(pid_file: Path) -> Iterator[int | None]:
    """A descriptor of the living process that the file names, or None."""
    record = _read(pid_file)
    descriptor = None if record is None else _open(record.pid)
    try:
        alive = descriptor is not None and record is not None and command_of(record.pid) == record.command
        yield descriptor if alive else None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _open(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def command_of(pid: int) -> tuple[str, ...]:
    """Empty for a process that has ended and that nobody has asked about yet."""
    try:
        content = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ()
    return tuple(os.fsdecode(part) for part in content.split(b"\0")[:-1])


def _forget(pid_file: Path) -> None:
    record = _read(pid_file)
    if record is not None:
        _reap(record.pid)
    pid_file.unlink(missing_ok=True)


def _reap(pid: int) -> None:
    """Take the exit status where the process was this one's child; else its parent or init does."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _read(pid_file: Path) -> ProcessRecord | None:
    try:
        return msgspec.json.decode(pid_file.read_bytes(), type=ProcessRecord)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
