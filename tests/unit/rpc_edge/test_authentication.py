"""Only fresh, signed requests for this safe, method and body reach a handler."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from kura.safe.v1 import safe_pb2
from rpc_edge.authentication import authenticated_wallet
from rpc_edge.error_table import SAFE_ERRORS
from trust.documents import SigningKey
from trust.ids import SafeId, WalletKey
from trust.refusals import (
    Malformed,
    Refusal,
    RequestReplayed,
    RequestSignatureInvalid,
    RequestStale,
    RequestUnsigned,
)
from trust.request import FRESH_MS, METADATA_KEY, prove_request

FETCH = "/kura.safe.v1.SafeService/Fetch"
REGISTER = "/kura.safe.v1.SafeService/RegisterStream"
DESCRIBE = "/kura.safe.v1.SafeService/Describe"
SAFE = SafeId(b"s" * 16)
KEY = SigningKey(b"w" * 32)
NOW_MS = 1_800_000_000_000
BODY = safe_pb2.FetchRequest(certificates=[b"c" * 100]).SerializeToString()


def proof(
    body: bytes = BODY,
    *,
    method: str = FETCH,
    safe_id: SafeId = SAFE,
    at: int = NOW_MS,
    nonce: bytes = b"n" * 16,
) -> bytes:
    return prove_request(KEY, method, safe_id, body, at, nonce).to_bytes()


async def sent(edge: Any, body: bytes, *proofs: bytes, method: str = FETCH) -> Refusal | bytes:
    """What the server says to exactly these bytes."""
    metadata = tuple((METADATA_KEY, item) for item in proofs)
    try:
        return await edge.channel().unary_unary(method)(body, metadata=metadata, timeout=5)
    except grpc.aio.AioRpcError as error:
        refusal = SAFE_ERRORS.from_status(error)
        assert isinstance(refusal, Refusal)
        return refusal


async def test_a_signed_request_reaches_the_handler_with_its_wallet_key(edge: Any) -> None:
    assert await sent(edge, BODY, proof()) == b""
    assert edge.safe.wallets == [KEY.public]


GOOD = proof()
OTHER_KEY = prove_request(SigningKey(b"x" * 32), FETCH, SAFE, BODY, NOW_MS, b"n" * 16)
STRANGE_PROOFS: dict[str, tuple[tuple[bytes, ...], type[Refusal]]] = {
    "no proof": ((), RequestUnsigned),
    "another body": ((proof(BODY + b"\x00"),), RequestSignatureInvalid),
    "another method": ((proof(method=DESCRIBE),), RequestSignatureInvalid),
    "another safe": ((proof(safe_id=SafeId(b"t" * 16)),), RequestSignatureInvalid),
    "a changed time": (
        (GOOD.replace(NOW_MS.to_bytes(8, "big"), (NOW_MS + 1).to_bytes(8, "big")),),
        RequestSignatureInvalid,
    ),
    "a changed nonce": ((GOOD.replace(b"n" * 16, b"m" * 16),), RequestSignatureInvalid),
    "a changed signature": ((GOOD[:-1] + bytes([GOOD[-1] ^ 1]),), RequestSignatureInvalid),
    "another wallet's key": ((GOOD.replace(KEY.public, OTHER_KEY.wallet_key),), RequestSignatureInvalid),
    "an empty proof": ((b"",), RequestSignatureInvalid),
    "garbage": ((b"\xc1" * 100,), RequestSignatureInvalid),
    "a proof with something behind it": ((GOOD + b"\x00",), RequestSignatureInvalid),
    "two proofs": ((GOOD, GOOD), RequestSignatureInvalid),
    "a low-order key": ((GOOD.replace(KEY.public, bytes(32)),), RequestSignatureInvalid),
    "too old": ((proof(at=NOW_MS - FRESH_MS - 1),), RequestStale),
    "from the future": ((proof(at=NOW_MS + FRESH_MS + 1),), RequestStale),
    "older than the process": ((proof(at=NOW_MS - 60_001),), RequestStale),
}


@pytest.mark.parametrize(("proofs", "refusal"), STRANGE_PROOFS.values(), ids=STRANGE_PROOFS.keys())
async def test_a_request_is_refused_with(
    edge: Any, proofs: tuple[bytes, ...], refusal: type[Refusal]
) -> None:
    """The handler never runs; the reply names the reason."""
    assert proofs != (GOOD,)
    assert type(await sent(edge, BODY, *proofs)) is refusal
    assert edge.safe.wallets == []


async def test_the_same_request_sent_twice_is_a_replay(edge: Any) -> None:
    assert await sent(edge, BODY, GOOD) == b""
    assert type(await sent(edge, BODY, GOOD)) is RequestReplayed
    assert await sent(edge, BODY, proof(nonce=b"o" * 16)) == b""


async def test_a_stranger_cannot_use_up_anothers_nonce(edge: Any) -> None:
    """A proof that does not hold leaves no trace."""
    assert type(await sent(edge, BODY + b"\x0a\x00", GOOD)) is RequestSignatureInvalid
    assert await sent(edge, BODY, GOOD) == b""


async def test_a_stale_request_tells_the_safes_clock(edge: Any) -> None:
    edge.now_ms = NOW_MS + 2 * FRESH_MS
    refusal = await sent(edge, BODY, GOOD)
    assert isinstance(refusal, RequestStale)
    assert refusal.server_time_ms == edge.now_ms


async def test_any_key_may_ask_once_its_signature_holds(edge: Any) -> None:
    """Whose items they are is for the handler to judge."""
    assert await sent(edge, BODY, OTHER_KEY.to_bytes()) == b""
    assert edge.safe.wallets == [OTHER_KEY.wallet_key]


async def test_a_signed_body_that_is_no_message_is_malformed(edge: Any) -> None:
    """The signature is over bytes; parsing comes after it."""
    refusal = await sent(edge, b"\xff\xff", proof(b"\xff\xff"))
    assert isinstance(refusal, Malformed)
    assert refusal.field == "message"
    assert type(await sent(edge, b"\xff\xff")) is RequestUnsigned


async def test_an_open_method_needs_no_proof_and_has_no_wallet(edge: Any) -> None:
    answer = await sent(edge, b"", method=DESCRIBE)
    assert isinstance(answer, bytes)
    assert safe_pb2.DescribeResponse.FromString(answer).name == "safe-1"
    with pytest.raises(RequestUnsigned):
        authenticated_wallet()


async def test_calls_at_the_same_time_keep_their_wallets_apart(edge: Any) -> None:
    """Two calls are in their handlers at once and each still knows its own wallet."""
    both_in = asyncio.Barrier(2)
    seen: set[WalletKey] = set()

    async def fetch(_request: Any, _context: Any) -> safe_pb2.FetchResponse:
        await both_in.wait()
        seen.add(authenticated_wallet())
        return safe_pb2.FetchResponse()

    edge.safe.fetch = fetch
    await asyncio.gather(sent(edge, BODY, GOOD), sent(edge, BODY, OTHER_KEY.to_bytes()))
    assert seen == {KEY.public, OTHER_KEY.wallet_key}


async def test_a_stream_without_a_proof_is_refused_before_it_sends_anything(edge: Any) -> None:
    """Strangers cannot keep calls open by saying nothing."""
    call = edge.channel().stream_unary(REGISTER)(timeout=5)
    assert await call.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_stream_that_never_begins_is_given_up(edge: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof alone, which anyone can make, does not keep it open either."""
    monkeypatch.setattr("rpc_edge.authentication.FIRST_MESSAGE_SECONDS", 0.01)
    call = edge.channel().stream_unary(REGISTER)(timeout=5, metadata=((METADATA_KEY, GOOD),))
    assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT


