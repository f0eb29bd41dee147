"""A data folder that one process at a time owns."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class StoreUnusable(Exception):
    """The database cannot be opened, or is another program's; the text says what to do."""


def lock_folder(folder: Path, name: str, who: str) -> int:
    """Keep every other process out; the folder is made when missing, readable by its owner alone.

    Args:
        folder: Where the database is.
        name: Of the lock file in it.
        who: What another process would be running, such as "this safe".

    Returns:
        A descriptor that holds the lock until it is closed.

    Raises:
        StoreUnusable: Another process has it, or the folder cannot be made.
    """
    path = folder / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnusable(f"{path}: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise StoreUnusable(f"{folder}: another process runs {who}") from None
    return lock
