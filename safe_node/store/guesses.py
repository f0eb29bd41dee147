"""Guesses in SQLite: written down before anything is evaluated. Runs inside a transaction.

A guess at nobody, at a locked owner, or one that is repeated overwrites a slot among the decoys, so that each
guess is one durable write of as many pages, and nobody's guesses take more room than 256 slots.
"""

from __future__ import annotations

import hashlib

from safe_node.owners import Attempt, GuessPlan, GuessState, KnownGuess, UnlockClaim, UnlockPlan
from safe_node.store.owner_rows import OwnerRow, find_owner, write_ledger
from safe_node.store.owners_base import KEPT_GUESS_MS, KEPT_GUESSES, PlanGuess, PlanUnlock
from safe_node.store.sqlite import Connection
from trust.ids import GuessId, OwnerId

_FIND = "SELECT record_id, element, returned_to FROM guesses WHERE owner = ? AND guess_id = ?"
_ADD = "INSERT INTO guesses (owner, guess_id, record_id, element, spent_ms) VALUES (?, ?, ?, ?, ?)"
_FORGET_OLD = "DELETE FROM guesses WHERE owner = ? AND spent_ms < ?"
_FORGET_MANY = f"""DELETE FROM guesses WHERE owner = ?1 AND id <=
    (SELECT id FROM guesses WHERE owner = ?1 ORDER BY id DESC LIMIT 1 OFFSET {KEPT_GUESSES})"""  # noqa: S608 - a number of ours
_COUNT_DECOY = "UPDATE decoys SET written = written + 1"
_ADD_DECOY = """INSERT OR REPLACE INTO decoy_guesses (id, number, guess_id, record_id, element, spent_ms)
    VALUES (?, (SELECT written FROM decoys), ?, ?, ?, ?)"""
_RETURN = "UPDATE guesses SET returned_to = ? WHERE owner = ? AND guess_id = ?"


def write_guess(connection: Connection, attempt: Attempt, plan: PlanGuess) -> GuessPlan:
    """Plan a guess on the owner as they are, and write it down."""
    row, state = _state(connection, attempt.owner_id, attempt.guess_id)
    decided = plan(state, attempt)
    about = (attempt.guess_id, attempt.record_id, attempt.element, attempt.at_ms)
    if row is None or decided.ledger is None:
        connection.execute(_COUNT_DECOY)
        connection.execute(_ADD_DECOY, (_slot(attempt.owner_id), *about))
        return decided
    connection.execute(_FORGET_OLD, (row.id, attempt.at_ms - KEPT_GUESS_MS))
    connection.execute(_ADD, (row.id, *about))
    connection.execute(_FORGET_MANY, (row.id,))
    write_ledger(connection, row.id, decided.ledger)
    return decided


def write_unlock(connection: Connection, claim: UnlockClaim, plan: PlanUnlock) -> UnlockPlan:
    """Plan on what was claimed, and give the guess back.

    Raises:
        Refusal: The plan's; nothing is written then.
    """
    row, state = _state(connection, claim.owner_id, claim.guess_id)
    decided = plan(state, claim)
    if row is not None and decided.ledger is not None:
        connection.execute(_RETURN, (claim.recipient_key, row.id, claim.guess_id))
        write_ledger(connection, row.id, decided.ledger)
    return decided


def _state(
    connection: Connection, owner_id: OwnerId, guess_id: GuessId
) -> tuple[OwnerRow | None, GuessState]:
    row = find_owner(connection, owner_id)
    found = connection.execute(_FIND, (0 if row is None else row.id, guess_id)).fetchone()
    known = None if found is None else KnownGuess(*found)
    return row, GuessState(None if row is None else row.owner, known)


def _slot(owner_id: OwnerId) -> int:
    return hashlib.sha256(owner_id).digest()[0]
