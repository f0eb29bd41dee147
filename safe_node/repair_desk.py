"""Where calls ask a running safe for a round of repair, and see how the last one went."""

from __future__ import annotations

import asyncio

from safe_node.repairs import RepairReport


class RepairDesk:
    """Where a round of repair is asked for, and where it is told how the last one went."""

    def __init__(self) -> None:
        self._wanted = asyncio.Event()
        self._under_way = False
        self.rounds = 0
        self.repaired = 0
        self.last = RepairReport()

    @property
    def is_running(self) -> bool:
        """A round is under way, or about to begin."""
        return self._under_way or self._wanted.is_set()

    def ask(self) -> None:
        """Have a round soon; any number of askers before it begins get the same one."""
        self._wanted.set()

    async def asked(self) -> None:
        """Wait until somebody asks."""
        await self._wanted.wait()

    def begin(self) -> None:
        """A round begins: who asked so far has it."""
        self._wanted.clear()
        self._under_way = True

    def end(self, report: RepairReport | None) -> None:
        """A round ended; None where it broke off."""
        self._under_way = False
        self.rounds += 1
        if report is not None:
            self.last = report
            self.repaired += report.repaired
