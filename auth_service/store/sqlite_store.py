"""AuthStore on SQLite: one writer thread with group commit, one reader beside it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from auth_service.records import (
    Account,
    Event,
    KeptDevice,
    KeptSession,
    NewAccount,
    NewSession,
    Registered,
    TryOutcome,
)
from auth_service.store import device_rows, rows, schema
from auth_service.store.base import PlanDevice, PlanTry
from durable import sqlite
from durable.folder import StoreUnusable, lock_folder
from durable.sqlite import Connection
from durable.writer import WriterThread
from threshold.randomness import RandomSource
from trust.ids import AuthorityKey

_Result = TypeVar("_Result")
DATABASE_NAME = "authority.db"
LOCK_NAME = "authority.lock"
_SLOT_KEY_BYTES = 32


class SqliteAuthStore:
    """See auth_service.store.base.AuthStore for what it promises."""

    def __init__(self, path: Path, lock: int, connection: Connection) -> None:
        """Take an open, migrated database and the descriptor that locks it; use `open_store`."""
        self._lock = lock
        self._connection = connection
        self._writer = WriterThread(connection)
        self._reading = sqlite.open_reader(path)
        self._reader = ThreadPoolExecutor(1, "kura-reader")

    async def _read(self, run: Callable[[Connection], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._reader, run, self._reading)

    async def register(self, account: NewAccount, session: NewSession, at_ms: int) -> None:
        """Make an account with its first session."""
        await self._writer.submit(partial(rows.register, account=account, session=session, at_ms=at_ms))

    async def spend(self, name_id: bytes, at_ms: int, plan: PlanTry) -> TryOutcome:
        """Spend a try at a name."""
        return await self._writer.submit(partial(rows.spend, name_id=name_id, at_ms=at_ms, plan=plan))

    async def log_in(self, account: Account, session: NewSession, rehashed: str | None, at_ms: int) -> bool:
        """Give all tries back and start a session."""
        run = partial(rows.log_in, account=account, session=session, rehashed=rehashed, at_ms=at_ms)
        return await self._writer.submit(run)

    async def change_password(self, account: Account, password_hash: str, at_ms: int) -> bool:
        """Replace the hash and end all sessions."""
        run = partial(rows.change_password, account=account, password_hash=password_hash, at_ms=at_ms)
        return await self._writer.submit(run)

    async def session(self, token_hash: bytes) -> KeptSession | None:
        """The session of that token."""
        return await self._read(partial(rows.find_session, token_hash=token_hash))

    async def end_session(self, token_hash: bytes, at_ms: int) -> None:
        """End a session."""
        await self._writer.submit(partial(rows.end_session, token_hash=token_hash, at_ms=at_ms))

    async def add_device(
        self,
        account: Account,
        token_hash: bytes,
        device_id: bytes,
        label: str,
        registered: Registered,
        at_ms: int,
    ) -> None:
        """Keep a device."""

        def add(connection: Connection) -> None:
            device_rows.add_device(connection, account, token_hash, device_id, label, registered, at_ms)

        await self._writer.submit(add)

    async def devices(self, account: Account) -> tuple[KeptDevice, ...]:
        """The devices of an account."""
        return await self._read(partial(device_rows.devices, account=account))

    async def remove_device(
        self, account: Account, device_id: bytes, kept_token_hash: bytes, at_ms: int
    ) -> None:
        """Remove a device and end every session but one."""

        def remove(connection: Connection) -> None:
            device_rows.remove_device(connection, account, device_id, kept_token_hash, at_ms)

        await self._writer.submit(remove)

    async def use_device(
        self, credential_id: bytes, session: NewSession, joins: bytes | None, at_ms: int, plan: PlanDevice
    ) -> KeptSession | None:
        """Judge what a device signed, and start or join a session."""

        def use(connection: Connection) -> KeptSession | None:
            return device_rows.use_device(connection, credential_id, session, joins, at_ms, plan)

        return await self._writer.submit(use)

    async def events(self, account: Account, most: int) -> tuple[Event, ...]:
        """What happened to an account, newest first."""
        return await self._read(partial(rows.events, account=account.number, most=most))

    async def note(self, account: Account, token_hash: bytes, event: Event) -> None:
        """Write down what a session is about to be given."""
        await self._writer.submit(partial(rows.note, account=account, token_hash=token_hash, event=event))

    async def close(self) -> None:
        """Finish what is queued, then let go of the files."""
        await self._writer.close()
        await asyncio.to_thread(self._reader.shutdown)
        self._reading.close()
        self._connection.close()
        os.close(self._lock)


async def open_store(
    data_dir: Path, authority: AuthorityKey, rng: RandomSource, database_bytes: int = 0
) -> SqliteAuthStore:
    """Open the database of this authority, made and migrated as needed.

    Args:
        data_dir: Its folder, made when missing, readable by its owner alone.
        authority: Whose records these are.
        rng: Gives 32 bytes for a new database.
        database_bytes: The file grows no further; 0 is no limit.

    Raises:
        StoreUnusable: It cannot be opened, is another authority's, or another process has it.
    """
    path = data_dir / DATABASE_NAME
    slot_key = rng.read(_SLOT_KEY_BYTES)
    lock, connection = await asyncio.to_thread(_open_locked, path, authority, slot_key, database_bytes)
    return SqliteAuthStore(path, lock, connection)


def _open_locked(
    path: Path, authority: AuthorityKey, slot_key: bytes, database_bytes: int
) -> tuple[int, Connection]:
    lock = lock_folder(path.parent, LOCK_NAME, "this authority")
    try:
        return lock, _open_database(path, authority, slot_key, database_bytes)
    except BaseException:
        os.close(lock)
        raise


def _open_database(path: Path, authority: AuthorityKey, slot_key: bytes, database_bytes: int) -> Connection:
    try:
        path.touch(mode=0o600)
        connection = sqlite.open_writer(path, schema.PAGE_BYTES, database_bytes)
        schema.migrate(connection)
        _claim(connection, authority, slot_key)
    except OSError as error:
        raise StoreUnusable(f"{path}: {error.strerror}") from None
    except sqlite.Error as error:
        raise StoreUnusable(f"{path}: {error}") from None
    except schema.SchemaTooNew:
        raise StoreUnusable(f"{path}: made by a newer version of this program") from None
    return connection


def _claim(connection: Connection, authority: AuthorityKey, slot_key: bytes) -> None:
    with sqlite.transaction(connection):
        connection.execute("INSERT OR IGNORE INTO authority VALUES (1, ?, ?)", (authority, slot_key))
    owner = connection.execute("SELECT identity_key FROM authority").fetchone()[0]
    if owner != authority:
        raise StoreUnusable(f"the database belongs to authority {owner.hex()}, not to {authority.hex()}")
