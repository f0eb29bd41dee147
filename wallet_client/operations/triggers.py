"""Run triggers: find out which are due, do what they start, and remember it.

Sensors are asked first and without the wallet's lock. Under the lock the trigger is read and judged
again, so that of two processes that find it due one runs it. The start is written down before anything
is done and the end after it: a run that was killed in between is made up once, and finds done what was
done. One trigger's failure is its own; the others go on.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Literal, TypeAlias

from trust.errors import TrustError
from wallet_client.errors import WalletError
from wallet_client.operations.put_away import PutAway
from wallet_client.operations.room import MakeRoom
from wallet_client.operations.settle import changing
from wallet_client.operations.trigger_work import Done, Work, away_in, do, still_kept, work_of
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.sensors.panel import AskSensors, ask_sensors
from wallet_client.storage.triggers import TriggerEntry
from wallet_client.triggers.errors import TriggerNotOnRequest, UnknownTrigger
from wallet_client.triggers.judge import Event, Finding, Occasion, findings_of, occasion_of
from wallet_client.triggers.reading import Circumstances
from wallet_client.triggers.trigger import History
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet

Outcome: TypeAlias = Literal["ran", "failed", "waits", "idle"]
"""It did what it starts, could not, waits for something, or found nothing to do."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a trigger stands, and what came of looking at it.

    Args:
        entry: The trigger with its history before.
        occasion: Whether its moment has come, or when to look again.
        findings: Its states; empty where they were not looked at.
        outcome: What came of it.
        done: What it did, where it ran.
        error: Why it could not, where it failed.
    """

    entry: TriggerEntry
    occasion: Occasion
    findings: tuple[Finding, ...] = ()
    outcome: Outcome = "waits"
    done: Done | None = None
    error: Exception | None = None

    @property
    def name(self) -> str:
        """The trigger's."""
        return self.entry.trigger.name

    @property
    def holds(self) -> bool:
        """Whether it would run."""
        return self.occasion.has_come and all(one.holds for one in self.findings)

    @property
    def absent(self) -> tuple[Finding, ...]:
        """States whose sensors said nothing."""
        return tuple(one for one in self.findings if one.is_absent)


