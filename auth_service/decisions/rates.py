"""How many calls one address may make: a leaky bucket (ITU-T I.371, generic cell rate algorithm)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from trust.authority_refusals import TooManyCalls

REMEMBERED = 4_096
_MINUTE_MS = 60_000


@dataclass(slots=True)
class CallRates:
    """The calls of one process.

    The addresses that called least recently are forgotten when there are too many, and begin anew.

    Args:
        per_minute: Calls of one address; as many may come at once after a quiet minute. 0: no limit.
        remembered: Addresses kept.
    """

    per_minute: int
    remembered: int = REMEMBERED
    _full_at_ms: OrderedDict[str, float] = field(default_factory=OrderedDict, init=False)

    def admit(self, address: str, now_ms: int) -> None:
        """Count a call.

        Raises:
            TooManyCalls: The address has used up what it had; says when there is a call again.
        """
        if not self.per_minute:
            return
        price = _MINUTE_MS / self.per_minute
        full_at = max(self._full_at_ms.pop(address, 0.0), float(now_ms)) + price
        ahead = full_at - now_ms - _MINUTE_MS
        self._full_at_ms[address] = full_at - price if ahead > 0 else full_at
        if len(self._full_at_ms) > self.remembered:
            self._full_at_ms.popitem(last=False)
        if ahead > 0:
            raise TooManyCalls(int(ahead) + 1)
