"""Taking turns: the figure and its ceiling are measured alternately, so that the machine's drift cancels."""

import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Turns:
    """Seconds of every turn."""

    ours: tuple[float, ...]
    bare: tuple[float, ...]

    @property
    def ours_median(self) -> float:
        """Median seconds of ours."""
        return statistics.median(self.ours)

    @property
    def bare_median(self) -> float:
        """Median seconds of the ceiling."""
        return statistics.median(self.bare)


async def take_turns(count: int, ours: Work, bare: Work, warm_up: int = 1) -> Turns:
    """Do both by turns, `count` times; what warms up is not counted."""
    times: list[tuple[float, float]] = []
    for _ in range(warm_up + count):
        times.append((await seconds(bare), await seconds(ours)))
    counted = times[warm_up:]
    return Turns(tuple(ours for _, ours in counted), tuple(bare for bare, _ in counted))


async def seconds(work: Work) -> float:
    """How long it took."""
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started
