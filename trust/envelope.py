"""Envelopes: what a wallet and one safe say to each other, sealed so that whoever carries it reads nothing.

    wallet -> safe   HPKE(safe's sealing key; 32 fresh bytes) ‖ sealed(Opening, message), sealed(message), ...
    safe -> wallet   32 fresh bytes ‖ sealed(message), sealed(message), ..., sealed(message, Outcome)

HPKE (RFC 9180, base mode; threshold/hpke.py) carries 32 fresh bytes to the safe and binds them to its id. All
keys come from them, one for each frame (trust/sealed_frames.py).

The keys of replies come from 32 fresh bytes of the safe's as well. So no key seals two messages, even where a
safe forgot that it has opened an envelope before. That it opens each only once, who receives it sees to, by
`Received.name` and the time in the Opening.

What this does not give: who later gets hold of the safe's sealing key reads what was recorded before. Between
two ends that are connected directly TLS 1.3 is around it.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from msgspec import Meta

from threshold import hpke, sealing
from threshold.errors import ThresholdError
from threshold.randomness import RandomSource
from trust.documents import Document
from trust.errors import DocumentMalformed, EnvelopeBroken
from trust.ids import SafeId
from trust.sealed_frames import FIXED_BYTES, Frame, FrameKeys, open_frame, padded_length, seal_frame

SECRET_BYTES = hpke.SECRET_BYTES
REPLY_SALT_BYTES = 32
MAX_OUTCOME_BYTES = 16 * 1024
_INFO = b"kura/v1/envelope"
_Head = TypeVar("_Head", bound=Document)


class Opening(Document, frozen=True):
    """What the first frame says besides the message.

    Args:
        method: Full gRPC path of what is called, such as "/kura.safe.v1.SafeService/Fetch".
        issued_at_ms: When, milliseconds since 1970-01-01 UTC, by the wallet's clock.
        proof: The RequestProof that would travel as metadata; empty where the call is not signed.
    """

    title = "envelope opening"

    method: Annotated[str, Meta(min_length=1, max_length=200)]
    issued_at_ms: Annotated[int, Meta(ge=0, le=2**53)]
    proof: Annotated[bytes, Meta(max_length=512)]


class Outcome(Document, frozen=True):
    """How the call ended, in the last frame of a reply.

    Args:
        code: The gRPC status code.
        text: The status's text.
        details: The google.rpc.Status that would travel in the trailers; empty when there is none.
    """

    title = "envelope outcome"

    code: Annotated[int, Meta(ge=0, le=16)]
    text: Annotated[str, Meta(max_length=1000)]
    details: Annotated[bytes, Meta(max_length=MAX_OUTCOME_BYTES)]


class Sent:
    """The wallet's end of one envelope: seals requests, opens replies.

    Args:
        safe_id: The safe it is for.
        sealing_key: That safe's, of the roster: X25519, 32 bytes.
        rng: Gives the 32 bytes that all keys come from; HPKE draws its ephemeral key in the library.

    Raises:
        InvalidPublicKey, InvalidLength: Nothing can be sealed to that key.
    """

    def __init__(self, safe_id: SafeId, sealing_key: bytes, rng: RandomSource) -> None:
        self._secret = rng.read(SECRET_BYTES)
        self._wrapped = hpke.wrap(sealing_key, self._secret, _INFO, safe_id)
        self._requests = FrameKeys(self._secret, self._wrapped, b"request")
        self._replies: FrameKeys | None = None
        self._ended = False

    def seal_first(self, opening: Opening, message: bytes, *, is_last: bool) -> bytes:
        """The first frame: the opening and a message (Secret)."""
        frame = Frame(message, is_last, opening.to_bytes())
        return self._wrapped + seal_frame(self._requests, frame)

    def seal(self, message: bytes | None, *, is_last: bool) -> bytes:
        """A further frame, with a message (Secret) or, to say that all was sent, without."""
        return seal_frame(self._requests, Frame(message, is_last))

    def open(self, frame: bytes) -> tuple[bytes | None, Outcome | None]:
        """A reply's next message (Secret), if there is one; and how the call ended, once it has.

        Raises:
            EnvelopeBroken: The safe did not seal this as its next frame.
        """
        if self._ended:
            raise EnvelopeBroken
        if self._replies is None:
            salt, frame = frame[:REPLY_SALT_BYTES], frame[REPLY_SALT_BYTES:]
            self._replies = FrameKeys(self._secret, self._wrapped + salt, b"reply")
        read = open_frame(self._replies, frame)
        self._ended = read.is_last
        return read.message, _read_head(Outcome, read.head) if read.is_last else None


class Received:
    """The safe's end of one envelope: opens requests, seals replies; made by `open_envelope`.

    Args:
        wrapped: What HPKE made, 80 bytes.
        secret: Secret: what was in it.
        rng: Gives the 32 bytes that make the replies' keys fresh.
    """

    def __init__(self, wrapped: bytes, secret: bytes, rng: RandomSource) -> None:
        self.name = wrapped[: hpke.PUBLIC_BYTES]
        """What no two envelopes have in common: the encapsulated key, 32 bytes."""
        self._requests = FrameKeys(secret, wrapped, b"request")
        self._salt = rng.read(REPLY_SALT_BYTES)
        self._replies = FrameKeys(secret, wrapped + self._salt, b"reply")

    def open(self, frame: bytes) -> Frame:
        """The next frame of the request.

        Raises:
            EnvelopeBroken: The wallet did not seal this as its next frame.
        """
        read = open_frame(self._requests, frame)
        if read.head:
            raise EnvelopeBroken
        return read

    def open_first(self, sealed: bytes) -> tuple[Opening, Frame]:
        """What follows HPKE's part in the first frame; raises as `open`."""
        read = open_frame(self._requests, sealed)
        return _read_head(Opening, read.head), read

    def seal(self, message: bytes | None, outcome: Outcome | None) -> bytes:
        """The next frame of the reply: a message (Secret) or none, and in the last one the outcome."""
        is_first = not self._replies.used
        frame = Frame(message, outcome is not None, outcome.to_bytes() if outcome else b"")
        return (self._salt if is_first else b"") + seal_frame(self._replies, frame)


def open_envelope(
    frame: bytes, safe_id: SafeId, pair: hpke.KeyPair, rng: RandomSource
) -> tuple[Received, Opening, Frame]:
    """Open the first frame of an envelope that came to a safe.

    Args:
        frame: As it came.
        safe_id: The safe that opens it.
        pair: Secret: its sealing key.
        rng: For the replies.

    Raises:
        EnvelopeBroken: It was sealed to another key or for another safe, or is not whole.
    """
    wrapped, sealed = frame[: hpke.WRAPPED_BYTES], frame[hpke.WRAPPED_BYTES :]
    try:
        secret = hpke.unwrap(pair, wrapped, _INFO, safe_id)
    except ThresholdError:
        raise EnvelopeBroken from None
    received = Received(wrapped, secret, rng)
    return received, *received.open_first(sealed)


def most_frame_bytes(message_bytes: int) -> int:
    """How long a frame may be that carries a message of so many bytes at most."""
    overhead = hpke.WRAPPED_BYTES + sealing.TAG_BYTES
    return padded_length(FIXED_BYTES + MAX_OUTCOME_BYTES + message_bytes) + overhead


def _read_head(kind: type[_Head], head: bytes) -> _Head:
    try:
        return kind.from_bytes(head)
    except DocumentMalformed:
        raise EnvelopeBroken from None
