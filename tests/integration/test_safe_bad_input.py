"""A real safe process over TLS, and what it answers to what it must not accept."""

import asyncio
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from kura.common.v1 import error_reason_pb2 as reasons
from kura.safe.v1 import safe_pb2 as pb
from support.safe_process import SafeClient, SafeProcess, make_safes, now_ms, running
from support.safe_requests import deal, seeded, signed_tombstone, wallet_key
from trust.certificate import Certificate, verify_call
from trust.ids import SafeId
from trust.refusals import CallTooLarge, Malformed
from trust.tombstone import read_deletion
from trust.wallet_refusals import CertificateUnknown, NotYourItem

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


async def fetch(safe: SafeProcess, *certificates: bytes, wallet: Any = WALLET) -> list[pb.FetchResult]:
    async with SafeClient(safe, wallet) as call:
        request = pb.FetchRequest(certificates=certificates)
        return list((await call.unary(f"{SERVICE}/Fetch", request, pb.FetchResponse, SECONDS)).results)


async def fetch_stream(
    safe: SafeProcess, certificate: bytes, wallet: Any = WALLET
) -> list[pb.FetchStreamResponse]:
    async with SafeClient(safe, wallet) as call:
        request = pb.FetchStreamRequest(certificate=certificate)
        stream = call.stream_down(f"{SERVICE}/FetchStream", request, pb.FetchStreamResponse, SECONDS)
        return [part async for part in stream]


async def delete(
    safe: SafeProcess, *tombstones: pb.SignedTombstone, wallet: Any = WALLET
) -> list[pb.DeleteResult]:
    async with SafeClient(safe, wallet) as call:
        request = pb.DeleteRequest(tombstones=tombstones)
        return list((await call.unary(f"{SERVICE}/Delete", request, pb.DeleteResponse, SECONDS)).results)


async def upload(safe: SafeProcess, opening: pb.StreamOpening, *chunks: bytes) -> pb.RegisterStreamResponse:
    async def parts() -> Any:
        for chunk in chunks:
            yield pb.RegisterStreamRequest(chunk=chunk)

    async with SafeClient(safe, WALLET) as call:
        first = pb.RegisterStreamRequest(opening=opening)
        return await call.stream_up(
            f"{SERVICE}/RegisterStream", first, parts(), pb.RegisterStreamResponse, SECONDS
        )


def changed(body: bytes, **fields: Any) -> bytes:
    certificate = Certificate.from_bytes(body)
    values = {name: getattr(certificate, name) for name in Certificate.__struct_fields__}
    return Certificate(**(values | fields)).to_bytes()


async def test_unknown_changed_foreign_and_deleted_certificates_get_one_reply(safe: SafeProcess) -> None:
    """NOT_FOUND, byte for byte the same, so that nothing is learned by trying."""
    batch, gone = dealt(safe, "one reply"), dealt(safe, "gone")
    (body,), (deleted,) = await registered(safe, batch), await registered(safe, gone)
    await delete(safe, signed_tombstone(WALLET, gone.items[0].item_id))
    digest = Certificate.from_bytes(deleted).digest
    shown = [
        changed(body, safe_id=SafeId(b"s" * 16)),
        changed(body, counter=2**62),
        changed(body, x_hash=bytes(32)),
        changed(body, digest=type(digest)("vacant")),
        deleted,
    ]
    results = await fetch(safe, *shown, body)
    assert {result.SerializeToString() for result in results[:-1]} == {results[0].SerializeToString()}
    assert results[0].refusal.code == grpc.StatusCode.NOT_FOUND.value[0]
    assert results[0].refusal.reason == reasons.ERROR_REASON_CERTIFICATE_UNKNOWN
    assert results[-1].piece.blob == batch.blobs[0, 1]
    for body in shown:
        with pytest.raises(CertificateUnknown):
            await fetch_stream(safe, body)


async def test_a_certificate_in_other_hands_opens_nothing(safe: SafeProcess) -> None:
    """PERMISSION_DENIED in both ways of fetching."""
    (body,) = await registered(safe, dealt(safe, "mine"))
    (result,) = await fetch(safe, body, wallet=OTHER)
    assert result.refusal.code == grpc.StatusCode.PERMISSION_DENIED.value[0]
    with pytest.raises(NotYourItem):
        await fetch_stream(safe, body, OTHER)


async def test_a_manifest_or_tombstone_in_other_hands_is_refused(safe: SafeProcess) -> None:
    """Only the wallet that signed it may bring it."""
    batch = dealt(safe, "captured")
    answer = await register(safe, batch.for_safe(safe.home.entry.safe_id), wallet=OTHER)
    assert answer.results[0].refusal.reason == reasons.ERROR_REASON_NOT_YOUR_ITEM
    assert answer.signature == b""
    (result,) = await delete(safe, signed_tombstone(WALLET, batch.items[0].item_id), wallet=OTHER)
    assert result.refusal.reason == reasons.ERROR_REASON_NOT_YOUR_ITEM


