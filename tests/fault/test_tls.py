"""A wallet speaks only TLS 1.3, and only to the holder of the one certificate its roster names."""

import rpc_edge  # noqa: F401 - before grpc

# isort: split

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from structlog.testing import LogCapture

from kura.safe.v1 import safe_pb2, safe_pb2_grpc
from rpc_edge.client import SignedCaller
from rpc_edge.connection_failures import explain_connection_failure
from rpc_edge.errors import (
    AddressUnknown,
    CallFailed,
    CertificateExpired,
    CertificateNotYetValid,
    CertificateUnfit,
    NoAnswer,
    NotASafe,
    NothingListens,
    NotTls13,
    OtherCertificate,
    UnexpectedStatus,
    Unreachable,
)
from rpc_edge.server import Listening, ServerRunner
from rpc_edge.tls import pinned_channel, server_credentials
from support.logged import log_into
from support.tls_identities import DAY, Identity, identity, python_tls_server, self_signed_with, signed_by
from threshold.randomness import SeededRandomness
from trust.documents import SigningKey
from trust.ids import SafeId

LOG = log_into(LogCapture())
SERVICE = "kura.safe.v1.SafeService"
NAME = "safe-1"


async def describing(_request: bytes, context: Any) -> bytes:
    """Describe, answered with the TLS version that the server sees."""
    version = b"".join(context.auth_context()["ssl_tls_version"]).decode()
    return safe_pb2.DescribeResponse(name=version).SerializeToString()


def add_describing(server: grpc.aio.Server) -> None:
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(describing)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Describe": handler}),))


@asynccontextmanager
async def served(who: Identity) -> AsyncIterator[int]:
    listening = Listening("127.0.0.1:0", server_credentials(who.private_key, who.certificate))
    runner = ServerRunner({SERVICE: add_describing}, listening, log=LOG)
    port = await runner.start()
    try:
        yield port
    finally:
        await runner.stop(0)


async def describe(
    endpoint: str, pinned: Identity, *, name: str = NAME, timeout: float = 30
) -> safe_pb2.DescribeResponse | CallFailed:
    """What a wallet that pins this identity meets at that endpoint."""
    async with pinned_channel(endpoint, pinned.der, name) as channel:
        now_ms = int(datetime.now(UTC).timestamp() * 1000)
        caller = SignedCaller(
            channel,
            SafeId(bytes(16)),
            SigningKey(bytes(32)),
            lambda: now_ms,
            SeededRandomness(bytes(32), b""),
            certificate_der=pinned.der,
        )
        try:
            request = safe_pb2.DescribeRequest()
            return await caller.unary(
                f"/{SERVICE}/Describe", request, safe_pb2.DescribeResponse, timeout, signed=False
            )
        except CallFailed as failure:
            return failure


async def met(
    server: Identity, pinned: Identity, *, name: str = NAME
) -> safe_pb2.DescribeResponse | CallFailed:
    async with served(server) as port:
        return await describe(f"127.0.0.1:{port}", pinned, name=name)


async def test_the_pinned_certificate_is_accepted_over_tls_13() -> None:
    who = identity()
    assert await met(who, who) == safe_pb2.DescribeResponse(name="TLSv1.3")


async def test_another_certificate_of_the_same_name_is_refused() -> None:
    failure = await met(identity(), identity())
    assert type(failure) is OtherCertificate
    assert str(failure) == "it presents another certificate than the roster's"


@pytest.mark.parametrize("subject", ["somebody", NAME], ids=["under another name", "under the same name"])
async def test_a_certificate_signed_with_the_pinned_key_is_refused(subject: str) -> None:
    """The pin is one certificate, not an authority: the key usage without keyCertSign sees to it."""
    who = identity()
    assert type(await met(signed_by(who, subject), who)) is OtherCertificate


async def test_the_right_certificate_under_another_roster_name_is_refused() -> None:
    who = identity("safe-2")
    assert type(await met(who, who, name=NAME)) is OtherCertificate


async def test_an_expired_certificate_is_refused_with_its_last_day() -> None:
    who = identity(begins=-3 * DAY, ends=-DAY)
    failure = await met(who, who)
    assert type(failure) is CertificateExpired
    assert str(failure) == f"its certificate expired on {who.last_day}"


async def test_a_certificate_that_is_not_yet_valid_is_refused_with_its_first_day() -> None:
    who = identity(begins=DAY, ends=3 * DAY)
    failure = await met(who, who)
    assert type(failure) is CertificateNotYetValid
    assert str(failure) == f"its certificate is valid only from {who.first_day} on"


async def test_an_expired_certificate_that_is_not_the_pinned_one_is_another() -> None:
    """The dates of a stranger's certificate are no excuse."""
    assert type(await met(identity(begins=-3 * DAY, ends=-DAY), identity())) is OtherCertificate


