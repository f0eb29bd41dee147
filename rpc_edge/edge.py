"""How a server's calls pass through layers: one gRPC interceptor, exact bytes inside.

A layer is an async context manager around one call: what it does before the yield happens before the
handler, what it catches came out of the handler, and what it yields is the request the next layer sees.
Layers see the request as the bytes that arrived (of a stream: an iterator over the bytes of its messages),
because a signature covers bytes and not what a parser made of them. The message is parsed only inside the
innermost layer; what does not parse is refused as Malformed.

Handlers are coroutines or async generators that take (message or async iterator, context); they return or
yield messages and do not use context.read or context.write. A request stream that ends is not thereby
complete: where a client cancels, grpc.aio ends the iterator about as often as it cancels the handler. What
was announced in the first message decides.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import DecodeError

from trust.refusals import Malformed

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
RawRequest: TypeAlias = bytes | AsyncIterator[bytes]

LIBRARY_METHODS = frozenset(
    {
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/List",
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    }
)
"""Health and reflection: open to anyone, and written in gRPC's own style; they pass by the layers."""


@dataclass(slots=True)
class Call:
    """One call on its way.

    Args:
        path: Full method path, such as "/kura.safe.v1.SafeService/Fetch".
        context: gRPC's own view of it.
        received_bytes: Message bytes that came in so far.
        sent_bytes: Message bytes that went out so far.
    """

    path: str
    context: Context
    received_bytes: int = 0
    sent_bytes: int = 0


Layer: TypeAlias = Callable[[Call, RawRequest], AbstractAsyncContextManager[RawRequest]]
_Single: TypeAlias = Callable[[Call, RawRequest], Awaitable[bytes]]
_Stream: TypeAlias = Callable[[Call, RawRequest], AsyncIterator[bytes]]


class Edge(grpc.aio.ServerInterceptor):
    """Puts layers around every method.

    Args:
        layers: The outermost first.
        untouched: Full paths of methods that no layer sees.
    """

    def __init__(self, layers: Sequence[Layer], untouched: Collection[str] = LIBRARY_METHODS) -> None:
        self._layers = tuple(layers)
        self._untouched = frozenset(untouched)
        self._wrapped: dict[str, tuple[Handler, Handler]] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Give gRPC the method's handler with the layers around it; they are put there once a method."""
        path = handler_call_details.method
        handler = await continuation(handler_call_details)
        if handler is None or path in self._untouched:
            return handler
        known = self._wrapped.get(path)
        if known is None or known[0] is not handler:
            known = self._wrapped[path] = (handler, wrap(path, handler, self._layers))
        return known[1]


def wrap(path: str, handler: Handler, layers: Sequence[Layer]) -> Handler:
    """A handler of bytes that calls `handler` inside `layers`, the first of which is the outermost.

    Raises:
        TypeError: The handler streams its answer and is no async generator.
    """
    behaviour, make = _kind(handler)
    if handler.response_streaming:
        if not inspect.isasyncgenfunction(behaviour):
            raise TypeError(f"the handler of {path} must be an async generator")
        return make(_stream_behaviour(path, handler, behaviour, layers))
    return make(_single_behaviour(path, handler, behaviour, layers))


