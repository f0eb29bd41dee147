"""Concurrent submissions travel together.

While one message is under way, whatever is submitted waits; when the message is answered, all that
waits leaves as the next one. A lone submission never waits. A call costs a Python server about a
millisecond whatever it carries, so this is what makes many small backups fast.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

_Entry = TypeVar("_Entry")
_Result = TypeVar("_Result")


@dataclass(slots=True)
class _Waiting(Generic[_Entry, _Result]):
    entry: _Entry
    weight: int
    future: asyncio.Future[_Result]


class Coalescer(Generic[_Entry, _Result]):
    """Sends entries in as few messages as their number and weight allow.

    Args:
        send: Sends one message; gives one result, or one exception, for each entry, in order.
            If it raises, every entry of the message gets that exception.
        max_entries: Most entries in one message.
        max_weight: Most weight in one message; a heavier entry travels alone.
        lanes: Messages that may be under way at once.
    """

    def __init__(
        self,
        send: Callable[[Sequence[_Entry]], Awaitable[Sequence[_Result | Exception]]],
        *,
        max_entries: int,
        max_weight: int,
        lanes: int = 1,
    ) -> None:
        self._send = send
        self._max_entries = max_entries
        self._max_weight = max_weight
        self._free_lanes = lanes
        self._waiting: deque[_Waiting[_Entry, _Result]] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._closed = False

    async def submit(self, entry: _Entry, weight: int = 1) -> _Result:
        """Send an entry with whatever else is waiting, and give its result.

        Raises:
            CancelledError: The coalescer is closed.
        """
        if self._closed:
            raise asyncio.CancelledError
        loop = asyncio.get_running_loop()
        waiting = _Waiting[_Entry, _Result](entry, weight, loop.create_future())
        self._waiting.append(waiting)
        loop.call_soon(self._dispatch)  # not at once: what is submitted in the same breath travels along
        return await waiting.future

    def _dispatch(self) -> None:
        while self._free_lanes and self._waiting:
            message = self._next_message()
            if not message:
                return
            self._free_lanes -= 1
            task = asyncio.create_task(self._carry(message))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    def _next_message(self) -> list[_Waiting[_Entry, _Result]]:
        message: list[_Waiting[_Entry, _Result]] = []
        weight = 0
        while self._waiting and len(message) < self._max_entries:
            if self._waiting[0].future.cancelled():
                self._waiting.popleft()
                continue
            weight += self._waiting[0].weight
            if message and weight > self._max_weight:
                break
            message.append(self._waiting.popleft())
        return message

    async def _carry(self, message: list[_Waiting[_Entry, _Result]]) -> None:
        try:
            results = await self._send([waiting.entry for waiting in message])
            for waiting, result in zip(message, results, strict=True):
                _settle(waiting.future, result)
        except asyncio.CancelledError:
            for waiting in message:
                waiting.future.cancel()
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, those who wait must learn it
            for waiting in message:
                _settle(waiting.future, error)
        finally:
            self._free_lanes += 1
            self._dispatch()

    async def close(self) -> None:
        """Cancel what is under way and what waits, and take nothing in any more."""
        self._closed = True
        for waiting in self._waiting:
            waiting.future.cancel()
        self._waiting.clear()
        for task in tuple(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)


def _settle(future: asyncio.Future[_Result], result: _Result | Exception) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
