"""The cost of checking a batch is told from its form, never too low."""

from dataclasses import replace

from safe_node.handlers.effort import effort, key_effort
from safe_node.handlers.safe import INLINE_WORK
from support.safe_requests import deal, roster_of, wallet_key
from trust.manifest import Place

ROSTER = roster_of(5)
SAFE_ID = ROSTER.safes[0].safe_id
SINGLE = deal(ROSTER, wallet_key(), [b"value"], k=3).candidate(SAFE_ID)


def test_a_single_backup_is_small_work() -> None:
    """It is checked without a thread hop."""
    assert effort(SINGLE) <= INLINE_WORK


def test_shares_times_commitments_are_large_work() -> None:
    """One item and twenty kilobytes are seconds of point arithmetic."""
    places = [Place(x, SAFE_ID, value=False, key=True) for x in range(1, 41)]
    heavy = deal(ROSTER, wallet_key(), [b""], k=40, places=places, label="heavy").candidate(SAFE_ID)
    assert key_effort(heavy) >= 40 * 40
    assert effort(replace(heavy, pieces=heavy.pieces[:1])) > INLINE_WORK


def test_leaves_without_pieces_are_work_too() -> None:
    """They are parsed and hashed before it shows that pieces are missing."""
    assert effort(replace(SINGLE, leaves=SINGLE.leaves * 1000)) > 1000
