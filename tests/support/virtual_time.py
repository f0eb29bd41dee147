"""An event loop whose clock jumps to the next timer instead of waiting for it.

Whatever takes an hour of the loop's time takes none of ours, and always comes in the same order. Threads
are out of its reach: nothing that uses them belongs in here.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import TypeVar

_Result = TypeVar("_Result")


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits for a timeout: adds it to the clock."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everything waits, and nothing is left that could wake it")
        self.now += timeout
        return super().select(0)


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_virtually(coroutine: Coroutine[object, object, _Result]) -> _Result:
    """`asyncio.run` with a clock that starts at 0 and never waits; a deadlock is a RuntimeError."""
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(coroutine)


def now() -> float:
    """Seconds since the loop began, by its own clock."""
    return asyncio.get_running_loop().time()
