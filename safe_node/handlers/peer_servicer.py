"""PeerService: each call to its handler."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial

import grpc

from kura.safe.v1 import peer_pb2 as pb
from kura.safe.v1 import peer_pb2_grpc
from rpc_edge.bounds import shapes_of
from rpc_edge.edge import Context
from rpc_edge.peers import calling_peer
from safe_node.handlers import peer_inventory, peer_repair
from safe_node.handlers.collect import collect
from safe_node.handlers.peer_repair import Helping

PEER_SERVICE = "kura.safe.v1.PeerService"
PEER_SHAPES = shapes_of(pb.DESCRIPTOR.services_by_name["PeerService"])
"""Where its requests can repeat something."""


class PeerServicer(peer_pb2_grpc.PeerServiceServicer):
    """The safe's face to its peers; rights and effects are told in peer.proto."""

    def __init__(self, helping: Helping) -> None:
        """Serve this safe's peers."""
        self._helping = helping

    async def Inventory(self, request: pb.InventoryRequest, context: Context) -> pb.InventoryResponse:
        """For any peer."""
        return await peer_inventory.inventory(self._helping.safe, calling_peer(), request)

    async def Words(self, request: pb.WordsRequest, context: Context) -> pb.WordsResponse:
        """For any peer."""
        calling_peer()
        return await peer_inventory.words(self._helping.safe, request)

    async def ShowBatch(self, request: pb.ShowBatchRequest, context: Context) -> pb.ShowBatchResponse:
        """For the peers at which the batch places something."""
        return await peer_inventory.show_batch(self._helping.safe, calling_peer(), request)

    async def Sum(self, request: pb.SumRequest, context: Context) -> pb.SumResponse:
        """For the peer that lost the piece."""
        return await peer_repair.sum_of(self._helping, calling_peer(), request)

    async def Summand(self, request: pb.SummandRequest, context: Context) -> pb.SummandResponse:
        """For the other helpers of a session."""
        return await peer_repair.summand(self._helping, calling_peer(), request)

    async def Fragment(self, request: pb.FragmentRequest, context: Context) -> pb.FragmentResponse:
        """For the peer that lost the piece."""
        return await peer_repair.fragment(self._helping, calling_peer(), request)

    async def Collect(
        self, request: pb.CollectRequest, context: Context
    ) -> AsyncIterator[pb.CollectResponse]:
        """For the gateway that the grant names."""
        async for answer in collect(self._helping, calling_peer(), request):
            yield answer


def peer_service_of(helping: Helping) -> Callable[[grpc.aio.Server], None]:
    """What puts this safe's service on a server."""
    return partial(peer_pb2_grpc.add_PeerServiceServicer_to_server, PeerServicer(helping))
