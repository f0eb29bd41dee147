"""Why a safe refuses what belongs to the ways into a record, beside those of trust/refusals.py."""

from dataclasses import dataclass

from trust.refusals import Refusal


@dataclass(eq=False)
class NothingWaits(Refusal):
    """It never began, was vetoed, or ended with the record."""

    sentence = "No recovery waits for that key."


@dataclass(eq=False)
class VetoedLately(Refusal):
    """Who has the owner's key shall not lock out who has the factors."""

    sentence = "A recovery was vetoed less than 30 days ago."
    next_at_ms: int
