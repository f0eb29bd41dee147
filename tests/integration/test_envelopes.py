"""Calls in envelopes at real safes: every kind of call, each refusal, and what a carrier can do about it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, cast

import grpc
import msgspec
import pytest
import pytest_asyncio

from kura.safe.v1 import owner_pb2, safe_pb2
from rpc_edge.carrying import CARRY, call_to_carry
from rpc_edge.client import SignedCaller
from rpc_edge.doorway import MOST_WAITING
from rpc_edge.envelope_channel import EnvelopeChannel
from rpc_edge.error_table import SAFE_ERRORS
from rpc_edge.tls import pinned_channel
from safe_node.config import load_settings
from safe_node.decisions.admission import Membership
from safe_node.identity import open_decoy_secret, read_identity
from support.owner_safes import OWNERS, SAFES, SECONDS, LocalSafe, LocalSafes, local_safes
from support.owners import WRONG_PIN, deal_owner
from support.owners_at_real_safes import pieces_at
from support.safe_process import now_ms
from support.safe_requests import CHUNK_BYTES, Dealt, deal, signed_tombstone, wallet_key
from support.sample_documents import draw
from threshold.randomness import SystemRandomness
from trust.certificate import Certificate
from trust.documents import SigningKey
from trust.envelope import Opening, Sent
from trust.ids import SafeId
from trust.owner_refusals import UnlockRefused
from trust.refusals import (
    CallTooLarge,
    EnvelopeRefused,
    Malformed,
    Refusal,
    RequestReplayed,
    RequestSignatureInvalid,
    RequestStale,
    RequestUnsigned,
    SafeUnknown,
    SafeUnreachable,
)
from trust.request import FRESH_MS
from trust.sealed_frames import Frame, seal_frame
from trust.wallet_refusals import CertificateUnknown, NotYourItem, PieceMismatch

pytestmark = pytest.mark.asyncio(loop_scope="module")

WALLET, OTHER = wallet_key("envelopes"), wallet_key("envelopes, another")
NUMBERS = count()
"""So that no two tests have a batch or an owner of one name."""

BEGIN = owner_pb2.BeginUnlockRequest(owner_id=draw("nobody", 32))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def safes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalSafes]:
    """Three safes; the first knows where the second listens, and believes that the third is away."""
    async with local_safes(tmp_path_factory.mktemp("envelopes"), 3, 2) as three:
        first = three.safes[0]
        first.changes = {"membership": where_they_listen(three)}
        await first.restart()
        yield three


def where_they_listen(safes: LocalSafes) -> Membership:
    first, second, third = safes.safes
    roster = first.home.roster
    entries = (
        msgspec.structs.replace(first.home.entry),
        msgspec.structs.replace(second.home.entry, endpoint=f"127.0.0.1:{second.port}"),
        third.home.entry,
    )
    secret = open_decoy_secret(read_identity(first.home.folder / "keys"), roster)
    known = Membership.of(first.safe_id, [roster], secret)
    return replace(known, rosters={1: msgspec.structs.replace(roster, safes=entries)})


@pytest.fixture(params=["directly", "by another safe"])
def way(request: pytest.FixtureRequest, safes: LocalSafes) -> LocalSafe:
    """The second safe, called in envelopes."""
    first, second = safes.safes[:2]
    over = second if request.param == "directly" else first
    return in_envelopes(second, over)


def in_envelopes(safe: LocalSafe, over: LocalSafe) -> LocalSafe:
    """The same safe, all of whose calls go in envelopes over a connection to this one or another."""
    channel: Any = EnvelopeChannel(over._channel, safe.home.entry, now_ms, SystemRandomness())  # type: ignore[arg-type]
    return replace(safe, _channel=channel)


def dealt(safe: LocalSafe, label: str, *values: bytes) -> Dealt:
    return deal(safe.home.roster, WALLET, values or (b"a value",), label=label, k=2)


async def registered(safe: LocalSafe, batch: Dealt) -> bytes:
    request = safe_pb2.RegisterRequest(batches=[batch.for_safe(safe.safe_id)])
    answer = await safe.caller(WALLET).unary(f"{SAFES}/Register", request, safe_pb2.RegisterResponse, SECONDS)
    return bytes(answer.results[0].registration.certificates[0])


async def fetched(safe: LocalSafe, certificate: bytes, key: SigningKey = WALLET) -> Any:
    request = safe_pb2.FetchRequest(certificates=[certificate])
    answer = await safe.caller(key).unary(f"{SAFES}/Fetch", request, safe_pb2.FetchResponse, SECONDS)
    return answer.results[0]


async def test_a_value_is_registered_fetched_and_deleted(way: LocalSafe) -> None:
    """Calls of one message each, signed inside."""
    batch = dealt(way, f"a value {next(NUMBERS)}")
    certificate = await registered(way, batch)
    x = Certificate.from_bytes(certificate).index
    assert (await fetched(way, certificate)).piece.blob == batch.blobs[0, x]
    tombstones = [signed_tombstone(WALLET, batch.items[0].item_id)]
    request = safe_pb2.DeleteRequest(tombstones=tombstones)
    answer = await way.caller(WALLET).unary(f"{SAFES}/Delete", request, safe_pb2.DeleteResponse, SECONDS)
    assert answer.results[0].receipt.receipt
    refusal = SAFE_ERRORS.from_refusal((await fetched(way, certificate)).refusal)
    assert type(refusal) is CertificateUnknown


async def test_a_large_value_streams_up_and_down(way: LocalSafe) -> None:
    """Two and a half mebibytes; the first message is signed, and the last frame says that it is the last."""
    batch = dealt(way, f"a large value {next(NUMBERS)}", draw("large", 2 * CHUNK_BYTES + CHUNK_BYTES // 2))
    certificate = await uploaded(way, batch)
    request = safe_pb2.FetchStreamRequest(certificate=certificate)
    stream = way.caller(WALLET).stream_down(
        f"{SAFES}/FetchStream", request, safe_pb2.FetchStreamResponse, SECONDS
    )
    parts = [part async for part in stream]
    x = Certificate.from_bytes(certificate).index
    assert b"".join(part.chunk for part in parts[1:]) == batch.blobs[0, x]


async def uploaded(
    safe: LocalSafe, batch: Dealt, spoil: Callable[[bytes], bytes] = lambda blob: blob
) -> bytes:
    opening, blob = batch.opening(safe.safe_id)
    blob = spoil(blob)

    async def chunks() -> AsyncIterator[safe_pb2.RegisterStreamRequest]:
        for at in range(0, len(blob), CHUNK_BYTES):
            yield safe_pb2.RegisterStreamRequest(chunk=blob[at : at + CHUNK_BYTES])

    answer = await safe.caller(WALLET).stream_up(
        f"{SAFES}/RegisterStream",
        safe_pb2.RegisterStreamRequest(opening=opening),
        chunks(),
        safe_pb2.RegisterStreamResponse,
        SECONDS,
    )
    if answer.result.WhichOneof("outcome") == "refusal":
        refusal = SAFE_ERRORS.from_refusal(answer.result.refusal)
        raise refusal
    return bytes(answer.result.registration.certificates[0])


async def test_an_upload_that_is_refused_before_it_is_over_says_why(way: LocalSafe) -> None:
    """The reply comes while the wallet still sends."""
    batch = dealt(way, f"spoilt {next(NUMBERS)}", draw("large", 4 * CHUNK_BYTES))
    with pytest.raises(PieceMismatch):
        await uploaded(way, batch, lambda blob: bytes(CHUNK_BYTES) + blob[CHUNK_BYTES:])
    assert all(line["outcome"] == "OK" for line in way.logged.entries if line.get("method") == CARRY)


async def test_an_owner_enrols_unlocks_and_reads_the_catalogue(safes: LocalSafes, way: LocalSafe) -> None:
    """The calls that are open, the owner's own, and a stream without an upload."""
    first, _, third = safes.safes
    asked = LocalSafes([in_envelopes(first, first), way, third], safes.clock)
    owner = deal_owner(safes.roster, f"owner {next(NUMBERS)}")
    await asked.enroll(owner)
    assert await asked.unlock(owner.owner_id) == owner.secrets
    assert await asked.spent(owner, way) == 0
    stream = way.caller(owner.key).stream_down(
        f"{OWNERS}/Catalogue", owner_pb2.CatalogueRequest(), owner_pb2.CatalogueResponse, SECONDS
    )
    assert [entry async for entry in stream] == []


