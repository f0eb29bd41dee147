"""One thread writes, and commits together what waits together.

A lone write pays one hop to the thread and one sync. While a commit is under way others queue up; the next
commit takes them all. Inside a group each write has its own savepoint: a refusal concerns nobody else.
When the group as a whole fails, because the disk is full, it is rolled back and each write is tried alone,
so that those that still fit go through.

The queue is bounded in writes and in bytes: when the disk stalls, calls are refused, not piled up. A call of
more writes than the bound is taken when nothing else waits.

What erases is answered once the write-ahead log is truncated. While somebody reads the database it cannot be;
then it is tried again between the other writes, which wait for nobody.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from durable import sqlite
from durable.sqlite import Connection
from trust.refusals import Busy, Refusal, StorageFull

_Result = TypeVar("_Result")

MAX_GROUP = 256
MAX_QUEUED = 2_048
MAX_QUEUED_BYTES = 96 * 1024 * 1024
_TRUNCATE_AGAIN_SECONDS = 0.05


class EraseIncomplete(Exception):
    """The store closes while a reader keeps erased bytes in the write-ahead log; the next start cuts it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job(Generic[_Result]):
    """One write.

    Args:
        run: Does it, inside a transaction, in the writer's thread.
        weight: Bytes it keeps in memory while it waits.
        erases: Answer only after the write-ahead log is truncated.
    """

    run: Callable[[Connection], _Result]
    weight: int
    erases: bool
    done: asyncio.Future[_Result]


class WriterThread:
    """Runs writes on one connection, in groups."""

    def __init__(self, connection: Connection) -> None:
        """Start the thread; call inside the event loop that will be answered."""
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._queued_bytes = 0
        self._erased: dict[_Job[Any], Any] = {}
        self._thread = threading.Thread(target=self._work, name="kura-writer", daemon=True)
        self._thread.start()

    async def submit(
        self, run: Callable[[Connection], _Result], weight: int = 0, erases: bool = False
    ) -> _Result:
        """Queue a write and wait until it is durable.

        Raises:
            Refusal: What `run` raised; StorageFull when there is no room.
            Busy: Too much waits already.
        """
        self._require_room(1, weight)
        return await self._enqueue(run, weight, erases)

    async def submit_all(
        self, runs: Sequence[Callable[[Connection], _Result]], weight: int = 0, erases: bool = False
    ) -> list[_Result | Refusal]:
        """Queue several writes; each stands or falls alone.

        Raises:
            Busy: Too much waits already; then none is queued.
        """
        self._require_room(len(runs), weight)
        share = weight // max(1, len(runs))
        futures = [self._enqueue(run, share, erases) for run in runs]
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
        return [_result_or_refusal(outcome) for outcome in outcomes]

    def _require_room(self, writes: int, weight: int) -> None:
        waiting = self._queue.qsize()
        too_many = waiting and waiting + writes > MAX_QUEUED
        if too_many or (self._queued_bytes and self._queued_bytes + weight > MAX_QUEUED_BYTES):
            raise Busy

    def _enqueue(
        self, run: Callable[[Connection], _Result], weight: int, erases: bool
    ) -> asyncio.Future[_Result]:
        self._queued_bytes += weight
        job = _Job(run, weight, erases, self._loop.create_future())
        self._queue.put(job)
        return job.done

    async def close(self) -> None:
        """Write what is queued, then stop."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        open_for_more = True
        while open_for_more:
            group, open_for_more = self._next_group()
            if group:
                self._serve(group)
            if self._erased:
                self._finish_erasing(last=not open_for_more)

    def _next_group(self) -> tuple[list[_Job[Any]], bool]:
        jobs: list[_Job[Any]] = []
        try:
            job = self._queue.get(timeout=_TRUNCATE_AGAIN_SECONDS if self._erased else None)
        except queue.Empty:
            return jobs, True
        while job is not None:
            jobs.append(job)
            if len(jobs) == MAX_GROUP:
                return jobs, True
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return jobs, True
        return jobs, False

    def _serve(self, group: Sequence[_Job[Any]]) -> None:
        # A caller that gave up before its turn wants nothing written.
        wanted = [job for job in group if not job.done.cancelled()]
        outcomes = dict(zip(wanted, self._commit(wanted), strict=True))
        self._answer(group, {job: outcome for job, outcome in outcomes.items() if not job.erases})
        self._erased.update((job, outcome) for job, outcome in outcomes.items() if job.erases)

    def _finish_erasing(self, last: bool) -> None:
        """Answer what erased, if the log can be truncated now; the last time in any case."""
        failure = self._truncate_log()
        if last or failure is None or not isinstance(failure.error, EraseIncomplete):
            answers = {job: failure or outcome for job, outcome in self._erased.items()}
            self._erased.clear()
            self._answer((), answers)

    def _commit(self, jobs: Sequence[_Job[Any]]) -> list[Any]:
        try:
            with sqlite.transaction(self._connection):
                return [self._attempt(job) for job in jobs]
        except Exception as error:  # noqa: BLE001 - handed to the callers, whatever it is
            if len(jobs) > 1:
                return [outcome for job in jobs for outcome in self._commit([job])]
            return [_Failure(StorageFull() if sqlite.is_full(error) else error)]

    def _attempt(self, job: _Job[Any]) -> Any:
        try:
            with sqlite.savepoint(self._connection):
                return job.run(self._connection)
        except Refusal as refusal:
            return _Failure(refusal)

    def _truncate_log(self) -> _Failure | None:
        try:
            done = sqlite.truncate_log(self._connection)
        except sqlite.Error as error:
            return _Failure(error)
        return None if done else _Failure(EraseIncomplete())

    def _answer(self, finished: Sequence[_Job[Any]], outcomes: dict[_Job[Any], Any]) -> None:
        self._loop.call_soon_threadsafe(self._deliver, finished, outcomes)

    def _deliver(self, finished: Sequence[_Job[Any]], outcomes: dict[_Job[Any], Any]) -> None:
        self._queued_bytes -= sum(job.weight for job in finished)
        for job, outcome in outcomes.items():
            if job.done.done():
                continue
            if isinstance(outcome, _Failure):
                job.done.set_exception(outcome.error)
            else:
                job.done.set_result(outcome)


@dataclass(frozen=True, slots=True)
class _Failure:
    error: BaseException


def _result_or_refusal(outcome: _Result | BaseException) -> _Result | Refusal:
    if isinstance(outcome, BaseException) and not isinstance(outcome, Refusal):
        raise outcome
    return outcome
