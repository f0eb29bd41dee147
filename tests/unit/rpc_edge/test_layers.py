"""What leaves a server when handlers raise, and what its log holds."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from kura.safe.v1 import safe_pb2
from rpc_edge.edge import wrap
from rpc_edge.error_table import SAFE_ERRORS
from rpc_edge.errors import UnexpectedStatus
from rpc_edge.layers import Draining, call_log, refusals_as_statuses, tls13_only
from trust.refusals import InternalError, Refusal, ShuttingDown, TlsTooOld
from trust.wallet_refusals import NotYourItem

FETCH = "/kura.safe.v1.SafeService/Fetch"
FETCH_STREAM = "/kura.safe.v1.SafeService/FetchStream"
REQUEST = safe_pb2.FetchRequest(certificates=[b"private-content"])
STREAM_REQUEST = safe_pb2.FetchStreamRequest(certificate=b"private-content")
LONG = 30.0


class OwnRefusal(Refusal):
    """A refusal that stands in no table."""


async def fetch(edge: Any) -> safe_pb2.FetchResponse:
    return await edge.caller().unary(FETCH, REQUEST, safe_pb2.FetchResponse, LONG)


def failing(error: Exception) -> Any:
    async def handler(_request: Any, _context: Any) -> safe_pb2.FetchResponse:
        raise error

    return handler


def rpc_lines(edge: Any) -> list[dict[str, Any]]:
    return [entry for entry in edge.logged.entries if entry["event"] == "rpc"]


@pytest.mark.parametrize(
    "error", [ValueError("private-content"), OSError(28, "private-content"), OwnRefusal()], ids=type
)
async def test_a_defect_leaves_only_an_incident_id(edge: Any, error: Exception) -> None:
    """The id is in the log with the traceback; no word of the error goes out."""
    edge.safe.fetch = failing(error)
    with pytest.raises(InternalError) as caught:
        await fetch(edge)
    (entry,) = [entry for entry in edge.logged.entries if entry["event"] == "rpc.incident"]
    assert entry["incident"] == caught.value.incident
    assert entry["exc_info"] is error
    assert entry["method"] == FETCH
    assert len(caught.value.incident) == 16
    assert rpc_lines(edge)[0]["outcome"] == "INTERNAL"


async def test_an_abort_of_grpcs_own_passes(edge: Any) -> None:
    """AbortError is an Exception; it must not become an incident."""

    async def handler(_request: Any, context: Any) -> safe_pb2.FetchResponse:
        await context.abort(grpc.StatusCode.OUT_OF_RANGE, "text")
        raise AssertionError

    edge.safe.fetch = handler
    with pytest.raises(UnexpectedStatus, match="OUT_OF_RANGE"):
        await fetch(edge)
    async with asyncio.timeout(10):
        while not rpc_lines(edge):  # noqa: ASYNC110 - the abort goes out before the end of the call is logged
            await asyncio.sleep(0)
    assert [entry["event"] for entry in edge.logged.entries if entry["event"] == "rpc.incident"] == []
    assert rpc_lines(edge)[0]["outcome"] == "ABORTED"


async def test_a_refusal_in_the_middle_of_a_stream_goes_out_as_it_is(edge: Any) -> None:
    async def handler(_request: Any) -> AsyncIterator[safe_pb2.FetchStreamResponse]:
        yield safe_pb2.FetchStreamResponse(chunk=b"1")
        raise NotYourItem

    edge.safe.fetch_stream = handler
    stream = edge.caller().stream_down(FETCH_STREAM, STREAM_REQUEST, safe_pb2.FetchStreamResponse, LONG)
    assert (await anext(stream)).chunk == b"1"
    with pytest.raises(NotYourItem):
        await anext(stream)


async def test_each_call_is_one_line_with_sizes_and_without_content(edge: Any) -> None:
    """Method, outcome, time, bytes; no body, no key, no certificate."""
    await fetch(edge)
    edge.safe.fetch = failing(NotYourItem())
    with pytest.raises(NotYourItem):
        await fetch(edge)
    good, bad = rpc_lines(edge)
    assert set(good) == {"event", "log_level", "method", "outcome", "ms", "received_bytes", "sent_bytes"}
    assert (good["method"], good["outcome"], good["sent_bytes"]) == (FETCH, "OK", 0)
    assert good["received_bytes"] == REQUEST.ByteSize()
    assert bad["outcome"] == "NOT_YOUR_ITEM"
    text = repr(edge.logged.entries)
    assert "private-content" not in text
    assert edge.key.public.hex() not in text


async def test_a_stream_is_one_line_with_all_its_bytes(edge: Any) -> None:
    part = safe_pb2.FetchStreamResponse(chunk=bytes(1000))

    async def handler(_request: Any) -> AsyncIterator[safe_pb2.FetchStreamResponse]:
        yield part
        yield part

    edge.safe.fetch_stream = handler
    stream = edge.caller().stream_down(FETCH_STREAM, STREAM_REQUEST, safe_pb2.FetchStreamResponse, LONG)
    assert len([message async for message in stream]) == 2
    (line,) = rpc_lines(edge)
    assert (line["received_bytes"], line["sent_bytes"]) == (STREAM_REQUEST.ByteSize(), 2 * part.ByteSize())


async def test_a_cancelled_call_is_logged_as_such_and_is_no_incident(edge: Any) -> None:
    running = asyncio.Event()

    async def handler(_request: Any, _context: Any) -> safe_pb2.FetchResponse:
        running.set()
        await asyncio.Event().wait()
        raise AssertionError

    edge.safe.fetch = handler
    task = asyncio.create_task(fetch(edge))
    await running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await edge.runner.stop(LONG)
    assert [line["outcome"] for line in rpc_lines(edge)] == ["CANCELLED"]
    assert not [entry for entry in edge.logged.entries if entry["event"] == "rpc.incident"]


class FakeContext:
    """As much of a context as the layers look at."""

    def __init__(self, version: bytes | None) -> None:
        self._version = version
        self.status: Any = None

    def auth_context(self) -> dict[str, list[bytes]]:
        return {} if self._version is None else {"ssl_tls_version": [self._version]}

    async def abort_with_status(self, status: Any) -> None:
        self.status = status
        raise grpc.aio.AbortError


async def echo(request: bytes, _context: Any) -> bytes:
    return request


@pytest.mark.parametrize("version", [b"TLSv1.2", b"", None])
async def test_a_call_over_less_than_tls_13_is_refused(version: bytes | None) -> None:
    """Should the library ever negotiate it after all."""
    handler = wrap("/kura.T/M", grpc.unary_unary_rpc_method_handler(echo), [tls13_only])
    behaviour: Any = handler.unary_unary
    with pytest.raises(TlsTooOld):
        await behaviour(b"x", FakeContext(version))
    assert await behaviour(b"x", FakeContext(b"TLSv1.3")) == b"x"


async def test_a_refusal_of_an_outer_layer_becomes_a_status(edge: Any) -> None:
    layers = [refusals_as_statuses(SAFE_ERRORS, edge.log), call_log(SAFE_ERRORS, edge.log), tls13_only]
    behaviour: Any = wrap("/kura.T/M", grpc.unary_unary_rpc_method_handler(echo), layers).unary_unary
    context = FakeContext(b"TLSv1.2")
    with pytest.raises(grpc.aio.AbortError):
        await behaviour(b"x", context)
    assert context.status.code is grpc.StatusCode.UNAUTHENTICATED


async def test_draining_waits_for_running_calls_and_refuses_new_ones() -> None:
    draining, go = Draining(), asyncio.Event()

    async def waiting(request: bytes, _context: Any) -> bytes:
        await go.wait()
        return request

    behaviour: Any = wrap(
        "/kura.T/M", grpc.unary_unary_rpc_method_handler(waiting), [draining.layer]
    ).unary_unary
    running = asyncio.create_task(behaviour(b"x", None))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(draining.drain(LONG))
    await asyncio.sleep(0)
    with pytest.raises(ShuttingDown):
        await behaviour(b"y", None)
    go.set()
    assert await running == b"x"
    assert await stopping


@pytest.mark.parametrize("shortly", ["because the grace is over", "because somebody is in a hurry"])
async def test_draining_gives_up(shortly: str) -> None:
    draining = Draining()

    async def waiting(_request: bytes, _context: Any) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    behaviour: Any = wrap(
        "/kura.T/M", grpc.unary_unary_rpc_method_handler(waiting), [draining.layer]
    ).unary_unary
    running = asyncio.create_task(behaviour(b"x", None))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(draining.drain(0 if "grace" in shortly else LONG))
    await asyncio.sleep(0)
    draining.cut_short()
    assert not await stopping
    running.cancel()


async def test_both_ways_streaming_passes_the_layers_too() -> None:
    async def upper(requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
        async for request in requests:
            yield request.upper()

    async def letters() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    handler = wrap("/kura.T/M", grpc.stream_stream_rpc_method_handler(upper), [tls13_only])
    behaviour: Any = handler.stream_stream
    assert [answer async for answer in behaviour(letters(), FakeContext(b"TLSv1.3"))] == [b"A", b"B"]


def test_a_streaming_handler_that_is_no_generator_is_a_programmers_error() -> None:
    """Rather at once than as a broken stream."""
    with pytest.raises(TypeError, match="async generator"):
        wrap("/kura.T/M", grpc.unary_stream_rpc_method_handler(echo), [])
