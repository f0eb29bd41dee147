"""Triggers while the wallet is served: when they are looked at, and that nothing ends the server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.testing import LogCapture

from support.logged import log_into
from support.memory_safes import MemorySafes, opened
from support.small_wallets import ZONE, Sensors, condition, keep, set_clock, trigger
from support.virtual_time import now, run_virtually
from wallet_client.operations.backup_desk import BackupDesk
from wallet_client.operations.settle import changing
from wallet_client.operations.triggers import Look, TriggerRunner
from wallet_client.service.served import Operations, Served
from wallet_client.service.watch import pause, watching
from wallet_client.wallet import Wallet


@pytest.fixture
async def wallet(tmp_path: Path) -> AsyncIterator[Wallet]:
    """On a Monday at ten, with one ticket, which the conditions select."""
    async with opened(tmp_path, MemorySafes.of(5, 3)) as made:
        set_clock(made, "2026-03-02 10:00")
        condition(made, "class is movie-ticket")
        keep(made, "one")
        yield made


class Clock:
    """Stands in for `pause`: moves the wallet's clock, and ends the watch after so many looks."""

    def __init__(self, wallet: Wallet, looks: int) -> None:
        self.waits: list[float] = []
        self.ended = asyncio.Event()
        self._wallet = wallet
        self._looks = looks

    async def __call__(self, changed: asyncio.Event, seconds: float) -> None:
        """Wait no time at all."""
        self.waits.append(seconds)
        if len(self.waits) == self._looks:
            self.ended.set()
            await asyncio.Event().wait()
        then = self._wallet.clock() + seconds
        self._wallet.clock = lambda: then


async def watch(wallet: Wallet, looks: int, runner: object = None) -> tuple[list[float], list[Any]]:
    """How long it waited between so many looks, and what was logged."""
    clock = Clock(wallet, looks)
    one = cast(TriggerRunner, runner or TriggerRunner(wallet, Sensors(), ZONE))
    served = Served(wallet, BackupDesk(wallet), Operations())
    logged = LogCapture()
    async with watching(served, one, log_into(logged), clock):
        await clock.ended.wait()
    return clock.waits, logged.entries


async def test_it_sleeps_until_the_next_is_due_and_a_minute_at_most(wallet: Wallet) -> None:
    """Each run comes at its second, and none twice."""
    wallet.store.triggers.remove("go-on")
    trigger(wallet, "often", "every 2 minutes", start="backup")
    waits, logs = await watch(wallet, 8)
    assert waits == [60.0] * 8
    ran = [one for one in logs if one["event"] == "trigger.ran"]
    assert [(one["trigger"], one["done"]) for one in ran] == [
        ("often", "1 value(s) backed up"),
        *[("often", "0 value(s) backed up")] * 3,
    ]


async def test_a_wait_ends_at_the_very_second(wallet: Wallet) -> None:
    """Half a minute before it is due, half a minute is slept."""
    trigger(wallet, "night", "at 10:01", start="backup")
    set_clock(wallet, "2026-03-02 10:00:30")
    waits, logs = await watch(wallet, 2)
    assert waits[0] == 30.0
    assert [one["event"] for one in logs] == ["trigger.ran"]


async def test_without_triggers_it_just_looks_once_a_minute(wallet: Wallet) -> None:
    """Another process may make one."""
    wallet.store.triggers.remove("go-on")
    assert await watch(wallet, 3) == ([60.0] * 3, [])


async def test_a_failure_is_logged_and_the_next_look_comes(wallet: Wallet) -> None:
    """Too few safes: a warning with the trigger's name and the kind of failure alone."""
    cast(Any, wallet.links).take_down(1, 2, 3)
    trigger(wallet, "daily", "every day", start="backup")
    waits, logs = await watch(wallet, 3)
    assert len(waits) == 3
    assert [(one["event"], one["trigger"], one["error"]) for one in logs] == [
        ("trigger.failed", "daily", "TooFewSafes")
    ] * len(logs)
    assert len(logs) == 2  # at once, and after a minute; the third try comes two minutes later


async def test_a_defect_ends_nothing(wallet: Wallet) -> None:
    """Whatever is raised is logged, and the next look comes a minute later."""

    async def run_due() -> list[Look]:
        raise RuntimeError("a defect")

    waits, logs = await watch(wallet, 2, SimpleNamespace(run_due=run_due))
    assert (waits, [one["error"] for one in logs]) == ([60.0] * 2, ["RuntimeError"] * 2)


async def test_a_change_of_this_process_is_told(wallet: Wallet) -> None:
    """Whatever changes the wallet under its lock."""
    wallet.changed.clear()
    async with changing(wallet):
        assert not wallet.changed.is_set()
    assert wallet.changed.is_set()


@pytest.mark.parametrize(
    ("changes_at", "seconds", "waited"),
    [(None, 60, 60), (None, 3, 3), (20, 60, 20), (1, 60, 5), (0, 60, 5), (2, 3, 3)],
)
def test_a_pause_is_ended_by_a_change_and_lasts_five_seconds(
    changes_at: float | None, seconds: float, waited: float
) -> None:
    """Many changes in a row cost one look."""

    async def measure() -> float:
        changed = asyncio.Event()
        if changes_at is not None:
            asyncio.get_running_loop().call_later(changes_at, changed.set)
        await pause(changed, seconds)
        return now()

    assert run_virtually(measure()) == waited


async def test_the_end_waits_for_a_run_that_is_under_way(wallet: Wallet) -> None:
    """It is one of the wallet's operations: cancelled only if it takes too long."""
    started, done = asyncio.Event(), asyncio.Event()

    async def run_due() -> list[Look]:
        started.set()
        await asyncio.sleep(0)
        done.set()
        return []

    served = Served(wallet, BackupDesk(wallet), Operations())
    runner = cast(TriggerRunner, SimpleNamespace(run_due=run_due))
    async with watching(served, runner, log_into(LogCapture())):
        await started.wait()
    await served.operations.finish(5)
    assert done.is_set()
