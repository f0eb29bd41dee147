"""SafeService: each call to its handler."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial

import grpc

from kura.safe.v1 import safe_pb2 as pb
from kura.safe.v1 import safe_pb2_grpc
from rpc_edge.bounds import shapes_of
from rpc_edge.carrying import Carriages
from rpc_edge.edge import Context
from safe_node.handlers.certify import certify
from safe_node.handlers.delete import delete
from safe_node.handlers.describe import describe
from safe_node.handlers.fetch import fetch
from safe_node.handlers.fetch_stream import fetch_stream
from safe_node.handlers.gather import Gatherings, gather
from safe_node.handlers.register import register
from safe_node.handlers.register_stream import register_stream
from safe_node.handlers.repair import repair
from safe_node.handlers.rights import caller
from safe_node.handlers.safe import Safe
from trust.refusals import EnvelopeRefused

SERVICE = "kura.safe.v1.SafeService"
SHAPES = shapes_of(pb.DESCRIPTOR.services_by_name["SafeService"])
"""Where its requests can repeat something."""


class SafeServicer(safe_pb2_grpc.SafeServiceServicer):
    """The safe's public face; rights and effects are told in safe.proto."""

    def __init__(
        self, safe: Safe, carriages: Carriages | None = None, gatherings: Gatherings | None = None
    ) -> None:
        """Serve this safe; without carriages nothing comes in envelopes, as inside of one."""
        self._safe = safe
        self._carriages = carriages
        self._gatherings = gatherings or Gatherings(safe)

    async def Describe(self, request: pb.DescribeRequest, context: Context) -> pb.DescribeResponse:
        """Open to all."""
        return describe(self._safe)

    async def Register(self, request: pb.RegisterRequest, context: Context) -> pb.RegisterResponse:
        """Signed by the wallet of the manifests."""
        return await register(self._safe, caller().key, request)

    async def RegisterStream(
        self, request_iterator: AsyncIterator[pb.RegisterStreamRequest], context: Context
    ) -> pb.RegisterStreamResponse:
        """The opening is signed by the wallet of the manifest."""
        return await register_stream(self._safe, caller().key, request_iterator)

    async def Fetch(self, request: pb.FetchRequest, context: Context) -> pb.FetchResponse:
        """Signed by the wallet that registered, or another of the same owner."""
        return await fetch(self._safe, caller(), request)

    async def FetchStream(
        self, request: pb.FetchStreamRequest, context: Context
    ) -> AsyncIterator[pb.FetchStreamResponse]:
        """Signed by the wallet that registered, or another of the same owner."""
        async for part in fetch_stream(self._safe, caller(), request):
            yield part

    async def Delete(self, request: pb.DeleteRequest, context: Context) -> pb.DeleteResponse:
        """Signed by the wallet of the tombstones, or one of the owner who signed them."""
        return await delete(self._safe, caller(), request)

    async def Carry(
        self, request_iterator: AsyncIterator[pb.CarryRequest], context: Context
    ) -> AsyncIterator[pb.CarryResponse]:
        """Open to all; what is inside is judged as if it came bare."""
        if self._carriages is None:
            raise EnvelopeRefused
        async for answer in self._carriages.carry(request_iterator):
            yield answer

    async def Certify(self, request: pb.CertifyRequest, context: Context) -> pb.CertifyResponse:
        """Signed by the wallet that registered, or another of the same owner."""
        return await certify(self._safe, caller(), request)

    async def Repair(self, request: pb.RepairRequest, context: Context) -> pb.RepairResponse:
        """Signed by any wallet."""
        return repair(self._safe, request)

    async def Gather(self, request: pb.GatherRequest, context: Context) -> AsyncIterator[pb.GatherResponse]:
        """Signed by the wallet that signed the grant."""
        async for answer in gather(self._gatherings, caller(), request):
            yield answer


def service_of(
    safe: Safe, carriages: Carriages | None = None, gatherings: Gatherings | None = None
) -> Callable[[grpc.aio.Server], None]:
    """What puts this safe's service on a server; without gatherings it reaches no peer."""
    servicer = SafeServicer(safe, carriages, gatherings)
    return partial(safe_pb2_grpc.add_SafeServiceServicer_to_server, servicer)