async def test_a_wrong_pin_is_refused_in_an_envelope_as_it_is_bare(safes: LocalSafes, way: LocalSafe) -> None:
    first, _, third = safes.safes
    asked = LocalSafes([in_envelopes(first, first), way, third], safes.clock)
    owner = deal_owner(safes.roster, f"owner with a PIN {next(NUMBERS)}")
    await asked.enroll(owner)
    with pytest.raises(UnlockRefused):
        await asked.unlock(owner.owner_id, WRONG_PIN)
    assert await asked.spent(owner, way) == 1


async def test_rights_are_the_same_inside(way: LocalSafe) -> None:
    """Unsigned, signed by another wallet, signed for another safe."""
    request = safe_pb2.FetchRequest(certificates=[b"x"])
    with pytest.raises(RequestUnsigned):
        await way.caller(WALLET).unary(
            f"{SAFES}/Fetch", request, safe_pb2.FetchResponse, SECONDS, signed=False
        )
    certificate = await registered(way, dealt(way, f"not theirs {next(NUMBERS)}"))
    refusal = SAFE_ERRORS.from_refusal((await fetched(way, certificate, OTHER)).refusal)
    assert type(refusal) is NotYourItem
    elsewhere = SignedCaller(way._channel, SafeId(bytes(16)), WALLET, now_ms, SystemRandomness())  # type: ignore[arg-type]
    with pytest.raises(RequestSignatureInvalid):
        await elsewhere.unary(f"{SAFES}/Fetch", request, safe_pb2.FetchResponse, SECONDS)


