"""Ask many safes at once.

One helper serves every operation; this is its contract:

- all calls start together, and each brings its own deadline;
- answers that are there at once are taken in the order of the calls;
- a call that fails with a typed failure of that safe counts against it and disturbs no other;
- anything else that is raised is a defect or a cancellation: it cancels all and is raised;
- without `enough` the fan-out waits for every answer;
- with `enough`, once the good answers suffice, the rest get `settle_seconds` more, so that a safe that
  lies or fails is still noticed and named, and are then cancelled and reported as too slow;
- when it returns or raises, no call of it is running any more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from trust.ids import SafeId
from wallet_client.network.failures import SafeFailure, TooSlow, is_failure_of_safe

_Result = TypeVar("_Result")

SETTLE_SECONDS = 1.0


@dataclass(slots=True)
class Answers(Generic[_Result]):
    """What came back.

    Args:
        good: Results by safe.
        failed: What went wrong, by safe.
    """

    good: dict[SafeId, _Result] = field(default_factory=dict)
    failed: dict[SafeId, SafeFailure] = field(default_factory=dict)


async def fan_out(
    calls: Mapping[SafeId, Callable[[], Awaitable[_Result]]],
    *,
    enough: Callable[[Mapping[SafeId, _Result]], bool] | None = None,
    settle_seconds: float = SETTLE_SECONDS,
) -> Answers[_Result]:
    """Make all calls at once; see the contract above."""
    answers = Answers[_Result]()
    tasks = {_started(call): safe_id for safe_id, call in calls.items()}
    running = set(tasks)
    deadline: float | None = None
    loop = asyncio.get_running_loop()
    try:
        while running:
            timeout = None if deadline is None else max(deadline - loop.time(), 0)
            done, running = await asyncio.wait(running, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            for task in [one for one in tasks if one in done]:
                _record(answers, tasks[task], task)
            if deadline is None and enough is not None and enough(answers.good):
                deadline = loop.time() + settle_seconds
            if not done:
                slow = (safe_id for task, safe_id in tasks.items() if task in running)
                answers.failed.update((safe_id, TooSlow(settle_seconds)) for safe_id in slow)
                break
    finally:
        await _end(tasks)
    return answers


async def _awaited(call: Callable[[], Awaitable[_Result]]) -> _Result:
    return await call()


def _started(call: Callable[[], Awaitable[_Result]]) -> asyncio.Task[_Result]:
    return asyncio.create_task(_awaited(call))


def _record(answers: Answers[_Result], safe_id: SafeId, task: asyncio.Task[_Result]) -> None:
    try:
        answers.good[safe_id] = task.result()
    except Exception as error:
        if not is_failure_of_safe(error):
            raise
        answers.failed[safe_id] = error


async def _end(tasks: Collection[asyncio.Task[_Result]]) -> None:
    """Cancel what still runs and wait for it, however often this is cancelled itself meanwhile."""
    for task in tasks:
        task.cancel()
    interrupted = False
    while running := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(running)
        except asyncio.CancelledError:
            interrupted = True
    for task in tasks:
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not complain of an error nobody saw
    if interrupted:
        raise asyncio.CancelledError
