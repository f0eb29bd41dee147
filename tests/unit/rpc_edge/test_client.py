"""What a signed caller gets: the answer, the safe's refusal, or the reason why there is none."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

import pytest

from kura.safe.v1 import safe_pb2
from rpc_edge.errors import AnswerMalformed, ConnectionLost, NoAnswer, NothingListens, UnexpectedStatus
from trust.ids import SafeId
from trust.refusals import RequestSignatureInvalid, RequestStale
from trust.request import FRESH_MS
from trust.wallet_refusals import PieceConflict, QuotaExceeded

FETCH = "/kura.safe.v1.SafeService/Fetch"
FETCH_STREAM = "/kura.safe.v1.SafeService/FetchStream"
REGISTER = "/kura.safe.v1.SafeService/RegisterStream"
DESCRIBE = "/kura.safe.v1.SafeService/Describe"
REQUEST = safe_pb2.FetchRequest(certificates=[b"c" * 1000])
LONG = 30.0
SHORT = 0.05
MIB = bytes(1024 * 1024)


def upload(data: bytes) -> safe_pb2.RegisterStreamRequest:
    return safe_pb2.RegisterStreamRequest(chunk=data)


async def uploads(*parts: bytes) -> AsyncIterator[safe_pb2.RegisterStreamRequest]:
    for part in parts:
        yield upload(part)


async def send(edge: Any, rest: Any, seconds: float = LONG) -> safe_pb2.RegisterStreamResponse:
    return await edge.caller().stream_up(
        REGISTER, upload(b"0"), rest, safe_pb2.RegisterStreamResponse, seconds
    )


def receive(edge: Any, seconds: float = LONG) -> Any:
    request = safe_pb2.FetchStreamRequest(certificate=b"c")
    return edge.caller().stream_down(FETCH_STREAM, request, safe_pb2.FetchStreamResponse, seconds)


async def test_a_unary_call_brings_the_answer(edge: Any) -> None:
    async def fetch(request: Any, _context: Any) -> safe_pb2.FetchResponse:
        piece = safe_pb2.StoredPiece(blob=request.certificates[0])
        return safe_pb2.FetchResponse(results=[safe_pb2.FetchResult(piece=piece)])

    edge.safe.fetch = fetch
    answer = await edge.caller().unary(FETCH, REQUEST, safe_pb2.FetchResponse, LONG)
    assert answer.results[0].piece.blob == b"c" * 1000


async def test_an_open_call_carries_no_wallet_key(edge: Any) -> None:
    request = safe_pb2.DescribeRequest()
    answer = await edge.caller().unary(DESCRIBE, request, safe_pb2.DescribeResponse, LONG, signed=False)
    assert answer.name == "safe-1"


async def test_a_refusal_comes_back_as_the_exception_the_handler_raised(edge: Any) -> None:
    async def fetch(_request: Any, _context: Any) -> safe_pb2.FetchResponse:
        raise QuotaExceeded(limit_bytes=10, used_bytes=7, needed_bytes=5)

    edge.safe.fetch = fetch
    with pytest.raises(QuotaExceeded) as caught:
        await edge.caller().unary(FETCH, REQUEST, safe_pb2.FetchResponse, LONG)
    assert (caught.value.limit_bytes, caught.value.used_bytes, caught.value.needed_bytes) == (10, 7, 5)


async def test_a_caller_for_another_safe_is_refused(edge: Any) -> None:
    with pytest.raises(RequestSignatureInvalid):
        await edge.caller(safe_id=SafeId(b"t" * 16)).unary(FETCH, REQUEST, safe_pb2.FetchResponse, LONG)


async def test_a_wrong_clock_is_reported_and_not_adapted(edge: Any) -> None:
    """Asking again with the same clock is refused again."""
    edge.client_now_ms -= 2 * FRESH_MS
    caller = edge.caller()
    for _ in range(2):
        with pytest.raises(RequestStale):
            await caller.unary(FETCH, REQUEST, safe_pb2.FetchResponse, LONG)


async def test_a_safe_that_does_not_answer_is_given_up_after_the_deadline(edge: Any) -> None:
    async def fetch(_request: Any, _context: Any) -> safe_pb2.FetchResponse:
        await asyncio.Event().wait()
        raise AssertionError

    edge.safe.fetch = fetch
    with pytest.raises(NoAnswer, match=r"^no answer within 0\.05 s$"):
        await edge.caller().unary(FETCH, REQUEST, safe_pb2.FetchResponse, SHORT)


async def test_an_answer_of_another_type_is_malformed(edge: Any) -> None:
    """What a lying safe sends is no exception of the parser's."""
    with pytest.raises(AnswerMalformed):
        await edge.caller().unary(DESCRIBE, safe_pb2.DescribeRequest(), safe_pb2.RegisterRequest, LONG)


