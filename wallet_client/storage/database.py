"""The SQLite file: how it is opened, changed in one step, and rid of what was erased.

One connection serves all threads of the process, behind a lock: `asyncio.to_thread` may call
from any of them, one at a time. WAL with synchronous=FULL: what was committed survives a power
cut. secure_delete, and a log cut to nothing after an erasure, leave no old pages behind.

SQLite comes from pysqlite3 (3.53), because the system's 3.40 can corrupt a log when it restarts
it. sqlite-utils owns the schema (`schema`), but is loaded only to change it: with numpy
installed its import takes half a second, more than a whole `kura wallet list` may.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from wallet_client.errors import WalletError
from wallet_client.storage.errors import DeviceFull, StorageFailed, TracesRemain, WalletBusy, WalletDamaged

if TYPE_CHECKING:
    import sqlite3
else:
    import pysqlite3 as sqlite3

DATABASE_NAME: Final = "wallet.db"
APPLICATION_ID: Final = 0x4B555241  # "KURA"
BUSY_SECONDS: Final = 5.0

_MAGIC: Final = b"SQLite format 3\0"
_APPLICATION_ID_AT: Final = slice(68, 72)  # https://www.sqlite.org/fileformat.html, section 1.3
_HEADER_BYTES: Final = 100

# pysqlite3 gives no error code, so the fixed texts of sqlite3_errstr() tell the cases apart.
_FAILURES: Final[tuple[tuple[str, Callable[[], WalletError]], ...]] = (
    ("disk is full", DeviceFull),
    ("locked", partial(WalletBusy, BUSY_SECONDS)),
    ("malformed", partial(WalletDamaged, "the database is malformed")),
    ("not a database", partial(WalletDamaged, "wallet.db is no database")),
    ("no such table", partial(WalletDamaged, "a table is missing")),
    ("no such column", partial(WalletDamaged, "a column is missing")),
    ("readonly", partial(StorageFailed, "they may only be read")),
    ("unable to open", partial(StorageFailed, "they could not be opened")),
)


class Database:
    """One open database file.

    Args:
        path: The file, which must exist.
        read_only: Promise to leave the file and its log byte for byte as they are.

    Raises:
        StorageFailed: It cannot be opened.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._erased = False
        uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
        with _translated:
            self._connection = sqlite3.connect(
                uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        if not read_only:
            self._configure()

    def _configure(self) -> None:
        for setting in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"):
            self.execute(f"PRAGMA {setting}")

    @property
    def connection(self) -> "sqlite3.Connection":
        """For the schema's own tool only."""
        return self._connection

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> None:
        """Change something, in the open transaction or one of its own.

        Raises:
            WalletError: As the device's or the file's state has it.
        """
        with self._lock, _translated:
            self._connection.execute(sql, parameters)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        """All rows of a query.

        Raises:
            WalletError: As the device's or the file's state has it.
        """
        with self._lock, _translated:
            return self._connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[object] = ()) -> Any:  # a row is what its query says
        """The first row of a query, or None."""
        with self._lock, _translated:
            cursor = self._connection.execute(sql, parameters)
            found = cursor.fetchone()
            cursor.close()
            return found

    def stream(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[Any]:
        """The rows of a query, one at a time; the database is held until the last."""
        with self._lock, _translated:
            yield from self._connection.execute(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside happen or none; inside another, they can be undone on their own.

        What was erased is overwritten right after the commit, unless another process reads the wallet just
        then: see `traces_remain`.

        Raises:
            WalletError: As the device's or the file's state has it; nothing was changed.
        """
        with self._lock:
            begin, keep, undo = _STEPS if self._depth == 0 else _inner_steps(self._depth)
            self.execute(begin)
            self._depth += 1
            try:
                yield
                self.execute(keep)
            except BaseException:
                self._undo(undo)
                raise
            finally:
                self._depth -= 1
            if self._depth == 0 and self._erased:
                self.purge_if_free()

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Be part of this thread's open transaction, or one of its own.

        For changes that check before they write: inside another transaction they cannot be undone alone.
        """
        with self._lock:
            if self._depth:
                yield
            else:
                with self.transaction():
                    yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all reads inside see one state, whatever other processes write meanwhile."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self.execute("BEGIN")
            try:
                yield
            finally:
                self.execute("ROLLBACK")

    def _undo(self, steps: Sequence[str]) -> None:
        # A full disk makes SQLite roll back by itself; there is then nothing left to undo.
        if self._connection.in_transaction:
            for step in steps:
                self.execute(step)

    def erase_at_commit(self) -> None:
        """Have the log cut to nothing right after this transaction: it erases something."""
        self._erased = True

    @property
    def traces_remain(self) -> bool:
        """Whether erased bytes still wait to be overwritten, because another process reads the wallet."""
        return self._erased

    def purge(self) -> None:
        """Move the log into the database, whose old pages it overwrites, and cut it to nothing.

        Raises:
            TracesRemain: Another process reads the wallet; the next purge or the last close does it.
        """
        if not self.purge_if_free():
            raise TracesRemain

    def purge_if_free(self) -> bool:
        """Purge unless another process reads the wallet right now; tell whether it was done."""
        busy = self.row("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        self._erased = self._erased and bool(busy)
        return not busy

    def close(self) -> None:
        """Close; the last to close also empties and removes the log."""
        with self._lock:
            self._connection.close()


_STEPS: Final = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))


def _inner_steps(depth: int) -> tuple[str, str, tuple[str, ...]]:
    name = f"inner_{depth}"
    return f"SAVEPOINT {name}", f"RELEASE {name}", (f"ROLLBACK TO {name}", f"RELEASE {name}")


def check_file(path: Path) -> None:
    """Refuse what is no wallet database before SQLite touches it.

    An emptied file is the dangerous one: SQLite would take it for a new database and delete the
    log beside it, which may hold all there is.

    Raises:
        WalletDamaged: It is none.
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        header = stream.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise WalletDamaged(f"{path.name} is no database")
    if int.from_bytes(header[_APPLICATION_ID_AT]) != APPLICATION_ID:
        raise WalletDamaged(f"{path.name} is no wallet's database")


class _Translated:
    """SQLite's errors as the wallet's; a class, because a generator would cost more than most statements."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, sqlite3.Error):
            text = str(error)
            failure = next((made for part, made in _FAILURES if part in text), partial(StorageFailed, text))
            raise failure() from error
        if isinstance(error, UnicodeDecodeError):  # damage in a name that SQLite wanted to complain about
            raise WalletDamaged("the database is malformed") from error


_translated = _Translated()