async def test_a_tls_12_server_is_refused(tmp_path: Path) -> None:
    """The server is Python's own, holds the right key and would speak gRPC's protocol."""
    who = identity()
    with python_tls_server(who, tmp_path, ssl.TLSVersion.TLSv1_2, ["h2"]) as port:
        failure = await describe(f"127.0.0.1:{port}", who)
    assert type(failure) is NotTls13
    assert str(failure) == "it does not speak TLS 1.3"


async def test_a_plain_server_is_refused(tmp_path: Path) -> None:
    runner = ServerRunner({}, Listening(f"unix:{tmp_path}/plain", None), log=LOG)
    await runner.start()
    failure = await describe(f"unix:{tmp_path}/plain", identity())
    await runner.stop(0)
    assert type(failure) is NotTls13


async def test_a_tls_13_server_that_is_no_grpc_server(tmp_path: Path) -> None:
    who = identity()
    with python_tls_server(who, tmp_path, ssl.TLSVersion.TLSv1_3, []) as port:
        assert type(await describe(f"127.0.0.1:{port}", who)) is NotASafe


async def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    failure = await describe(f"127.0.0.1:{port}", identity())
    assert type(failure) is NothingListens
    assert str(failure) == "nothing listens there"


async def test_a_silent_server_is_given_up() -> None:
    """It accepts the connection and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        failure = await describe(f"127.0.0.1:{silent.getsockname()[1]}", identity(), timeout=0.2)
    assert type(failure) is NoAnswer
    assert str(failure) == "no answer within 0.2 s"


async def test_an_unknown_host() -> None:
    assert type(await describe("safe.invalid:1", identity())) is AddressUnknown


async def test_a_proxy_variable_does_not_stand_between_wallet_and_safe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(os.environ, "https_proxy", "http://127.0.0.1:9")
    monkeypatch.setitem(os.environ, "http_proxy", "http://127.0.0.1:9")
    who = identity()
    assert await met(who, who) == safe_pb2.DescribeResponse(name="TLSv1.3")


async def test_a_safe_that_comes_back_is_reached_over_the_same_channel() -> None:
    """A restart does not leave the channel waiting for long."""
    who = identity()
    async with served(who) as port, asyncio.timeout(20):
        channel = pinned_channel(f"127.0.0.1:{port}", who.der, NAME)
        stub: Any = safe_pb2_grpc.SafeServiceStub(channel)
        await stub.Describe(safe_pb2.DescribeRequest())
    credentials = server_credentials(who.private_key, who.certificate)
    runner = ServerRunner({SERVICE: add_describing}, Listening(f"127.0.0.1:{port}", credentials), log=LOG)
    with pytest.raises(grpc.aio.AioRpcError):
        await stub.Describe(safe_pb2.DescribeRequest())
    await runner.start()
    async with asyncio.timeout(20):
        await stub.Describe(safe_pb2.DescribeRequest(), wait_for_ready=True)
    await channel.close()
    await runner.stop(0)


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_safe_speaks_only_tls_13(newest: ssl.TLSVersion) -> None:
    """Whatever the client would put up with."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = newest
    context.set_alpn_protocols(["h2"])

    def shake_hands(port: int) -> str | None:
        with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as secure:
            return secure.version()

    async with served(identity()) as port:
        if newest is ssl.TLSVersion.TLSv1_3:
            assert await asyncio.to_thread(shake_hands, port) == "TLSv1.3"
        else:
            with pytest.raises(ssl.SSLError):
                await asyncio.to_thread(shake_hands, port)


USAGE = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
UNFIT = {
    "no certificate": (b"\x30\x00", "it cannot be read"),
    "one without key usage": (self_signed_with(None), "it states no key usage"),
    "one that may sign others": (self_signed_with(USAGE), "it may sign other certificates"),
}


@pytest.mark.parametrize(("der", "problem"), UNFIT.values(), ids=UNFIT.keys())
async def test_a_certificate_that_cannot_be_pinned_exactly_is_refused(der: bytes, problem: str) -> None:
    with pytest.raises(CertificateUnfit, match=problem):
        pinned_channel("127.0.0.1:1", der, NAME)


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (grpc.StatusCode.UNAVAILABLE, "words of a gRPC that is yet to come", Unreachable),
        (grpc.StatusCode.UNAVAILABLE, None, Unreachable),
        (grpc.StatusCode.UNAVAILABLE, "CERTIFICATE_VERIFY_FAILED: certificate has expired", OtherCertificate),
        (grpc.StatusCode.UNAVAILABLE, "CERTIFICATE_VERIFY_FAILED: not yet valid", OtherCertificate),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded", NoAnswer),
        (grpc.StatusCode.DATA_LOSS, "text", UnexpectedStatus),
    ],
)
def test_what_cannot_be_told_apart_is_told_plainly(
    code: grpc.StatusCode, text: str | None, expected: type[CallFailed]
) -> None:
    error = grpc.aio.AioRpcError(code, details=text)
    failure = explain_connection_failure(error, identity().der, now=datetime.now(UTC), waited_seconds=5)
    assert type(failure) is expected
