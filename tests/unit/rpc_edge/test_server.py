"""Servers: health, reflection, Unix sockets, taken ports, and a graceful end."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from kura.safe.v1 import safe_pb2, safe_pb2_grpc
from rpc_edge.errors import CallFailed, UnexpectedStatus
from rpc_edge.server import AddressUnavailable, Listening, ServerRunner, run_server
from rpc_edge.tls import server_credentials
from trust.refusals import ShuttingDown

SERVICE = "kura.safe.v1.SafeService"
FETCH = f"/{SERVICE}/Fetch"
REQUEST = safe_pb2.FetchRequest(certificates=[b"c"])
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
LONG = 30.0


async def fetch(edge: Any) -> safe_pb2.FetchResponse:
    return await edge.caller().unary(FETCH, REQUEST, safe_pb2.FetchResponse, LONG)


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_health_says_serving(edge: Any, service: str) -> None:
    stub: Any = health_pb2_grpc.HealthStub(edge.channel())
    assert (await stub.Check(health_pb2.HealthCheckRequest(service=service))).status == SERVING


async def test_reflection_lists_the_services(edge: Any) -> None:
    """So that grpcurl needs no proto files."""
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(edge.channel())
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = [item async for item in stub.ServerReflectionInfo(iter([request]))]
    names = {service.name for service in answer.list_services_response.service}
    assert names == {SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


async def test_a_stopping_server_finishes_running_calls_and_refuses_new_ones(edge: Any) -> None:
    """Health watchers hear of it first."""
    running, go = asyncio.Event(), asyncio.Event()

    async def handler(_request: Any, _context: Any) -> safe_pb2.FetchResponse:
        running.set()
        await go.wait()
        return safe_pb2.FetchResponse(results=[safe_pb2.FetchResult()])

    edge.safe.fetch = handler
    call = asyncio.create_task(fetch(edge))
    await running.wait()
    stub: Any = health_pb2_grpc.HealthStub(edge.channel())
    watch = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
    assert (await watch.read()).status == SERVING
    stopping = asyncio.create_task(edge.runner.stop(LONG))
    assert (await watch.read()).status == NOT_SERVING
    with pytest.raises(ShuttingDown):
        await fetch(edge)
    go.set()
    assert len((await call).results) == 1
    watch.cancel()
    await stopping
    assert edge.logged.entries[-1] == {
        "event": "server.stopped",
        "log_level": "info",
        "calls_finished": True,
    }


async def test_a_call_that_outlives_the_grace_is_cancelled(edge: Any) -> None:
    running, cancelled = asyncio.Event(), asyncio.Event()

    async def handler(_request: Any, _context: Any) -> safe_pb2.FetchResponse:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    edge.safe.fetch = handler
    call = asyncio.create_task(fetch(edge))
    await running.wait()
    await edge.runner.stop(0)
    await cancelled.wait()
    with pytest.raises(CallFailed):
        await call


async def test_stopping_twice_and_before_the_start_does_nothing(edge: Any) -> None:
    await edge.runner.stop(0)
    await edge.runner.stop(0)
    await ServerRunner({}, Listening("unix:/nowhere", None), log=edge.log).stop()


async def test_a_taken_port_is_an_error_that_names_it(edge: Any) -> None:
    """Two servers never share a port silently."""
    credentials = server_credentials(edge.who.private_key, edge.who.certificate)
    second = ServerRunner({}, Listening(f"127.0.0.1:{edge.port}", credentials), log=edge.log)
    with pytest.raises(AddressUnavailable, match=str(edge.port)):
        await second.start()


def test_tcp_without_tls_is_refused() -> None:
    with pytest.raises(ValueError, match="Unix socket"):
        Listening("127.0.0.1:0", None)


async def test_a_unix_socket_needs_no_tls(edge: Any, tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/kura.sock"
    add = partial(safe_pb2_grpc.add_SafeServiceServicer_to_server, edge.safe)
    runner = ServerRunner({SERVICE: add}, Listening(address, None), log=edge.log)
    await runner.start()
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = safe_pb2_grpc.SafeServiceStub(channel)
        assert (await stub.Describe(safe_pb2.DescribeRequest())).name == "safe-1"
    await runner.stop(0)


async def test_a_message_over_the_limit_is_refused_by_grpc_itself(edge: Any) -> None:
    request = safe_pb2.FetchRequest(certificates=[bytes(17 * 1024 * 1024)])
    with pytest.raises(UnexpectedStatus, match="RESOURCE_EXHAUSTED"):
        await edge.caller().unary(FETCH, request, safe_pb2.FetchResponse, LONG)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_signal_ends_a_server_gracefully(edge: Any, tmp_path: Path, number: signal.Signals) -> None:
    told: list[int] = []

    def ready(port: int) -> None:
        told.append(port)
        os.kill(os.getpid(), number)

    await run_server(ServerRunner({}, Listening(f"unix:{tmp_path}/s", None), log=edge.log), ready)
    assert len(told) == 1
    assert edge.logged.entries[-1]["event"] == "server.stopped"


async def test_a_second_signal_cuts_the_grace_short(edge: Any, tmp_path: Path) -> None:
    """A call would run for ever; the grace is longer than the test may take."""
    running, address = asyncio.Event(), f"unix:{tmp_path}/s"

    async def handler(_request: Any, _context: Any) -> safe_pb2.FetchResponse:
        running.set()
        await asyncio.Event().wait()
        raise AssertionError

    servicer: Any = type("Servicer", (safe_pb2_grpc.SafeServiceServicer,), {"Fetch": staticmethod(handler)})()
    add: Callable[[grpc.aio.Server], None] = partial(
        safe_pb2_grpc.add_SafeServiceServicer_to_server, servicer
    )
    runner = ServerRunner({SERVICE: add}, Listening(address, None, grace_seconds=3600), log=edge.log)
    ready = asyncio.Event()
    serving = asyncio.create_task(run_server(runner, lambda _port: ready.set()))
    await ready.wait()
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = safe_pb2_grpc.SafeServiceStub(channel)
        health: Any = health_pb2_grpc.HealthStub(channel)
        watch = health.Watch(health_pb2.HealthCheckRequest())
        await watch.read()
        call = stub.Fetch(REQUEST)
        await running.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        assert (await watch.read()).status == NOT_SERVING
        os.kill(os.getpid(), signal.SIGTERM)
        await serving
        with pytest.raises(grpc.aio.AioRpcError):
            await call
    (stopped,) = [entry for entry in edge.logged.entries if entry["event"] == "server.stopped"]
    assert stopped["calls_finished"] is False


@pytest.mark.parametrize(
    ("imports", "works"),
    [
        ("rpc_edge, grpc", True),
        ("rpc_edge.server, grpc", True),
        ("grpc, rpc_edge", False),
        ("kura.safe.v1.safe_pb2, rpc_edge", True),
    ],
)
def test_grpc_before_rpc_edge_is_an_error_and_not_tls_12(imports: str, works: bool) -> None:
    """The environment must be set before gRPC reads it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRPC_")}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    result = subprocess.run(
        [sys.executable, "-c", f"import {imports}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode == 0) is works
    assert works or "rpc_edge must be imported before grpc" in result.stderr
