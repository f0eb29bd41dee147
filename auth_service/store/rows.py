"""Accounts, tries, sessions and events in SQLite. What writes runs inside a transaction."""

from __future__ import annotations

import hashlib

from auth_service.records import Account, Event, KeptSession, Ledger, NewAccount, NewSession, TryOutcome
from auth_service.store.base import NOBODIES, PlanTry
from durable.sqlite import Connection
from trust.assertion import Method
from trust.authority_refusals import AccountExists, SessionInvalid

PASSWORD_TRIED = "password tried"  # noqa: S105 - an event
LOGGED_IN = "logged in with a password"
REGISTERED = "registered"
PASSWORD_CHANGED = "password changed"  # noqa: S105 - an event
LOGGED_OUT = "logged out"

_ACCOUNT = "SELECT id, handle, name, password_hash, spent, last_spent_ms FROM accounts WHERE name_id = ?"
_ADD_ACCOUNT = """INSERT INTO accounts (name_id, handle, name, password_hash, spent, last_spent_ms)
    VALUES (?, ?, ?, ?, 0, 0) ON CONFLICT (name_id) DO NOTHING RETURNING id"""
_SPEND = "UPDATE accounts SET spent = ?, last_spent_ms = ? WHERE id = ?"
_SLOT_KEY = "SELECT slot_key FROM authority"
_NOBODY = "SELECT spent, last_spent_ms FROM nobodies WHERE id = ? AND name_id = ?"
_WRITE_NOBODY = "INSERT OR REPLACE INTO nobodies (id, name_id, spent, last_spent_ms) VALUES (?, ?, ?, ?)"
_RENEW = """UPDATE accounts SET password_hash = ?, spent = 0, last_spent_ms = 0
    WHERE id = ? AND password_hash = ?"""
_ADD_SESSION = "INSERT INTO sessions (token_hash, account, methods, expires_ms) VALUES (?, ?, ?, ?)"
_SESSION = """SELECT a.id, a.handle, a.name, a.password_hash, s.methods, s.expires_ms
    FROM sessions s JOIN accounts a ON a.id = s.account WHERE s.token_hash = ?"""
_ADD_EVENT = "INSERT INTO events (account, at_ms, what, detail) VALUES (?, ?, ?, ?)"
_EVENTS = "SELECT at_ms, what, detail FROM events WHERE account = ? ORDER BY id DESC LIMIT ?"


def register(connection: Connection, account: NewAccount, session: NewSession, at_ms: int) -> None:
    """Make an account with its first session.

    Raises:
        AccountExists: The name is taken.
    """
    content = (account.name_id, account.handle, account.name, account.password_hash)
    made = connection.execute(_ADD_ACCOUNT, content).fetchone()
    if made is None:
        raise AccountExists
    add_session(connection, made[0], session, at_ms)
    add_event(connection, made[0], Event(at_ms, REGISTERED))


def spend(connection: Connection, name_id: bytes, at_ms: int, plan: PlanTry) -> TryOutcome:
    """Spend a try, with the same reads and as many writes whoever has the name."""
    slot = _slot(connection, name_id)
    at_nobody = connection.execute(_NOBODY, (slot, name_id)).fetchone() or (0, 0)
    row = connection.execute(_ACCOUNT, (name_id,)).fetchone()
    account = None if row is None else Account(*row[:4])
    after = plan(Ledger(*(at_nobody if row is None else row[4:])), at_ms)
    if after is None:
        return TryOutcome(False, account)
    if account is None:
        connection.execute(_WRITE_NOBODY, (slot, name_id, after.spent, after.last_spent_ms))
    else:
        connection.execute(_SPEND, (after.spent, after.last_spent_ms, account.number))
        add_event(connection, account.number, Event(at_ms, PASSWORD_TRIED))
    return TryOutcome(True, account)


def log_in(
    connection: Connection, account: Account, session: NewSession, rehashed: str | None, at_ms: int
) -> bool:
    """Give all tries back and start a session, unless the password was changed meanwhile."""
    if not _renew(connection, account, rehashed or account.password_hash):
        return False
    add_session(connection, account.number, session, at_ms)
    add_event(connection, account.number, Event(at_ms, LOGGED_IN))
    return True


def change_password(connection: Connection, account: Account, password_hash: str, at_ms: int) -> bool:
    """Replace the hash and end all sessions, unless the password was changed meanwhile."""
    if not _renew(connection, account, password_hash):
        return False
    connection.execute("DELETE FROM sessions WHERE account = ?", (account.number,))
    add_event(connection, account.number, Event(at_ms, PASSWORD_CHANGED))
    return True


def find_session(connection: Connection, token_hash: bytes) -> KeptSession | None:
    """The session of that token."""
    row = connection.execute(_SESSION, (token_hash,)).fetchone()
    return None if row is None else KeptSession(Account(*row[:4]), _methods(row[4]), row[5])


def require_session(connection: Connection, token_hash: bytes) -> None:
    """Hold on to what a session allows until it is written: another call may have ended it meanwhile.

    Raises:
        SessionInvalid: It has.
    """
    if find_session(connection, token_hash) is None:
        raise SessionInvalid


def note(connection: Connection, account: Account, token_hash: bytes, event: Event) -> None:
    """Write down what a session of the account is about to be given.

    Raises:
        SessionInvalid: It ended meanwhile.
    """
    require_session(connection, token_hash)
    add_event(connection, account.number, event)


def end_session(connection: Connection, token_hash: bytes, at_ms: int) -> None:
    """End a session, if there is one."""
    ended = connection.execute("DELETE FROM sessions WHERE token_hash = ? RETURNING account", (token_hash,))
    for (account,) in ended.fetchall():
        add_event(connection, account, Event(at_ms, LOGGED_OUT))


def add_session(connection: Connection, account: int, session: NewSession, at_ms: int) -> None:
    """Write a session, and erase those that are over."""
    connection.execute("DELETE FROM sessions WHERE expires_ms <= ?", (at_ms,))
    content = (session.token_hash, account, " ".join(session.methods), session.expires_ms)
    connection.execute(_ADD_SESSION, content)


def add_event(connection: Connection, account: int, event: Event) -> None:
    """Write down what happened."""
    connection.execute(_ADD_EVENT, (account, event.at_ms, event.what, event.detail))


def events(connection: Connection, account: int, most: int) -> tuple[Event, ...]:
    """What happened, newest first."""
    return tuple(Event(*row) for row in connection.execute(_EVENTS, (account, most)))


def _renew(connection: Connection, account: Account, password_hash: str) -> bool:
    content = (password_hash, account.number, account.password_hash)
    return bool(connection.execute(_RENEW, content).rowcount)


def _methods(text: str) -> tuple[Method, ...]:
    return tuple(text.split(" "))  # type: ignore[arg-type]  # only `add_session` writes them


def _slot(connection: Connection, name_id: bytes) -> int:
    key = connection.execute(_SLOT_KEY).fetchone()[0]
    return int.from_bytes(hashlib.blake2b(name_id, key=key, digest_size=8).digest()) % NOBODIES
