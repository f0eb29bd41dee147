"""Calls that come in envelopes, answered by the very handlers and layers that answer them bare.

An envelope names a method. Its handler is called in this process, inside the same layers, with a context
that knows no more than an envelope tells; what it answers, and the status it ends with, goes back sealed.
Until the envelope is open and known to be new, a refusal goes out in the clear.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Any

import grpc

from rpc_edge.edge import Handler, behaviour_of
from rpc_edge.error_table import DETAILS_KEY
from rpc_edge.freshness import FreshnessJudge
from threshold.hpke import KeyPair
from threshold.randomness import RandomSource
from trust.envelope import Opening, Outcome, Received, open_envelope
from trust.errors import EnvelopeBroken
from trust.ids import SafeId
from trust.refusals import EnvelopeRefused
from trust.request import METADATA_KEY
from trust.sealed_frames import Frame

WELL = Outcome(0, "", b"")


class SealedCalls:
    """What one safe is asked in envelopes.

    Args:
        methods: By full path, of bytes and inside all their layers (rpc_edge.edge.methods_inside).
        safe_id: The safe.
        pair: Secret: its sealing key.
        judge: Remembers which envelopes were opened; one for the whole process.
        now_ms: The clock: milliseconds since 1970-01-01 UTC.
        rng: Makes the keys of replies fresh.
    """

    def __init__(
        self,
        methods: Mapping[str, Handler],
        safe_id: SafeId,
        pair: KeyPair,
        judge: FreshnessJudge,
        now_ms: Callable[[], int],
        rng: RandomSource,
    ) -> None:
        self._methods = dict(methods)
        self._safe_id = safe_id
        self._pair = pair
        self._judge = judge
        self._now_ms = now_ms
        self._rng = rng

    async def answer(self, first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Open an envelope, call what it asks for, and seal what comes of it.

        Args:
            first: The first frame.
            rest: Those that follow.

        Raises (in the clear):
            EnvelopeRefused: It does not open, or asks for nothing that there is.
            RequestStale, RequestReplayed: See rpc_edge.freshness.
        """
        received, opening, frame = self._opened(first)
        handler = self._methods.get(opening.method)
        if handler is None:
            raise EnvelopeRefused
        context = SealedContext(opening.proof)
        async with aclosing(_called(handler, context, received, frame, rest)) as frames:
            try:
                async for sealed in frames:
                    yield sealed
                return
            except grpc.aio.AbortError:
                outcome = context.outcome()
        yield received.seal(None, outcome)

    def _opened(self, first: bytes) -> tuple[Received, Opening, Frame]:
        try:
            received, opening, frame = open_envelope(first, self._safe_id, self._pair, self._rng)
        except EnvelopeBroken:
            raise EnvelopeRefused from None
        self._judge.admit(received.name, b"", opening.issued_at_ms, self._now_ms())
        if frame.message is None:
            raise EnvelopeRefused
        return received, opening, frame


class SealedContext:
    """As much of gRPC's context as layers and handlers use.

    Args:
        proof: The RequestProof that came inside; empty for none.
    """

    def __init__(self, proof: bytes) -> None:
        self._metadata = ((METADATA_KEY, proof),) if proof else ()
        self._status: grpc.Status | None = None

    def invocation_metadata(self) -> tuple[tuple[str, bytes], ...]:
        """The proof, as it would come beside a bare call."""
        return self._metadata

    async def abort_with_status(self, status: grpc.Status) -> None:
        """End the call.

        Raises:
            AbortError: Always.
        """
        self._status = status
        raise grpc.aio.AbortError

    def outcome(self) -> Outcome:
        """How the call ended, once it was aborted."""
        if self._status is None:
            raise RuntimeError("the call was not aborted")
        trailers = dict(self._status.trailing_metadata or ())
        details = trailers.get(DETAILS_KEY, b"")
        return Outcome(
            self._status.code.value[0], self._status.details, details if isinstance(details, bytes) else b""
        )


async def _called(
    handler: Handler, context: SealedContext, received: Received, frame: Frame, rest: AsyncIterator[bytes]
) -> AsyncGenerator[bytes, None]:
    behaviour: Callable[[Any, Any], Any] = behaviour_of(handler)
    request = _messages(received, frame, rest) if handler.request_streaming else _only_message(frame)
    if not handler.response_streaming:
        yield received.seal(await behaviour(request, context), WELL)
        return
    async with aclosing(behaviour(request, context)) as answers:
        async for answer in answers:
            yield received.seal(answer, None)
    yield received.seal(None, WELL)


def _only_message(frame: Frame) -> bytes:
    if frame.message is None or not frame.is_last:
        raise EnvelopeRefused
    return frame.message


async def _messages(received: Received, frame: Frame, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The messages of a stream, which is complete only when a frame said that it was the last.

    Raises:
        EnvelopeRefused: A frame does not open, or the last one is missing.
    """
    while True:
        if frame.message is not None:
            yield frame.message
        if frame.is_last:
            return
        try:
            frame = received.open(await anext(rest, b""))
        except EnvelopeBroken:
            raise EnvelopeRefused from None
