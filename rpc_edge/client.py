"""Signed calls to one safe.

A message is serialised once; those bytes are signed and those bytes are sent. What comes back is a message,
a refusal of trust, or a CallFailed that says why there is no answer. Nothing is retried here: who
asks knows what may be asked twice. A deadline never adapts a clock: RequestStale is raised as it is.

A unary call has a deadline for the whole. A stream has one for progress: as long as each message moves on
within it, the stream may take as long as it takes.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from rpc_edge.connection_failures import explain_connection_failure
from rpc_edge.early_end import ServersStatus
from rpc_edge.envelope_channel import EnvelopeChannel
from rpc_edge.error_table import SAFE_ERRORS, ErrorTable
from rpc_edge.errors import AnswerMalformed, CallFailed, CarrierFailed, NoAnswer, UnexpectedStatus
from threshold.randomness import RandomSource
from trust.documents import SigningKey
from trust.ids import SafeId
from trust.refusals import Refusal
from trust.request import METADATA_KEY, prove_request

_Answer = TypeVar("_Answer", bound=Message)
_NONCE_BYTES = 16
_NOT_THE_CARRIERS = (NoAnswer, UnexpectedStatus)


class Caller:
    """Calls one server, and names what goes wrong.

    Args:
        channel: The channel to it; its owner closes it.
        now_ms: The clock: milliseconds since 1970-01-01 UTC.
        certificate_der: The certificate the channel is pinned to, to tell why a connection fails.
        errors: What refusals mean.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel | EnvelopeChannel,
        now_ms: Callable[[], int],
        *,
        certificate_der: bytes | None = None,
        errors: ErrorTable = SAFE_ERRORS,
    ) -> None:
        self._channel = channel
        self._now_ms = now_ms
        self._certificate_der = certificate_der
        self._errors = errors
        self._methods: dict[str, Any] = {}

    async def unsigned(
        self, method: str, request: Message, response_type: type[_Answer], timeout: float
    ) -> _Answer:
        """Ask once, as anybody may.

        Args:
            method: Full path, such as "/kura.auth.v1.AuthService/Describe".
            request: The message; it is not changed.
            response_type: What the answer is read as.
            timeout: Seconds for the whole call, connecting included.

        Raises:
            Refusal: The server's own word.
            CallFailed: There is no answer; says why.
        """
        return await self._once(method, request.SerializeToString(), response_type, timeout, None)

    async def _once(
        self,
        method: str,
        body: bytes,
        response_type: type[_Answer],
        timeout: float,
        metadata: tuple[tuple[str, bytes], ...] | None,
    ) -> _Answer:
        call = self._method(method, self._channel.unary_unary)
        async with self._failures_named(timeout):
            answer = await call(body, timeout=timeout, metadata=metadata)
        return _read(response_type, answer)

    def _method(self, method: str, kind: Callable[..., Any]) -> Any:
        """The callable of a method, made once; without serialisers, so that bytes go and come as they are."""
        known = self._methods.get(method)
        if known is None:
            known = self._methods[method] = kind(method)
        return known

    @asynccontextmanager
    async def _failures_named(self, seconds: float) -> AsyncIterator[None]:
        try:
            yield
        except grpc.aio.AioRpcError as error:
            raise self._named(error, seconds) from None

    def _named(self, error: grpc.aio.AioRpcError, seconds: float) -> Exception:
        refusal = self._errors.from_status(error)
        if isinstance(refusal, Refusal):
            return refusal
        now = datetime.fromtimestamp(self._now_ms() / 1000, UTC)
        return explain_connection_failure(error, self._certificate_der, now=now, waited_seconds=seconds)