class TriggerRunner:
    """Runs the triggers of one wallet; keep one for as long as the wallet is open.

    Args:
        wallet: The open wallet.
        ask: How sensors are asked.
        zone: Whose local time is meant; None for this machine's.
    """

    def __init__(self, wallet: Wallet, ask: AskSensors = ask_sensors, zone: tzinfo | None = None) -> None:
        self._wallet = wallet
        self._ask = ask
        self._zone = zone

    async def run_due(self) -> list[Look]:
        """Run what is due by the clock and by its conditions, one after the other, in the order made."""
        return await self._run("clock", lambda entry: True)

    async def run_requested(self, name: str) -> Look:
        """Run one that was asked for, if its conditions hold.

        Raises:
            UnknownTrigger: There is none of that name.
            TriggerNotOnRequest: It is none to be asked for.
        """
        entry = await asyncio.to_thread(self._wallet.store.triggers.entry, name)
        if not entry.trigger.read().on_request:
            raise TriggerNotOnRequest(name)
        return await self._run_one(entry, "request")

    @property
    def on_shortage(self) -> MakeRoom:
        """The way to make room that the owner's triggers `on shortage` are."""

        async def relieve(needed: int, staying: Collection[ValueId]) -> PutAway:
            looks = await self._run("shortage", lambda entry: entry.trigger.read().on_shortage, staying)
            parts = [one.done.put_away for one in looks if one.done is not None]
            return PutAway(
                tuple(entry for part in parts for entry in part.backed_up),
                tuple(value_id for part in parts for value_id in part.left),
                tuple(value_id for part in parts for value_id in part.staying),
                {name: failure for part in parts for name, failure in part.failed.items()},
            )

        return relieve

    async def look(self, names: Collection[str] = ()) -> list[Look]:
        """How triggers stand, sensors included; nothing is run or written.

        Args:
            names: Only these; all by default.

        Raises:
            UnknownTrigger: There is none of such a name.
        """
        entries = await asyncio.to_thread(self._entries, names)
        return [await self._judged(entry, _own_event(entry), always=True) for entry in entries]

    def _entries(self, names: Collection[str]) -> list[TriggerEntry]:
        kept = self._wallet.store.triggers
        return [kept.entry(name) for name in names] if names else kept.entries()

    async def _run(
        self,
        event: Event,
        wanted: Callable[[TriggerEntry], bool],
        staying: Collection[ValueId] = (),
    ) -> list[Look]:
        entries = await asyncio.to_thread(self._wallet.store.triggers.entries)
        return [await self._run_one(entry, event, staying) for entry in entries if wanted(entry)]

    async def _run_one(self, entry: TriggerEntry, event: Event, staying: Collection[ValueId] = ()) -> Look:
        look = Look(entry, Occasion(False, "could not be judged"))
        try:
            look = await self._judged(entry, event)
            if not look.holds:
                return look
            if await asyncio.to_thread(self._work, look, event, staying) is None:
                return replace(look, outcome="idle")
            return await self._run_alone(look, event, staying)
        except (WalletError, TrustError) as error:
            return replace(look, outcome="failed", error=error)

    async def _run_alone(self, look: Look, event: Event, staying: Collection[ValueId]) -> Look:
        """No task of this process and no other process runs it meanwhile."""
        running = self._wallet.running_triggers
        if look.name in running:
            return replace(look, occasion=Occasion(False, "is running"))
        running.add(look.name)
        try:
            async with changing(self._wallet):
                return await self._run_locked(look, event, staying)
        finally:
            running.discard(look.name)

    async def _judged(self, entry: TriggerEntry, event: Event, *, always: bool = False) -> Look:
        """How it stands; states are looked at where the occasion has come, or always."""
        wallet, trigger = self._wallet, entry.trigger
        occasion = occasion_of(trigger, entry.history, event, wallet.now(), self._zone)
        if not (occasion.has_come or always):
            return Look(entry, occasion)
        readings = {}
        if sensors := trigger.read().sensors:
            commands = await asyncio.to_thread(wallet.store.sensors.commands)
            readings = await self._ask(sensors, commands)
        seen = Circumstances(wallet.now(), self._zone, readings=readings)
        return await asyncio.to_thread(self._found, entry, occasion, seen)

    def _found(self, entry: TriggerEntry, occasion: Occasion, seen: Circumstances) -> Look:
        store = self._wallet.store
        usage = store.usage()
        away = away_in(store, self._zone) if entry.trigger.read().watches_validity else ()
        seen = replace(seen, capacity=usage.capacity, free=usage.free, away=away)
        return Look(entry, occasion, findings_of(entry.trigger, entry.history, seen))

    def _work(self, look: Look, event: Event, staying: Collection[ValueId]) -> Work | None:
        """What it would do; None for nothing, where no schedule and nobody asks to hear of that."""
        work = work_of(self._wallet, look.entry, self._zone, staying)
        rules = look.entry.trigger.read()
        is_asked = event == "request" or rules.every is not None or rules.at is not None
        return work if work.ids or is_asked else None

    async def _run_locked(self, look: Look, event: Event, staying: Collection[ValueId]) -> Look:
        """What another process did meanwhile counts."""
        wallet, kept = self._wallet, self._wallet.store.triggers
        try:
            entry = await asyncio.to_thread(kept.entry, look.name)
        except UnknownTrigger:
            return replace(look, occasion=Occasion(False, "was removed"))
        occasion = occasion_of(entry.trigger, entry.history, event, wallet.now(), self._zone)
        look = replace(look, entry=entry, occasion=occasion)
        if not occasion.has_come:
            return look
        work = await asyncio.to_thread(self._work, look, event, staying)
        if work is None:
            return replace(look, outcome="idle")
        begun = entry.history.begun(wallet.now())
        await to_the_end(kept.note, look.name, begun)
        try:
            done = await do(wallet, work, way=self.on_shortage, zone=self._zone)
        except (WalletError, TrustError) as error:
            await to_the_end(self._note, look.name, begun.failed(str(error).partition("\n")[0]))
            return replace(look, outcome="failed", error=error)
        known = await still_kept(wallet, entry.history.brought_back + done.brought_back)
        await to_the_end(self._note, look.name, begun.served(str(done), known))
        return replace(look, outcome="ran", done=done)

    def _note(self, name: str, history: History) -> None:
        """Unless the owner removed it while it ran."""
        with suppress(UnknownTrigger):
            self._wallet.store.triggers.note(name, history)


def _own_event(entry: TriggerEntry) -> Event:
    """The event that a trigger waits for, so that looking at it tells of its states alone."""
    rules = entry.trigger.read()
    return "request" if rules.on_request else "shortage" if rules.on_shortage else "clock"
