"""Running triggers against safes in memory: what runs, what is made up, what a crash or a failure leaves."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from support.memory_safes import Crash, MemorySafes, check_books, opened
from support.small_wallets import (
    PAYLOAD_BYTES,
    ZONE,
    Sensors,
    away,
    condition,
    day,
    keep,
    limit,
    names,
    set_clock,
    trigger,
)
from support.wallet_samples import small_value
from wallet_client.conditions.condition import ConditionText, condition_name
from wallet_client.conditions.errors import ConditionInvalid
from wallet_client.operations.add_in_room import add_in_room
from wallet_client.operations.recover_in_room import recover_in_room
from wallet_client.operations.triggers import Look, TriggerRunner
from wallet_client.receipts.shelf import read_summary
from wallet_client.storage.errors import WalletBusy
from wallet_client.storage.lock import HomeLock
from wallet_client.triggers.errors import TriggerNotOnRequest, UnknownTrigger
from wallet_client.triggers.reading import Reading
from wallet_client.wallet import Wallet

YES, NO = Reading(holds=True), Reading()


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """On a Monday at ten; tickets are what the conditions select; no triggers."""
    async with opened(folder, safes) as made:
        set_clock(made, "2026-03-02 10:00")
        condition(made, "class is movie-ticket")
        for entry in made.store.triggers.entries():
            made.store.triggers.remove(entry.trigger.name)
        yield made


def runner(wallet: Wallet, sensors: Sensors | None = None) -> TriggerRunner:
    """With these sensors and no others."""
    return TriggerRunner(wallet, sensors or Sensors(), ZONE)


async def run_at(wallet: Wallet, moment: str, sensors: Sensors | None = None) -> list[Look]:
    """Run what is due then."""
    set_clock(wallet, moment)
    return await runner(wallet, sensors).run_due()


def outcomes(looks: list[Look]) -> list[str]:
    """What came of each."""
    return [look.outcome for look in looks]


async def test_a_due_trigger_backs_up_what_the_conditions_select(wallet: Wallet, safes: MemorySafes) -> None:
    """And only that; it stays in the wallet. The next run waits for its period."""
    keep(wallet, "one")
    keep(wallet, "two", item_class="card")
    trigger(wallet, "daily", "every day", start="backup", policy="apart")
    (look,) = await run_at(wallet, "2026-03-02 10:00")
    assert (look.outcome, str(look.done)) == ("ran", "1 value(s) backed up")
    assert [read_summary(one).policy_name for one in wallet.store.receipts.entries()] == ["apart"]
    assert names(wallet) == ["one", "two"]
    (look,) = await run_at(wallet, "2026-03-03 09:59")
    assert (look.outcome, look.occasion.next_at) == ("waits", wallet.now() + 60)
    (look,) = await run_at(wallet, "2026-03-03 10:00")
    assert (look.outcome, str(look.done)) == ("ran", "0 value(s) backed up")
    check_books(wallet, safes)


async def test_a_backup_may_delete_what_is_safe(wallet: Wallet, safes: MemorySafes) -> None:
    """Also what was backed up before."""
    keep(wallet, "one")
    trigger(wallet, "daily", "every day", start="backup")
    await run_at(wallet, "2026-03-02 10:00")
    keep(wallet, "two")
    trigger(wallet, "empty", "every day", start="backup and delete")
    _, look = await run_at(wallet, "2026-03-02 11:00")
    assert str(look.done) == "1 value(s) backed up, 1 were already; 2 erased from the wallet"
    assert names(wallet) == []
    check_books(wallet, safes)


async def test_missed_runs_are_made_up_once(wallet: Wallet) -> None:
    """After three days asleep."""
    trigger(wallet, "daily", "every day", start="backup")
    moments = ("02 10:00", "05 12:00", "05 12:01")
    ran = [outcomes(await run_at(wallet, f"2026-03-{moment}")) for moment in moments]
    assert ran == [["ran"], ["ran"], ["waits"]]
    assert outcomes(await run_at(wallet, "2026-03-06 10:00")) == ["ran"]


async def test_a_state_that_does_not_hold_is_waited_for(wallet: Wallet) -> None:
    """The run is still due when it does hold; the report says by which figures it does not."""
    keep(wallet, "one")
    trigger(wallet, "daily", "every day", "battery above 50%", "network available", start="backup")
    sensors = Sensors(battery=Reading(holds=True), network=NO)
    (look,) = await run_at(wallet, "2026-03-02 10:00", sensors)
    assert look.outcome == "waits"
    assert [str(one) for one in look.findings] == [
        "battery above 50% (it gave no number)",
        "network available (no)",
    ]
    assert [one.phrase for one in look.absent] == ["battery above 50%"]
    assert wallet.store.triggers.entry("daily").history.begun_at is None
    sensors.said |= {"battery": Reading(holds=True, number=Decimal(51)), "network": YES}
    assert outcomes(await run_at(wallet, "2026-03-02 15:00", sensors)) == ["ran"]


async def test_sensors_are_asked_only_when_it_matters(wallet: Wallet) -> None:
    """Not before the occasion has come."""
    trigger(wallet, "night", "at 02:00", "sensor wifi", start="backup")
    sensors = Sensors(wifi=YES)
    assert outcomes(await run_at(wallet, "2026-03-02 20:00", sensors)) == ["waits"]
    assert sensors.asked == []
    assert outcomes(await run_at(wallet, "2026-03-03 02:00", sensors)) == ["ran"]
    assert sensors.asked == ["wifi"]


async def test_without_an_occasion_it_runs_when_there_is_something_to_do(wallet: Wallet) -> None:
    """With nothing to do, nothing is written; between runs lies a minute."""
    trigger(wallet, "wifi", "sensor wifi", start="backup")
    sensors = Sensors(wifi=YES)
    assert outcomes(await run_at(wallet, "2026-03-02 10:00", sensors)) == ["idle"]
    assert wallet.store.triggers.entry("wifi").history.begun_at is None
    keep(wallet, "one")
    assert outcomes(await run_at(wallet, "2026-03-02 10:00", sensors)) == ["ran"]
    keep(wallet, "two")
    assert outcomes(await run_at(wallet, "2026-03-02 10:00", sensors)) == ["waits"]
    assert outcomes(await run_at(wallet, "2026-03-02 10:01", sensors)) == ["ran"]


async def test_on_request_it_runs_when_asked_for(wallet: Wallet) -> None:
    """By its name, if its states hold; another is refused."""
    keep(wallet, "one")
    trigger(wallet, "now", "on request", "sensor wifi", start="backup")
    trigger(wallet, "daily", "every day", start="backup")
    assert (await runner(wallet, Sensors(wifi=NO)).run_requested("now")).outcome == "waits"
    assert (await runner(wallet, Sensors(wifi=YES)).run_requested("now")).outcome == "ran"
    with pytest.raises(TriggerNotOnRequest):
        await runner(wallet).run_requested("daily")
    with pytest.raises(UnknownTrigger):
        await runner(wallet).run_requested("nobody")
    assert [look.name for look in await runner(wallet).run_due() if look.outcome == "ran"] == ["daily"]


async def test_a_shortage_runs_its_triggers(wallet: Wallet, safes: MemorySafes) -> None:
    """What is added comes as if --make-room had been said; states count there, too."""
    limit(wallet, 1)
    keep(wallet, "one")
    trigger(wallet, "full", "on shortage", "sensor wifi", start="backup and delete")
    new = small_value("new", payload=bytes(PAYLOAD_BYTES))
    with pytest.raises(Exception, match="The wallet is full"):
        await add_in_room(wallet, [new], ways=[runner(wallet, Sensors(wifi=NO)).on_shortage], zone=ZONE)
    assert names(wallet) == ["one"]
    await add_in_room(wallet, [new], ways=[runner(wallet, Sensors(wifi=YES)).on_shortage], zone=ZONE)
    assert names(wallet) == ["new"]
    assert outcomes(await runner(wallet, Sensors(wifi=YES)).run_due()) == ["waits"]
    check_books(wallet, safes)


async def test_usable_from_tomorrow_is_recovered_today(wallet: Wallet, safes: MemorySafes) -> None:
    """And once: what is put away again stays away."""
    limit(wallet, 9)
    trigger(wallet, "tomorrow", "validity approaching 1 day", start="recover usable")
    (soon,) = await away(wallet, "one", valid_from=day("2026-03-10"))
    await away(wallet, "two", valid_from=day("2026-03-20"))
    await away(wallet, "ten")
    assert outcomes(await run_at(wallet, "2026-03-08 23:59")) == ["waits"]
    (look,) = await run_at(wallet, "2026-03-09 00:00")
    assert (look.outcome, str(look.done), names(wallet)) == ("ran", "1 value(s) recovered", ["one"])
    assert wallet.store.triggers.entry("tomorrow").history.brought_back == (soon,)
    trigger(wallet, "empty", "every day", start="backup and delete")
    await run_at(wallet, "2026-03-09 12:00")
    assert names(wallet) == []
    assert outcomes(await run_at(wallet, "2026-03-09 12:05"))[0] == "waits"
    (look, _) = await run_at(wallet, "2026-03-19 12:00")
    assert names(wallet) == []  # the other trigger put it away in the same minute
    assert len(look.done.recovery.report.recovered) == 1  # type: ignore[union-attr]


async def test_what_becomes_usable_and_does_not_fit_is_suspended(wallet: Wallet) -> None:
    """It goes on by itself as soon as there is room."""
    limit(wallet, 2)
    trigger(wallet, "tomorrow", "every day", start="recover usable within 2 days")
    trigger(wallet, "go-on", "free capacity above 0 B", start="recover suspended")
    await away(wallet, "one", valid_from=day("2026-03-04"))
    keep(wallet, "two", "ten", item_class="prepaid-tick")
    looks = await run_at(wallet, "2026-03-02 10:00")
    assert (outcomes(looks), str(looks[0].done)) == (["ran", "waits"], "0 value(s) recovered, 1 suspended")
    limit(wallet, 2.5)
    assert outcomes(await run_at(wallet, "2026-03-02 10:05")) == ["waits", "idle"]
    limit(wallet, 4)
    assert outcomes(await run_at(wallet, "2026-03-02 10:06")) == ["waits", "ran"]
    assert names(wallet) == ["one", "ten", "two"]


async def test_every_new_wallet_goes_on_by_itself(folder: Path, safes: MemorySafes) -> None:
    """The trigger `go-on` is there from the beginning, and stays away once it was removed."""
    async with opened(folder, safes) as wallet:
        receipts = await away(wallet, "one")
        limit(wallet, 0)
        await recover_in_room(wallet, receipts, zone=ZONE)
        assert outcomes(await runner(wallet).run_due()) == ["waits"]
        limit(wallet, 1)
        assert outcomes(await runner(wallet).run_due()) == ["ran"]
        assert names(wallet) == ["one"]
        wallet.store.triggers.remove("go-on")
    async with opened(folder, safes) as wallet:
        assert await runner(wallet).run_due() == []


async def test_one_that_fails_leaves_the_others_alone(wallet: Wallet, safes: MemorySafes) -> None:
    """Its reason is told; it is tried again after a rest, and then counts as one run."""
    keep(wallet, "one")
    trigger(wallet, "aaa", "every day", start="backup")
    trigger(wallet, "bbb", "every day", start="recover suspended")
    safes.take_down(1, 2, 3)
    looks = await run_at(wallet, "2026-03-02 10:00")
    assert outcomes(looks) == ["failed", "ran"]
    history = wallet.store.triggers.entry("aaa").history
    assert (history.served_at, history.attempts) == (None, 1)
    assert "Nothing was backed up" in history.outcome
    safes.take_down()
    assert outcomes(await run_at(wallet, "2026-03-02 10:00")) == ["waits", "waits"]
    assert outcomes(await run_at(wallet, "2026-03-02 10:01")) == ["ran", "waits"]
    assert outcomes(await run_at(wallet, "2026-03-03 10:00")) == ["ran", "ran"]


async def test_values_that_cannot_leave_yet_are_a_failure(wallet: Wallet, safes: MemorySafes) -> None:
    """They are backed up and stay; the run is made up when the safe is back."""
    keep(wallet, "one")
    trigger(wallet, "empty", "every day", start="backup and delete")
    safes.take_down(2)
    (look,) = await run_at(wallet, "2026-03-02 10:00")
    assert (look.outcome, names(wallet)) == ("failed", ["one"])
    assert "1 value(s) were backed up and stay" in str(look.error)
    safes.take_down()
    assert outcomes(await run_at(wallet, "2026-03-02 10:02")) == ["ran"]
    assert names(wallet) == []
    check_books(wallet, safes)


@pytest.mark.parametrize("dies_at", ["register", "registered"])
async def test_a_run_that_was_killed_is_made_up_once(folder: Path, safes: MemorySafes, dies_at: str) -> None:
    """Whether the safes had the pieces or not: afterwards everything is there once."""

    def die(name: str) -> None:
        if name == dies_at:
            raise Crash

    async with opened(folder, safes) as wallet:
        condition(wallet, "class is movie-ticket")
        set_clock(wallet, "2026-03-02 10:00")
        trigger(wallet, "daily", "every day", start="backup")
        keep(wallet, "one")
        for safe in safes:
            safe.step = die
        with pytest.raises(Crash):
            await runner(wallet).run_due()
        assert wallet.store.triggers.entry("daily").history.attempts == 1
    safes.calm_down()
    async with opened(folder, safes, "another seed") as wallet:
        assert outcomes(await run_at(wallet, "2026-03-02 10:00"))[-1] == "waits"
        assert outcomes(await run_at(wallet, "2026-03-02 10:01"))[-1] == "ran"
        assert outcomes(await run_at(wallet, "2026-03-02 10:02"))[-1] == "waits"
        assert len(wallet.store.receipts.entries()) == 1
        check_books(wallet, safes)


async def test_of_two_that_find_it_due_one_runs_it(wallet: Wallet) -> None:
    """Tasks of one process and other processes alike: the history is read again under the lock."""
    keep(wallet, "one")
    trigger(wallet, "daily", "every day", start="backup")
    first, second = runner(wallet), runner(wallet)
    looks = await asyncio.gather(first.run_due(), second.run_due(), first.run_due())
    assert sorted(outcomes([look for one in looks for look in one])) == ["ran", "waits", "waits"]


async def test_a_trigger_removed_meanwhile_does_not_run(wallet: Wallet) -> None:
    """It was found due, and is gone when the lock is had."""
    trigger(wallet, "daily", "sensor s", "every day", start="backup")

    class Removing(Sensors):
        async def __call__(self, *arguments: object) -> dict[str, Reading]:
            wallet.store.triggers.remove("daily")
            return {"s": YES}

    (look,) = await runner(wallet, Removing()).run_due()
    assert (look.outcome, look.occasion.why) == ("waits", "was removed")


async def test_a_busy_wallet_is_a_failure_that_counts_for_nothing(wallet: Wallet) -> None:
    """Nothing is written: the run is due as before."""
    trigger(wallet, "daily", "every day", start="backup")
    wallet.lock_wait_seconds = 0.01

    class Elsewhere:
        def acquire(self) -> None:
            raise WalletBusy(0)

    free, wallet.lock = wallet.lock, Elsewhere()  # type: ignore[assignment]
    (look,) = await runner(wallet).run_due()
    assert (look.outcome, type(look.error)) == ("failed", WalletBusy)
    assert isinstance(free, HomeLock)
    wallet.lock = free
    assert outcomes(await runner(wallet).run_due()) == ["ran"]


async def test_what_cannot_be_judged_is_a_failure_of_its_own(wallet: Wallet) -> None:
    """A condition that is none to this program; the other triggers go on."""
    wallet.store.conditions.add(condition_name("odd"), ConditionText("no ( condition"))
    trigger(wallet, "daily", "every day", start="backup")
    trigger(wallet, "other", "every day", start="recover suspended")
    looks = await runner(wallet).run_due()
    assert outcomes(looks) == ["failed", "ran"]
    assert isinstance(looks[0].error, ConditionInvalid)


async def test_looking_runs_and_writes_nothing(wallet: Wallet, safes: MemorySafes) -> None:
    """It judges every state, also where the occasion has not come, and those of requests and shortages."""
    keep(wallet, "one")
    trigger(wallet, "daily", "every day", start="backup")
    trigger(wallet, "night", "at 02:00", "sensor wifi", start="backup")
    trigger(wallet, "now", "on request", start="backup")
    trigger(wallet, "full", "on shortage", "free capacity below 10%", start="backup and delete")
    before = wallet.store.triggers.entries()
    looks = await runner(wallet, Sensors(wifi=YES)).look()
    assert [(look.name, look.holds, len(look.findings)) for look in looks] == [
        ("daily", True, 0),
        ("night", False, 1),
        ("now", True, 0),
        ("full", False, 1),
    ]
    assert [look.name for look in await runner(wallet).look(["now"])] == ["now"]
    with pytest.raises(UnknownTrigger):
        await runner(wallet).look(["nobody"])
    assert (wallet.store.triggers.entries(), sum(len(safe.calls) for safe in safes)) == (before, 0)
