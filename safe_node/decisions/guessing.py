"""When a guess at a PIN is taken, and what it spends (docs/DESIGN.md section 6).

    fewer than 4 spent       taken at once
    from the 4th on          after 60 s, doubled with each further one, at most 24 h since the last
    as many as the limit     locked; 30 days after the last one is regained, and one again 30 days after that

Whatever record is tried, in force, staged or old, the ledger is one. A guess is spent before anything is
evaluated, whatever comes of it; only a proof that the PIN was right gives it back (unlocking.py). A clock
that is set back makes every wait longer and none shorter.
"""

from __future__ import annotations

from safe_node.owners import Attempt, GuessPlan, GuessState, KeptOwner, KeptRecord, Ledger
from trust.ids import RecordId

FREE_GUESSES = 4
FIRST_WAIT_MS = 60_000
LONGEST_WAIT_MS = 24 * 3_600_000
REGAIN_MS = 30 * 24 * 3_600_000


def next_guess_at_ms(ledger: Ledger, limit: int) -> int:
    """When the next guess is taken, milliseconds since 1970-01-01 UTC; 0: at once.

    Args:
        ledger: The owner's.
        limit: Wrong guesses until they are locked, 1 to 100.
    """
    if ledger.spent >= limit:
        return ledger.last_spent_ms + REGAIN_MS
    if ledger.spent < FREE_GUESSES:
        return 0
    return ledger.last_spent_ms + min(FIRST_WAIT_MS << (ledger.spent - FREE_GUESSES), LONGEST_WAIT_MS)


def may_guess(ledger: Ledger, limit: int, now_ms: int) -> bool:
    """Whether a guess is taken now."""
    return now_ms >= next_guess_at_ms(ledger, limit)


def spend(ledger: Ledger, limit: int, now_ms: int) -> Ledger:
    """The ledger after one more guess; one that was regained leaves it at the limit, as it was."""
    return Ledger(min(ledger.spent + 1, limit), max(ledger.last_spent_ms, now_ms), ledger.rearmed_ms)


def give_back(ledger: Ledger) -> Ledger:
    """The ledger without one of its guesses: the PIN was right."""
    return Ledger(max(ledger.spent - 1, 0), ledger.last_spent_ms, ledger.rearmed_ms)


def shown_record(owner: KeptOwner | None, record_id: RecordId | None, now_ms: int) -> KeptRecord | None:
    """The record that may be tried now; None: show the decoy.

    Args:
        owner: None where the owner is unknown.
        record_id: Which one is asked for; None: the one in force.
        now_ms: The clock.
    """
    if owner is None or not may_guess(owner.ledger, owner.limit, now_ms):
        return None
    return owner.current if record_id is None else owner.record(record_id)


def plan_guess(state: GuessState, attempt: Attempt) -> GuessPlan:
    """Spend a guess, repeat one that was spent, or answer as if the owner were unknown.

    The same guess id with the same record and element is the same guess, locked or not: it costs nothing.
    """
    owner, known = state.owner, state.known
    record = None if owner is None else owner.record(attempt.record_id)
    if known is not None:
        same = (known.record_id, known.element) == (attempt.record_id, attempt.element)
        return GuessPlan(record if same else None, None)
    if owner is None or record is None or not may_guess(owner.ledger, owner.limit, attempt.at_ms):
        return GuessPlan(None, None)
    return GuessPlan(record, spend(owner.ledger, owner.limit, attempt.at_ms))
