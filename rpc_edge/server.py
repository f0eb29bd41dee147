"""Running a server from its start to its graceful end.

Every server has the same outer layers (rpc_edge.layers), the standard health service and reflection. It
ends in this order: health says NOT_SERVING and new calls are refused with ShuttingDown; running calls get a
grace; what still runs then is cancelled; `stop` returns, and whoever owns stores and keys closes them.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from rpc_edge.edge import Edge, Layer
from rpc_edge.error_table import SAFE_ERRORS, ErrorTable
from rpc_edge.layers import Draining, call_log, refusals_as_statuses, tls13_only
from rpc_edge.logs import FilteringBoundLogger
from rpc_edge.tls import COMMON_OPTIONS, KEEPALIVE_MS, MAX_MESSAGE_BYTES, Options

UNIX_PREFIX: Final = "unix:"
_FLUSH_SECONDS = 1.0


@dataclass(eq=False)
class AddressUnavailable(Exception):
    """The server cannot listen there: taken by another process, not ours to use, or no address."""

    address: str

    def __str__(self) -> str:
        """Name the address."""
        return f"Cannot listen at {self.address}: another process does, or the address is not this machine's."


@dataclass(frozen=True, slots=True)
class Listening:
    """Where and how a server listens.

    Args:
        address: "host:port", port 0 for any free one, or "unix:/path" in a folder that only its owner reads.
        credentials: TLS credentials; None only for a Unix socket, or where all that comes is sealed already.
        max_message_bytes: Largest request message; larger ones end with a bare RESOURCE_EXHAUSTED.
        max_calls: Most calls handled at once; more end with a bare RESOURCE_EXHAUSTED.
        calls_per_connection: Most of them over one connection; more are refused as UNAVAILABLE or wait.
        grace_seconds: How long running calls may go on once the server stops.
        envelopes_only: Nothing is served that is not sealed from end to end (trust.envelope).
    """

    address: str
    credentials: grpc.ServerCredentials | None
    max_message_bytes: int = MAX_MESSAGE_BYTES
    max_calls: int = 1000
    calls_per_connection: int = 256
    grace_seconds: float = 10.0
    envelopes_only: bool = False

    def __post_init__(self) -> None:
        """Refuse an open TCP port.

        Raises:
            ValueError: No credentials, no Unix socket, and more than envelopes.
        """
        bare = self.credentials is None and not self.address.startswith(UNIX_PREFIX)
        if bare and not self.envelopes_only:
            raise ValueError("only a Unix socket may go without TLS")


class ServerRunner:
    """One server, made and started once.

    Args:
        services: Full service name to the function that adds its servicer, such as
            {"kura.safe.v1.SafeService": partial(add_SafeServiceServicer_to_server, servicer)}.
        listening: Where and how.
        log: A structlog logger.
        layers: The service's own layers, outermost first, inside those every server has.
        errors: The table of refusals.
        closing: Closes what the services hold, once no call runs any more.
    """

    def __init__(
        self,
        services: Mapping[str, Callable[[grpc.aio.Server], None]],
        listening: Listening,
        *,
        log: FilteringBoundLogger,
        layers: Sequence[Layer] = (),
        errors: ErrorTable = SAFE_ERRORS,
        closing: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._closing = closing
        self._services = dict(services)
        self._listening = listening
        self._layers = tuple(layers)
        self._errors = errors
        self._log = log
        self._draining = Draining()
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None

    async def start(self) -> int:
        """Listen and serve; returns the bound port (for a Unix socket: a number without meaning).

        Raises:
            AddressUnavailable: The address cannot be had.
        """
        server = self._build()
        port = self._bind(server)
        await server.start()
        self._server = server
        for name in self._services:
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        self._log.info("server.started", address=self._listening.address, port=port)
        return port

    async def stop(self, grace_seconds: float | None = None) -> None:
        """Stop as told above; a second call, or one before `start`, does nothing.

        Args:
            grace_seconds: Overrides the grace of `listening`.
        """
        server, self._server = self._server, None
        if server is None:
            return
        grace = self._listening.grace_seconds if grace_seconds is None else grace_seconds
        await self._health.enter_graceful_shutdown()
        finished = await self._draining.drain(grace)
        # The last answers may still be on their way out; health watchers would stay for ever.
        await server.stop(_FLUSH_SECONDS if finished else None)
        # What was cancelled gets as long to leave its own blocks, so that nobody closes a store under it.
        await self._draining.drain(_FLUSH_SECONDS)
        if self._closing is not None:
            await self._closing()
        self._log.info("server.stopped", calls_finished=finished)

    def hurry(self) -> None:
        """Let a `stop` that waits for running calls wait no longer."""
        self._draining.cut_short()

    def _build(self) -> grpc.aio.Server:
        server = grpc.aio.server(
            interceptors=[Edge(self._all_layers())],
            options=_server_options(self._listening.max_message_bytes, self._listening.calls_per_connection),
            maximum_concurrent_rpcs=self._listening.max_calls,
        )
        for add in self._services.values():
            add(server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection(
            (*self._services, health.SERVICE_NAME, reflection.SERVICE_NAME), server
        )
        return server

    def _all_layers(self) -> tuple[Layer, ...]:
        tls = (tls13_only,) if self._listening.credentials is not None else ()
        return (
            refusals_as_statuses(self._errors, self._log),
            call_log(self._errors, self._log),
            *tls,
            self._draining.layer,
            *self._layers,
        )

    def _bind(self, server: grpc.aio.Server) -> int:
        address, credentials = self._listening.address, self._listening.credentials
        try:
            if credentials is None:
                return server.add_insecure_port(address)
            return server.add_secure_port(address, credentials)
        except RuntimeError:
            raise AddressUnavailable(address) from None


def _server_options(max_message_bytes: int, calls_per_connection: int) -> Options:
    return (
        *COMMON_OPTIONS,
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", -1),
        # Without this a second server would quietly share the port of the first.
        ("grpc.so_reuseport", 0),
        ("grpc.max_concurrent_streams", calls_per_connection),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", KEEPALIVE_MS // 2),
        # Finds out about clients that vanished without a word.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
    )


async def run_server(runner: ServerRunner, on_ready: Callable[[int], None]) -> None:
    """Start, serve until SIGTERM or SIGINT, stop gracefully. A second signal cuts the grace short.

    Args:
        runner: The server.
        on_ready: Told the bound port once calls are served.

    Raises:
        AddressUnavailable: The address cannot be had.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: runner.hurry() if stop.is_set() else stop.set())
    try:
        on_ready(await runner.start())
        await stop.wait()
    finally:
        await runner.stop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
