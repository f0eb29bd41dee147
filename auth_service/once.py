"""What is given out and taken back once, within its time: common keys and challenges. In memory alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

_Value = TypeVar("_Value")
MOST_KEPT = 10_000


@dataclass(slots=True)
class TakenOnce(Generic[_Value]):
    """Values by name, each for one taker.

    When there are too many, the oldest goes first: whoever waits for it asks again.

    Args:
        seconds: How long a value waits.
        most: Values kept at once.
    """

    seconds: int
    most: int = MOST_KEPT
    _kept: dict[bytes, tuple[int, _Value]] = field(default_factory=dict, init=False, repr=False)

    def put(self, name: bytes, value: _Value, now_ms: int) -> None:
        """Keep a value (Secret) under a fresh random name."""
        if len(self._kept) >= self.most:
            self._kept.pop(next(iter(self._kept)))
        self._kept[name] = (now_ms + self.seconds * 1_000, value)

    def take(self, name: bytes, now_ms: int) -> _Value | None:
        """The value (Secret), and no more from now on; None when it is unknown, was taken, or is too old."""
        until_ms, value = self._kept.pop(name, (0, None))
        return value if now_ms < until_ms else None