async def test_bytes_that_are_no_message_are_refused_inside_as_well(way: LocalSafe) -> None:
    channel: Any = way._channel
    with pytest.raises(Malformed):
        await refused(channel.unary_unary(f"{OWNERS}/BeginUnlock")(b"\xff", timeout=SECONDS))


async def test_the_largest_message_fits_an_envelope_and_one_byte_more_is_refused(way: LocalSafe) -> None:
    """As bare: judged inside, before it is parsed."""
    limit, channel = load_settings(way.home.config).limits.message_bytes, cast(Any, way._channel)
    call = channel.unary_unary(f"{OWNERS}/BeginUnlock")
    for length, refusal in ((limit, Malformed), (limit + 1, CallTooLarge)):
        field = bytes([0x7A]) + encoded(length - 5) + bytes(length - 5)  # number 15, which is unknown
        with pytest.raises(refusal):
            await refused(call(field, timeout=SECONDS))


def encoded(length: int) -> bytes:
    """A varint of four bytes."""
    return bytes((length >> 7 * place & 127) | (128 if place < 3 else 0) for place in range(4))


async def test_the_log_names_the_call_that_was_inside_and_the_envelope(safes: LocalSafes) -> None:
    """An operator sees what is asked, and how much of it came in envelopes."""
    second = safes.safes[1]
    before = len(second.logged.entries)
    await in_envelopes(second, second).ask(BEGIN)
    lines = [line for line in second.logged.entries[before:] if line["event"] == "rpc"]
    assert [(line["method"], line["outcome"]) for line in lines] == [
        (f"{OWNERS}/BeginUnlock", "OK"),
        (CARRY, "OK"),
    ]


