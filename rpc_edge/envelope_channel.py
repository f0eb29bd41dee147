"""What a caller uses in the place of a channel, so that its calls travel in envelopes.

    SignedCaller -> EnvelopeChannel -> channel to the safe, or to whoever carries

Each call is one envelope of its own (trust.envelope). What a carrier says in the clear is its word, not the
safe's: only that it could not carry, or that the envelope was not taken, is passed on as a refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import grpc

from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.carrying import call_to_carry
from rpc_edge.early_end import ServersStatus
from rpc_edge.error_table import DETAILS_KEY, SAFE_ERRORS
from rpc_edge.errors import ReplyBroken
from threshold.randomness import RandomSource
from trust import refusals
from trust.envelope import Opening, Outcome, Sent
from trust.errors import EnvelopeBroken
from trust.refusals import Refusal
from trust.request import METADATA_KEY
from trust.roster import SafeEntry

Metadata: TypeAlias = Sequence[tuple[str, bytes]] | None

CARRIERS_WORDS = (
    refusals.Busy,
    refusals.CallTooLarge,
    refusals.EnvelopeRefused,
    refusals.InternalError,
    refusals.Malformed,
    refusals.RequestReplayed,
    refusals.RequestStale,
    refusals.SafeUnknown,
    refusals.SafeUnreachable,
    refusals.ShuttingDown,
    refusals.TlsTooOld,
)
"""All that may be said outside of the seal; a right PIN, for one, must not look wrong by a carrier's word."""

LEAVE_SECONDS = 1.0
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class EnvelopeChannel:
    """Stands for a channel to one safe, as far as rpc_edge.client uses one.

    Args:
        channel: Over which frames travel: to the safe itself, or to a carrier. Its owner closes it.
        entry: The safe.
        now_ms: The clock: milliseconds since 1970-01-01 UTC.
        rng: Gives each envelope its secret.
    """

    def __init__(
        self, channel: grpc.aio.Channel, entry: SafeEntry, now_ms: Callable[[], int], rng: RandomSource
    ) -> None:
        self._channel = channel
        self._entry = entry
        self._now_ms = now_ms
        self._rng = rng

    def unary_unary(self, method: str) -> Callable[..., Awaitable[bytes]]:
        """A callable as grpc.aio's, of bytes."""

        async def call(body: bytes, *, timeout: float, metadata: Metadata = None) -> bytes:
            exchange = self._exchange(method, metadata, timeout)
            try:
                await exchange.send(body, is_last=True)
                return await exchange.only()
            finally:
                exchange.cancel()

        return call

    def stream_unary(self, method: str) -> Callable[..., _Upload]:
        """A callable as grpc.aio's, of bytes."""

        def call(*, metadata: Metadata = None) -> _Upload:
            return _Upload(self._exchange(method, metadata))

        return call

    def unary_stream(self, method: str) -> Callable[..., _Download]:
        """A callable as grpc.aio's, of bytes."""

        def call(body: bytes, *, metadata: Metadata = None) -> _Download:
            return _Download(self._exchange(method, metadata), body)

        return call

    async def close(self) -> None:
        """Nothing: the channel below belongs to whoever made it."""

    def _exchange(self, method: str, metadata: Metadata, timeout: float | None = None) -> _Exchange:
        proof = next((value for key, value in metadata or () if key == METADATA_KEY), b"")
        opening = Opening(method, self._now_ms(), proof)
        sealer = Sent(self._entry.safe_id, self._entry.sealing_key, self._rng)
        return _Exchange(self._entry, opening, sealer, call_to_carry(self._channel, timeout))


