"""Repair in a running safe: a round when it starts, every few minutes by its clock, and when somebody asks.

Nobody waits for a round; what goes wrong is logged, and tried again in the next one. Where a peer was silent
or a piece is missing still, the next one comes sooner, at first.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from rpc_edge.logs import FilteringBoundLogger
from safe_node.handlers.safe import Safe
from safe_node.network.peers import Peers
from safe_node.peers.repair_round import repair_round
from safe_node.peers.state import Round
from safe_node.repair_desk import RepairDesk
from safe_node.repairs import RepairReport
from threshold.randomness import RandomSource, SystemRandomness

GAP_SECONDS = 1.0
GAP_ROUNDS = 4
"""Between two rounds at least, whoever asks: so long, and so many times the last one's length."""

SOON_SECONDS = 5.0
"""After a round that left something to do; doubled each time, up to the usual pause."""

Wait = Callable[[Awaitable[object], float], Awaitable[None]]


async def wait_at_most(event: Awaitable[object], seconds: float) -> None:
    """Wait for it, or so many seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event, seconds)


@dataclass
class Keeper:
    """Repairs one safe.

    Args:
        safe: The safe.
        peers: Its links; closed when the keeping ends.
        desk: Where others ask for a round and see how the last one went.
        log: Told what was rebuilt and what is missing.
        every_seconds: The usual pause; 0: only when somebody asks.
        rng: Draws the sessions' ids.
        wait: Waits for an event, at most some seconds.
        pause: Waits so many seconds.
    """

    safe: Safe
    peers: Peers
    desk: RepairDesk
    log: FilteringBoundLogger
    every_seconds: float
    rng: RandomSource = field(default_factory=SystemRandomness, repr=False)
    wait: Wait = wait_at_most
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def keep(self) -> None:
        """Repair again and again until cancelled."""
        soon = SOON_SECONDS
        if not self.every_seconds:
            await self.desk.asked()
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            report = await self.once()
            took = clock() - began
            soon = min(2 * soon, self.every_seconds) if _is_unfinished(report) else SOON_SECONDS
            pause = soon if _is_unfinished(report) else self.every_seconds
            await self.pause(max(GAP_SECONDS, GAP_ROUNDS * took))
            if self.every_seconds:
                await self.wait(self.desk.asked(), pause)
            else:
                await self.desk.asked()

    async def once(self) -> RepairReport | None:
        """One round; None where it broke off."""
        self.desk.begin()
        report = None
        try:
            report = await repair_round(Round(self.safe, self.peers, self.rng))
        except Exception as error:  # noqa: BLE001 - whatever it is, the next round is another try
            self.log.warning("repair.failed", error=type(error).__name__)
        self.desk.end(report)
        if report is not None:
            self._tell(report)
        return report

    def _tell(self, report: RepairReport) -> None:
        if report.repaired or report.lacking or report.suspected:
            self.log.info(
                "repaired",
                pieces=report.repaired,
                lacking=report.lacking,
                beyond_repair=report.beyond_repair,
                suspected=sorted(self.peers.entries[peer].name for peer in report.suspected),
            )


def _is_unfinished(report: RepairReport | None) -> bool:
    return report is None or bool(report.silent) or report.lacking > report.beyond_repair


@asynccontextmanager
async def repairing_by_the_way(keeper: Keeper) -> AsyncIterator[None]:
    """Keep repairing while the block runs."""
    keeping = asyncio.create_task(keeper.keep())
    try:
        yield
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
