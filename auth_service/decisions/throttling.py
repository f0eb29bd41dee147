"""When a try at a password is taken, and what it spends.

    fewer than 5 spent    taken at once
    from the 5th on       30 s after the last one, doubled with each further one, at most 24 h

A try is spent before the password is looked at, so that many at once cannot be more than one after the other.
A right one within its time gives everything back. Nobody is locked out for good; a clock that is set back
makes a wait longer and none shorter. Tries at a name that nobody has are counted alike.
"""

from __future__ import annotations

from auth_service.records import Ledger

FREE_TRIES = 5
FIRST_WAIT_MS = 30_000
LONGEST_WAIT_MS = 24 * 3_600_000


def next_try_at_ms(ledger: Ledger) -> int:
    """When the next try is taken, milliseconds since 1970-01-01 UTC; 0: at once."""
    if ledger.spent < FREE_TRIES:
        return 0
    doublings = min(ledger.spent - FREE_TRIES, 20)
    return ledger.last_spent_ms + min(FIRST_WAIT_MS << doublings, LONGEST_WAIT_MS)


def plan_try(ledger: Ledger, now_ms: int) -> Ledger | None:
    """The ledger after one more try; None while none is taken."""
    if now_ms < next_try_at_ms(ledger):
        return None
    return Ledger(ledger.spent + 1, max(ledger.last_spent_ms, now_ms))