async def streamed(edge: Any, messages: list[bytes], *proofs: bytes) -> Refusal | bytes:
    async def bodies() -> AsyncIterator[bytes]:
        for message in messages:
            yield message

    metadata = tuple((METADATA_KEY, item) for item in proofs)
    try:
        return await edge.channel().stream_unary(REGISTER)(bodies(), metadata=metadata, timeout=5)
    except grpc.aio.AioRpcError as error:
        refusal = SAFE_ERRORS.from_status(error)
        assert isinstance(refusal, Refusal)
        return refusal


def chunk(data: bytes) -> bytes:
    return safe_pb2.RegisterStreamRequest(chunk=data).SerializeToString()


async def test_of_a_stream_the_first_message_is_signed(edge: Any) -> None:
    """The handler sees every message, the first included."""
    got: list[bytes] = []

    async def register(messages: Any) -> safe_pb2.RegisterStreamResponse:
        got.extend([message.chunk async for message in messages])
        return safe_pb2.RegisterStreamResponse(signature=b"done")

    edge.safe.register_stream = register
    first, second = chunk(b"1"), chunk(b"2")
    answer = await streamed(edge, [first, second], proof(first, method=REGISTER))
    assert isinstance(answer, bytes)
    assert got == [b"1", b"2"]
    assert edge.safe.wallets == [KEY.public]


@pytest.mark.parametrize(
    ("messages", "signed"),
    [([chunk(b"2"), chunk(b"1")], chunk(b"1")), ([], chunk(b"1"))],
    ids=["whose first message is another", "without a message"],
)
async def test_a_stream_is_refused(edge: Any, messages: list[bytes], signed: bytes) -> None:
    assert type(await streamed(edge, messages, proof(signed, method=REGISTER))) is RequestSignatureInvalid
    assert edge.safe.wallets == []


async def test_a_stream_that_breaks_off_into_garbage_is_malformed(edge: Any) -> None:
    async def register(messages: Any) -> safe_pb2.RegisterStreamResponse:
        async for _ in messages:
            continue
        return safe_pb2.RegisterStreamResponse()

    edge.safe.register_stream = register
    assert (
        type(await streamed(edge, [chunk(b"1"), b"\xff"], proof(chunk(b"1"), method=REGISTER))) is Malformed
    )
