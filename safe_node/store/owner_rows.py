"""Owners and their records in SQLite: reading one, writing what a plan changed. Runs inside a transaction.

Rows of records, which hold secrets, are written once and erased, never changed: which one is in force and
which is staged stands with the owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from durable.sqlite import Connection
from safe_node.owners import KeptOwner, KeptRecord, Ledger
from trust.ids import OwnerId, OwnerKey, RecordId

_OWNER = """SELECT id, owner_id, owner_key, spent, last_spent_ms, rearmed_ms, current, staged FROM owners
    WHERE """
_RECORDS = """SELECT id, record, record_id, x, unlock_share, oprf_share, unlock_tag, sealed, guesses
    FROM owner_records WHERE owner = ? ORDER BY id"""
_ADD_OWNER = """INSERT INTO owners (owner_id, owner_key, spent, last_spent_ms, rearmed_ms, current, staged)
    VALUES (?, ?, ?, ?, ?, 0, NULL)"""
_ADD_RECORD = """INSERT INTO owner_records
    (owner, record, record_id, x, unlock_share, oprf_share, unlock_tag, sealed, guesses)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_WRITE_LEDGER = "UPDATE owners SET spent = ?, last_spent_ms = ?, rearmed_ms = ? WHERE id = ?"


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """An owner with the rows they are in.

    Args:
        id: Row of `owners`.
        owner: What stands there.
        record_rows: Rows of `owner_records` by record id.
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
    number, owner_id, owner_key, *ledger, current, staged = row
    records = {int(found[0]): _record(found) for found in connection.execute(_RECORDS, (number,))}
    owner = KeptOwner(
        owner_id=OwnerId(owner_id),
        owner_key=OwnerKey(owner_key),
        ledger=Ledger(*ledger),
        current=records[current],
        staged=None if staged is None else records[staged],
        old=tuple(record for id_, record in records.items() if id_ not in (current, staged)),
    )
    return OwnerRow(number, owner, {record.record_id: id_ for id_, record in records.items()})


def _record(row: tuple[Any, ...]) -> KeptRecord:
    return KeptRecord(*row[1:])


def add_owner(connection: Connection, owner: KeptOwner) -> None:
    """Write a new owner with the record in force."""
    ledger = owner.ledger
    row = (owner.owner_id, owner.owner_key, ledger.spent, ledger.last_spent_ms, ledger.rearmed_ms)
    number = int(connection.execute(_ADD_OWNER, row).lastrowid or 0)
    current = _add_record(connection, number, owner.current)
    connection.execute("UPDATE owners SET current = ? WHERE id = ?", (current, number))


def write_ledger(connection: Connection, owner: int, ledger: Ledger) -> None:
    """Keep another ledger."""
    row = (ledger.spent, ledger.last_spent_ms, ledger.rearmed_ms, owner)
    connection.execute(_WRITE_LEDGER, row)


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


def _add_record(connection: Connection, owner: int, record: KeptRecord) -> int:
    row = (
        owner,
        record.record,
        record.record_id,
        record.x,
        record.unlock_share,
        record.oprf_share,
        record.unlock_tag,
        record.sealed,
        record.guesses,
    )
    return int(connection.execute(_ADD_RECORD, row).lastrowid or 0)


def _erase_record(connection: Connection, owner: int, record_id: RecordId) -> None:
    for table in ("owner_records", "guesses"):
        connection.execute(
            f"DELETE FROM {table} WHERE owner = ? AND record_id = ?",  # noqa: S608 - a name of ours
            (owner, record_id),
        )


def erase_owner(connection: Connection, owner_key: OwnerKey) -> None:
    """Erase an owner, their records and their guesses, if they are kept."""
    row = find_owner_by_key(connection, owner_key)
    if row is None:
        return
    for table in ("owner_records", "guesses"):
        connection.execute(f"DELETE FROM {table} WHERE owner = ?", (row.id,))  # noqa: S608 - a name of ours
    connection.execute("DELETE FROM owners WHERE id = ?", (row.id,))