async def test_a_method_the_safe_does_not_have(edge: Any) -> None:
    with pytest.raises(UnexpectedStatus, match="UNIMPLEMENTED"):
        await edge.caller().unary("/kura.safe.v1.SafeService/None", REQUEST, safe_pb2.FetchResponse, LONG)


async def test_cancelling_the_caller_cancels_the_call_at_the_safe(edge: Any) -> None:
    running, cancelled = asyncio.Event(), asyncio.Event()

    async def fetch(_request: Any, _context: Any) -> safe_pb2.FetchResponse:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    edge.safe.fetch = fetch
    task = asyncio.create_task(edge.caller().unary(FETCH, REQUEST, safe_pb2.FetchResponse, LONG))
    await running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await cancelled.wait()


async def test_a_stream_up_arrives_whole(edge: Any) -> None:
    got: list[int] = []

    async def register(messages: Any) -> safe_pb2.RegisterStreamResponse:
        got.extend([len(message.chunk) async for message in messages])
        return safe_pb2.RegisterStreamResponse(signature=b"done")

    edge.safe.register_stream = register
    answer = await send(edge, uploads(*[MIB] * 8))
    assert answer.signature == b"done"
    assert got == [1] + [len(MIB)] * 8


async def test_a_stream_up_that_is_refused_in_the_middle_says_why(edge: Any) -> None:
    """The refusal counts, not that sending failed; the rest is not read from its source."""
    taken = 0

    async def many() -> AsyncIterator[safe_pb2.RegisterStreamRequest]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield upload(MIB)

    async def register(messages: Any) -> safe_pb2.RegisterStreamResponse:
        await anext(messages)
        await anext(messages)
        raise PieceConflict

    edge.safe.register_stream = register
    with pytest.raises(PieceConflict):
        await send(edge, many())
    assert taken < 1000


async def test_a_stream_up_ends_when_the_safe_stops_reading(edge: Any) -> None:
    """Flow control holds the sender up; the progress deadline notices."""

    async def register(messages: Any) -> safe_pb2.RegisterStreamResponse:
        await anext(messages)
        await asyncio.Event().wait()
        raise AssertionError

    edge.safe.register_stream = register
    with pytest.raises(NoAnswer):
        await send(edge, uploads(*[MIB] * 100), SHORT * 10)


async def test_a_slow_source_does_not_count_against_the_safe(edge: Any) -> None:
    """The source waits two deadlines between two messages; only sending is measured."""

    async def slow() -> AsyncIterator[safe_pb2.RegisterStreamRequest]:
        yield upload(b"1")
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * SHORT * 10):
                await asyncio.Event().wait()
        yield upload(b"2")

    async def register(messages: Any) -> safe_pb2.RegisterStreamResponse:
        return safe_pb2.RegisterStreamResponse(signature=b"".join([part.chunk async for part in messages]))

    edge.safe.register_stream = register
    assert (await send(edge, slow(), SHORT * 10)).signature == b"012"


