"""Enrolling in SQLite, and the invitations that it uses up. Runs inside a transaction.

Of an invitation only the hash is kept: who reads the database can enrol nobody.
"""

from __future__ import annotations

from durable.sqlite import Connection
from safe_node.owners import AdmittedRecord, EnrolmentState, Invitation
from safe_node.store.account_rows import is_forgotten
from safe_node.store.owner_rows import add_owner, find_owner, find_owner_by_key
from safe_node.store.owners_base import PlanEnrolment
from trust.ids import Hash

_ADD = "INSERT INTO invitations (code_hash, made_ms, used_ms) VALUES (?, ?, NULL)"
_FIND = "SELECT used_ms FROM invitations WHERE code_hash = ?"
_USE = "UPDATE invitations SET used_ms = ? WHERE code_hash = ?"


def add_invitation(connection: Connection, code_hash: Hash, now_ms: int) -> None:
    """Write down a fresh invitation."""
    connection.execute(_ADD, (code_hash, now_ms))


def enroll(
    connection: Connection, came: AdmittedRecord, invitation: Hash | None, now_ms: int, plan: PlanEnrolment
) -> None:
    """Plan an enrolment on what is kept, and write the new owner if there is one.

    Raises:
        Refusal: The plan's; nothing is written then.
    """
    known = find_owner(connection, came.owner_id)
    state = EnrolmentState(
        owner=None if known is None else known.owner,
        key_taken=find_owner_by_key(connection, came.owner_key) is not None,
        invitation=_look_at(connection, invitation),
        forgotten=is_forgotten(connection, came.owner_key),
    )
    owner = plan(state, came)
    if owner is not None:
        add_owner(connection, owner)
        connection.execute(_USE, (now_ms, invitation))


def _look_at(connection: Connection, invitation: Hash | None) -> Invitation:
    if invitation is None:
        return "none"
    row = connection.execute(_FIND, (invitation,)).fetchone()
    if row is None:
        return "unknown"
    return "fresh" if row[0] is None else "used"