class _MethodsOf:
    """Stands where generated code expects a server, and keeps what it is given."""

    def __init__(self) -> None:
        self.found: dict[str, Handler] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """The same handlers in another form."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """Keep them under their full paths."""
        self.found |= {f"/{service}/{name}": handler for name, handler in handlers.items()}


def methods_inside(
    services: Iterable[Callable[[grpc.aio.Server], None]], layers: Sequence[Layer]
) -> dict[str, Handler]:
    """Every method of some services by its full path, of bytes, inside layers, to be called without a server.

    Args:
        services: The functions that add servicers to a server.
        layers: The outermost first.
    """
    kept = _MethodsOf()
    for add in services:
        add(kept)  # type: ignore[arg-type] # generated code uses no more of a server than this
    return {path: wrap(path, handler, layers) for path, handler in kept.found.items()}


def behaviour_of(handler: Handler) -> Callable[[Any, Any], Any]:
    """What a handler does: a coroutine function, or an async generator function where its answer streams."""
    return _kind(handler)[0]


def _kind(handler: Handler) -> tuple[Callable[..., Any], Callable[..., Handler]]:
    if handler.request_streaming and handler.response_streaming:
        return handler.stream_stream, grpc.stream_stream_rpc_method_handler  # type: ignore[return-value]
    if handler.request_streaming:
        return handler.stream_unary, grpc.stream_unary_rpc_method_handler  # type: ignore[return-value]
    if handler.response_streaming:
        return handler.unary_stream, grpc.unary_stream_rpc_method_handler  # type: ignore[return-value]
    return handler.unary_unary, grpc.unary_unary_rpc_method_handler  # type: ignore[return-value]


def _single_behaviour(
    path: str, handler: Handler, behaviour: Callable[..., Any], layers: Sequence[Layer]
) -> Callable[[Any, Context], Awaitable[bytes]]:
    dump = handler.response_serializer or bytes

    async def innermost(call: Call, request: RawRequest) -> bytes:
        answer = dump(await behaviour(_parsed(handler, request), call.context))
        call.sent_bytes = len(answer)
        return answer

    inner: _Single = innermost
    for layer in reversed(layers):
        inner = _single_inside(layer, inner)

    async def outermost(request: Any, context: Context) -> bytes:
        call = Call(path, context)
        return await inner(call, _counted(call, request))

    return outermost


def _stream_behaviour(
    path: str, handler: Handler, behaviour: Callable[..., Any], layers: Sequence[Layer]
) -> Callable[[Any, Context], AsyncIterator[bytes]]:
    dump = handler.response_serializer or bytes

    async def innermost(call: Call, request: RawRequest) -> AsyncIterator[bytes]:
        async with aclosing(behaviour(_parsed(handler, request), call.context)) as answers:
            async for answer in answers:
                data = dump(answer)
                call.sent_bytes += len(data)
                yield data

    inner: _Stream = innermost
    for layer in reversed(layers):
        inner = _stream_inside(layer, inner)

    async def outermost(request: Any, context: Context) -> AsyncIterator[bytes]:
        call = Call(path, context)
        async with aclosing(inner(call, _counted(call, request))) as answers:  # type: ignore[type-var]
            async for answer in answers:
                yield answer

    return outermost


def _single_inside(layer: Layer, inner: _Single) -> _Single:
    async def call_inside(call: Call, request: RawRequest) -> bytes:
        async with layer(call, request) as passed_on:
            return await inner(call, passed_on)

    return call_inside


def _stream_inside(layer: Layer, inner: _Stream) -> _Stream:
    async def call_inside(call: Call, request: RawRequest) -> AsyncIterator[bytes]:
        async with layer(call, request) as passed_on, aclosing(inner(call, passed_on)) as answers:  # type: ignore[type-var]
            async for answer in answers:
                yield answer

    return call_inside


def _counted(call: Call, request: Any) -> RawRequest:
    if isinstance(request, bytes):
        call.received_bytes = len(request)
        return request
    return _counted_stream(call, request)


async def _counted_stream(call: Call, messages: Any) -> AsyncIterator[bytes]:
    async for message in messages:
        call.received_bytes += len(message)
        yield message


def _parsed(handler: Handler, request: RawRequest) -> Any:
    parse = handler.request_deserializer or bytes
    return _parse(parse, request) if isinstance(request, bytes) else _parsed_stream(parse, request)


async def _parsed_stream(parse: Callable[[bytes], Any], messages: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    async for message in messages:
        yield _parse(parse, message)


def _parse(parse: Callable[[bytes], Any], message: bytes) -> Any:
    try:
        return parse(message)
    except DecodeError:
        raise Malformed("message") from None
