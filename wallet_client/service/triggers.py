"""The calls about triggers and suspended recoveries: list, add, remove, run, give up."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from kura.wallet.v1 import wallet_pb2 as pb
from trust.refusals import Malformed
from wallet_client.operations.recover_in_room import give_up, suspended_in
from wallet_client.operations.settle import changing
from wallet_client.operations.triggers import Look, TriggerRunner
from wallet_client.service.converters import write_failures
from wallet_client.service.served import Served
from wallet_client.storage.store import WalletStore
from wallet_client.storage.suspended import Suspension
from wallet_client.triggers.judge import Finding
from wallet_client.triggers.trigger import Trigger, new_trigger
from wallet_client.values.value import ValueId

_OUTCOMES: Final = {
    "ran": pb.TRIGGER_OUTCOME_RAN,
    "failed": pb.TRIGGER_OUTCOME_FAILED,
    "waits": pb.TRIGGER_OUTCOME_WAITS,
    "idle": pb.TRIGGER_OUTCOME_IDLE,
}

_Result = TypeVar("_Result")


async def list_triggers(served: Served) -> pb.ListTriggersResponse:
    """How each stands, and what waits for room."""
    looks = await TriggerRunner(served.wallet).look()
    suspended = await asyncio.to_thread(suspended_in, served.wallet.store)
    return pb.ListTriggersResponse(
        triggers=map(_write_state, looks), suspended=map(_write_suspension, suspended)
    )


async def add_trigger(served: Served, request: pb.AddTriggerRequest) -> pb.AddTriggerResponse:
    """Keep one, if it is one."""
    given = request.trigger
    made = new_trigger(given.name, given.when, given.start, policy=given.policy, now=served.wallet.now())

    def add(store: WalletStore) -> None:
        if made.policy:
            served.wallet.policy(made.policy)
        store.triggers.add(made)

    await _change(served, add)
    return pb.AddTriggerResponse(trigger=_write_trigger(made))


async def remove_trigger(served: Served, request: pb.RemoveTriggerRequest) -> pb.RemoveTriggerResponse:
    """Forget one."""
    await _change(served, lambda store: store.triggers.remove(request.name))
    return pb.RemoveTriggerResponse()


async def run_triggers(served: Served, request: pb.RunTriggersRequest) -> pb.RunTriggersResponse:
    """What is due, or the one that is asked for."""
    runner = TriggerRunner(served.wallet)

    async def run() -> list[Look]:
        return [await runner.run_requested(request.request)] if request.request else await runner.run_due()

    return pb.RunTriggersResponse(runs=map(_write_run, await served.operations.run(run())))


async def give_up_recoveries(
    served: Served, request: pb.GiveUpRecoveriesRequest
) -> pb.GiveUpRecoveriesResponse:
    """Let them wait no longer."""
    if not request.value_ids:
        raise Malformed("value_ids")
    ids = [ValueId(one) for one in dict.fromkeys(request.value_ids)]
    given_up = await _change(served, lambda store: give_up(store, ids))
    return pb.GiveUpRecoveriesResponse(given_up_value_ids=given_up)


async def _change(served: Served, change: Callable[[WalletStore], _Result]) -> _Result:
    wallet = served.wallet

    def write() -> _Result:
        with wallet.store.transaction():
            return change(wallet.store)

    async def make() -> _Result:
        async with changing(wallet):
            return await asyncio.to_thread(write)

    return await served.operations.run(make())


def _write_trigger(trigger: Trigger) -> pb.Trigger:
    return pb.Trigger(name=trigger.name, when=trigger.when, start=trigger.start, policy=trigger.policy)


def _write_state(look: Look) -> pb.TriggerState:
    history = look.entry.history
    return pb.TriggerState(
        trigger=_write_trigger(look.entry.trigger),
        would_run=look.holds,
        occasion=look.occasion.why,
        next_at=look.occasion.next_at,
        findings=_write_findings(look.findings),
        last_run_at=history.served_at,
        last_outcome=history.outcome,
        attempts_since=history.attempts,
    )


def _write_findings(findings: Iterable[Finding]) -> list[pb.TriggerFinding]:
    return [
        pb.TriggerFinding(phrase=one.phrase, holds=one.holds, detail=one.detail, is_absent=one.is_absent)
        for one in findings
    ]


def _write_run(look: Look) -> pb.TriggerRun:
    done, error = look.done, look.error
    run = pb.TriggerRun(
        name=look.name,
        outcome=_OUTCOMES[look.outcome],
        occasion=look.occasion.why,
        next_at=look.occasion.next_at,
        findings=_write_findings(look.findings),
    )
    if error is not None:
        run.detail = str(error).partition("\n")[0]
    if done is not None:
        run.detail = str(done)
        run.backed_up_value_ids.extend(one.value_id for one in done.put_away.backed_up)
        run.erased_value_ids.extend(done.put_away.left)
        run.failed_safes.extend(write_failures(done.failed))
    if done is not None and done.recovery is not None:
        run.recovered_value_ids.extend(done.recovery.report.recovered)
        run.suspended_value_ids.extend(done.recovery.suspended)
    return run


def _write_suspension(one: Suspension) -> pb.SuspendedRecovery:
    return pb.SuspendedRecovery(value_id=one.value_id, delete_receipt=one.delete_receipt, since=one.since)