async def refused(call: Any) -> None:
    """Raise what a call's status means."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        raise SAFE_ERRORS.from_status(error) from None


@dataclass
class Envelope:
    """A call of BeginUnlock in an envelope, frame by frame, for tests to spoil.

    Args:
        safe: Whom it is for.
        over: Whose connection takes it.
    """

    safe: LocalSafe
    over: LocalSafe
    shift_ms: int = 0
    method: str = f"{OWNERS}/BeginUnlock"
    safe_id: bytes | None = None
    is_last: bool = True

    def frame(self) -> bytes:
        entry = self.safe.home.entry
        sealer = Sent(entry.safe_id, entry.sealing_key, SystemRandomness())
        opening = Opening(self.method, now_ms() + self.shift_ms, b"")
        return sealer.seal_first(opening, BEGIN.SerializeToString(), is_last=self.is_last)

    async def send(self, *frames: bytes) -> list[bytes]:
        """The frames of the reply."""
        channel: Any = self.over._channel
        call = call_to_carry(channel, SECONDS)
        for number, frame in enumerate(frames):
            safe_id = (self.safe.safe_id if self.safe_id is None else self.safe_id) if number == 0 else b""
            await call.write(safe_pb2.CarryRequest(safe_id=safe_id, frame=frame))
        await call.done_writing()
        try:
            return [answer.frame async for answer in call]
        except grpc.aio.AioRpcError as error:
            raise SAFE_ERRORS.from_status(error) from None


def flipped(frame: bytes, at: int) -> bytes:
    return frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1 :]


def without_a_message(one: Envelope) -> bytes:
    """A first frame that names a method and brings no message."""
    entry = one.safe.home.entry
    sealer = Sent(entry.safe_id, entry.sealing_key, SystemRandomness())
    head = Opening(one.method, now_ms(), b"").to_bytes()
    return sealer._wrapped + seal_frame(sealer._requests, Frame(None, True, head))


FAULTS: dict[str, tuple[Callable[[Envelope], bytes], type[Refusal]]] = {
    "truncated": (lambda one: one.frame()[:-1], EnvelopeRefused),
    "cut to nothing": (lambda one: b"", EnvelopeRefused),
    "flipped in its key": (lambda one: flipped(one.frame(), 3), EnvelopeRefused),
    "flipped in its content": (lambda one: flipped(one.frame(), 500), EnvelopeRefused),
    "more than five minutes old": (
        lambda one: replace(one, shift_ms=-FRESH_MS - 1000).frame(),
        RequestStale,
    ),
    "older than the safe's process": (
        lambda one: replace(one, shift_ms=-FRESH_MS + 1000).frame(),
        RequestStale,
    ),
    "more than five minutes ahead": (
        lambda one: replace(one, shift_ms=FRESH_MS + 5000).frame(),
        RequestStale,
    ),
    "for a method that there is not": (
        lambda one: replace(one, method=f"{OWNERS}/Nothing").frame(),
        EnvelopeRefused,
    ),
    "without a message": (without_a_message, EnvelopeRefused),
    "for another envelope": (lambda one: replace(one, method=CARRY).frame(), EnvelopeRefused),
    "for the health service": (
        lambda one: replace(one, method="/grpc.health.v1.Health/Check").frame(),
        EnvelopeRefused,
    ),
}


@pytest.fixture(params=["directly", "by another safe"])
def envelope(request: pytest.FixtureRequest, safes: LocalSafes) -> Envelope:
    """One for the second safe, that goes there or to the first."""
    first, second = safes.safes[:2]
    return Envelope(second, second if request.param == "directly" else first)


@pytest.mark.parametrize(("make", "refusal"), FAULTS.values(), ids=FAULTS)
async def test_an_envelope_is_refused_that_is(
    envelope: Envelope, make: Callable[[Envelope], bytes], refusal: type[Refusal]
) -> None:
    """In the clear: what does not open, or may have been seen, gets no sealed reply."""
    with pytest.raises(refusal):
        await envelope.send(make(envelope))


async def test_an_envelope_whose_clock_is_nearly_five_minutes_ahead_is_answered(envelope: Envelope) -> None:
    """Clocks of wallet and safe must agree within five minutes."""
    assert len(await envelope.send(replace(envelope, shift_ms=FRESH_MS - 5000).frame())) == 1


async def test_an_envelope_is_opened_once(envelope: Envelope) -> None:
    """The very same frame again, by whatever way."""
    frame = envelope.frame()
    assert len(await envelope.send(frame)) == 1
    for over in (envelope.over, envelope.safe):
        with pytest.raises(RequestReplayed):
            await replace(envelope, over=over).send(frame)


async def test_an_envelope_for_another_safe_does_not_open(safes: LocalSafes) -> None:
    """Sealed to the second safe, addressed to the first; nobody but the second can read it."""
    first, second = safes.safes[:2]
    one = Envelope(second, first, safe_id=first.safe_id)
    with pytest.raises(EnvelopeRefused):
        await one.send(one.frame())


@pytest.mark.parametrize("safe_id", [b"", b"x" * 16, bytes(16), b"x" * 17])
async def test_nothing_is_carried_to_a_safe_that_is_not_in_the_roster(
    safes: LocalSafes, safe_id: bytes
) -> None:
    """Roster addresses alone: no open proxy."""
    one = Envelope(safes.safes[1], safes.safes[0], safe_id=safe_id)
    with pytest.raises(SafeUnknown):
        await one.send(one.frame())


async def test_a_safe_that_is_away_is_said_to_be_and_why(safes: LocalSafes) -> None:
    first, _, third = safes.safes
    with pytest.raises(SafeUnreachable) as caught:
        await in_envelopes(third, first).ask(BEGIN)
    assert caught.value.problem == "nothing listens there"


async def test_an_envelope_without_a_frame_is_refused(envelope: Envelope) -> None:
    with pytest.raises(Malformed):
        await envelope.send()


async def test_a_call_of_one_message_that_says_more_follows_is_refused(envelope: Envelope) -> None:
    cut = replace(envelope, is_last=False)
    with pytest.raises(EnvelopeRefused):
        await cut.send(cut.frame())


async def test_an_answer_and_a_refusal_are_of_one_length(envelope: Envelope) -> None:
    """Who carries them cannot tell a PIN that was right from one that was wrong."""
    answered = await envelope.send(envelope.frame())
    refusing = replace(envelope, method=f"{OWNERS}/Unlock")
    assert [len(frame) for frame in await refusing.send(refusing.frame())] == list(map(len, answered))


async def test_an_upload_without_its_last_frame_registers_nothing(safes: LocalSafes) -> None:
    """All bytes came, and nobody said that they were all; the safe keeps none."""
    second = safes.safes[1]
    before = pieces_at(second)
    batch = dealt(second, "cut off", draw("cut off", CHUNK_BYTES // 2))
    opening, blob = batch.opening(second.safe_id)
    channel: Any = EnvelopeChannel(second._channel, second.home.entry, now_ms, SystemRandomness())  # type: ignore[arg-type]
    caller = SignedCaller(channel, second.safe_id, WALLET, now_ms, SystemRandomness())
    first = safe_pb2.RegisterStreamRequest(opening=opening).SerializeToString()
    call = channel.stream_unary(f"{SAFES}/RegisterStream")(
        metadata=caller._proof(f"{SAFES}/RegisterStream", first)
    )
    await call.write(first)
    await call.write(safe_pb2.RegisterStreamRequest(chunk=blob).SerializeToString())
    await call._exchange._call.done_writing()
    answer = safe_pb2.RegisterStreamResponse.FromString(await call)
    assert type(SAFE_ERRORS.from_refusal(answer.result.refusal)) is EnvelopeRefused
    assert pieces_at(second) == before
    await uploaded(in_envelopes(second, second), batch)
    assert pieces_at(second) == before + 1


SENT_AWAY = {
    grpc.StatusCode.UNAVAILABLE,  # for one that came later
    grpc.StatusCode.INVALID_ARGUMENT,  # for its silence, where the machine is slow
    grpc.StatusCode.RESOURCE_EXHAUSTED,  # by gRPC, before it stood at the door
}


async def test_half_open_envelopes_keep_nobody_out(safes: LocalSafes) -> None:
    """Far more than may wait: those that have waited longest are sent away, and who speaks is heard."""
    second = safes.safes[1]
    entry = second.home.entry
    strangers = [
        pinned_channel(f"127.0.0.1:{second.port}", entry.tls_certificate, entry.name) for _ in range(3)
    ]
    calls = [call_to_carry(strangers[number % 3], 6 * SECONDS) for number in range(3 * MOST_WAITING)]
    try:
        ended = asyncio.as_completed([asyncio.ensure_future(call.code()) for call in calls])
        for number in range(2 * MOST_WAITING):
            assert await next(ended) in SENT_AWAY
            if number % 8 == 0:
                await in_envelopes(second, second).ask(BEGIN)
        assert sum(not call.done() for call in calls) <= MOST_WAITING
    finally:
        await asyncio.gather(*(stranger.close() for stranger in strangers))
