"""Each challenge and each assertion is taken once by one process, for one guess.

A challenge is remembered only once a device of an owner's signed it, an assertion once it held, so strangers
fill neither memory. What was given out before the process began is refused; what has expired by the latest
time ever seen stays expired, also when the clock is set back; a full memory takes nothing more. No owner has
more than their part of it.

It is asked inside the write that spends the guess, so that of many calls at once one gets through, and a
write that has to be done again finds its own.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from safe_node.guesses import Proven
from trust.assertion import MAX_LIFE_SECONDS, AssertionMemory
from trust.device_proof import CHALLENGE_MS, SafeChallenge
from trust.errors import AssertionRefused
from trust.ids import AuthorityKey, GuessId, OwnerId

MOST_CHALLENGES = 100_000
MOST_AUTHORITIES = 10_000
MOST_FOR_AN_OWNER = 256
"""Guesses of one owner, within the longest life, for which something is taken."""
LONGEST_MS = MAX_LIFE_SECONDS * 1_000


@dataclass(slots=True)
class FactorMemory:
    """What one process remembers of factors.

    Args:
        started_ms: When it began, milliseconds since 1970-01-01 UTC.
    """

    started_ms: int
    _latest_ms: int = field(default=0, init=False)
    _challenges: dict[bytes, tuple[GuessId, int]] = field(default_factory=dict, init=False)
    _taken: dict[OwnerId, deque[int]] = field(default_factory=dict, init=False)
    _versions: dict[AuthorityKey, int] = field(default_factory=dict, init=False)
    _assertions: AssertionMemory = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the process."""
        self._assertions = AssertionMemory(-(-self.started_ms // 1_000))

    def take(self, owner_id: OwnerId, proven: Proven, guess_id: GuessId, now_ms: int) -> bool:
        """Whether all that was proven is taken for that guess, now or before."""
        self._latest_ms = max(self._latest_ms, now_ms)
        taken = self._taken_lately(owner_id)
        if len(taken) >= MOST_FOR_AN_OWNER:
            return False
        if proven.assertion is not None and not self._take_assertion(proven, guess_id, now_ms):
            return False  # nothing is kept of it: who shows a used one again takes no part of the owner's
        taken.append(self._latest_ms + LONGEST_MS)
        return proven.challenge is None or self._take_challenge(proven.challenge, guess_id)

    def is_fresh(self, challenge: SafeChallenge, now_ms: int) -> bool:
        """Whether a challenge may be answered now; taking it is another matter."""
        latest = max(self._latest_ms, now_ms)
        return self.started_ms <= challenge.issued_ms and latest < challenge.issued_ms + CHALLENGE_MS

    def _taken_lately(self, owner_id: OwnerId) -> deque[int]:
        """One owner, who may be their own authority, fills no memory that others need."""
        until = self._taken.setdefault(owner_id, deque())
        while until and until[0] <= self._latest_ms:
            until.popleft()
        return until

    def _take_challenge(self, challenge: SafeChallenge, guess_id: GuessId) -> bool:
        if not self.is_fresh(challenge, self._latest_ms):
            return False
        if len(self._challenges) >= MOST_CHALLENGES:
            self._forget()
        known = self._challenges.get(challenge.nonce)
        if known is None and len(self._challenges) < MOST_CHALLENGES:
            known = self._challenges[challenge.nonce] = (guess_id, challenge.issued_ms + CHALLENGE_MS)
        return known is not None and known[0] == guess_id

    def _forget(self) -> None:
        left = {nonce: kept for nonce, kept in self._challenges.items() if kept[1] > self._latest_ms}
        self._challenges = left

    def _take_assertion(self, proven: Proven, guess_id: GuessId, now_ms: int) -> bool:
        """An older description than one that was seen may name a key that was stolen since."""
        assertion = proven.assertion
        if assertion is None or proven.authority_version < self._versions.get(assertion.authority, 0):
            return False
        try:
            self._assertions.use(assertion, now_ms // 1_000, guess_id)
        except AssertionRefused:
            return False
        if assertion.authority in self._versions or len(self._versions) < MOST_AUTHORITIES:
            self._versions[assertion.authority] = proven.authority_version
        return True