async def test_a_piece_that_is_not_its_manifests_is_refused_and_its_neighbours_are_not(
    safe: SafeProcess,
) -> None:
    """Each batch stands or falls alone; the signature covers what was certified."""
    safe_id = safe.home.entry.safe_id
    good, bad, also_good = (dealt(safe, label).for_safe(safe_id) for label in ("n1", "n2", "n3"))
    bad.pieces[0].blob = bad.pieces[0].blob[:-1] + b"?"
    answer = await register(safe, good, bad, also_good)
    kinds = [result.WhichOneof("outcome") for result in answer.results]
    assert kinds == ["registration", "refusal", "registration"]
    assert answer.results[1].refusal.reason == reasons.ERROR_REASON_PIECE_MISMATCH
    certificates = [body for result in answer.results for body in result.registration.certificates]
    verify_call(safe_id, certificates, answer.signature, safe.home.entry.signing_key)


async def test_registering_again_and_registering_other_things_in_its_place(safe: SafeProcess) -> None:
    """The same gets the same certificates; something else conflicts; deleted stays deleted."""
    batch = dealt(safe, "again", item_ids=[b"a" * 16])
    assert await registered(safe, batch) == await registered(safe, batch)
    safe_id = safe.home.entry.safe_id
    other = dealt(safe, "instead", item_ids=[b"a" * 16]).for_safe(safe_id)
    assert (await register(safe, other)).results[0].refusal.reason == reasons.ERROR_REASON_PIECE_CONFLICT
    tombstone = signed_tombstone(WALLET, batch.items[0].item_id)
    first, again = [(await delete(safe, tombstone))[0].receipt for _ in range(2)]
    assert first == again
    entry = safe.home.entry
    read_deletion(first.receipt, first.signature, entry.safe_id, entry.signing_key, tombstone.tombstone)
    refused = await register(safe, batch.for_safe(safe_id))
    assert refused.results[0].refusal.reason == reasons.ERROR_REASON_ITEM_DELETED


async def test_a_malformed_tombstone_is_refused_alone(safe: SafeProcess) -> None:
    """The good one beside it is carried out."""
    good = signed_tombstone(WALLET, b"t" * 16)  # type: ignore[arg-type]
    bad = pb.SignedTombstone(tombstone=good.tombstone, signature=bytes(64))
    short = pb.SignedTombstone(tombstone=good.tombstone, signature=b"")
    results = await delete(safe, bad, good, short)
    assert [result.WhichOneof("outcome") for result in results] == ["refusal", "receipt", "refusal"]
    assert results[0].refusal.reason == reasons.ERROR_REASON_MALFORMED


async def test_empty_calls_are_malformed(safe: SafeProcess) -> None:
    """Each names the field it needs."""
    for work, field in (
        (register(safe), "batches"),
        (fetch(safe), "certificates"),
        (delete(safe), "tombstones"),
    ):
        with pytest.raises(Malformed) as caught:
            await work
        assert caught.value.field == field
    with pytest.raises(Malformed):
        await fetch(safe, b"no certificate")


async def test_calls_beyond_the_limits_say_which(safe: SafeProcess) -> None:
    """Entries, blob and message."""
    many = dealt(safe, "many", *[b"v"] * 21)
    with pytest.raises(CallTooLarge) as caught:
        await register(safe, many.for_safe(safe.home.entry.safe_id))
    assert (caught.value.field, caught.value.limit) == ("pieces", 20)
    with pytest.raises(CallTooLarge) as caught:
        await register(safe, dealt(safe, "large", bytes(100_000)).for_safe(safe.home.entry.safe_id))
    assert (caught.value.field, caught.value.limit) == ("blob", 100_000)
    with pytest.raises(CallTooLarge) as caught:
        await fetch(safe, b"c" * (9 * 1024 * 1024))
    assert caught.value.field == "message"
    with pytest.raises(CallTooLarge) as caught:
        await fetch(safe, *[b"c"] * 21)
    assert caught.value.field == "certificates"


async def test_a_message_of_a_million_parts_costs_the_safe_little(safe: SafeProcess) -> None:
    """Two bytes a part on the wire; parsed they would be a hundred megabytes."""
    before = safe.peak_mb()
    parts = pb.RegisterRequest.FromString(b"\x0a\x00" * 1_000_000)
    async with SafeClient(safe, WALLET) as call:
        with pytest.raises(CallTooLarge) as caught:
            await call.unary(f"{SERVICE}/Register", parts, pb.RegisterResponse, SECONDS)
    assert caught.value.field == "fields"
    assert safe.peak_mb() - before < 40


