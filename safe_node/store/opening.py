"""Opening the database of one safe, by one process at a time."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

from safe_node.store import schema, sqlite
from safe_node.store.base import StoreUnusable
from safe_node.store.sqlite import Connection
from trust.ids import SafeId

LOCK_NAME = "safe.lock"


def open_locked(path: Path, safe_id: SafeId, database_bytes: int) -> tuple[int, Connection]:
    """Lock the folder, then open the database in it, made and migrated as needed.

    Args:
        path: The database file; its folder is made when missing, readable by the owner alone.
        safe_id: Whose records these are.
        database_bytes: The file grows no further; 0 is no limit.

    Returns:
        The descriptor that holds the lock until it is closed, and the connection that writes.

    Raises:
        StoreUnusable: It cannot be opened, is another safe's, or another process has it.
    """
    lock = _lock(path.parent)
    try:
        return lock, _open_database(path, safe_id, database_bytes)
    except BaseException:
        os.close(lock)
        raise


def _lock(data_dir: Path) -> int:
    """Keep every other process out: at its start it would erase what this one has half-way in."""
    path = data_dir / LOCK_NAME
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnusable(f"{path}: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise StoreUnusable(f"{data_dir}: another process runs this safe") from None
    return lock


def _open_database(path: Path, safe_id: SafeId, database_bytes: int) -> Connection:
    try:
        path.touch(mode=0o600)
        connection = sqlite.open_writer(path, schema.PAGE_BYTES, database_bytes)
        schema.ensure_migrated(path, connection)
        _claim(connection, safe_id)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except OSError as error:
        raise StoreUnusable(f"{path}: {error.strerror}") from None
    except sqlite.Error as error:
        raise StoreUnusable(f"{path}: {error}") from None
    except schema.SchemaTooNew:
        raise StoreUnusable(f"{path}: made by a newer version of this program") from None
    except subprocess.CalledProcessError as error:
        raise StoreUnusable(
            f"{path}: migration failed: {str(error.stderr).strip().splitlines()[-1:]}"
        ) from None
    return connection


def _claim(connection: Connection, safe_id: SafeId) -> None:
    with sqlite.transaction(connection):
        connection.execute("INSERT OR IGNORE INTO safe VALUES (1, ?, 0, 1)", (safe_id,))
    owner = connection.execute("SELECT safe_id FROM safe").fetchone()[0]
    if owner != safe_id:
        raise StoreUnusable(f"the database belongs to safe {owner.hex()}, not to {safe_id.hex()}")
