"""Operations outlive their callers, and a caller sees the newest progress and then the result."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

import rpc_edge  # noqa: F401  # isort: split
from kura.wallet.v1 import wallet_pb2 as pb
from wallet_client.operations.progress import Progress
from wallet_client.service import served
from wallet_client.service.served import Operations


async def all_of(steps: Any) -> list[Any]:
    """Every step."""
    return [step async for step in steps]


async def test_steps_end_with_the_result() -> None:
    """Progress may come from any thread."""

    async def operation(progress: Progress) -> str:
        await asyncio.to_thread(progress, "register", 1, 2)
        progress("register", 2, 2)
        return "done"

    *steps, last = await all_of(Operations().steps(operation))
    assert last == "done"
    assert steps[-1] == pb.Progress(stage="register", done_bytes=2, total_bytes=2)


async def test_an_operation_without_progress_gives_its_result_alone() -> None:
    """Nothing is made up."""

    async def operation(progress: Progress) -> str:
        return "done"

    assert await all_of(Operations().steps(operation)) == ["done"]


async def test_progress_comes_now_and_then_and_once_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was overtaken is passed over, so nothing piles up; nothing is told twice."""
    monkeypatch.setattr(served, "PROGRESS_SECONDS", 0.001)
    told = asyncio.Event()

    async def operation(progress: Progress) -> str:
        progress("fetch", 0, 1000)
        await told.wait()
        for done in range(1000):
            progress("fetch", done, 1000)
        return "done"

    seen = []
    async with aclosing(Operations().steps(operation)) as steps:
        async for step in steps:
            seen.append(step)
            told.set()
    assert [step.done_bytes for step in seen if isinstance(step, pb.Progress)] == [0, 999]
    assert seen[-1] == "done"


async def test_a_failure_comes_out_after_the_progress() -> None:
    """As it was raised."""

    async def operation(progress: Progress) -> str:
        progress("fetch", 1, 2)
        raise LookupError("gone")

    with pytest.raises(LookupError):
        await all_of(Operations().steps(operation))


async def test_an_operation_goes_on_when_its_caller_leaves() -> None:
    """Both kinds of caller; `finish` waits for the end."""
    operations, go_on, ended = Operations(), asyncio.Event(), []

    async def operation(progress: Progress) -> None:
        progress("fetch", 1, 2)
        await go_on.wait()
        ended.append("end")

    steps = operations.steps(operation)
    assert isinstance(await anext(steps), pb.Progress)
    await steps.aclose()
    waiting = asyncio.create_task(operations.run(operation(lambda *_: None)))
    await asyncio.sleep(0)
    waiting.cancel()
    go_on.set()
    await operations.finish(patience_seconds=30)
    assert ended == ["end", "end"]


async def test_what_takes_too_long_is_cancelled_at_the_end() -> None:
    """A wallet must close one day."""
    operations, cancelled = Operations(), []

    async def operation() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    caller = asyncio.create_task(operations.run(operation()))
    await asyncio.sleep(0)
    await operations.finish(patience_seconds=0)
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert cancelled == [True]


async def test_nobody_need_ask_for_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    """A departed caller's error is not reported as forgotten."""
    operations = Operations()

    async def operation() -> None:
        await asyncio.sleep(0)
        raise LookupError("gone")

    caller = asyncio.create_task(operations.run(operation()))
    await asyncio.sleep(0)
    caller.cancel()
    await operations.finish(patience_seconds=30)
    assert caplog.records == []
