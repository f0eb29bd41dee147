"""Any file as a value: class `file`, its bytes untouched.

A name on a command line may lead to a device that never ends or a pipe that never answers; only
regular files are read, and never more than a value may hold.
"""

import os
import stat
from pathlib import Path
from typing import Final

from trust.value_fields import NAME_MAX_CHARACTERS
from wallet_client.values.errors import ImportRefused
from wallet_client.values.value import PAYLOAD_MAX_BYTES, Value

FILE_CLASS: Final = "file"
_OPEN_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def read_file(path: Path, *, now: int) -> Value:
    """A value of class `file`, named after the file.

    Args:
        path: A regular file of 0 to 67,108,864 bytes.
        now: Seconds since 1970, for `held_since`.

    Raises:
        ImportRefused: It cannot be read, is no regular file, or is too large.
    """
    import mimetypes

    payload, name = read_bytes(path), file_name(path)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Value(
        item_class=FILE_CLASS,
        name=name,
        file_name=name,
        media_type=media_type.lower(),
        held_since=now,
        payload=payload,
    )


def read_bytes(path: Path, limit: int = PAYLOAD_MAX_BYTES) -> bytes:
    """The whole content of a regular file.

    Args:
        path: The file; a link to one is followed.
        limit: The most bytes it may have.

    Raises:
        ImportRefused: It cannot be read, is no regular file, is too large, or grew meanwhile.
    """
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
        with os.fdopen(descriptor, "rb") as stream:
            size = _checked_size(path, os.fstat(stream.fileno()), limit)
            content = stream.read(size + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ImportRefused(str(path), (reason or "it cannot be opened").lower()) from error
    if len(content) != size:
        raise ImportRefused(str(path), "it changed while it was read")
    return content


def file_name(path: Path) -> str:
    r"""A path's last part as text: bytes that are no UTF-8 become `\xNN`, the end is cut at 1,000."""
    return os.fsencode(path.name).decode("utf-8", "backslashreplace")[:NAME_MAX_CHARACTERS]


def _checked_size(path: Path, status: os.stat_result, limit: int) -> int:
    if not stat.S_ISREG(status.st_mode):
        raise ImportRefused(str(path), "it is no regular file")
    if status.st_size > limit:
        raise ImportRefused(str(path), f"it has {status.st_size} bytes; at most {limit} are taken")
    return status.st_size
