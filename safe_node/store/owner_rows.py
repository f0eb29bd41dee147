"""Owners and their records in SQLite: reading one, writing what a plan changed. Runs inside a transaction.

Rows of records, which hold secrets, are written once and erased, never changed: which one is in force and
which is staged stands with the owner. A version has a row for each way, and is referred to by its first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from durable.sqlite import Connection
from safe_node.owners import KeptDevice, KeptOwner, KeptPart, KeptRecord, Ledger, Veto, Waiting
from trust.access_policy import PIN_ALONE, Way
from trust.ids import GuessId, OwnerId, OwnerKey, RecordId

_OWNER = """SELECT id, owner_id, owner_key, spent, last_spent_ms, rearmed_ms, current, staged,
        vetoed_ms, vetoed_key
    FROM owners WHERE """
_PARTS = """SELECT id, way, record, record_id, x, unlock_share, oprf_share, unlock_tag, sealed, guesses
    FROM owner_records WHERE owner = ? ORDER BY id"""
_POLICIES = "SELECT record_id, policy, signature FROM owner_policies WHERE owner = ?"
_LEDGERS = "SELECT way, spent, last_spent_ms FROM way_ledgers WHERE owner = ?"
_WAITING = """SELECT recipient_key, guess_id, record_id, way, asked_ms, release_ms FROM waiting
    WHERE owner = ? ORDER BY id"""
_DEVICES = "SELECT name, counter, copied FROM owner_devices WHERE owner = ?"
_WRITE_DEVICE = """INSERT INTO owner_devices (owner, name, counter, copied) VALUES (?, ?, ?, ?)
    ON CONFLICT (owner, name) DO UPDATE SET counter = excluded.counter, copied = excluded.copied"""
_ADD_WAITING = """INSERT INTO waiting
    (owner, recipient_key, guess_id, record_id, way, asked_ms, release_ms) VALUES (?, ?, ?, ?, ?, ?, ?)"""
_SPOIL = "UPDATE guesses SET returned_to = x'' WHERE owner = ? AND guess_id = ?"
_ADD_OWNER = """INSERT INTO owners (owner_id, owner_key, spent, last_spent_ms, rearmed_ms, current, staged)
    VALUES (?, ?, ?, ?, ?, 0, NULL)"""
_ADD_POLICY = "INSERT INTO owner_policies (owner, record_id, policy, signature) VALUES (?, ?, ?, ?)"
_ADD_PART = """INSERT INTO owner_records
    (owner, way, record, record_id, x, unlock_share, oprf_share, unlock_tag, sealed, guesses)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_WRITE_WAY_LEDGER = """INSERT INTO way_ledgers (owner, way, spent, last_spent_ms) VALUES (?, ?, ?, ?)
    ON CONFLICT (owner, way) DO UPDATE SET spent = excluded.spent, last_spent_ms = excluded.last_spent_ms"""
_OF_OWNERS = ("owner_records", "owner_policies", "way_ledgers", "owner_devices", "waiting", "guesses")
_WRITE_LEDGER = "UPDATE owners SET spent = ?, last_spent_ms = ?, rearmed_ms = ? WHERE id = ?"


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """An owner with the rows they are in.

    Args:
        id: Row of `owners`.
        owner: What stands there.
        record_rows: Row of `owner_records` of the first part of each version, by record id.
    """

    id: int
    owner: KeptOwner
    record_rows: Mapping[RecordId, int]


def find_owner(connection: Connection, owner_id: OwnerId) -> OwnerRow | None:
    """The owner of that id. For one who is unknown another is read, so that it takes as long."""
    found = _load(connection, "owner_id = ?", owner_id)
    if found is None:
        _load(connection, "id >= ? LIMIT 1", 0)
    return found


def find_owner_by_key(connection: Connection, owner_key: OwnerKey) -> OwnerRow | None:
    """The owner of that key."""
    return _load(connection, "owner_key = ?", owner_key)


def _load(connection: Connection, where: str, value: object) -> OwnerRow | None:
    row = connection.execute(_OWNER + where, (value,)).fetchone()
    if row is None:
        return None
    number, owner_id, owner_key, *ledger, current, staged, vetoed_ms, vetoed_key = row
    rows = connection.execute(_PARTS, (number,)).fetchall()
    records = _records(rows, connection.execute(_POLICIES, (number,)).fetchall())
    named = {int(found[0]): records[RecordId(found[3])] for found in rows}
    in_force, to_come = named[current], named.get(staged)
    owner = KeptOwner(
        owner_id=OwnerId(owner_id),
        owner_key=OwnerKey(owner_key),
        ledger=Ledger(*ledger),
        current=in_force,
        staged=to_come,
        old=tuple(record for record in records.values() if record not in (in_force, to_come)),
        ledgers={read_way(way): Ledger(*counts) for way, *counts in connection.execute(_LEDGERS, (number,))},
        waiting=tuple(_waiting(found) for found in connection.execute(_WAITING, (number,))),
        veto=Veto(vetoed_ms, vetoed_key),
        devices={
            name: KeptDevice(counter, bool(copied))
            for name, counter, copied in connection.execute(_DEVICES, (number,))
        },
    )
    first = {RecordId(found[3]): int(found[0]) for found in reversed(rows)}
    return OwnerRow(number, owner, first)


def _records(
    rows: Sequence[tuple[Any, ...]], policies: Sequence[tuple[Any, ...]]
) -> dict[RecordId, KeptRecord]:
    """Versions in the order in which they came, each with its parts."""
    signed = {record_id: (policy, signature) for record_id, policy, signature in policies}
    parts: dict[RecordId, list[tuple[KeptPart, int]]] = {}
    for _, way, record, record_id, *secrets, guesses in rows:
        part = KeptPart(read_way(way), record, RecordId(record_id), *secrets)
        parts.setdefault(part.record_id, []).append((part, guesses))
    return {
        record_id: KeptRecord(
            tuple(part for part, _ in found), found[0][1], *signed.get(record_id, (b"", b""))
        )
        for record_id, found in parts.items()
    }


