"""A real safe process, and requests that are not fresh, not signed, or not meant for it."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.tls import pinned_channel
from support.safe_process import SafeClient, SafeProcess, make_safes, now_ms, running
from support.safe_requests import deal, wallet_key
from trust.certificate import verify_call
from trust.refusals import Refusal, RequestReplayed, RequestSignatureInvalid, RequestStale, RequestUnsigned
from trust.request import FRESH_MS, METADATA_KEY, prove_request

SERVICE = "/kura.safe.v1.SafeService"
WALLET, OTHER = wallet_key(), wallet_key("other")
SECONDS = 10.0


@pytest.fixture(scope="module")
def safe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SafeProcess]:
    """One of three safes, with small limits."""
    home = make_safes(tmp_path_factory.mktemp("safes"), 3, 2)[0]
    home.set_limits(entries_per_call=20, unary_blob_bytes=100_000, stream_blob_bytes=2_000_000)
    with running(home, measured=True) as process:
        yield process


def dealt(safe: SafeProcess, label: str, *values: bytes, **options: Any) -> Any:
    return deal(safe.home.roster, WALLET, values or (b"value",), label=label, k=2, **options)


async def register(safe: SafeProcess, *batches: pb.Batch, wallet: Any = WALLET) -> pb.RegisterResponse:
    async with SafeClient(safe, wallet) as call:
        request = pb.RegisterRequest(batches=batches)
        return await call.unary(f"{SERVICE}/Register", request, pb.RegisterResponse, SECONDS)


async def registered(safe: SafeProcess, batch: Any) -> list[bytes]:
    answer = await register(safe, batch.for_safe(safe.home.entry.safe_id))
    certificates = list(answer.results[0].registration.certificates)
    verify_call(safe.home.entry.safe_id, certificates, answer.signature, safe.home.entry.signing_key)
    return certificates


async def raw(safe: SafeProcess, body: bytes, proof: bytes | None) -> None:
    entry = safe.home.entry
    async with pinned_channel(safe.endpoint, entry.tls_certificate, entry.name) as channel:
        metadata = () if proof is None else ((METADATA_KEY, proof),)
        call: Any = channel.unary_unary(f"{SERVICE}/Fetch")
        await call(body, metadata=metadata, timeout=SECONDS)


def reason_of(error: grpc.aio.AioRpcError) -> type[Refusal]:
    from rpc_edge.error_table import SAFE_ERRORS

    refusal = SAFE_ERRORS.from_status(error)
    assert isinstance(refusal, Refusal)
    return type(refusal)


@pytest.mark.parametrize(
    ("how", "refusal"),
    [
        ("unsigned", RequestUnsigned),
        ("for another safe", RequestSignatureInvalid),
        ("for another method", RequestSignatureInvalid),
        ("over another body", RequestSignatureInvalid),
        ("no proof at all", RequestSignatureInvalid),
        ("old", RequestStale),
        ("from the future", RequestStale),
        ("older than the process", RequestStale),
    ],
)
async def test_a_request_is_refused_that_is(safe: SafeProcess, how: str, refusal: type[Refusal]) -> None:
    """UNAUTHENTICATED, each with its reason."""
    body = pb.FetchRequest(certificates=[b"x"]).SerializeToString()
    method = f"{SERVICE}/Delete" if how == "for another method" else f"{SERVICE}/Fetch"
    safe_id = safe.home.roster.safes[1].safe_id if how == "for another safe" else safe.home.entry.safe_id
    shift = {
        "old": -FRESH_MS - 1000,
        "from the future": FRESH_MS + 10_000,
        "older than the process": -200_000,
    }
    proof = prove_request(
        WALLET,
        method,
        safe_id,
        b"" if how == "over another body" else body,
        now_ms() + shift.get(how, 0),
        b"n" * 16,
    ).to_bytes()
    sent = {"unsigned": None, "no proof at all": b"proof"}.get(how, proof)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw(safe, body, sent)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert reason_of(caught.value) is refusal


async def test_a_replayed_request_is_refused(safe: SafeProcess) -> None:
    """The very same bytes, a second time."""
    (body,) = await registered(safe, dealt(safe, "replay"))
    request = pb.FetchRequest(certificates=[body]).SerializeToString()
    entry = safe.home.entry
    proof = prove_request(WALLET, f"{SERVICE}/Fetch", entry.safe_id, request, now_ms(), b"r" * 16).to_bytes()
    await raw(safe, request, proof)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw(safe, request, proof)
    assert reason_of(caught.value) is RequestReplayed
