"""Opening the database of one safe, by one process at a time."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from durable import sqlite
from durable.folder import StoreUnusable, lock_folder
from durable.sqlite import Connection
from safe_node.store import schema
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
    # At its start another process would erase what this one has half-way in.
    lock = lock_folder(path.parent, LOCK_NAME, "this safe")
    try:
        return lock, _open_database(path, safe_id, database_bytes)
    except BaseException:
        os.close(lock)
        raise


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
