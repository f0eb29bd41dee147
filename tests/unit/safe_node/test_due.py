"""A running safe erases what is due by itself, and no failure keeps it from trying again."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
import structlog
from structlog.testing import LogCapture

from safe_node.due import EVERY_SECONDS, erasing_by_the_way, keep_erasing
from safe_node.store.base import SafeStore
from support.logged import log_into
from trust.refusals import StorageFull


class Stopped(BaseException):
    """The test has seen enough."""


class DueStore:
    """Has something due at certain times, or fails.

    Args:
        outcomes: What each call comes to.
    """

    def __init__(self, *outcomes: int | Exception) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[int] = []
        self.was_asked = asyncio.Event()

    async def erase_due(self, now: int) -> int:
        self.asked.append(now)
        self.was_asked.set()
        outcome = self.outcomes.pop(0) if self.outcomes else 0
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def clock() -> Callable[[], int]:
    """10, 20, 30 ..."""
    times = iter(range(10, 1000, 10))
    return lambda: next(times)


async def run(store: DueStore, rounds: int) -> list[dict[str, Any]]:
    """So many rounds; gives what was logged."""
    logged, paused = LogCapture(), []

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        if len(paused) == rounds:
            raise Stopped

    with pytest.raises(Stopped):
        await keep_erasing(cast(SafeStore, store), clock(), log_into(logged), pause)
    assert paused == [EVERY_SECONDS] * rounds
    return [dict(entry) for entry in logged.entries]


async def test_it_erases_at_the_start_and_then_every_minute() -> None:
    """By the clock of each time; only what went is told."""
    store = DueStore(3, 0, 1)
    entries = await run(store, 3)
    assert store.asked == [10, 20, 30]
    assert [(entry["event"], entry["pieces"]) for entry in entries] == [("erased", 3), ("erased", 1)]


async def test_a_failure_is_logged_and_tried_again() -> None:
    """By its name alone."""
    store = DueStore(StorageFull(), RuntimeError("a secret"), 2)
    entries = await run(store, 3)
    failures = [entry["error"] for entry in entries if entry["event"] == "erasing.failed"]
    assert failures == ["StorageFull", "RuntimeError"]
    assert entries[-1]["pieces"] == 2
    assert "a secret" not in str(entries)


async def test_it_ends_with_the_server() -> None:
    """Also when the server ends badly."""
    store = DueStore()

    async def serve_badly() -> None:
        async with erasing_by_the_way(cast(SafeStore, store), lambda: 1, structlog.wrap_logger(None)):
            await store.was_asked.wait()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await serve_badly()
    assert [task for task in asyncio.all_tasks() if "keep_erasing" in repr(task)] == []
