"""Files that commands write: new ones only, readable by their owner, whole or not at all."""

import os
from dataclasses import dataclass
from pathlib import Path

from wallet_client.errors import WalletError
from wallet_client.values.errors import ImportRefused
from wallet_client.values.shown import shown

INPUT_MAX_BYTES = 64 * 1024 * 1024


@dataclass(eq=False)
class FileExists(WalletError):
    """Something is there already, and stays as it is.

    Args:
        path: Where.
    """

    path: Path
    hint = "Name another file; nothing was overwritten."

    def __str__(self) -> str:
        """Name the file."""
        return f"{shown(str(self.path))} exists already."


@dataclass(eq=False)
class FileUnreadable(WalletError):
    """A file that a command needs cannot be read.

    Args:
        path: Where.
        reason: Why.
    """

    path: Path
    reason: str
    sentence = "{path} cannot be read: {reason}."
    hint = "Check the path and its permissions, or name another file."


def read_input(path: Path, limit: int = INPUT_MAX_BYTES) -> bytes:
    """The whole content of a roster, an entry or a key.

    Raises:
        FileUnreadable: It cannot be read, is no regular file, or is too large.
    """
    from wallet_client.values.files import read_bytes

    try:
        return read_bytes(path, limit)
    except ImportRefused as error:
        raise FileUnreadable(path, error.reason) from error


def write_new(path: Path, content: bytes) -> None:
    """Write a file that does not exist yet, mode 0600, durably.

    Raises:
        FileExists: It does.
        OSError: The device refused; nothing is left behind.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise FileExists(path) from error
    try:
        _write(descriptor, content)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def replace(path: Path, content: bytes) -> None:
    """Put new content in the place of a file in one step.

    Raises:
        OSError: The device refused; the file is as it was.
    """
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(
        beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, path.stat().st_mode & 0o777
    )
    _write(descriptor, content)
    beside.replace(path)


def _write(descriptor: int, content: bytes) -> None:
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
