"""The guess for which a device signs and an authority speaks, the same at every safe.

Each safe builds it of the call in which a proof is shown, and holds the proof to it. So a safe that is shown
one can ask another safe for the very guess that the wallet makes, whose answer nobody but the wallet opens,
and for no other: it gains nothing, and the wallet's own call gets that same answer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from trust.access_policy import Way, way_key
from trust.ids import GuessId, Hash, OwnerId, RecordId

_HASH = b"kura/v1/asserted-login"


@dataclass(frozen=True, slots=True)
class Login:
    """One guess.

    Args:
        owner_id: Whose record is to be opened.
        way: By which factors.
        record_id: Which version, 16 bytes.
        guess_id: 16 fresh random bytes.
        element: Blinded, 32 bytes.
        recipient_key: X25519 public key to which the safes are to seal their parts, 32 bytes.
    """

    owner_id: OwnerId
    way: Way
    record_id: RecordId
    guess_id: GuessId
    element: bytes
    recipient_key: bytes

    def to_bytes(self) -> bytes:
        """128 bytes, each field in its place."""
        named = way_key(self.owner_id, self.way) + self.record_id + self.guess_id
        return named + self.element + self.recipient_key

    def hash(self) -> Hash:
        """What an authority is told of it, 32 bytes: nothing, since nobody guesses the guess's id."""
        return Hash(hashlib.sha256(_HASH + self.to_bytes()).digest())
