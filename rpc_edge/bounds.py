"""How much a message may hold, judged before it is parsed.

Two bytes make an empty nested message, and forty times as much memory once they are parsed: a request of
16 MiB took a gigabyte, and seconds of the event loop. So its bytes and its fields are counted first, down to
every message in which something can be repeated. Counting stops at the limit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TypeAlias

from google.protobuf.descriptor import Descriptor, ServiceDescriptor

from rpc_edge.edge import Call, Layer, RawRequest
from trust.refusals import CallTooLarge, Malformed

_VARINT_BYTES = 10
_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5


Shape: TypeAlias = "Mapping[int, Shape]"
"""By field number, the nested messages that are worth looking into."""

_FLAT: Shape = {}


def shapes_of(service: ServiceDescriptor) -> dict[str, Shape]:
    """The shape of each method's requests, by the method's full path."""
    return {f"/{service.full_name}/{method.name}": _shape_of(method.input_type) for method in service.methods}


def _shape_of(message: Descriptor) -> Shape:
    inner = {field.number: field.message_type for field in message.fields if field.message_type}
    return {number: _shape_of(type_) for number, type_ in inner.items() if _repeats(type_)}


def _repeats(message: Descriptor) -> bool:
    return any(
        field.is_repeated or (field.message_type and _repeats(field.message_type)) for field in message.fields
    )


def bounded_messages(
    shapes: Mapping[str, Shape], max_bytes: int, max_fields: int, larger: Mapping[str, int] | None = None
) -> Layer:
    """The layer that lets only messages within bounds reach the parser.

    Args:
        shapes: See `shapes_of`; of other methods only the outermost fields count.
        max_bytes: Largest message.
        larger: Methods, by their full path, with another largest message.
        max_fields: Most fields of a message and of the nested ones of its shape, together.

    Raises (to the caller, as statuses):
        CallTooLarge: Field "message" or "fields".
        Malformed: No message at all.
    """
    most_bytes = dict(larger or {})

    def check(message: bytes, shape: Shape, most: int) -> bytes:
        if len(message) > most:
            raise CallTooLarge("message", most)
        if fields_left(message, shape, max_fields) < 0:
            raise CallTooLarge("fields", max_fields)
        return message

    async def checked(messages: AsyncIterator[bytes], shape: Shape, most: int) -> AsyncIterator[bytes]:
        async for message in messages:
            yield check(message, shape, most)

    @asynccontextmanager
    async def layer(call: Call, request: RawRequest) -> AsyncIterator[RawRequest]:
        shape, most = shapes.get(call.path, _FLAT), most_bytes.get(call.path, max_bytes)
        yield check(request, shape, most) if isinstance(request, bytes) else checked(request, shape, most)

    return layer


def fields_left(message: bytes, shape: Shape, allowed: int) -> int:
    """How many of the `allowed` fields a message leaves over; negative when it has more.

    Raises:
        Malformed: It ends within a field's head.
    """
    try:
        return _left(message, 0, len(message), shape, allowed)
    except IndexError:
        raise Malformed("message") from None


def _left(message: bytes, position: int, end: int, shape: Shape, left: int) -> int:
    while position < end and left >= 0:
        left -= 1
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == _LENGTH_DELIMITED:
            length, position = _varint(message, position)
            if (nested := shape.get(tag >> 3)) is not None:
                left = _left(message, position, min(position + length, end), nested, left)
            position += length
        elif kind == _VARINT:
            _, position = _varint(message, position)
        elif kind in (_FIXED32, _FIXED64):
            position += 4 if kind == _FIXED32 else 8
        # What stands between the two ends of a group counts like what stands outside; Kura has no groups.
    return left


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = message[position]
    if value < 128:
        return value, position + 1
    value &= 127
    for number in range(1, _VARINT_BYTES):
        byte = message[position + number]
        value |= (byte & 127) << 7 * number
        if byte < 128:
            return value, position + number + 1
    raise Malformed("message")
