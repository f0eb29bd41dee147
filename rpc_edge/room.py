"""Bounds the memory that requests take up: what is worked on, and what waits for its turn.

A request is held three times while it is worked on: as it came, parsed, and taken apart. So only so many
bytes are worked on at once, in the order they came; some more wait; what would be too much even to wait is
refused as Busy. Small requests pass by: they take no memory to speak of, and need not wait behind large ones.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rpc_edge.edge import Call, RawRequest
from trust.refusals import Busy

SMALL_BYTES = 65_536
"""Requests up to this size pass by; streams do as well, message by message."""


class Room:
    """Room for the requests of one server.

    Args:
        at_work: Bytes worked on at once; a larger request is worked on alone.
        waiting: Bytes that may wait beside them.
    """

    def __init__(self, at_work: int, waiting: int) -> None:
        self._free = at_work
        self._at_work = at_work
        self._may_wait = waiting
        self._turns: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def layer(self, call: Call, request: RawRequest) -> AsyncIterator[RawRequest]:
        """The layer.

        Raises (to the caller, as a status):
            Busy: There is no room to wait.
        """
        async with self.taken(len(request) if isinstance(request, bytes) else 0):
            yield request

    @asynccontextmanager
    async def taken(self, size: int) -> AsyncIterator[None]:
        """Take up room for so many bytes; small ones pass by.

        Raises:
            Busy: There is no room to wait.
        """
        if size <= SMALL_BYTES:
            yield
            return
        size = min(size, self._at_work)
        await self._enter(size)
        try:
            yield
        finally:
            self._leave(size)

    async def _enter(self, size: int) -> None:
        if not self._turns and size <= self._free:
            self._free -= size
            return
        if size > self._may_wait:
            raise Busy
        turn = asyncio.get_running_loop().create_future()
        self._turns.append((size, turn))
        self._may_wait -= size
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._leave(size)  # its turn came just as its caller left
            raise
        finally:
            self._may_wait += size

    def _leave(self, size: int) -> None:
        self._free += size
        while self._turns and (self._turns[0][1].cancelled() or self._turns[0][0] <= self._free):
            next_size, turn = self._turns.popleft()
            if not turn.cancelled():
                self._free -= next_size
                turn.set_result(None)
