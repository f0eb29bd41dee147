"""The calls about backup conditions: list, add, edit, remove, and what they select. No safe is asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime

from kura.wallet.v1 import wallet_pb2 as pb
from wallet_client.conditions.condition import condition_name, parse_condition
from wallet_client.operations.select import Named, Selected, select
from wallet_client.operations.settle import changing
from wallet_client.service.converters import in_parts, read_request_day, receipt_states, write_value
from wallet_client.service.served import Served
from wallet_client.storage.conditions import ConditionEntry, Conditions
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet


async def list_conditions(served: Served) -> pb.ListConditionsResponse:
    """All of them."""
    entries = await asyncio.to_thread(served.wallet.store.conditions.entries)
    return pb.ListConditionsResponse(conditions=map(_write, entries))


async def add_condition(served: Served, request: pb.AddConditionRequest) -> pb.AddConditionResponse:
    """Keep one, if it is one."""
    given = request.condition
    name, read = condition_name(given.name), parse_condition(given.expression)

    def add(kept: Conditions) -> ConditionEntry:
        kept.add(name, read.text, note=given.note)
        return kept.entry(name)

    return pb.AddConditionResponse(condition=_write(await _change(served, add)))


async def edit_condition(served: Served, request: pb.EditConditionRequest) -> pb.EditConditionResponse:
    """Let one say something else."""
    read = parse_condition(request.expression)
    note = request.note if request.HasField("note") else None

    def edit(kept: Conditions) -> ConditionEntry:
        kept.replace(request.name, read.text, note=note)
        return kept.entry(request.name)

    return pb.EditConditionResponse(condition=_write(await _change(served, edit)))


async def remove_condition(served: Served, request: pb.RemoveConditionRequest) -> pb.RemoveConditionResponse:
    """Forget one."""

    def remove(kept: Conditions) -> ConditionEntry:
        entry = kept.entry(request.name)
        kept.remove(request.name)
        return entry

    await _change(served, remove)
    return pb.RemoveConditionResponse()


async def select_values(
    served: Served, request: pb.SelectValuesRequest
) -> AsyncIterator[pb.SelectValuesResponse]:
    """What the conditions, one of them, or an expression say of every value."""
    now = _asked_on(served.wallet, read_request_day("today", request.today))
    store = served.wallet.store

    def judge() -> list[pb.JudgedValue]:
        judged = select(store, now=now, only=_named(served.wallet, request))
        states = receipt_states(store)
        return [_write_judged(one, states) for one in judged]

    for part in in_parts(await asyncio.to_thread(judge)):
        yield pb.SelectValuesResponse(values=part)


async def selected_today(wallet: Wallet) -> list[ValueId]:
    """The values that the wallet's conditions select now."""
    judged = await asyncio.to_thread(lambda: select(wallet.store, now=_asked_on(wallet, None)))
    return [one.summary.id for one in judged if one.selected]


def _asked_on(wallet: Wallet, day: date | None) -> datetime:
    """Now, or this time of another day, where days begin as they do on this machine."""
    now = datetime.fromtimestamp(wallet.now(), UTC).astimezone()
    return now if day is None else datetime.combine(day, now.timetz())


def _named(wallet: Wallet, request: pb.SelectValuesRequest) -> list[Named] | None:
    """What to judge by; None for the wallet's own."""
    match request.WhichOneof("by"):
        case "expression":
            return [Named("", parse_condition(request.expression))]
        case "condition":
            entry = wallet.store.conditions.entry(request.condition)
            return [Named(entry.name, parse_condition(entry.text))]
    return None


async def _change(served: Served, change: Callable[[Conditions], ConditionEntry]) -> ConditionEntry:
    wallet = served.wallet

    def write() -> ConditionEntry:
        with wallet.store.transaction():
            return change(wallet.store.conditions)

    async def make() -> ConditionEntry:
        async with changing(wallet):
            return await asyncio.to_thread(write)

    return await served.operations.run(make())


def _write(entry: ConditionEntry) -> pb.Condition:
    return pb.Condition(name=entry.name, expression=entry.text, note=entry.note)


def _write_judged(one: Selected, states: dict[str, str]) -> pb.JudgedValue:
    return pb.JudgedValue(
        value=write_value(one.summary, states),
        selected=one.selected,
        condition=one.condition,
        clause=one.clause,
    )
