"""The tables, and how each version of them becomes the next.

    authority   one row: whose database this is, and which slot is whose among the nobodies
    accounts    name, what devices know it by, password hash, tries
    nobodies    the tries at each name that nobody has; 16,384 slots that one takes from another
    sessions    SHA-256 of each token, how its owner was authenticated, when it ends
    devices     credentials, with the newest counter
    events      what happened to an account; the database itself refuses to change or erase one

PRAGMA user_version counts the steps. A later version adds one and never changes one that was released.
"""

from __future__ import annotations

from durable import sqlite
from durable.sqlite import Connection

PAGE_BYTES = 4_096

_TABLES = (
    """CREATE TABLE authority (
        id INTEGER PRIMARY KEY CHECK (id = 1), identity_key BLOB NOT NULL, slot_key BLOB NOT NULL) STRICT""",
    """CREATE TABLE accounts (
        id INTEGER PRIMARY KEY, name_id BLOB NOT NULL UNIQUE, handle BLOB NOT NULL UNIQUE, name TEXT NOT NULL,
        password_hash TEXT NOT NULL, spent INTEGER NOT NULL, last_spent_ms INTEGER NOT NULL) STRICT""",
    """CREATE TABLE nobodies (
        id INTEGER PRIMARY KEY, name_id BLOB NOT NULL, spent INTEGER NOT NULL,
        last_spent_ms INTEGER NOT NULL) STRICT""",
    """CREATE TABLE sessions (
        id INTEGER PRIMARY KEY, token_hash BLOB NOT NULL UNIQUE, account INTEGER NOT NULL REFERENCES accounts,
        methods TEXT NOT NULL, expires_ms INTEGER NOT NULL) STRICT""",
    "CREATE INDEX sessions_by_account ON sessions (account)",
    "CREATE INDEX sessions_by_end ON sessions (expires_ms)",
    """CREATE TABLE devices (
        id INTEGER PRIMARY KEY, device_id BLOB NOT NULL UNIQUE, account INTEGER NOT NULL REFERENCES accounts,
        label TEXT NOT NULL, credential_id BLOB NOT NULL UNIQUE, credential BLOB NOT NULL,
        counter INTEGER NOT NULL, verifies INTEGER NOT NULL, added_ms INTEGER NOT NULL) STRICT""",
    "CREATE INDEX devices_by_account ON devices (account)",
    """CREATE TABLE events (
        id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES accounts, at_ms INTEGER NOT NULL,
        what TEXT NOT NULL, detail TEXT NOT NULL) STRICT""",
    "CREATE INDEX events_by_account ON events (account)",
    """CREATE TRIGGER events_stay BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'events are never changed'); END""",
    """CREATE TRIGGER events_last BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'events are never erased'); END""",
)
STEPS = (_TABLES,)
VERSION = len(STEPS)


class SchemaTooNew(Exception):
    """A newer program made the database; writing into it with this one could harm it."""


def migrate(connection: Connection) -> None:
    """Bring the database to the newest schema; each step happens whole or not at all.

    Raises:
        SchemaTooNew: This program is older than the database.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise SchemaTooNew
    for number, statements in enumerate(STEPS[version:], version + 1):
        with sqlite.transaction(connection):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
