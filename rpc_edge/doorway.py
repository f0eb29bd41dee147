"""How many callers may stand at the door who have opened a call and not yet said what they want.

Each costs a call, and some memory. So only so many may stand there, for so long; where there are as many,
one more sends away the one that has stood there longest. Whoever speaks at once is never among them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from trust.refusals import Busy, Malformed

_Message = TypeVar("_Message")

MOST_WAITING = 64
FIRST_SECONDS = 10.0


class Doorway:
    """One server's.

    Args:
        most: Callers that may wait at once.
        seconds: How long each may.
    """

    def __init__(self, most: int = MOST_WAITING, seconds: float = FIRST_SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._waiting: dict[asyncio.Timeout, None] = {}

    async def first(self, messages: AsyncIterator[_Message]) -> _Message:
        """The first message of a stream.

        Raises:
            Malformed: None came, or none in time.
            Busy: Too many came after this one and stand there, too.
        """
        patience = asyncio.timeout(self._seconds)
        try:
            async with patience:
                self._make_room()
                self._waiting[patience] = None
                return await anext(messages)
        except StopAsyncIteration:
            raise Malformed("frame") from None
        except TimeoutError:
            raise (Malformed("frame") if patience in self._waiting else Busy()) from None
        finally:
            self._waiting.pop(patience, None)

    def _make_room(self) -> None:
        while len(self._waiting) >= self._most:
            longest = next(iter(self._waiting))
            del self._waiting[longest]
            if not longest.expired():
                longest.reschedule(asyncio.get_running_loop().time())
