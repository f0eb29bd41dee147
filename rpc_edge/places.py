"""So many carriages may be under way at once; where all places are taken, one more sends away the slowest.

Whoever keeps streams open and says a little now and then would hold all places against everybody else. So who
has been there a while, and moved the fewest bytes a second, has to make way; who has just come never does.
Where that is said, who comes waits until somebody has left or has been there a while, and is not refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from trust.refusals import Busy

SETTLED_SECONDS = 10.0


@dataclass(eq=False, slots=True)
class Place:
    """One that is taken.

    Args:
        patience: Ends who has it.
        since: When it was taken, by the loop's clock.
        moved_bytes: What has moved either way.
    """

    patience: asyncio.Timeout
    since: float
    moved_bytes: int = 0

    def moved(self, frame: bytes) -> None:
        """Count a frame."""
        self.moved_bytes += len(frame)


class Places:
    """Those of one server.

    Args:
        most: How many there are.
        seconds: How long one may be taken.
        settled_seconds: How long who has one need not make way.
        wait_seconds: How long who comes waits for one.
    """

    def __init__(
        self, most: int, seconds: float, settled_seconds: float = SETTLED_SECONDS, wait_seconds: float = 0
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._settled_seconds = settled_seconds
        self._wait_seconds = wait_seconds
        self._taken: set[Place] = set()
        self._left = asyncio.Event()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[Place]:
        """Take a place; who is sent away is cancelled, wherever it waits.

        Raises:
            Busy: All are taken by others who came just now; or this one was sent away, or stayed too long.
        """
        await self._room()
        place = Place(asyncio.timeout(self._seconds), asyncio.get_running_loop().time())
        self._taken.add(place)
        try:
            async with place.patience:
                yield place
        except TimeoutError:
            if not place.patience.expired():
                raise
            raise Busy from None
        finally:
            self._taken.discard(place)
            self._left.set()

    async def _room(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._wait_seconds
        while not self._makes_room(loop.time()):
            if loop.time() >= until:
                raise Busy
            settles = min(one.since for one in self._taken) + self._settled_seconds
            self._left.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(until, settles)):
                    await self._left.wait()

    def _makes_room(self, now: float) -> bool:
        """Whether a place is free; the slowest is sent away for it, unless all have come just now."""
        if len(self._taken) < self._most:
            return True
        settled = [one for one in self._taken if now - one.since >= self._settled_seconds]
        if not settled:
            return False
        slowest = min(settled, key=lambda one: one.moved_bytes / max(now - one.since, 1.0))
        self._taken.discard(slowest)
        if not slowest.patience.expired():
            slowest.patience.reschedule(now)
        return True
