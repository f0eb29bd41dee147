"""Triggers over the wire: made, looked at, run and removed, and the recoveries that wait for them."""

from typing import Any

import pytest

from kura.wallet.v1 import wallet_pb2 as pb
from support.memory_safes import MemorySafes
from support.small_wallets import away, condition, keep, limit, names, set_clock
from support.vendor import Vendor, refused, same
from trust.refusals import Malformed
from wallet_client.service import errors

NIGHTLY = pb.Trigger(name="nightly", when=["every  DAY"], start="Backup and delete", policy="apart")


async def add(vendor: Vendor, name: str, *when: str, start: str, policy: str = "") -> pb.Trigger:
    """Make one."""
    given = pb.Trigger(name=name, when=when, start=start, policy=policy)
    return (await vendor.stub.AddTrigger(pb.AddTriggerRequest(trigger=given))).trigger


async def listed(vendor: Vendor) -> Any:
    """All there is."""
    return await vendor.stub.ListTriggers(pb.ListTriggersRequest())


async def state(vendor: Vendor, name: str) -> pb.TriggerState:
    """How one stands."""
    return next(one for one in (await listed(vendor)).triggers if one.trigger.name == name)


async def run(vendor: Vendor, request: str = "") -> dict[str, pb.TriggerRun]:
    """Run what is due, or one; by name."""
    answer = await vendor.stub.RunTriggers(pb.RunTriggersRequest(request=request))
    return {one.name: one for one in answer.runs}


async def give_up(vendor: Vendor, *value_ids: str) -> list[str]:
    """Let them wait no longer."""
    answer = await vendor.stub.GiveUpRecoveries(pb.GiveUpRecoveriesRequest(value_ids=value_ids))
    return list(answer.given_up_value_ids)


async def test_a_trigger_is_kept_in_canonical_form(vendor: Vendor) -> None:
    """Case and spaces do not matter; a list shows what the answer did."""
    made = (await vendor.stub.AddTrigger(pb.AddTriggerRequest(trigger=NIGHTLY))).trigger
    assert made == pb.Trigger(name="nightly", when=["every 1 day"], start="backup and delete", policy="apart")
    assert (await state(vendor, "nightly")).trigger == made
    assert [one.trigger.name for one in (await listed(vendor)).triggers] == ["go-on", "nightly"]


async def test_a_list_tells_what_a_trigger_waits_for(vendor: Vendor) -> None:
    """By which figures; nothing is run by looking."""
    limit(vendor.served.wallet, 1)
    keep(vendor.served.wallet, "one")
    await add(vendor, "asked", "on request", "free capacity above 50%", start="backup")
    one = await state(vendor, "asked")
    (finding,) = one.findings
    assert (finding.phrase, finding.holds, finding.is_absent) == ("free capacity above 50%", False, False)
    assert (one.would_run, one.attempts_since, one.HasField("last_run_at")) == (False, 0, False)
    assert one.occasion
    assert await vendor.receipts() == {}


async def test_a_sensor_that_is_absent_is_told_and_never_holds(vendor: Vendor) -> None:
    """It was not named to the wallet."""
    await add(vendor, "asked", "on request", "sensor wifi", start="backup")
    (finding,) = (await state(vendor, "asked")).findings
    assert (finding.holds, finding.is_absent) == (False, True)
    assert finding.detail
    assert (await run(vendor, "asked"))["asked"].outcome == pb.TRIGGER_OUTCOME_WAITS


async def test_what_is_due_is_run_and_told(vendor: Vendor) -> None:
    """Values and figures; afterwards its next moment is known."""
    wallet = vendor.served.wallet
    set_clock(wallet, "2026-03-02 10:00")
    condition(wallet, "class is movie-ticket")
    (value_id,) = keep(wallet, "one")
    await add(vendor, "daily", "every day", start="backup and delete")
    done = await run(vendor)
    assert (done["go-on"].outcome, done["daily"].outcome) == (
        pb.TRIGGER_OUTCOME_IDLE,
        pb.TRIGGER_OUTCOME_RAN,
    )
    assert list(done["daily"].backed_up_value_ids) == list(done["daily"].erased_value_ids) == [value_id]
    assert "1 value(s) backed up" in done["daily"].detail
    assert names(wallet) == []
    after = await state(vendor, "daily")
    assert after.last_run_at == wallet.now()
    assert after.next_at == wallet.now() + 86_400
    assert after.last_outcome == done["daily"].detail


async def test_only_the_trigger_that_is_asked_for_runs(vendor: Vendor) -> None:
    """The others are not even looked at."""
    condition(vendor.served.wallet, "class is movie-ticket")
    keep(vendor.served.wallet, "one")
    await add(vendor, "asked", "on request", start="backup")
    await add(vendor, "daily", "every day", start="backup and delete")
    done = await run(vendor, "asked")
    assert {name: one.outcome for name, one in done.items()} == {"asked": pb.TRIGGER_OUTCOME_RAN}
    assert names(vendor.served.wallet) == ["one"]


async def test_a_trigger_that_fails_is_told_of_with_its_reason(vendor: Vendor, safes: MemorySafes) -> None:
    """The call succeeds: the others ran."""
    condition(vendor.served.wallet, "class is movie-ticket")
    keep(vendor.served.wallet, "one")
    safes.take_down(1, 2, 3)
    await add(vendor, "daily", "every day", start="backup")
    failed = (await run(vendor))["daily"]
    assert failed.outcome == pb.TRIGGER_OUTCOME_FAILED
    assert failed.detail == "Nothing was backed up: 2 of the 4 safes needed answered well."
    assert (await state(vendor, "daily")).attempts_since == 1


