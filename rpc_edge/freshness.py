"""Whether a signed request is fresh and was not seen before. Pure: the clock is an argument.

A safe remembers every nonce for as long as its request would still be accepted, in memory. Three rules keep
a forgotten nonce from being accepted again:

* Requests older than the process are refused: what an earlier process saw, this one does not know.
* What was forgotten stays refused, also when the clock is set back: the oldest acceptable time only rises.
* When the memory is full, the window narrows instead of the memory growing: the oldest nonces are forgotten
  and requests of their time are refused as stale; requests from the future may fill only half. Wallets whose
  clocks are right stay served, whatever strangers with fresh keys send.

What remains: a request of a wallet whose clock is ahead, seen just before a restart, could be sent again
after it for as long as that clock is ahead, at most FRESH_MS.
"""

from trust.refusals import RequestReplayed, RequestStale
from trust.request import FRESH_MS

REMEMBERED = 200_000
"""Nonces kept at most by default: about 26 MB when full, 660 requests a second for five minutes."""

SLOT_MS = 10_000
"""Nonces are forgotten together with all others of the same ten seconds; also the narrowest window."""


class FreshnessJudge:
    """Judges the requests of one process.

    Args:
        started_at_ms: When the process began to serve, milliseconds since 1970-01-01 UTC.
        remembered: Most nonces kept at once; at least 2.
    """

    def __init__(self, started_at_ms: int, remembered: int = REMEMBERED) -> None:
        self._oldest_ms = started_at_ms
        self._remembered = remembered
        self._count = 0
        self._swept_slot = 0
        self._slots: dict[int, set[bytes]] = {}

    def admit(self, sender: bytes, nonce: bytes, issued_at_ms: int, now_ms: int) -> None:
        """Accept a request once. Its sender was verified before, so nobody fills in another's nonces.

        Args:
            sender: Whose request it is: a wallet key; of an envelope, the key it was sealed with; empty where
                nobody signs.
            nonce: Its 16 bytes; empty where the sender is new each time.
            issued_at_ms: Its own time.
            now_ms: The safe's time.

        Raises:
            RequestStale: Too old, from the future, older than the process, or beyond a narrowed window.
            RequestReplayed: Accepted before.
        """
        self._sweep(now_ms - FRESH_MS)
        if not self._oldest_ms <= issued_at_ms <= now_ms + FRESH_MS or issued_at_ms < now_ms - FRESH_MS:
            raise RequestStale(now_ms)
        seen = sender + nonce
        if seen in self._slots.get(issued_at_ms // SLOT_MS, ()):
            raise RequestReplayed
        self._make_room(issued_at_ms, now_ms)
        self._slots.setdefault(issued_at_ms // SLOT_MS, set()).add(seen)
        self._count += 1

    def _sweep(self, limit_ms: int) -> None:
        """Forget what is too old to be accepted; looks only when a slot has ended since it looked last."""
        limit_slot = limit_ms // SLOT_MS
        if limit_slot != self._swept_slot:
            self._swept_slot = limit_slot
            for slot in [slot for slot in self._slots if slot < limit_slot]:
                self._forget(slot)

    def _make_room(self, issued_at_ms: int, now_ms: int) -> None:
        if issued_at_ms > now_ms + SLOT_MS and self._count >= self._remembered // 2:
            raise RequestStale(now_ms)
        while self._count >= self._remembered:
            slot = min(self._slots)
            if (slot + 1) * SLOT_MS > min(issued_at_ms, now_ms - SLOT_MS):
                raise RequestStale(now_ms)
            self._forget(slot)

    def _forget(self, slot: int) -> None:
        """Forget one slot and refuse its time from now on.

        The oldest acceptable time rises only over what was seen, so that a clock which was an hour ahead
        for a moment does not shut the safe for an hour.
        """
        self._count -= len(self._slots.pop(slot))
        self._oldest_ms = max(self._oldest_ms, (slot + 1) * SLOT_MS)
