"""The layer that counts calls by the address they come from, of IPv6 by the /64 that one customer has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv6Address
from urllib.parse import unquote

from auth_service.decisions.rates import CallRates
from rpc_edge.edge import Call, Layer, RawRequest


def limited_rates(rates: CallRates, now_ms: Callable[[], int]) -> Layer:
    """Refuse calls of an address that makes too many.

    Raises (to the caller, as a status):
        TooManyCalls: Says when to call again.
    """

    @asynccontextmanager
    async def layer(call: Call, request: RawRequest) -> AsyncIterator[RawRequest]:
        rates.admit(counted_address(call.context.peer()), now_ms())
        yield request

    return layer


def counted_address(peer: str) -> str:
    """What stays when the same customer connects again, from whichever of their addresses.

    Args:
        peer: As gRPC names it: "ipv4:192.0.2.1:50000", or "ipv6:%5B2001:db8::1%5D:50000".
    """
    host = unquote(peer.rpartition(":")[0])
    if not host.startswith("ipv6:"):
        return host
    try:
        address = IPv6Address(host.removeprefix("ipv6:").strip("[]"))
    except ValueError:
        return host
    if address.ipv4_mapped is not None:  # else all of IPv4 would be one customer's
        return f"ipv4:{address.ipv4_mapped}"
    return f"ipv6:{IPv6Address(int(address) >> 64 << 64)}/64"
