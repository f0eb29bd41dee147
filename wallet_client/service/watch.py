"""While the wallet is served, its triggers run by themselves.

They are looked at when the next of them is due, when this process has changed the wallet, and once a minute
in any case: another process may have changed it, and no sensor tells by itself. Between two looks lie five
seconds at least. What one trigger fails at is logged and ends neither the others nor the server.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeAlias

from rpc_edge.logs import FilteringBoundLogger
from wallet_client.operations.triggers import Look, TriggerRunner
from wallet_client.service.served import Served

LOOK_SECONDS: Final = 60.0
CALM_SECONDS: Final = 5.0

Pause: TypeAlias = Callable[[asyncio.Event, float], Awaitable[None]]
"""Waits so many seconds, or until the event."""


async def pause(changed: asyncio.Event, seconds: float) -> None:
    """Wait so many seconds; after the first five, only until the event."""
    await asyncio.sleep(min(CALM_SECONDS, seconds))
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds - CALM_SECONDS)):
            await changed.wait()


@asynccontextmanager
async def watching(
    served: Served, runner: TriggerRunner, log: FilteringBoundLogger, pause: Pause = pause
) -> AsyncIterator[None]:
    """Run triggers meanwhile; a run that is under way at the end is one of the wallet's operations."""
    task = asyncio.create_task(_watch(served, runner, log, pause))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(served: Served, runner: TriggerRunner, log: FilteringBoundLogger, pause: Pause) -> None:
    wallet = served.wallet
    while True:
        wallet.changed.clear()
        looks = await _look(served, runner, log)
        due = [look.occasion.next_at for look in looks if look.occasion.next_at is not None]
        wait = min((at - wallet.now() for at in due), default=LOOK_SECONDS)
        await pause(wallet.changed, min(max(float(wait), 1.0), LOOK_SECONDS))


async def _look(served: Served, runner: TriggerRunner, log: FilteringBoundLogger) -> list[Look]:
    try:
        looks = await served.operations.run(runner.run_due())
    except Exception as error:  # a defect, or a wallet out of reach for now: the server stays
        log.error("triggers.failed", error=type(error).__name__, exc_info=error)
        return []
    for look in looks:
        if look.outcome == "ran":
            log.info("trigger.ran", trigger=look.name, done=str(look.done))
        elif look.error is not None:
            log.warning("trigger.failed", trigger=look.name, error=type(look.error).__name__)
    return looks
