"""Calls in envelopes when whoever carries them lies, cuts off, or says what is not theirs to say."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from unit.rpc_edge.conftest import NOW_MS, SERVICE, Edge

from kura.safe.v1 import safe_pb2
from rpc_edge.client import SignedCaller
from rpc_edge.envelope_channel import CARRIERS_WORDS, EnvelopeChannel
from rpc_edge.error_table import SAFE_ERRORS
from rpc_edge.errors import NoAnswer, NothingListens, ReplyBroken, UnexpectedStatus
from rpc_edge.tls import pinned_channel
from support.sample_documents import SEALING_PAIRS, safe_entry
from threshold.randomness import SeededRandomness
from trust.envelope import Outcome, Received, open_envelope
from trust.owner_refusals import UnlockRefused
from trust.refusals import Busy, Malformed, Refusal, RequestStale, SafeUnknown, SafeUnreachable
from trust.sealed_frames import Frame
from trust.wallet_refusals import CertificateUnknown

ENTRY = safe_entry(1)
ANSWER = safe_pb2.FetchResponse(results=[safe_pb2.FetchResult()]).SerializeToString()
WELL = Outcome(0, "", b"")
SECONDS = 10.0


def rng() -> SeededRandomness:
    return SeededRandomness(bytes(32), b"a channel of envelopes")


def sealed(edge: Edge, channel: Any = None) -> SignedCaller:
    """Calls the first of the sample safes in envelopes, over the edge's port."""
    envelopes = EnvelopeChannel(channel or edge.channel(), ENTRY, lambda: NOW_MS, rng())
    return SignedCaller(envelopes, ENTRY.safe_id, edge.key, lambda: NOW_MS, rng())


async def fetched(call: SignedCaller) -> safe_pb2.FetchResponse:
    return await call.unary(f"/{SERVICE}/Fetch", safe_pb2.FetchRequest(), safe_pb2.FetchResponse, SECONDS)


async def streamed(call: SignedCaller) -> list[safe_pb2.FetchStreamResponse]:
    stream = call.stream_down(
        f"/{SERVICE}/FetchStream", safe_pb2.FetchStreamRequest(), safe_pb2.FetchStreamResponse, SECONDS
    )
    return [part async for part in stream]


async def uploaded(call: SignedCaller, messages: int = 3) -> safe_pb2.RegisterStreamResponse:
    async def rest() -> AsyncIterator[safe_pb2.RegisterStreamRequest]:
        for number in range(messages):
            yield safe_pb2.RegisterStreamRequest(chunk=b"%d" % number)

    first = safe_pb2.RegisterStreamRequest()
    return await call.stream_up(
        f"/{SERVICE}/RegisterStream", first, rest(), safe_pb2.RegisterStreamResponse, SECONDS
    )


Frames = Callable[[Received], list[bytes]]


def answering(edge: Edge, frames: Frames) -> None:
    """Have the safe answer the first frame with these, and end well."""

    async def carry(requests: Any) -> AsyncIterator[safe_pb2.CarryResponse]:
        first = await anext(requests)
        received, _, _ = open_envelope(first.frame, ENTRY.safe_id, SEALING_PAIRS[0], rng())
        for frame in frames(received):
            yield safe_pb2.CarryResponse(frame=frame)

    edge.safe.carry = carry


async def test_one_message_comes_back_as_it_was_sealed(edge: Edge) -> None:
    answering(edge, lambda safe: [safe.seal(ANSWER, WELL)])
    assert len((await fetched(sealed(edge))).results) == 1


def _flipped(frame: bytes) -> bytes:
    return frame[:-1] + bytes([frame[-1] ^ 1])


REPLIES: dict[str, Frames] = {
    "nothing": lambda safe: [],
    "an empty frame": lambda safe: [b""],
    "a frame that was changed": lambda safe: [_flipped(safe.seal(ANSWER, WELL))],
    "a frame that was cut": lambda safe: [safe.seal(ANSWER, WELL)[:-1]],
    "a frame that stays the last but does not say so": lambda safe: [safe.seal(ANSWER, None)],
    "an end without a message": lambda safe: [safe.seal(None, WELL)],
    "a message and then an error": lambda safe: [safe.seal(ANSWER, Outcome(5, "", b""))],
    "somebody else's answer": lambda safe: [Received(bytes(80), bytes(32), rng()).seal(ANSWER, WELL)],
}


@pytest.mark.parametrize("frames", REPLIES.values(), ids=REPLIES)
async def test_a_reply_is_not_believed_that_is(edge: Edge, frames: Frames) -> None:
    answering(edge, frames)
    with pytest.raises(ReplyBroken, match="not what it sealed"):
        await fetched(sealed(edge))


async def test_a_stream_is_complete_only_when_the_safe_said_so(edge: Edge) -> None:
    """Three messages came; without the end nobody knows whether there were more."""
    part = safe_pb2.FetchStreamResponse(chunk=b"x").SerializeToString()
    answering(edge, lambda safe: [*(safe.seal(part, None) for _ in range(3)), safe.seal(None, WELL)])
    assert len(await streamed(sealed(edge))) == 3
    answering(edge, lambda safe: [safe.seal(part, None) for _ in range(3)])
    with pytest.raises(ReplyBroken):
        await streamed(sealed(edge))


