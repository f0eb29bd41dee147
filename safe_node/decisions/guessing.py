"""When a guess at a PIN is taken, and what it spends (docs/DESIGN.md section 6).

    fewer than 4 spent       taken at once
    from the 4th on          after 60 s, doubled with each further one, at most 24 h since the last
    as many as the limit     locked; 30 days after the last one is regained, and one again 30 days after that

Whatever record is tried, in force, staged or old, the ledger is one. A guess is spent before anything is
evaluated, whatever comes of it; only a proof that the PIN was right gives it back (unlocking.py). A clock
that is set back makes every wait longer and none shorter.

Guesses at a name that nobody has are counted alike, and waited for: else waiting would tell who is an owner.
"""

from __future__ import annotations

from safe_node.decisions.factor_memory import FactorMemory
from safe_node.guesses import (
    LIMIT_AT_NOBODY,
    Attempt,
    DecoyNames,
    DeviceUse,
    GuessPlan,
    GuessState,
    Proven,
    Target,
)
from safe_node.owners import NEW_DEVICE, KeptDevice, KeptOwner, Ledger
from trust.access_policy import PIN_ALONE, Way
from trust.ids import RecordId

FREE_GUESSES = 4
FIRST_WAIT_MS = 60_000
LONGEST_WAIT_MS = 24 * 3_600_000
REGAIN_MS = 30 * 24 * 3_600_000

FIRST_DECOY = Target(None, waiting=False)
STANDS_IN = Target(None, waiting=True)
"""The waiting decoy."""

NOT_TAKEN = GuessPlan(STANDS_IN, None)


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


def target_now(
    state: GuessState, record_id: RecordId | None, first_decoy: RecordId, now_ms: int, way: Way = PIN_ALONE
) -> Target:
    """What may be tried now.

    Args:
        state: The owner, and the guesses while nobody has the name and that way.
        record_id: Which record is asked for; None: the one in force.
        first_decoy: Id of the first decoy of the owner id.
        now_ms: The clock.
        way: By which factors.
    """
    target = _named(state, record_id, first_decoy, way)
    return STANDS_IN if _waits(state, target, now_ms) else target


def _waits(state: GuessState, target: Target, now_ms: int) -> bool:
    if target.part is None or state.owner is None:
        return not may_guess(state.at_nobody, LIMIT_AT_NOBODY, now_ms)
    way = target.part.way
    return "pin" in way and not may_guess(state.owner.ledger_of(way), state.owner.limit, now_ms)


def _named(state: GuessState, record_id: RecordId | None, first_decoy: RecordId, way: Way) -> Target:
    """What has that id and way, to be waited for or not."""
    owner = state.owner
    if owner is None:
        return FIRST_DECOY if record_id in (None, first_decoy) else STANDS_IN
    record = owner.current if record_id is None else owner.record(record_id)
    if record is None:
        return STANDS_IN
    part = record.part(way)
    if part is None:  # all ways of a name have id and key in common, those that there are not too
        return Target(None, waiting=False, names=DecoyNames(record.record_id, owner.owner_key))
    return Target(part, waiting=False)


def plan_guess(
    state: GuessState,
    attempt: Attempt,
    first_decoy: RecordId,
    proven: Proven | None = None,
    memory: FactorMemory | None = None,
) -> GuessPlan:
    """Spend a guess, repeat one that was spent, or answer with the waiting decoy.

    The same guess id with the same record, way and element is the same guess, locked or not: it costs
    nothing, and no factor is looked at again. In a way with a device or an authority nobody's decoy is never
    evaluated, since nobody can prove anything there: whatever is wrong comes to the waiting one.

    Args:
        state: As in `target_now`.
        attempt: The guess.
        first_decoy: Id of the first decoy of the owner id.
        proven: By the other factors, where the way has some.
        memory: Of this process, where it has.
    """
    known = state.known
    if known is not None:
        asked = (attempt.record_id, attempt.way, attempt.element)
        same = (known.record_id, known.way, known.element) == asked
        repeated = _named(state, attempt.record_id, first_decoy, attempt.way) if same else STANDS_IN
        return GuessPlan(repeated, None)
    target = target_now(state, attempt.record_id, first_decoy, attempt.at_ms, attempt.way)
    if target.waiting:
        return NOT_TAKEN
    if attempt.way == PIN_ALONE:
        return GuessPlan(target, _spent(state, target, attempt.at_ms))
    if target.part is None or state.owner is None or proven is None or memory is None:
        return NOT_TAKEN
    return _plan_proven(state.owner, attempt, target, proven, memory)


def _spent(state: GuessState, target: Target, now_ms: int) -> Ledger:
    if target.part is None or state.owner is None:
        return spend(state.at_nobody, LIMIT_AT_NOBODY, now_ms)
    return spend(state.owner.ledger_of(target.part.way), state.owner.limit, now_ms)


def _plan_proven(
    owner: KeptOwner, attempt: Attempt, target: Target, proven: Proven, memory: FactorMemory
) -> GuessPlan:
    """What was proven is taken once, under the policy as it is now, and from a device whose counter grows."""
    record = owner.record(attempt.record_id)
    if record is None or record.policy != proven.policy:
        return NOT_TAKEN
    if not memory.take(owner.owner_id, proven, attempt.guess_id, attempt.at_ms):
        return NOT_TAKEN
    device = None if proven.device is None else (proven.device.name, _counted(owner, proven.device))
    if proven.device is not None and not _grows(owner, proven.device):
        return GuessPlan(STANDS_IN, None, device)
    ledger = owner.ledger_of(attempt.way)
    spends = "pin" in attempt.way
    return GuessPlan(target, spend(ledger, owner.limit, attempt.at_ms) if spends else ledger, device)


def _grows(owner: KeptOwner, use: DeviceUse) -> bool:
    """A counter that does not grow, and is not always 0, means a copy (WebAuthn Level 2, 7.2, step 21)."""
    before = owner.devices.get(use.name, NEW_DEVICE)
    return use.counter > before.counter or use.counter == before.counter == 0


def _counted(owner: KeptOwner, use: DeviceUse) -> KeptDevice:
    """What is kept of a device from now on."""
    before = owner.devices.get(use.name, NEW_DEVICE)
    copied = before.copied or not _grows(owner, use)
    return KeptDevice(max(use.counter, before.counter), copied)
