"""The one place that knows pysqlite3: connections that lose and keep nothing by accident.

pysqlite3 brings SQLite 3.53; Python's own on Debian 12 has the WAL-reset bug (3.7.0 to 3.51.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pysqlite3

if TYPE_CHECKING:
    from sqlite3 import Connection  # pysqlite3's own is untyped and has the same methods
else:
    Connection = Any

__all__ = [
    "Connection",
    "Error",
    "is_full",
    "open_reader",
    "open_writer",
    "savepoint",
    "transaction",
    "truncate_log",
]

Error: type[Exception] = pysqlite3.Error
_BUSY_SECONDS = 5.0
_TRUNCATE_MS = 10
_WAL_KEPT_BYTES = 64 * 1024 * 1024


def open_writer(path: Path, page_bytes: int, database_bytes: int) -> Connection:
    """The connection that writes: WAL, every commit synced, freed bytes zeroed.

    Args:
        path: The database file.
        page_bytes: Page size, when the file is new.
        database_bytes: The file grows no further; 0 is no limit.
    """
    connection: Connection = pysqlite3.connect(
        str(path), isolation_level=None, timeout=_BUSY_SECONDS, check_same_thread=False
    )
    for setting in (
        f"page_size = {page_bytes}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "secure_delete = ON",
        "foreign_keys = ON",
        "cache_size = -4096",
        f"journal_size_limit = {_WAL_KEPT_BYTES}",
    ):
        connection.execute(f"PRAGMA {setting}")
    if database_bytes:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {max(1, database_bytes // size)}")
    return connection


def open_reader(path: Path) -> Connection:
    """A connection that only reads; the file must be there."""
    connection: Connection = pysqlite3.connect(
        path.absolute().as_uri() + "?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=_BUSY_SECONDS,
        check_same_thread=False,
    )
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -2048")
    return connection


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE ... COMMIT, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite may have rolled back by itself, for example when the disk is full.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """A part of a transaction that can fail alone."""
    connection.execute("SAVEPOINT entry")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO entry")
            connection.execute("RELEASE entry")
        raise
    connection.execute("RELEASE entry")


def truncate_log(connection: Connection) -> bool:
    """Move the write-ahead log into the database and cut it to nothing; False while a reader needs it.

    Waits for readers no longer than one that looks something up takes.
    """
    connection.execute(f"PRAGMA busy_timeout = {_TRUNCATE_MS}")
    try:
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not busy
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")


def is_full(error: BaseException) -> bool:
    """SQLITE_FULL: the disk, or max_page_count, is used up. pysqlite3 gives the text alone."""
    return isinstance(error, Error) and "database or disk is full" in str(error)
