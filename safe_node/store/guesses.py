"""Guesses in SQLite: written down before anything is evaluated. Runs inside a transaction.

A guess at a name that nobody has is counted like one at an owner, under the key of name and way. One that is
not taken, or repeated, overwrites a slot among the decoys, so that each guess is one durable write of as many
pages. Nobody's guesses take no more room than 16,384 names of at most 256 guesses, which the waits between
them keep to about ten.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from durable.sqlite import Connection
from safe_node.guesses import Attempt, GuessPlan, GuessState, KnownGuess, UnlockClaim, UnlockPlan
from safe_node.owners import NO_GUESSES, KeptOwner, Ledger
from safe_node.store.owner_rows import (
    OwnerRow,
    find_owner,
    read_way,
    way_text,
    write_device,
    write_ledger,
    write_waiting,
)
from safe_node.store.owners_base import KEPT_GUESS_MS, KEPT_GUESSES, NOBODIES, PlanGuess, PlanUnlock
from trust.access_policy import PIN_ALONE, Way, way_key
from trust.ids import GuessId, OwnerId, RecordId

_FIND = """SELECT record_id, element, returned_to, way, bound_to FROM guesses
    WHERE owner = ? AND guess_id = ?"""
_ADD = """INSERT INTO guesses (owner, guess_id, record_id, element, spent_ms, way, bound_to)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_NOT_WAITED_FOR = "guess_id NOT IN (SELECT guess_id FROM waiting WHERE owner = ?1)"
_FORGET_OLD = f"DELETE FROM guesses WHERE owner = ?1 AND spent_ms < ?2 AND {_NOT_WAITED_FOR}"  # noqa: S608
_FORGET_MANY = f"""DELETE FROM guesses WHERE owner = ?1 AND id <=
    (SELECT id FROM guesses WHERE owner = ?1 ORDER BY id DESC LIMIT 1 OFFSET {KEPT_GUESSES})
    AND {_NOT_WAITED_FOR}"""  # noqa: S608 - a number of ours
_COUNT_DECOY = "UPDATE decoys SET written = written + 1"
_ADD_DECOY = """INSERT OR REPLACE INTO decoy_guesses (id, number, guess_id, record_id, element, spent_ms)
    VALUES (?, (SELECT written FROM decoys), ?, ?, ?, ?)"""
_SLOT_KEY = "SELECT slot_key FROM decoys"
_AT_NOBODY = "SELECT spent, last_spent_ms FROM nobodies WHERE id = ? AND owner_id = ?"
_WRITE_NOBODY = "INSERT OR REPLACE INTO nobodies (id, owner_id, spent, last_spent_ms) VALUES (?, ?, ?, ?)"
_RETURN = "UPDATE guesses SET returned_to = ? WHERE owner = ? AND guess_id = ?"


def guesses_at(connection: Connection, owner_id: OwnerId, way: Way) -> GuessState:
    """The owner of that id, and the guesses at nobody."""
    return _state(connection, owner_id, way)[2]


def write_guess(connection: Connection, attempt: Attempt, plan: PlanGuess) -> GuessPlan:
    """Plan a guess on the owner as they are, and write it down."""
    slot, found, state = _state(connection, attempt.owner_id, attempt.way)
    row = slot if found is None or _is_nobodys(found.owner, attempt) else found.id
    decided = plan(replace(state, known=_known(connection, row, attempt.guess_id)), attempt)
    if decided.device is not None and found is not None:
        write_device(connection, found.id, *decided.device)
    about = (attempt.guess_id, attempt.record_id, attempt.element, attempt.at_ms)
    if decided.ledger is None:
        connection.execute(_COUNT_DECOY)
        connection.execute(_ADD_DECOY, (hashlib.sha256(attempt.owner_id).digest()[0], *about))
        return decided
    connection.execute(_FORGET_OLD, (row, attempt.at_ms - KEPT_GUESS_MS))
    connection.execute(_ADD, (row, *about, way_text(attempt.way), attempt.recipient_key))
    connection.execute(_FORGET_MANY, (row,))
    if decided.target.part is None:
        ledger, key = decided.ledger, way_key(attempt.owner_id, attempt.way)
        connection.execute(_WRITE_NOBODY, (row, key, ledger.spent, ledger.last_spent_ms))
    else:
        write_ledger(connection, row, decided.ledger, attempt.way)
    return decided


def write_unlock(connection: Connection, claim: UnlockClaim, plan: PlanUnlock) -> UnlockPlan:
    """Plan on what was claimed, and give the guess back.

    Raises:
        Refusal: The plan's; nothing is written then.
    """
    slot, found, state = _state(connection, claim.owner_id, PIN_ALONE)
    row = slot if found is None else found.id
    decided = plan(replace(state, known=_known(connection, row, claim.guess_id)), claim)
    if decided.ledger is not None:
        connection.execute(_RETURN, (claim.recipient_key, row, claim.guess_id))
        write_ledger(connection, row, decided.ledger, decided.part.way)
    if decided.waiting is not None and found is not None:
        write_waiting(connection, row, found.owner.waiting, decided.waiting)
    return decided


def _state(connection: Connection, owner_id: OwnerId, way: Way) -> tuple[int, OwnerRow | None, GuessState]:
    """Where guesses at nobody are written, and what stands there; with the same reads whoever it is."""
    key = way_key(owner_id, way)
    slot = _slot(connection, key)
    counted = connection.execute(_AT_NOBODY, (slot, key)).fetchone()
    found = find_owner(connection, owner_id)
    owner = None if found is None else found.owner
    return slot, found, GuessState(owner, None, NO_GUESSES if counted is None else Ledger(*counted))


def _is_nobodys(owner: KeptOwner, attempt: Attempt) -> bool:
    """The record of that id has no such way: it is counted like a name that nobody has."""
    record = owner.record(attempt.record_id)
    return record is not None and record.part(attempt.way) is None


def _known(connection: Connection, row: int, guess_id: GuessId) -> KnownGuess | None:
    guess = connection.execute(_FIND, (row, guess_id)).fetchone()
    if guess is None:
        return None
    record_id, element, returned_to, way, bound_to = guess
    return KnownGuess(RecordId(record_id), element, returned_to, read_way(way), bound_to)


def _slot(connection: Connection, key: OwnerId) -> int:
    """Below zero, where no row of an owner is."""
    secret = connection.execute(_SLOT_KEY).fetchone()[0]
    return -1 - int.from_bytes(hashlib.blake2b(key, key=secret, digest_size=8).digest()) % NOBODIES
