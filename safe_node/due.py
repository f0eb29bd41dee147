"""What a running safe does by itself: erase what is due, at the start and then every minute.

Nobody waits for it, so it is told apart from the calls: what goes wrong is logged, and tried again the next
time. It ends with the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from rpc_edge.logs import FilteringBoundLogger
from safe_node.store.base import SafeStore

EVERY_SECONDS = 60.0

Pause = Callable[[float], Awaitable[None]]


async def keep_erasing(
    store: SafeStore, now: Callable[[], int], log: FilteringBoundLogger, pause: Pause = asyncio.sleep
) -> None:
    """Erase what is due, again and again until it is cancelled.

    Args:
        store: Where.
        now: The clock: whole seconds since 1970-01-01 UTC.
        log: Told how many pieces went, and what went wrong.
        pause: Waits that many seconds.
    """
    while True:
        try:
            erased = await store.erase_due(now())
        except Exception as error:  # noqa: BLE001 - whatever it is, the next minute is another try
            log.warning("erasing.failed", error=type(error).__name__)
        else:
            if erased:
                log.info("erased", pieces=erased)
        await pause(EVERY_SECONDS)


@asynccontextmanager
async def erasing_by_the_way(
    store: SafeStore, now: Callable[[], int], log: FilteringBoundLogger
) -> AsyncIterator[None]:
    """Keep erasing while the block runs."""
    erasing = asyncio.create_task(keep_erasing(store, now, log))
    try:
        yield
    finally:
        erasing.cancel()
        with suppress(asyncio.CancelledError):
            await erasing
