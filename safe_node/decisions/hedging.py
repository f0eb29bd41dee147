"""Whom a gateway asks, and when it has enough.

    The safes that are not spare are asked at once. In the place of one that fails, or that is slow, the next
    spare is asked, in the order of the grant, once. It is over when as many safes gave everything as were
    asked first, or nobody is left who was asked.

Which safes are spare the wallet says, who knows what it needs of whom; the gateway knows nothing of
thresholds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from trust.ids import SafeId


@dataclass(frozen=True, slots=True)
class Hedging:
    """How it stands.

    Args:
        needed: How many safes must give everything.
        running: Who was asked and is not done.
        spares: Who may be asked yet, in order.
        replaced: Those of `running` in whose place a spare was asked already.
        given: How many gave everything.
    """

    needed: int
    running: frozenset[SafeId]
    spares: tuple[SafeId, ...] = ()
    replaced: frozenset[SafeId] = frozenset()
    given: int = 0

    @property
    def is_over(self) -> bool:
        """Nothing more is to be waited for."""
        return self.given >= self.needed or not self.running

    def gave_all(self, safe_id: SafeId) -> Hedging:
        """A safe gave everything that was asked of it."""
        return replace(self._without(safe_id), given=self.given + 1)

    def failed(self, safe_id: SafeId) -> Hedging:
        """Nothing more comes of a safe: a spare is asked, unless one was when it was slow."""
        left = self._without(safe_id)
        return left if safe_id in self.replaced else left._with_spare()

    def is_slow(self, safe_id: SafeId) -> Hedging:
        """A safe lets the gateway wait; it goes on, and the first who is done counts."""
        if safe_id in self.replaced or safe_id not in self.running:
            return self
        return replace(self, replaced=self.replaced | {safe_id})._with_spare()

    def _without(self, safe_id: SafeId) -> Hedging:
        gone = frozenset((safe_id,))
        return replace(self, running=self.running - gone, replaced=self.replaced - gone)

    def _with_spare(self) -> Hedging:
        return replace(self, running=self.running | set(self.spares[:1]), spares=self.spares[1:])


def begin(firsts: Iterable[SafeId], spares: Iterable[SafeId]) -> Hedging:
    """Ask the first ones."""
    asked = frozenset(firsts)
    return Hedging(len(asked), asked, tuple(spares))
