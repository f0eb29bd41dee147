"""Guesses in SQLite: written down before anything is evaluated. Runs inside a transaction.

A guess at a name that nobody has is counted like one at an owner. One that is not taken, or repeated,
overwrites a slot among the decoys, so that each guess is one durable write of as many pages. Nobody's guesses
take no more room than 16,384 names of at most 256 guesses, which the waits between them keep to about ten.
"""

from __future__ import annotations

import hashlib

from durable.sqlite import Connection
from safe_node.owners import (
    NO_GUESSES,
    Attempt,
    GuessPlan,
    GuessState,
    KnownGuess,
    Ledger,
    UnlockClaim,
    UnlockPlan,
)
from safe_node.store.owner_rows import find_owner, write_ledger
from safe_node.store.owners_base import KEPT_GUESS_MS, KEPT_GUESSES, NOBODIES, PlanGuess, PlanUnlock
from trust.ids import GuessId, OwnerId

_FIND = "SELECT record_id, element, returned_to FROM guesses WHERE owner = ? AND guess_id = ?"
_ADD = "INSERT INTO guesses (owner, guess_id, record_id, element, spent_ms) VALUES (?, ?, ?, ?, ?)"
_FORGET_OLD = "DELETE FROM guesses WHERE owner = ? AND spent_ms < ?"
_FORGET_MANY = f"""DELETE FROM guesses WHERE owner = ?1 AND id <=
    (SELECT id FROM guesses WHERE owner = ?1 ORDER BY id DESC LIMIT 1 OFFSET {KEPT_GUESSES})"""  # noqa: S608 - a number of ours
_COUNT_DECOY = "UPDATE decoys SET written = written + 1"
_ADD_DECOY = """INSERT OR REPLACE INTO decoy_guesses (id, number, guess_id, record_id, element, spent_ms)
    VALUES (?, (SELECT written FROM decoys), ?, ?, ?, ?)"""
_SLOT_KEY = "SELECT slot_key FROM decoys"
_AT_NOBODY = "SELECT spent, last_spent_ms FROM nobodies WHERE id = ? AND owner_id = ?"
_WRITE_NOBODY = "INSERT OR REPLACE INTO nobodies (id, owner_id, spent, last_spent_ms) VALUES (?, ?, ?, ?)"
_RETURN = "UPDATE guesses SET returned_to = ? WHERE owner = ? AND guess_id = ?"


def guesses_at(connection: Connection, owner_id: OwnerId) -> GuessState:
    """The owner of that id, or the guesses at nobody."""
    return _read(connection, owner_id, None)[1]


def write_guess(connection: Connection, attempt: Attempt, plan: PlanGuess) -> GuessPlan:
    """Plan a guess on the owner as they are, and write it down."""
    row, state = _read(connection, attempt.owner_id, attempt.guess_id)
    decided = plan(state, attempt)
    about = (attempt.guess_id, attempt.record_id, attempt.element, attempt.at_ms)
    if decided.ledger is None:
        connection.execute(_COUNT_DECOY)
        connection.execute(_ADD_DECOY, (hashlib.sha256(attempt.owner_id).digest()[0], *about))
        return decided
    connection.execute(_FORGET_OLD, (row, attempt.at_ms - KEPT_GUESS_MS))
    connection.execute(_ADD, (row, *about))
    connection.execute(_FORGET_MANY, (row,))
    if state.owner is None:
        ledger = decided.ledger
        connection.execute(_WRITE_NOBODY, (row, attempt.owner_id, ledger.spent, ledger.last_spent_ms))
    else:
        write_ledger(connection, row, decided.ledger)
    return decided


def write_unlock(connection: Connection, claim: UnlockClaim, plan: PlanUnlock) -> UnlockPlan:
    """Plan on what was claimed, and give the guess back.

    Raises:
        Refusal: The plan's; nothing is written then.
    """
    row, state = _read(connection, claim.owner_id, claim.guess_id)
    decided = plan(state, claim)
    if decided.ledger is not None:
        connection.execute(_RETURN, (claim.recipient_key, row, claim.guess_id))
        write_ledger(connection, row, decided.ledger)
    return decided


def _read(connection: Connection, owner_id: OwnerId, guess_id: GuessId | None) -> tuple[int, GuessState]:
    """For whom guesses are written, and what stands there; with the same reads whoever it is."""
    slot = _slot(connection, owner_id)
    counted = connection.execute(_AT_NOBODY, (slot, owner_id)).fetchone()
    found = find_owner(connection, owner_id)
    row = slot if found is None else found.id
    guess = None if guess_id is None else connection.execute(_FIND, (row, guess_id)).fetchone()
    return row, GuessState(
        owner=None if found is None else found.owner,
        known=None if guess is None else KnownGuess(*guess),
        at_nobody=NO_GUESSES if counted is None else Ledger(*counted),
    )


def _slot(connection: Connection, owner_id: OwnerId) -> int:
    """Below zero, where no row of an owner is."""
    key = connection.execute(_SLOT_KEY).fetchone()[0]
    return -1 - int.from_bytes(hashlib.blake2b(owner_id, key=key, digest_size=8).digest()) % NOBODIES
