"""The layer that counts calls by the address they come from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from auth_service.decisions.rates import CallRates
from rpc_edge.edge import Call, Layer, RawRequest


def limited_rates(rates: CallRates, now_ms: Callable[[], int]) -> Layer:
    """Refuse calls of an address that makes too many.

    Raises (to the caller, as a status):
        TooManyCalls: Says when to call again.
    """

    @asynccontextmanager
    async def layer(call: Call, request: RawRequest) -> AsyncIterator[RawRequest]:
        rates.admit(_address(call.context.peer()), now_ms())
        yield request

    return layer


def _address(peer: str) -> str:
    """Of "ipv4:192.0.2.1:50000" what stays when the same machine connects again."""
    return peer.rpartition(":")[0]
