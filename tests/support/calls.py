"""Any method of any service, found by its descriptor and called with bytes: for tests about all of them."""

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

import kura

SECONDS = 20.0
UNKNOWN_FIELD = b"\x98\x06\x01"
"""Field 99, which no message has: other bytes that parse to the same message."""

Metadata = Sequence[tuple[str, str | bytes]]


def every_method() -> dict[str, MethodDescriptor]:
    """Every method of every service of the contract, by its full path."""
    return {f"/{method.containing_service.full_name}/{method.name}": method for method in _methods()}


def _methods() -> Iterator[MethodDescriptor]:
    (folder,) = map(Path, kura.__path__)
    for file in sorted(folder.rglob("*_pb2.py")):
        name = ".".join(file.relative_to(folder.parent).with_suffix("").parts)
        for service in importlib.import_module(name).DESCRIPTOR.services_by_name.values():
            yield from service.methods


def answer_of(method: MethodDescriptor, body: bytes) -> Message:
    """What a method answered, parsed."""
    return GetMessageClass(method.output_type).FromString(body)


async def answers(
    channel: grpc.aio.Channel, path: str, bodies: Sequence[bytes], metadata: Metadata = ()
) -> list[bytes]:
    """Send these messages; give all that is answered.

    Raises:
        grpc.aio.AioRpcError: The call ended with a status.
    """
    method = every_method()[path]
    kind = (
        ("stream" if method.client_streaming else "unary")
        + "_"
        + ("stream" if method.server_streaming else "unary")
    )
    call: Any = getattr(channel, kind)(path)
    sent = iter(bodies) if method.client_streaming else bodies[0]
    running = call(sent, metadata=tuple(metadata), timeout=SECONDS)
    return [answer async for answer in running] if method.server_streaming else [await running]