class SignedCaller(Caller):
    """Calls one safe as one wallet.

    Args:
        channel: The channel to the safe, or what puts calls into envelopes; its owner closes it.
        safe_id: The safe the requests are for.
        signing_key: Secret: the wallet's key.
        now_ms: The clock: milliseconds since 1970-01-01 UTC.
        rng: Where nonces come from.
        certificate_der: The certificate the channel is pinned to, to tell why a connection fails.
        errors: What refusals mean.
        carrier: The name of who carries the calls, where that is another than the safe; else empty.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel | EnvelopeChannel,
        safe_id: SafeId,
        signing_key: SigningKey,
        now_ms: Callable[[], int],
        rng: RandomSource,
        *,
        certificate_der: bytes | None = None,
        errors: ErrorTable = SAFE_ERRORS,
        carrier: str = "",
    ) -> None:
        super().__init__(channel, now_ms, certificate_der=certificate_der, errors=errors)
        self._carrier = carrier
        self._safe_id = safe_id
        self._signing_key = signing_key
        self._rng = rng

    async def unary(
        self,
        method: str,
        request: Message,
        response_type: type[_Answer],
        timeout: float,
        *,
        signed: bool = True,
    ) -> _Answer:
        """Ask once.

        Args:
            method: Full path, such as "/kura.safe.v1.SafeService/Fetch".
            request: The message; it is not changed.
            response_type: What the answer is read as.
            timeout: Seconds for the whole call, connecting included.
            signed: False only for methods that are open to anyone.

        Raises:
            Refusal: The safe's own word.
            CallFailed: There is no answer; says why.
        """
        body = request.SerializeToString()
        proof = self._proof(method, body) if signed else None
        return await self._once(method, body, response_type, timeout, proof)

    async def stream_up(
        self,
        method: str,
        first: Message,
        rest: AsyncIterator[Message],
        response_type: type[_Answer],
        progress_timeout: float,
    ) -> _Answer:
        """Send a signed first message and what follows it; get one answer.

        `rest` may take its time; only sending and the final answer are measured. It is not closed here.

        Args:
            method: Full path.
            first: The message that is signed; it must commit to the rest.
            rest: The following messages.
            response_type: What the answer is read as.
            progress_timeout: Seconds each message, and the answer after the last, may take.

        Raises:
            Refusal: The safe's own word, which may come before everything is sent.
            CallFailed: There is no answer; says why.
        """
        body = first.SerializeToString()
        call = self._method(method, self._channel.stream_unary)(metadata=self._proof(method, body))
        status = ServersStatus(call)
        async with self._failures_named(progress_timeout), _cancelled_at_exit(call):
            await _send_all(call, body, rest, progress_timeout)
            async with _within(progress_timeout):
                answer = await _answer(call, status)
        return _read(response_type, answer)

    async def stream_down(
        self,
        method: str,
        request: Message,
        response_type: type[_Answer],
        progress_timeout: float,
        *,
        signed: bool = True,
    ) -> AsyncGenerator[_Answer, None]:
        """Ask once and get messages one by one. Leaving the loop early (aclose) cancels the call.

        Args:
            method: Full path.
            request: The message, which is signed.
            response_type: What each answer is read as.
            progress_timeout: Seconds until the first message, and from one to the next.
            signed: False only where the connection's certificate tells who calls.

        Raises:
            Refusal: The safe's own word.
            CallFailed: The stream ended early; says why.
        """
        body = request.SerializeToString()
        proof = self._proof(method, body) if signed else None
        call = self._method(method, self._channel.unary_stream)(body, metadata=proof)
        async with self._failures_named(progress_timeout), _cancelled_at_exit(call):
            while True:
                async with _within(progress_timeout):
                    answer = await call.read()
                if answer is grpc.aio.EOF:
                    return
                yield _read(response_type, answer)

    def _named(self, error: grpc.aio.AioRpcError, seconds: float) -> Exception:
        """A connection that fails is the carrier's; a safe that is silent may be the safe itself."""
        failure = super()._named(error, seconds)
        if self._carrier and isinstance(failure, CallFailed) and not isinstance(failure, _NOT_THE_CARRIERS):
            return CarrierFailed(self._carrier, str(failure))
        return failure

    def _proof(self, method: str, body: bytes) -> tuple[tuple[str, bytes], ...]:
        nonce = self._rng.read(_NONCE_BYTES)
        proof = prove_request(self._signing_key, method, self._safe_id, body, self._now_ms(), nonce)
        return ((METADATA_KEY, proof.to_bytes()),)


async def _send_all(call: Any, first: bytes, rest: AsyncIterator[Message], seconds: float) -> None:
    """Send everything, or stop where the safe has ended the call already."""
    sending = await _sent(call, first, seconds)
    while sending and (message := await anext(rest, None)) is not None:
        sending = await _sent(call, message.SerializeToString(), seconds)
    if sending:
        await call.done_writing()


async def _sent(call: Any, body: bytes, seconds: float) -> bool:
    """Send one message; False when the call is over, whose status then says why."""
    try:
        async with _within(seconds):
            await call.write(body)
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        return False
    return True


async def _answer(call: Any, status: ServersStatus) -> bytes:
    try:
        answer: bytes = await call
    except grpc.aio.AioRpcError as error:
        raise status.instead_of(error) from None
    return answer


@asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise NoAnswer(seconds) from None


@asynccontextmanager
async def _cancelled_at_exit(call: Any) -> AsyncIterator[None]:
    """Whatever ends the block ends the call; a finished call is not touched by it."""
    try:
        yield
    finally:
        call.cancel()


def _read(response_type: type[_Answer], body: bytes) -> _Answer:
    try:
        return response_type.FromString(body)
    except DecodeError:
        raise AnswerMalformed from None