async def test_a_safe_that_fails_is_named_where_the_run_went_well(vendor: Vendor, safes: MemorySafes) -> None:
    """The value is registered."""
    condition(vendor.served.wallet, "class is movie-ticket")
    keep(vendor.served.wallet, "one")
    safes.take_down(4)
    await add(vendor, "daily", "every day", start="backup")
    ran = (await run(vendor))["daily"]
    assert (ran.outcome, [one.safe for one in ran.failed_safes]) == (pb.TRIGGER_OUTCOME_RAN, ["safe-4"])


async def suspended(vendor: Vendor) -> list[str]:
    """Two values that are away from a wallet with room for one: the one that waits."""
    wallet = vendor.served.wallet
    value_ids = await away(wallet, "old", "our")
    limit(wallet, 1)
    await refused(vendor.stub.Recover(pb.RecoverRequest(value_ids=value_ids, delete_receipts=True)))
    return [one.value_id for one in (await listed(vendor)).suspended]


async def test_what_waits_for_room_is_listed_and_goes_on_by_itself(vendor: Vendor) -> None:
    """With how it was asked for; the trigger that every wallet has continues it."""
    (value_id,) = await suspended(vendor)
    (one,) = (await listed(vendor)).suspended
    assert (one.delete_receipt, one.HasField("delete_receipt"), one.since) == (
        True,
        True,
        vendor.served.wallet.now(),
    )
    limit(vendor.served.wallet, 2)
    ran = (await run(vendor))["go-on"]
    assert (ran.outcome, list(ran.recovered_value_ids)) == (pb.TRIGGER_OUTCOME_RAN, [value_id])
    assert list((await listed(vendor)).suspended) == []


async def test_a_recovery_is_given_up_and_its_receipt_stays(vendor: Vendor) -> None:
    """The second time there is nothing to give up."""
    (value_id,) = await suspended(vendor)
    assert await give_up(vendor, value_id, "v-x", value_id) == [value_id]
    assert await give_up(vendor, value_id) == []
    assert list((await listed(vendor)).suspended) == []
    assert [one.value_id for one in (await vendor.receipts()).values()] == [value_id]


async def test_a_trigger_is_removed_once(vendor: Vendor) -> None:
    """Also the one that every wallet begins with."""
    await vendor.stub.RemoveTrigger(pb.RemoveTriggerRequest(name="go-on"))
    assert list((await listed(vendor)).triggers) == []
    refusal = await refused(vendor.stub.RemoveTrigger(pb.RemoveTriggerRequest(name="go-on")))
    assert same(refusal, errors.UnknownName("trigger", "go-on"))


def new(name: str, *when: str, start: str, policy: str = "") -> pb.AddTriggerRequest:
    """A request."""
    return pb.AddTriggerRequest(trigger=pb.Trigger(name=name, when=when, start=start, policy=policy))


REFUSED: dict[str, tuple[str, Any, Exception]] = {
    "a name that is none": (
        "AddTrigger",
        new("A b", "every day", start="backup"),
        errors.TriggerRefused("A b", "is no name; it is 1 to 64 of a-z, 0-9 and -"),
    ),
    "a name that is taken": (
        "AddTrigger",
        new("go-on", "every day", start="backup"),
        errors.NameTaken("trigger", "go-on"),
    ),
    "an unknown policy": (
        "AddTrigger",
        new("daily", "every day", start="backup", policy="no"),
        errors.UnknownName("policy", "no"),
    ),
    "an unknown trigger to run": (
        "RunTriggers",
        pb.RunTriggersRequest(request="no"),
        errors.UnknownName("trigger", "no"),
    ),
    "a trigger that does not run on request": (
        "RunTriggers",
        pb.RunTriggersRequest(request="go-on"),
        errors.TriggerNotAsked("go-on"),
    ),
    "nothing to give up": ("GiveUpRecoveries", pb.GiveUpRecoveriesRequest(), Malformed("value_ids")),
}


@pytest.mark.parametrize(("method", "request_message", "expected"), REFUSED.values(), ids=REFUSED)
async def test_a_bad_request_about_triggers_is_refused_with_its_reason(
    vendor: Vendor, method: str, request_message: Any, expected: Exception
) -> None:
    """And changes nothing."""
    refusal = await refused(getattr(vendor.stub, method)(request_message))
    assert same(refusal, expected), vars(refusal)
    assert [one.trigger.name for one in (await listed(vendor)).triggers] == ["go-on"]


@pytest.mark.parametrize(
    ("when", "start", "phrase"),
    [
        (["at 25:00"], "backup", "'at 25:00'"),
        (["every day"], "backup everything", "'backup everything'"),
        ([], "backup", "--when"),
        (["on shortage"], "backup", "'on shortage'"),
    ],
)
async def test_phrases_that_make_no_trigger_are_named(
    vendor: Vendor, when: list[str], start: str, phrase: str
) -> None:
    """With what may stand there."""
    refusal = await refused(vendor.stub.AddTrigger(new("daily", *when, start=start)))
    assert isinstance(refusal, errors.TriggerRefused)
    assert refusal.phrase == phrase
    assert refusal.problem
