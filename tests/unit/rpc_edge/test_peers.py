"""Which safe calls: told by the certificate of the connection, byte for byte, whatever TLS let in."""

from typing import Any

import grpc
import pytest

from rpc_edge.edge import wrap
from rpc_edge.peers import calling_peer, peers_only
from support.sample_documents import SAFE_IDS
from support.tls_identities import identity, signed_by
from trust.peer_refusals import NotAPeer

PEER, STRANGER = identity("safe-2"), identity("safe-2")
SIGNED = signed_by(PEER, "safe", "safe-2")


class FakeContext:
    """As much of a context as the layer looks at."""

    def __init__(self, *shown: bytes) -> None:
        self._shown = list(shown)

    def auth_context(self) -> dict[str, list[bytes]]:
        return {"x509_pem_cert": self._shown} if self._shown else {}


async def who(request: bytes, _context: Any) -> bytes:
    return calling_peer()


def called(*shown: bytes) -> Any:
    layers = [peers_only({PEER.der: SAFE_IDS[1]})]
    behaviour: Any = wrap("/kura.T/M", grpc.unary_unary_rpc_method_handler(who), layers).unary_unary
    return behaviour(b"", FakeContext(*shown))


async def test_a_peer_is_known_by_its_certificate() -> None:
    assert await called(PEER.certificate) == SAFE_IDS[1]


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param((), id="none"),
        pytest.param((STRANGER.certificate,), id="another of the same name"),
        pytest.param((SIGNED.certificate,), id="one that a peer signed"),
        pytest.param((PEER.certificate, PEER.certificate), id="two"),
        pytest.param((b"\xff",), id="no text"),
        pytest.param((b"garbage",), id="no certificate"),
    ],
)
async def test_nobody_else_is_a_peer_who_shows(shown: tuple[bytes, ...]) -> None:
    with pytest.raises(NotAPeer):
        await called(*shown)


def test_outside_of_a_call_nobody_calls() -> None:
    with pytest.raises(NotAPeer):
        calling_peer()
