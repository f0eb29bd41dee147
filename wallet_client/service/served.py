"""What every call works on: the open wallet, its backup desk, and the operations under way."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from kura.wallet.v1 import wallet_pb2 as pb
from wallet_client.operations.backup_desk import BackupDesk
from wallet_client.operations.progress import Progress
from wallet_client.wallet import Wallet

PROGRESS_SECONDS: Final = 0.1
"""A message costs more than a small backup's share of its batch; nobody watches closer than this."""

_Result = TypeVar("_Result")


class Operations:
    """Operations of callers who may leave: each is a task of its own and is brought to its end."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, operation: Coroutine[Any, Any, _Result]) -> _Result:
        """The result of an operation, which goes on if the caller is cancelled."""
        return await asyncio.shield(self._start(operation))

    async def steps(
        self, begin: Callable[[Progress], Coroutine[Any, Any, _Result]]
    ) -> AsyncGenerator[pb.Progress | _Result, None]:
        """The newest progress ten times a second if it changed, the last progress, and then the result."""
        newest = _Newest()
        task = self._start(begin(newest))
        told = None
        ended = False
        while not ended:
            ended = bool((await asyncio.wait({task}, timeout=PROGRESS_SECONDS))[0])
            if newest.step is not None and newest.step is not told:
                told = newest.step
                yield told
        yield task.result()

    async def finish(self, patience_seconds: float) -> None:
        """Wait for what is under way, and cancel what takes longer; `resume` ends that later."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=patience_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _start(self, operation: Coroutine[Any, Any, _Result]) -> asyncio.Task[_Result]:
        task = asyncio.create_task(operation)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # the caller may have left; asyncio need not complain that nobody asks


class _Newest:
    """The newest progress; any thread may tell it, and what is overtaken before it is read is passed over."""

    def __init__(self) -> None:
        self.step: pb.Progress | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        self.step = pb.Progress(stage=stage, done_bytes=done, total_bytes=total)


@dataclass(frozen=True, slots=True)
class Served:
    """The wallet that is served.

    Args:
        wallet: Open as long as the server runs.
        desk: Gathers backups of single values.
        operations: What callers began.
    """

    wallet: Wallet
    desk: BackupDesk
    operations: Operations
