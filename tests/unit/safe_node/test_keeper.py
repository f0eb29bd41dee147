"""Rounds of repair in a running safe: at its start, at its pace, sooner after trouble, and when asked."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from structlog.testing import LogCapture

from safe_node.peers import keeper as module
from safe_node.peers.keeper import GAP_SECONDS, SOON_SECONDS, Keeper, repairing_by_the_way, wait_at_most
from safe_node.repair_desk import RepairDesk
from safe_node.repairs import RepairReport
from support.logged import log_into
from trust.ids import SafeId

PEER = SafeId(b"p" * 16)
EVERY = 300.0


class Entry:
    name = "safe-2"


class NoPeers:
    entries = {PEER: Entry()}  # noqa: RUF012


class Stopped(Exception):
    """The test has seen enough."""


async def waits(
    monkeypatch: pytest.MonkeyPatch, reports: list[RepairReport | Exception], every: float = EVERY
) -> tuple[list[float], LogCapture, RepairDesk]:
    """How long a keeper waits after each of these rounds."""
    waited: list[float] = []
    left = list(reports)

    async def one_round(state: Any) -> RepairReport:
        if not left:
            raise asyncio.CancelledError
        report = left.pop(0)
        if isinstance(report, Exception):
            raise report
        return report

    async def wait(event: Awaitable[object], seconds: float) -> None:
        event.close()  # type: ignore[attr-defined]
        waited.append(seconds)

    async def pause(seconds: float) -> None:
        assert seconds == GAP_SECONDS

    monkeypatch.setattr(module, "repair_round", one_round)
    logged, desk, anything = LogCapture(), RepairDesk(), Any
    log = log_into(logged)
    made = Keeper(anything, NoPeers(), desk, log, every, wait=wait, pause=pause)  # type: ignore[arg-type]
    if not every:
        desk.ask()
    with pytest.raises(asyncio.CancelledError):
        await made.keep()
    return waited, logged, desk


async def test_whole_safes_look_at_their_own_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said about nothing."""
    waited, logged, desk = await waits(monkeypatch, [RepairReport(), RepairReport()])
    assert (waited, logged.entries, desk.rounds) == ([EVERY, EVERY], [], 2)


async def test_after_trouble_the_next_round_comes_sooner_and_then_later_and_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A silent peer, a piece that is missing, a round that broke off; what is beyond repair is no reason."""
    silent, missing = RepairReport(silent=frozenset({PEER})), RepairReport(lacking=1)
    beyond = RepairReport(lacking=2, beyond_repair=2)
    rounds: list[RepairReport | Exception] = [silent, missing, OSError(), beyond, silent]
    waited, logged, _ = await waits(monkeypatch, rounds)
    assert waited == [2 * SOON_SECONDS, 4 * SOON_SECONDS, 8 * SOON_SECONDS, EVERY, 2 * SOON_SECONDS]
    assert [line["event"] for line in logged.entries] == ["repaired", "repair.failed", "repaired"]


async def test_what_was_rebuilt_and_who_lied_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """By name; and counted for whoever asks."""
    report = RepairReport(repaired=3, suspected=frozenset({PEER}))
    _, logged, desk = await waits(monkeypatch, [report, report])
    assert logged.entries[0]["suspected"] == ["safe-2"]
    assert (desk.repaired, desk.last) == (6, report)


async def test_a_safe_that_repairs_when_asked_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for the first round."""
    waiting = asyncio.create_task(waits(monkeypatch, [], every=0))
    await waiting
    assert waiting.result()[0] == []


async def test_a_desk_tells_whether_a_round_is_on() -> None:
    """Asked for, under way, over."""
    desk = RepairDesk()
    assert not desk.is_running
    desk.ask()
    await desk.asked()
    assert desk.is_running
    desk.begin()
    assert desk.is_running
    desk.end(None)
    assert (desk.is_running, desk.rounds, desk.repaired) == (False, 1, 0)


async def test_waiting_ends_with_the_time_or_with_the_event() -> None:
    """Neither is an error."""
    desk = RepairDesk()
    await wait_at_most(desk.asked(), 0)
    desk.ask()
    await wait_at_most(desk.asked(), 3600)


async def test_repair_ends_with_the_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a round."""
    begun = asyncio.Event()

    async def one_round(state: Any) -> RepairReport:
        begun.set()
        await asyncio.Event().wait()
        raise Stopped

    monkeypatch.setattr(module, "repair_round", one_round)
    log = log_into(LogCapture())
    anything: Any = None
    async with repairing_by_the_way(Keeper(anything, anything, RepairDesk(), log, EVERY)):
        await begun.wait()
