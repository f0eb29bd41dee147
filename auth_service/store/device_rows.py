"""Devices in SQLite. What writes runs inside a transaction."""

from __future__ import annotations

from dataclasses import replace

from auth_service.decisions.sessions import joined
from auth_service.records import Account, DeviceUse, Event, KeptDevice, KeptSession, NewSession, Registered
from auth_service.store.base import PlanDevice
from auth_service.store.rows import add_event, add_session, find_session, require_session
from durable.sqlite import Connection
from trust.authority_calls import MAX_DEVICES
from trust.authority_refusals import DeviceRefused

DEVICE_ADDED = "device added"
DEVICE_REMOVED = "device removed"

_DEVICES = """SELECT d.device_id, a.id, a.handle, a.name, a.password_hash, d.label, d.credential_id,
    d.credential, d.counter, d.verifies, d.added_ms FROM devices d JOIN accounts a ON a.id = d.account"""
_ADD = """INSERT INTO devices
    (device_id, account, label, credential_id, credential, counter, verifies, added_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id"""
_REMOVE = "DELETE FROM devices WHERE account = ? AND device_id = ? RETURNING label"


def add_device(
    connection: Connection,
    account: Account,
    token_hash: bytes,
    device_id: bytes,
    label: str,
    registered: Registered,
    at_ms: int,
) -> None:
    """Keep a device.

    Raises:
        SessionInvalid: The session of that token ended meanwhile.
        DeviceRefused: The credential is known already, or the account has as many as it may.
    """
    require_session(connection, token_hash)
    if len(devices(connection, account)) >= MAX_DEVICES:
        raise DeviceRefused
    said = (registered.credential_id, registered.credential, registered.counter, registered.verifies)
    if connection.execute(_ADD, (device_id, account.number, label, *said, at_ms)).fetchone() is None:
        raise DeviceRefused
    add_event(connection, account.number, Event(at_ms, DEVICE_ADDED, label))


def devices(connection: Connection, account: Account) -> tuple[KeptDevice, ...]:
    """The devices of an account, in the order they came."""
    rows = connection.execute(f"{_DEVICES} WHERE d.account = ? ORDER BY d.id", (account.number,))
    return tuple(_device(row) for row in rows)


def remove_device(
    connection: Connection, account: Account, device_id: bytes, kept_token_hash: bytes, at_ms: int
) -> None:
    """Remove a device, if it is the account's, and end every session but one.

    Raises:
        SessionInvalid: That one ended meanwhile.
    """
    require_session(connection, kept_token_hash)
    removed = connection.execute(_REMOVE, (account.number, device_id)).fetchone()
    if removed is None:
        return
    others = "DELETE FROM sessions WHERE account = ? AND token_hash <> ?"
    connection.execute(others, (account.number, kept_token_hash))
    add_event(connection, account.number, Event(at_ms, DEVICE_REMOVED, removed[0]))


def use_device(
    connection: Connection,
    credential_id: bytes,
    session: NewSession,
    joins: bytes | None,
    at_ms: int,
    plan: PlanDevice,
) -> KeptSession | None:
    """Judge what a device signed, note it, and start or join a session; None where it is refused."""
    row = connection.execute(f"{_DEVICES} WHERE d.credential_id = ?", (credential_id,)).fetchone()
    if row is None:
        return None
    device = _device(row)
    before = None if joins is None else find_session(connection, joins)
    if joins is not None and (before is None or before.account.number != device.account.number):
        return None
    use = plan(device)
    add_event(connection, device.account.number, Event(at_ms, use.event, device.label))
    if use.counter is None:
        return None
    connection.execute("UPDATE devices SET counter = ? WHERE device_id = ?", (use.counter, device.device_id))
    if joins is None or before is None:
        return _started(connection, device.account, session, use, at_ms)
    return _joined(connection, joins, before, use)


def _started(
    connection: Connection, account: Account, session: NewSession, use: DeviceUse, at_ms: int
) -> KeptSession:
    made = replace(session, methods=tuple(sorted(use.methods)))
    add_session(connection, account.number, made, at_ms)
    return KeptSession(account, made.methods, made.expires_ms)


def _joined(connection: Connection, token_hash: bytes, before: KeptSession, use: DeviceUse) -> KeptSession:
    after = replace(before, methods=joined(before, use.methods))
    connection.execute(
        "UPDATE sessions SET methods = ? WHERE token_hash = ?", (" ".join(after.methods), token_hash)
    )
    return after


def _device(row: tuple[object, ...]) -> KeptDevice:
    (
        device_id,
        number,
        handle,
        name,
        password_hash,
        label,
        credential_id,
        credential,
        counter,
        verifies,
        added,
    ) = row
    account = Account(number, handle, name, password_hash)  # type: ignore[arg-type]
    registered = Registered(credential_id, credential, counter, bool(verifies))  # type: ignore[arg-type]
    return KeptDevice(device_id, account, label, registered, added)  # type: ignore[arg-type]