def _waiting(row: tuple[Any, ...]) -> Waiting:
    recipient_key, guess_id, record_id, way, asked_ms, release_ms = row
    return Waiting(recipient_key, GuessId(guess_id), RecordId(record_id), read_way(way), asked_ms, release_ms)


def add_owner(connection: Connection, owner: KeptOwner) -> None:
    """Write a new owner with the record in force."""
    ledger = owner.ledger
    row = (owner.owner_id, owner.owner_key, ledger.spent, ledger.last_spent_ms, ledger.rearmed_ms)
    number = int(connection.execute(_ADD_OWNER, row).lastrowid or 0)
    current = _add_record(connection, number, owner.current)
    connection.execute("UPDATE owners SET current = ? WHERE id = ?", (current, number))


def write_ledger(connection: Connection, owner: int, ledger: Ledger, way: Way = PIN_ALONE) -> None:
    """Keep another ledger of one way."""
    if way == PIN_ALONE:
        row = (ledger.spent, ledger.last_spent_ms, ledger.rearmed_ms, owner)
        connection.execute(_WRITE_LEDGER, row)
    else:
        connection.execute(_WRITE_WAY_LEDGER, (owner, way_text(way), ledger.spent, ledger.last_spent_ms))


def clear_ledgers(connection: Connection, owner: int, ledger: Ledger) -> None:
    """Keep this ledger of the PIN alone, and give all guesses of other ways back."""
    write_ledger(connection, owner, ledger)
    connection.execute("DELETE FROM way_ledgers WHERE owner = ?", (owner,))


def write_records(connection: Connection, before: OwnerRow, after: KeptOwner) -> None:
    """Keep exactly the records of `after`; what goes is erased, and the guesses at it."""
    rows = dict(before.record_rows)
    for gone in set(before.owner.records) - set(after.records):
        _erase_record(connection, before.id, gone.record_id)
    for record in after.records:
        if record not in before.owner.records:
            rows[record.record_id] = _add_record(connection, before.id, record)
    current = rows[after.current.record_id]
    staged = None if after.staged is None else rows[after.staged.record_id]
    connection.execute("UPDATE owners SET current = ?, staged = ? WHERE id = ?", (current, staged, before.id))
    write_waiting(connection, before.id, before.owner.waiting, after.waiting)


def write_waiting(
    connection: Connection, owner: int, before: Sequence[Waiting], after: Sequence[Waiting]
) -> None:
    """Keep exactly these recoveries; the guesses of those that end are good for nobody from now on."""
    for ended in set(before) - set(after):
        connection.execute("DELETE FROM waiting WHERE owner = ? AND guess_id = ?", (owner, ended.guess_id))
        connection.execute(_SPOIL, (owner, ended.guess_id))
    for begun in after:
        if begun not in before:
            row = (begun.recipient_key, begun.guess_id, begun.record_id, way_text(begun.way))
            connection.execute(_ADD_WAITING, (owner, *row, begun.asked_ms, begun.release_ms))


def write_device(connection: Connection, owner: int, name: bytes, device: KeptDevice) -> None:
    """Keep the counter of a device."""
    connection.execute(_WRITE_DEVICE, (owner, name, device.counter, int(device.copied)))


def write_veto(connection: Connection, before: OwnerRow, after: KeptOwner) -> None:
    """Keep what waits, and when something was vetoed."""
    write_waiting(connection, before.id, before.owner.waiting, after.waiting)
    row = (after.veto.at_ms, after.veto.recipient_key, before.id)
    connection.execute("UPDATE owners SET vetoed_ms = ?, vetoed_key = ? WHERE id = ?", row)


def _add_record(connection: Connection, owner: int, record: KeptRecord) -> int:
    """The row of its first part, by which it is referred to."""
    if record.policy:
        row = (owner, record.record_id, record.policy, record.policy_signature)
        connection.execute(_ADD_POLICY, row)
    rows = [_add_part(connection, owner, part, record.guesses) for part in record.parts]
    return rows[0]


def _add_part(connection: Connection, owner: int, part: KeptPart, guesses: int) -> int:
    row = (
        owner,
        way_text(part.way),
        part.record,
        part.record_id,
        part.x,
        part.unlock_share,
        part.oprf_share,
        part.unlock_tag,
        part.sealed,
        guesses,
    )
    return int(connection.execute(_ADD_PART, row).lastrowid or 0)


def _erase_record(connection: Connection, owner: int, record_id: RecordId) -> None:
    for table in ("owner_records", "owner_policies", "guesses", "waiting"):
        connection.execute(
            f"DELETE FROM {table} WHERE owner = ? AND record_id = ?",  # noqa: S608 - a name of ours
            (owner, record_id),
        )


def erase_owner(connection: Connection, owner_key: OwnerKey) -> None:
    """Erase an owner, their records and their guesses, if they are kept."""
    row = find_owner_by_key(connection, owner_key)
    if row is None:
        return
    for table in _OF_OWNERS:
        connection.execute(f"DELETE FROM {table} WHERE owner = ?", (row.id,))  # noqa: S608 - a name of ours
    connection.execute("DELETE FROM owners WHERE id = ?", (row.id,))


def way_text(way: Way) -> str:
    """As a way stands in a row."""
    return " ".join(way)


def read_way(text: str) -> Way:
    """As `way_text` wrote it."""
    return cast(Way, tuple(text.split(" ")))