async def test_a_refusal_that_the_safe_sealed_is_the_safes(edge: Edge) -> None:
    """With its type and fields; also in the middle of a stream."""
    status = SAFE_ERRORS.to_status(Malformed("certificates"))
    details = dict(status.trailing_metadata or ())["grpc-status-details-bin"]
    assert isinstance(details, bytes)
    outcome = Outcome(status.code.value[0], status.details, details)
    answering(edge, lambda safe: [safe.seal(None, outcome)])
    for ask in (fetched, streamed, uploaded):
        with pytest.raises(Malformed, match="certificates"):
            await ask(sealed(edge))


async def test_an_error_that_no_table_has_is_an_unexpected_status(edge: Edge) -> None:
    answering(edge, lambda safe: [safe.seal(None, Outcome(5, "gone", b""))])
    with pytest.raises(UnexpectedStatus, match="NOT_FOUND"):
        await fetched(sealed(edge))


def refusing(edge: Edge, refusal: Refusal) -> None:
    """Have the carrier say this in the clear."""

    async def carry(requests: Any) -> AsyncIterator[safe_pb2.CarryResponse]:
        await anext(requests)
        if refusal is not None:
            raise refusal
        yield safe_pb2.CarryResponse()

    edge.safe.carry = carry


@pytest.mark.parametrize(
    "refusal",
    [Busy(), SafeUnknown(), SafeUnreachable("nothing listens there"), RequestStale(NOW_MS)],
    ids=repr,
)
async def test_a_carrier_may_say_that_it_did_not_carry(edge: Edge, refusal: Refusal) -> None:
    refusing(edge, refusal)
    for ask in (fetched, streamed, uploaded):
        with pytest.raises(type(refusal)):
            await ask(sealed(edge))


@pytest.mark.parametrize("refusal", [UnlockRefused(), CertificateUnknown()], ids=repr)
async def test_a_carrier_cannot_speak_for_the_safe(edge: Edge, refusal: Refusal) -> None:
    """Else it could make a right PIN look wrong, and a piece look lost."""
    refusing(edge, refusal)
    for ask in (fetched, streamed, uploaded):
        with pytest.raises(UnexpectedStatus):
            await ask(sealed(edge))


def test_what_a_carrier_may_say_tells_nothing_of_what_a_safe_keeps() -> None:
    """Named a second time, so that none is added by a slip."""
    assert {kind.__name__ for kind in CARRIERS_WORDS} == {
        "Busy",
        "CallTooLarge",
        "EnvelopeRefused",
        "InternalError",
        "Malformed",
        "RequestReplayed",
        "RequestStale",
        "SafeUnknown",
        "SafeUnreachable",
        "ShuttingDown",
        "TlsTooOld",
    }


async def test_an_upload_arrives_frame_by_frame_and_says_when_it_ends(edge: Edge) -> None:
    heard: list[Frame] = []

    async def carry(requests: Any) -> AsyncIterator[safe_pb2.CarryResponse]:
        first = await anext(requests)
        received, _, frame = open_envelope(first.frame, ENTRY.safe_id, SEALING_PAIRS[0], rng())
        heard.append(frame)
        async for request in requests:
            heard.append(received.open(request.frame))
        yield safe_pb2.CarryResponse(frame=received.seal(b"", WELL))

    edge.safe.carry = carry
    assert await uploaded(sealed(edge)) == safe_pb2.RegisterStreamResponse()
    assert [frame.is_last for frame in heard] == [False] * 4 + [True]
    assert heard[-1].message is None


async def test_a_reply_in_the_middle_of_an_upload_is_heard(edge: Edge) -> None:
    """The safe has refused and left; what still was to be sent is not."""
    answering(edge, lambda safe: [safe.seal(None, Outcome(3, "no", b""))])
    with pytest.raises(UnexpectedStatus, match="INVALID_ARGUMENT"):
        await uploaded(sealed(edge), 5_000)


async def test_a_carrier_that_never_answers_is_given_up(edge: Edge) -> None:
    hold = asyncio.Event()

    async def carry(requests: Any) -> AsyncIterator[safe_pb2.CarryResponse]:
        await hold.wait()
        yield safe_pb2.CarryResponse()

    edge.safe.carry = carry
    call = sealed(edge)
    with pytest.raises(NoAnswer):
        await call.unary(f"/{SERVICE}/Fetch", safe_pb2.FetchRequest(), safe_pb2.FetchResponse, 0.05)
    hold.set()


async def test_a_carrier_that_is_not_there_is_said_to_be(edge: Edge) -> None:
    channel = pinned_channel("127.0.0.1:1", edge.who.der, "safe-1")
    for ask in (fetched, streamed, uploaded):
        with pytest.raises(NothingListens):
            await ask(sealed(edge, channel))
    await channel.close()


async def test_closing_it_leaves_the_channel_below_open(edge: Edge) -> None:
    """It belongs to whoever made it."""
    channel = edge.channel()
    await EnvelopeChannel(channel, ENTRY, lambda: NOW_MS, rng()).close()
    assert channel.get_state() is not grpc.ChannelConnectivity.SHUTDOWN
