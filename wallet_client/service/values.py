"""The calls about values: list, get, add, edit, remove."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from kura.wallet.v1 import wallet_pb2 as pb
from trust.refusals import CallTooLarge, Malformed
from wallet_client.operations.add_in_room import add_in_room
from wallet_client.operations.edit import EditReport, edit
from wallet_client.operations.settle import changing
from wallet_client.service.converters import (
    in_parts,
    read_fields,
    read_validity,
    receipt_states,
    write_failures,
    write_value,
)
from wallet_client.service.errors import PayloadNeedsStream
from wallet_client.service.room import read_ways, write_moved
from wallet_client.service.served import Served
from wallet_client.storage.store import WalletStore
from wallet_client.storage.values import ValueSummary
from wallet_client.values.errors import ValueRefused
from wallet_client.values.value import PAYLOAD_MAX_BYTES, Value, ValueId

CHUNK_BYTES: Final = 1024 * 1024
"""Largest payload of a unary call, and largest chunk of a streamed one."""
ADDED_AT_ONCE: Final = 1000


async def list_values(served: Served, request: pb.ListValuesRequest) -> AsyncIterator[pb.ListValuesResponse]:
    """What meets the conditions, as it stands now."""
    validity = read_validity(request)

    def read() -> list[pb.StoredValue]:
        found = served.wallet.store.values.summaries(
            item_class=request.item_class or None, ending_within=validity.expires
        )
        return _written(served.wallet.store, (one for one in found if validity.holds(one)))

    for part in in_parts(await asyncio.to_thread(read)):
        yield pb.ListValuesResponse(values=part)


async def get_value(served: Served, request: pb.GetValueRequest) -> pb.GetValueResponse:
    """One value that fits into a message."""
    stored, payload = await _load(served, ValueId(request.value_id), at_most=CHUNK_BYTES)
    return pb.GetValueResponse(value=stored, payload=payload)


async def get_value_stream(
    served: Served, request: pb.GetValueStreamRequest
) -> AsyncIterator[pb.GetValueStreamResponse]:
    """One value of any size."""
    stored, payload = await _load(served, ValueId(request.value_id))
    yield pb.GetValueStreamResponse(value=stored)
    for start in range(0, len(payload), CHUNK_BYTES):
        yield pb.GetValueStreamResponse(chunk=payload[start : start + CHUNK_BYTES])


async def _load(
    served: Served, value_id: ValueId, *, at_most: int = PAYLOAD_MAX_BYTES
) -> tuple[pb.StoredValue, bytes]:
    store = served.wallet.store

    def read() -> tuple[pb.StoredValue, bytes]:
        summary = store.values.summary(value_id)
        if summary.payload_bytes > at_most:
            raise PayloadNeedsStream(at_most)
        return _written(store, [summary])[0], store.values.get(value_id).payload

    return await asyncio.to_thread(read)


async def add_values(served: Served, request: pb.AddValuesRequest) -> pb.AddValuesResponse:
    """All or none."""
    if not request.values:
        raise Malformed("values")
    if len(request.values) > ADDED_AT_ONCE:
        raise CallTooLarge("values", ADDED_AT_ONCE)
    values = [_read_value(one) for one in request.values]
    kept, moved = await _keep(served, values, request.room)
    return pb.AddValuesResponse(values=kept, moved=moved)


def _read_value(message: pb.NewValue) -> Value:
    if len(message.payload) > CHUNK_BYTES:
        raise PayloadNeedsStream(CHUNK_BYTES)
    return Value(**read_fields(message.fields), payload=message.payload)


async def add_value_stream(
    served: Served, parts: AsyncIterator[pb.AddValueStreamRequest]
) -> pb.AddValueStreamResponse:
    """One value; its fields are judged before any of its payload is waited for."""
    first = await anext(parts, None)
    if first is None or first.WhichOneof("part") != "fields":
        raise Malformed("fields")
    value = Value(**read_fields(first.fields))
    payload = await _joined(parts)
    (stored,), moved = await _keep(served, [value.with_fields(payload=payload)], first.room)
    return pb.AddValueStreamResponse(value=stored, moved=moved)


async def _joined(parts: AsyncIterator[pb.AddValueStreamRequest]) -> bytes:
    chunks: list[bytes] = []
    length = 0
    async for part in parts:
        if part.WhichOneof("part") != "chunk":
            raise Malformed("chunk")
        length += len(part.chunk)
        if length > PAYLOAD_MAX_BYTES:
            raise ValueRefused("payload", f"has more than {PAYLOAD_MAX_BYTES} bytes")
        chunks.append(part.chunk)
    return b"".join(chunks)


async def _keep(
    served: Served, values: Sequence[Value], room: pb.Room
) -> tuple[list[pb.StoredValue], pb.Moved | None]:
    wallet = served.wallet

    async def add() -> tuple[list[pb.StoredValue], pb.Moved | None]:
        ids, moved = await add_in_room(wallet, values, ways=await read_ways(wallet, room))
        kept = await asyncio.to_thread(lambda: [wallet.store.values.summary(value_id) for value_id in ids])
        return [write_value(summary, {}) for summary in kept], write_moved(moved)

    return await served.operations.run(add())


async def edit_value(served: Served, request: pb.EditValueRequest) -> pb.EditValueResponse:
    """New fields around the old payload."""
    value_id, store = ValueId(request.value_id), served.wallet.store

    async def change() -> EditReport:
        old = await asyncio.to_thread(store.values.get, value_id)
        changed = old.with_fields(**read_fields(request.fields, held_since=old.held_since))
        return await edit(served.wallet, value_id, changed)

    report = await served.operations.run(change())
    (stored,) = await asyncio.to_thread(lambda: _written(store, [store.values.summary(value_id)]))
    return pb.EditValueResponse(value=stored, failed_safes=write_failures(report.failed))


async def remove_value(served: Served, request: pb.RemoveValueRequest) -> pb.RemoveValueResponse:
    """Nobody else works on the value meanwhile."""
    wallet, value_id = served.wallet, ValueId(request.value_id)

    async def remove() -> None:
        async with changing(wallet), wallet.claim((value_id,)):
            await asyncio.to_thread(wallet.store.values.remove, value_id)

    await served.operations.run(remove())
    return pb.RemoveValueResponse()


def _written(store: WalletStore, summaries: Iterable[ValueSummary]) -> list[pb.StoredValue]:
    found = list(summaries)
    states = _states(store, {one.receipt_id for one in found if one.receipt_id})
    return [write_value(one, states) for one in found]


def _states(store: WalletStore, receipt_ids: set[str]) -> dict[str, str]:
    """The state of these receipts; of many, one list is cheaper than asking for each."""
    if len(receipt_ids) > 1:
        return receipt_states(store)
    return {receipt_id: store.receipts.entry(receipt_id).state for receipt_id in receipt_ids}