class _Exchange:
    """One envelope and its reply."""

    def __init__(self, entry: SafeEntry, opening: Opening, sealer: Sent, call: Any) -> None:
        self._entry = entry
        self._opening: Opening | None = opening
        self._sealer = sealer
        self._call = call
        self._status = ServersStatus(call)
        self._answers = aiter(call)
        self._outcome: Outcome | None = None

    async def send(self, message: bytes | None, *, is_last: bool) -> None:
        """Seal and send a message, or that all was sent; where the call is over, `receive` says why."""
        opening, self._opening = self._opening, None
        try:
            if opening is not None:
                frame = self._sealer.seal_first(opening, message or b"", is_last=is_last)
                await self._call.write(pb.CarryRequest(safe_id=self._entry.safe_id, frame=frame))
            else:
                await self._call.write(pb.CarryRequest(frame=self._sealer.seal(message, is_last=is_last)))
            if is_last:
                await self._call.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            self.is_over = True

    is_over = False
    """Nothing more can be sent."""

    async def receive(self) -> bytes | None:
        """The next message; None at the end of a call that went well.

        Raises:
            AioRpcError: The safe's status, or the carrier's.
            ReplyBroken: What came was not sealed by the safe, or not all of it came.
        """
        message = None
        while message is None and self._outcome is None:
            message, self._outcome = self._opened(await self._frame())
        if self._outcome is not None:
            await self._leave()
        if message is None and self._outcome is not None and self._outcome.code:
            raise _error(self._outcome)
        return message

    async def _leave(self) -> None:
        """Let the other side end the call, so that no log says it was broken off; nothing depends on it."""
        with suppress(grpc.aio.AioRpcError, TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await anext(self._answers, None)

    async def only(self) -> bytes:
        """The one message of a reply that has no more."""
        message = await self.receive()
        if message is None or self._outcome is None or self._outcome.code:
            raise ReplyBroken
        return message

    def cancel(self) -> None:
        """End it, if it has not ended."""
        self._call.cancel()

    async def _frame(self) -> bytes:
        try:
            answer = await anext(self._answers, None)
        except grpc.aio.AioRpcError as error:
            raise _carriers_word(self._status.instead_of(error)) from None
        if answer is None:
            raise ReplyBroken
        return bytes(answer.frame)

    def _opened(self, frame: bytes) -> tuple[bytes | None, Outcome | None]:
        try:
            return self._sealer.open(frame)
        except EnvelopeBroken:
            raise ReplyBroken from None


class _Upload:
    """Stands for grpc.aio's StreamUnaryCall."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    async def write(self, body: bytes) -> None:
        """Send a message.

        Raises:
            InvalidStateError: The call is over.
        """
        await self._exchange.send(body, is_last=False)
        if self._exchange.is_over:
            raise asyncio.InvalidStateError

    async def done_writing(self) -> None:
        """Say that all was sent."""
        await self._exchange.send(None, is_last=True)

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Nothing to tell: the exchange itself looks after its status."""

    def __await__(self) -> Generator[Any, None, bytes]:
        """The answer."""
        return self._exchange.only().__await__()

    def cancel(self) -> None:
        """End the call."""
        self._exchange.cancel()


class _Download:
    """Stands for grpc.aio's UnaryStreamCall."""

    def __init__(self, exchange: _Exchange, body: bytes) -> None:
        self._exchange = exchange
        self._body: bytes | None = body

    async def read(self) -> bytes | Any:
        """The next message, or EOF."""
        body, self._body = self._body, None
        if body is not None:
            await self._exchange.send(body, is_last=True)
        message = await self._exchange.receive()
        return grpc.aio.EOF if message is None else message

    def cancel(self) -> None:
        """End the call."""
        self._exchange.cancel()


def _error(outcome: Outcome) -> grpc.aio.AioRpcError:
    trailers = ((DETAILS_KEY, outcome.details),) if outcome.details else ()
    return _rpc_error(_CODES[outcome.code], outcome.text, trailers)


def _carriers_word(error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
    """What was said in the clear, without what is not a carrier's to say."""
    refusal = SAFE_ERRORS.from_status(error)
    if isinstance(refusal, Refusal) and not isinstance(refusal, CARRIERS_WORDS):
        return _rpc_error(error.code(), "said outside of the seal", ())
    return error


def _rpc_error(
    code: grpc.StatusCode, text: str, trailers: tuple[tuple[str, bytes], ...]
) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailers), details=text)
