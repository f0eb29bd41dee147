"""Messages sealed one after the other: the frames of an envelope, and of what is collected under a grant.

All keys come from one secret of 32 bytes that HPKE carried: one key for each frame, of direction and number,
so that a frame that is changed, left out, put elsewhere or sent back does not open. The last frame says that
it is the last. Frames are padded to size classes: 1 KiB and its doublings up to 64 KiB, then sixteen steps
for each doubling.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from threshold import hkdf, sealing
from threshold.errors import ThresholdError
from trust.errors import EnvelopeBroken

SMALLEST_CLASS_BYTES = 1024
DOUBLING_CLASSES_BYTES = 65_536
STEPS = 16
"""Above DOUBLING_CLASSES_BYTES: classes for each doubling, so that padding adds a sixteenth at most."""

MOST_FRAMES = 2**32
_FRAME = b"kura/v1/envelope-frame"
_HAS_MESSAGE, _IS_LAST = 1, 2
FIXED_BYTES = 7
"""Flags (1), length of the head (2), length of the message (4)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What one frame holds.

    Args:
        message: Secret: the exact bytes of a message; None where the frame brings none.
        is_last: Nothing follows.
        head: What stands before the message, such as the bytes of an Opening; or empty.
    """

    message: bytes | None = field(repr=False)
    is_last: bool
    head: bytes = b""


class FrameKeys:
    """The keys of one direction, one after the other; each is used once.

    Args:
        secret: Secret: 32 bytes.
        salt: What else they come from.
        direction: "request" or "reply" of an envelope, "collected" under a grant; what one secret and salt
            are used for never has two of a name.
    """

    def __init__(self, secret: bytes, salt: bytes, direction: bytes) -> None:
        self._pseudorandom_key = hkdf.extract(salt, secret)
        self._label = _FRAME + bytes([len(direction)]) + direction
        self.used = 0

    def next(self) -> sealing.SealingKey:
        """The key of the next frame.

        Raises:
            EnvelopeBroken: There were 2^32.
        """
        if self.used >= MOST_FRAMES:
            raise EnvelopeBroken
        info = self._label + self.used.to_bytes(8, "big")
        self.used += 1
        return sealing.SealingKey(hkdf.expand(self._pseudorandom_key, info, 32))


def seal_frame(keys: FrameKeys, frame: Frame) -> bytes:
    """The next frame, sealed and padded."""
    message = b"" if frame.message is None else frame.message
    flags = (0 if frame.message is None else _HAS_MESSAGE) | (_IS_LAST if frame.is_last else 0)
    length = FIXED_BYTES + len(frame.head) + len(message)
    fixed = bytes([flags]) + len(frame.head).to_bytes(2, "big") + len(message).to_bytes(4, "big")
    padding = bytes(padded_length(length) - length)
    return sealing.seal(keys.next(), b"".join((fixed, frame.head, message, padding)), b"")


def open_frame(keys: FrameKeys, sealed: bytes) -> Frame:
    """The next frame.

    Raises:
        EnvelopeBroken: It was not sealed under that key, or is none.
    """
    try:
        plaintext = sealing.open_sealed(keys.next(), sealed, b"")
    except ThresholdError:
        raise EnvelopeBroken from None
    if len(plaintext) < SMALLEST_CLASS_BYTES:
        raise EnvelopeBroken
    flags, head_end = plaintext[0], FIXED_BYTES + int.from_bytes(plaintext[1:3], "big")
    end = head_end + int.from_bytes(plaintext[3:7], "big")
    if flags > _HAS_MESSAGE | _IS_LAST or padded_length(end) != len(plaintext):
        raise EnvelopeBroken
    if plaintext[end:] != bytes(len(plaintext) - end) or (end > head_end and not flags & _HAS_MESSAGE):
        raise EnvelopeBroken
    message = plaintext[head_end:end] if flags & _HAS_MESSAGE else None
    return Frame(message, bool(flags & _IS_LAST), plaintext[FIXED_BYTES:head_end])


def padded_length(length: int) -> int:
    """The size class of so many bytes: the smallest that holds them."""
    doubled: int = 1 << max(length - 1, 0).bit_length()
    if doubled <= DOUBLING_CLASSES_BYTES:
        return max(doubled, SMALLEST_CLASS_BYTES)
    step = doubled // 2 // STEPS
    return -(-length // step) * step
