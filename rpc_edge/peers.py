"""Which safe calls another: the layer that tells it by the certificate of the connection.

TLS lets through who shows a certificate that chains to one of the roster's. Here the certificate itself is
compared, byte for byte, so that nobody is a peer by another's word.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar

from rpc_edge.edge import Call, Layer, RawRequest
from trust.ids import SafeId
from trust.peer_refusals import NotAPeer
from trust.roster_file import from_pem

_peer: ContextVar[SafeId] = ContextVar("calling_peer")


def calling_peer() -> SafeId:
    """The safe whose certificate the call being handled came with.

    Raises:
        NotAPeer: This is no call of a peer.
    """
    try:
        return _peer.get()
    except LookupError:
        raise NotAPeer from None


def peers_only(peers: Mapping[bytes, SafeId]) -> Layer:
    """The layer that lets only other safes of the roster pass.

    Args:
        peers: By certificate (DER), all safes of the newest roster but this one.

    Raises (to the caller, as a status):
        NotAPeer: The certificate is none of theirs.
    """

    @asynccontextmanager
    async def layer(call: Call, request: RawRequest) -> AsyncIterator[RawRequest]:
        shown = tuple(call.context.auth_context().get("x509_pem_cert", ()))
        safe_id = peers.get(_der(shown[0])) if len(shown) == 1 else None
        if safe_id is None:
            raise NotAPeer
        _peer.set(safe_id)
        yield request

    return layer


def _der(pem: bytes) -> bytes:
    try:
        return from_pem(pem.decode("ascii"))
    except ValueError:
        return b""