NOT_SERVED = {
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,  # the stranger's own, where its calls waited for their turn
}


async def test_idle_calls_of_a_stranger_keep_nobody_out(safe: SafeProcess) -> None:
    """One connection opens more streams than a safe handles calls and sends nothing; others are served."""
    async with SafeClient(safe, OTHER) as stranger:
        channel: Any = stranger._channel
        silent = channel.stream_unary(f"{SERVICE}/RegisterStream")
        watching = channel.stream_stream("/grpc.health.v1.Health/Watch")
        calls = [method(timeout=SECONDS) for method in (silent, watching) for _ in range(300)]
        codes = await asyncio.gather(*(call.code() for call in calls[:300]))
        assert set(codes) <= NOT_SERVED
        assert len(await registered(safe, dealt(safe, "beside idle calls"))) == 1
        for call in calls:
            call.cancel()


async def test_a_large_piece_goes_both_ways_as_a_stream(safe: SafeProcess) -> None:
    """And the unary call says that it needs one."""
    value = seeded("large").read(1_500_000)
    opening, blob = dealt(safe, "stream", value).opening(safe.home.entry.safe_id)
    chunks = [blob[start : start + 1024 * 1024] for start in range(0, len(blob), 1024 * 1024)]
    answer = await upload(safe, opening, *chunks)
    (body,) = answer.result.registration.certificates
    verify_call(safe.home.entry.safe_id, [body], answer.signature, safe.home.entry.signing_key)
    head, *rest = await fetch_stream(safe, body)
    assert b"".join(part.chunk for part in rest) == blob
    assert list(head.head.block_hashes) == list(opening.block_hashes)
    assert head.head.piece.key_share == opening.batch.key_shares[0].share
    assert (await fetch(safe, body))[0].refusal.reason == reasons.ERROR_REASON_PIECE_NEEDS_STREAM
    again = await upload(safe, opening)
    assert again.result.registration.certificates == [body], "answered at the opening, without the blob"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("a flipped bit", reasons.ERROR_REASON_PIECE_MISMATCH),
        ("the end missing", reasons.ERROR_REASON_PIECE_MISMATCH),
        ("more than announced", reasons.ERROR_REASON_PIECE_MISMATCH),
        ("a chunk that ends inside a block", reasons.ERROR_REASON_PIECE_MISMATCH),
    ],
)
async def test_a_stream_is_refused_with(safe: SafeProcess, how: str, reason: int) -> None:
    """Noticed at the chunk; nothing is kept, and the right stream is taken afterwards."""
    opening, blob = dealt(safe, f"stream with {how}", bytes(300_000)).opening(safe.home.entry.safe_id)
    first, rest = blob[:131_072], blob[131_072:]
    wrong = {
        "a flipped bit": (first, rest[:-1] + b"?"),
        "the end missing": (first,),
        "more than announced": (first, rest, first),
        "a chunk that ends inside a block": (blob[:100_000], blob[100_000:]),
    }[how]
    assert (await upload(safe, opening, *wrong)).result.refusal.reason == reason
    assert (await upload(safe, opening, first, rest)).result.registration.certificates


async def test_a_stream_of_the_wrong_form_is_malformed(safe: SafeProcess) -> None:
    """Chunk before opening, opening twice, an empty chunk."""
    opening, blob = dealt(safe, "form", bytes(70_000)).opening(safe.home.entry.safe_id)
    with pytest.raises(Malformed, match="chunk"):
        await upload(safe, opening, b"")
    opening.blob_length = 3_000_000
    with pytest.raises(CallTooLarge):
        await upload(safe, opening, blob)
    async with SafeClient(safe, WALLET) as call:
        first = pb.RegisterStreamRequest(chunk=b"x")

        async def nothing() -> Any:
            await asyncio.sleep(0)
            return
            yield

        with pytest.raises(Malformed, match="opening"):
            await call.stream_up(
                f"{SERVICE}/RegisterStream", first, nothing(), pb.RegisterStreamResponse, SECONDS
            )


async def test_anyone_may_ask_who_is_there(safe: SafeProcess) -> None:
    """Describe needs no signature and says what the roster says."""
    async with SafeClient(safe, WALLET) as call:
        request = pb.DescribeRequest()
        answer = await call.unary(f"{SERVICE}/Describe", request, pb.DescribeResponse, SECONDS, signed=False)
    entry, roster = safe.home.entry, safe.home.roster
    assert (answer.safe_id, answer.name, answer.signing_key) == (entry.safe_id, "safe-1", entry.signing_key)
    assert (answer.roster_version, answer.roster_hash) == (1, roster.fingerprint)
    assert answer.limits.entries_per_call == 20
    assert abs(answer.time_ms - now_ms()) < 60_000
