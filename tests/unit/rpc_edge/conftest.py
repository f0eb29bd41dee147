"""A real server on port 0 with a scripted SafeService, and callers to it."""

import rpc_edge  # noqa: F401 - before grpc

# isort: split

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import grpc
import pytest
from structlog.testing import LogCapture

from kura.safe.v1 import safe_pb2, safe_pb2_grpc
from rpc_edge.authentication import authenticated_wallet, signed_requests
from rpc_edge.client import SignedCaller
from rpc_edge.freshness import FreshnessJudge
from rpc_edge.server import Listening, ServerRunner
from rpc_edge.tls import pinned_channel, server_credentials
from support.logged import log_into
from support.tls_identities import Identity, identity
from threshold.randomness import SeededRandomness
from trust.documents import SigningKey
from trust.ids import SafeId, WalletKey

SERVICE = "kura.safe.v1.SafeService"
NOW_MS = 1_800_000_000_000


class ScriptedSafe(safe_pb2_grpc.SafeServiceServicer):
    """Does what each test tells it; remembers who asked."""

    def __init__(self) -> None:
        self.wallets: list[WalletKey] = []
        self.fetch: Callable[[Any, Any], Awaitable[safe_pb2.FetchResponse]] | None = None
        self.fetch_stream: Callable[[Any], AsyncIterator[safe_pb2.FetchStreamResponse]] | None = None
        self.carry: Callable[[Any], AsyncIterator[safe_pb2.CarryResponse]] | None = None
        self.register_stream: Callable[[Any], Awaitable[safe_pb2.RegisterStreamResponse]] | None = None

    async def Describe(self, request: Any, context: Any) -> safe_pb2.DescribeResponse:
        return safe_pb2.DescribeResponse(safe_id=b"\xff" * 16, name="safe-1")

    async def Fetch(self, request: Any, context: Any) -> safe_pb2.FetchResponse:
        self.wallets.append(authenticated_wallet())
        return safe_pb2.FetchResponse() if self.fetch is None else await self.fetch(request, context)

    async def Register(self, request: Any, context: Any) -> safe_pb2.RegisterResponse:
        return safe_pb2.RegisterResponse()

    async def Delete(self, request: Any, context: Any) -> safe_pb2.DeleteResponse:
        return safe_pb2.DeleteResponse()

    async def Certify(self, request: Any, context: Any) -> safe_pb2.CertifyResponse:
        return safe_pb2.CertifyResponse()

    async def Repair(self, request: Any, context: Any) -> safe_pb2.RepairResponse:
        return safe_pb2.RepairResponse()

    async def RegisterStream(self, request_iterator: Any, context: Any) -> safe_pb2.RegisterStreamResponse:
        self.wallets.append(authenticated_wallet())
        assert self.register_stream is not None
        return await self.register_stream(request_iterator)

    async def FetchStream(self, request: Any, context: Any) -> AsyncIterator[safe_pb2.FetchStreamResponse]:
        self.wallets.append(authenticated_wallet())
        assert self.fetch_stream is not None
        async for message in self.fetch_stream(request):
            yield message

    async def Gather(self, request: Any, context: Any) -> AsyncIterator[safe_pb2.GatherResponse]:
        raise NotImplementedError
        yield safe_pb2.GatherResponse()

    async def Carry(self, request_iterator: Any, context: Any) -> AsyncIterator[safe_pb2.CarryResponse]:
        async for answer in (self.carry or _sent_back)(request_iterator):
            yield answer


async def _sent_back(requests: Any) -> AsyncIterator[safe_pb2.CarryResponse]:
    async for request in requests:
        yield safe_pb2.CarryResponse(frame=request.frame)


class Edge:
    """One running server, its clock, its log, and the means to call it."""

    def __init__(self, who: Identity) -> None:
        self.safe = ScriptedSafe()
        self.safe_id = SafeId(b"s" * 16)
        self.key = SigningKey(b"w" * 32)
        self.now_ms = NOW_MS
        self.client_now_ms = NOW_MS
        self.who = who
        self.port = 0
        self.rng = SeededRandomness(bytes(32), b"nonces")
        self.logged = LogCapture()
        self.log = log_into(self.logged)
        self.runner = self._runner()
        self.clean_up = AsyncExitStack()

    def _runner(self) -> ServerRunner:
        authentication = signed_requests(
            self.safe_id,
            FreshnessJudge(NOW_MS - 60_000),
            lambda: self.now_ms,
            {f"/{SERVICE}/Describe", f"/{SERVICE}/Carry"},
        )
        return ServerRunner(
            {SERVICE: partial(safe_pb2_grpc.add_SafeServiceServicer_to_server, self.safe)},
            Listening("127.0.0.1:0", server_credentials(self.who.private_key, self.who.certificate)),
            layers=[authentication],
            log=self.log,
        )

    async def start(self) -> None:
        self.port = await self.runner.start()
        self.clean_up.push_async_callback(self.runner.stop, 0)

    def channel(self) -> grpc.aio.Channel:
        channel = pinned_channel(f"127.0.0.1:{self.port}", self.who.der, "safe-1")
        self.clean_up.push_async_callback(channel.close)
        return channel

    def caller(self, *, safe_id: SafeId | None = None, key: SigningKey | None = None) -> SignedCaller:
        return SignedCaller(
            self.channel(),
            safe_id or self.safe_id,
            key or self.key,
            lambda: self.client_now_ms,
            self.rng,
            certificate_der=self.who.der,
        )


@pytest.fixture(scope="session")
def who() -> Identity:
    return identity()


@pytest.fixture
async def edge(who: Identity) -> AsyncIterator[Edge]:
    one = Edge(who)
    async with one.clean_up:
        await one.start()
        yield one