async def test_an_error_of_the_source_cancels_the_call_and_comes_out(edge: Any) -> None:
    running, cancelled = asyncio.Event(), asyncio.Event()

    async def broken() -> AsyncIterator[safe_pb2.RegisterStreamRequest]:
        yield upload(b"1")
        await running.wait()
        raise TimeoutError("the source's own")

    async def register(messages: Any) -> safe_pb2.RegisterStreamResponse:
        running.set()
        try:
            async for _ in messages:
                continue
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    edge.safe.register_stream = register
    with pytest.raises(TimeoutError, match="the source's own"):
        await send(edge, broken())
    await cancelled.wait()


async def test_a_stream_down_arrives_whole(edge: Any) -> None:
    async def fetch(_request: Any) -> AsyncIterator[safe_pb2.FetchStreamResponse]:
        for _ in range(8):
            yield safe_pb2.FetchStreamResponse(chunk=MIB)

    edge.safe.fetch_stream = fetch
    assert [len(message.chunk) async for message in receive(edge)] == [len(MIB)] * 8


async def test_a_stream_down_that_breaks_off_says_why_after_what_came(edge: Any) -> None:
    async def fetch(_request: Any) -> AsyncIterator[safe_pb2.FetchStreamResponse]:
        yield safe_pb2.FetchStreamResponse(chunk=b"1")
        raise PieceConflict

    edge.safe.fetch_stream = fetch
    stream = receive(edge)
    assert (await anext(stream)).chunk == b"1"
    with pytest.raises(PieceConflict):
        await anext(stream)


async def test_a_stream_down_that_stalls_is_given_up(edge: Any) -> None:
    async def fetch(_request: Any) -> AsyncIterator[safe_pb2.FetchStreamResponse]:
        yield safe_pb2.FetchStreamResponse(chunk=b"1")
        await asyncio.Event().wait()

    edge.safe.fetch_stream = fetch
    stream = receive(edge, SHORT * 10)
    assert (await anext(stream)).chunk == b"1"
    with pytest.raises(NoAnswer):
        await anext(stream)


async def test_leaving_a_stream_down_cancels_it_at_the_safe(edge: Any) -> None:
    closed = asyncio.Event()

    async def fetch(_request: Any) -> AsyncIterator[safe_pb2.FetchStreamResponse]:
        try:
            while True:
                yield safe_pb2.FetchStreamResponse(chunk=MIB)
        finally:
            closed.set()

    edge.safe.fetch_stream = fetch
    async with aclosing(receive(edge)) as stream:
        await anext(stream)
    await closed.wait()


async def test_nothing_listens_where_the_server_has_gone(edge: Any) -> None:
    caller = edge.caller()
    await caller.unary(FETCH, REQUEST, safe_pb2.FetchResponse, LONG)
    await edge.runner.stop(0)
    with socket.create_server(("127.0.0.1", 0)) as other:
        edge.port = other.getsockname()[1]
    with pytest.raises(NothingListens):
        await edge.caller().unary(FETCH, REQUEST, safe_pb2.FetchResponse, LONG)


async def test_a_connection_that_ends_in_the_middle_is_lost(edge: Any) -> None:
    """A relay that drops the connection while the safe is still working."""
    running = asyncio.Event()

    async def fetch(_request: Any, _context: Any) -> safe_pb2.FetchResponse:
        running.set()
        await asyncio.Event().wait()
        raise AssertionError

    edge.safe.fetch = fetch
    async with Relay(edge.port) as relay:
        edge.port = relay.port
        task = asyncio.create_task(edge.caller().unary(FETCH, REQUEST, safe_pb2.FetchResponse, LONG))
        await running.wait()
        relay.drop()
        with pytest.raises(ConnectionLost):
            await task


class Relay:
    """Carries bytes to a port of 127.0.0.1 until told to drop them."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Relay":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.drop()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def drop(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers += [writer, far_writer]
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            self._tasks.add(asyncio.create_task(self._carry(source, sink)))

    @staticmethod
    async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            sink.write(data)
