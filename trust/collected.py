"""What a safe gives under a grant: sealed to the grant's recipient, whoever passes it on.

    HPKE(recipient key; 32 fresh bytes) ‖ sealed(signature, message), sealed(message), ..., sealed(last)

HPKE (RFC 9180, base mode; threshold/hpke.py) carries 32 fresh bytes to the recipient, bound to the grant and
the safe; all keys come from them, one for each frame (trust/sealed_frames.py). Anybody can seal to a public
key: so the first frame holds the safe's signature over grant and wrap. Only that safe and the recipient know
what the wrap holds, and so every further frame is the safe's, in its place, or does not open.
"""

from typing import Annotated

from msgspec import Meta

from threshold import hpke
from threshold.errors import ThresholdError
from threshold.randomness import RandomSource
from trust.documents import Document, SigningKey, verify
from trust.errors import EnvelopeBroken, SignatureInvalid
from trust.grant import Grant
from trust.ids import Hash, HashField, SafeId
from trust.roster import SafeEntry
from trust.sealed_frames import Frame, FrameKeys, open_frame, seal_frame

_INFO = b"kura/v1/collected"
_DIRECTION = b"collected"


class CollectedOpening(Document, frozen=True):
    """What the safe signs; both sides build it, it never travels.

    Args:
        grant: SHA-256 of the grant's exact bytes.
        wrapped: What HPKE made, 80 bytes.
    """

    title = "collected"

    grant: HashField
    wrapped: Annotated[bytes, Meta(min_length=hpke.WRAPPED_BYTES, max_length=hpke.WRAPPED_BYTES)]


class Collecting:
    """The safe's end: seals what it gives under one grant.

    Args:
        grant: The grant, judged.
        safe_id: The safe's own id.
        key: Secret: its signing key.
        rng: Gives the 32 bytes that all keys come from; HPKE draws its ephemeral key in the library.
    """

    def __init__(self, grant: Grant, safe_id: SafeId, key: SigningKey, rng: RandomSource) -> None:
        secret, name = rng.read(hpke.SECRET_BYTES), grant.name
        self._wrapped = hpke.wrap(grant.recipient_key, secret, _INFO, name + safe_id)
        self._keys = FrameKeys(secret, self._wrapped, _DIRECTION)
        opening = CollectedOpening(name, self._wrapped)
        self._signature = key.sign(CollectedOpening.title, opening.to_bytes())

    def seal(self, message: bytes | None, *, is_last: bool = False) -> bytes:
        """The next frame, with a message (Secret) or, to say that this was all, without."""
        if self._keys.used:
            return seal_frame(self._keys, Frame(message, is_last))
        return self._wrapped + seal_frame(self._keys, Frame(message, is_last, self._signature))


class Collected:
    """The wallet's end: opens what one safe sealed under a grant.

    Args:
        grant: `Grant.name`.
        safe: The safe, as the roster has it.
        pair: Secret: the recipient's.
    """

    def __init__(self, grant: Hash, safe: SafeEntry, pair: hpke.KeyPair) -> None:
        self._grant = grant
        self._safe = safe
        self._pair = pair
        self._keys: FrameKeys | None = None
        self.is_whole = False
        """The safe's last frame was opened."""

    def open(self, frame: bytes) -> bytes | None:
        """The next message (Secret), if the frame has one.

        Raises:
            EnvelopeBroken: The safe did not seal this as its next frame under this grant.
        """
        if self.is_whole:
            raise EnvelopeBroken
        read = self._open_first(frame) if self._keys is None else open_frame(self._keys, frame)
        self.is_whole = read.is_last
        return read.message

    def _open_first(self, frame: bytes) -> Frame:
        wrapped, sealed = frame[: hpke.WRAPPED_BYTES], frame[hpke.WRAPPED_BYTES :]
        try:
            secret = hpke.unwrap(self._pair, wrapped, _INFO, self._grant + self._safe.safe_id)
        except ThresholdError:
            raise EnvelopeBroken from None
        keys = FrameKeys(secret, wrapped, _DIRECTION)
        read = open_frame(keys, sealed)
        opening = CollectedOpening(self._grant, wrapped)
        try:
            verify(CollectedOpening.title, self._safe.signing_key, opening.to_bytes(), read.head)
        except SignatureInvalid:
            raise EnvelopeBroken from None
        self._keys = keys
        return read
