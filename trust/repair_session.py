"""The repair session: a safe's signed word that it lost a piece, and by whose help it is to have it again.

Everybody who takes part reads it: it names the batch, the share index, the k helpers in order and the part of
the shares that is repaired. Its id is fresh, so no two sessions have a summand in common
(threshold/repair.py).
"""

from typing import Annotated, Literal

from msgspec import Meta

from trust.documents import Document, SigningKey, verify
from trust.ids import (
    Bytes16,
    HashField,
    SafeId,
    SafeIdField,
    ShareIndex,
    Signature,
    UnixSeconds,
)
from trust.manifest import MAX_ITEMS

FRESH_SECONDS = 300
"""How far a session's time may be from a helper's clock, either way."""

MAX_PART_BYTES = 2 * 1024 * 1024
"""The most of its share that a helper works on in one session."""

LeafIndex = Annotated[int, Meta(ge=0, le=MAX_ITEMS - 1)]


class RepairHelper(Document, frozen=True):
    """One helper.

    Args:
        safe_id: The safe.
        x: The index of the share with which it helps.
    """

    title = "repair helper"

    safe_id: SafeIdField
    x: ShareIndex


class RepairSession(Document, frozen=True):
    """One session.

    Args:
        session_id: 16 fresh random bytes.
        requester: The safe that lost the piece; it signs.
        begun_at: When, by its clock.
        roster_version: The newest roster of the requester.
        roster_hash: SHA-256 of that roster's signed bytes.
        manifest_hash: SHA-256 of the batch's manifest.
        x: The index of the lost share.
        part: "value": the blobs of the leaves below, end to end; "key": the batch's key share.
        leaf_indices: Of a value: positions of the leaves, rising; of a key none.
        start: Of a value: where the part begins, in bytes.
        length: Of a value: how many bytes it has, at least 1; of a key 0.
        helpers: By rising x, as many as the shares' threshold asks for.
    """

    title = "repair session"

    session_id: Bytes16
    requester: SafeIdField
    begun_at: UnixSeconds
    roster_version: Annotated[int, Meta(ge=1)]
    roster_hash: HashField
    manifest_hash: HashField
    x: ShareIndex
    part: Literal["value", "key"]
    leaf_indices: Annotated[tuple[LeafIndex, ...], Meta(max_length=MAX_ITEMS)]
    start: Annotated[int, Meta(ge=0, le=2**40)]
    length: Annotated[int, Meta(ge=0, le=MAX_PART_BYTES)]
    helpers: Annotated[tuple[RepairHelper, ...], Meta(min_length=1, max_length=255)]

    def __post_init__(self) -> None:
        """Refuse a helper that stands twice or lost the piece itself, and a part that contradicts itself."""
        xs = [helper.x for helper in self.helpers]
        if xs != sorted(set(xs)) or self.x in xs:
            raise self.malformed("helpers", "indices must rise, without the one that is lost")
        if self.requester in self.helper_ids or len(set(self.helper_ids)) != len(xs):
            raise self.malformed("helpers", "a safe stands twice")
        if list(self.leaf_indices) != sorted(set(self.leaf_indices)):
            raise self.malformed("leaf_indices", "must rise")
        is_value = self.part == "value"
        if (
            is_value != bool(self.leaf_indices)
            or is_value != bool(self.length)
            or not (is_value or not self.start)
        ):
            raise self.malformed("length", "does not fit the part")

    @property
    def helper_ids(self) -> tuple[SafeId, ...]:
        """The helpers, in order."""
        return tuple(helper.safe_id for helper in self.helpers)

    def helper(self, safe_id: SafeId) -> RepairHelper | None:
        """The helper of that id, if it is one."""
        return next((helper for helper in self.helpers if helper.safe_id == safe_id), None)


def sign_session(session: RepairSession, key: SigningKey) -> tuple[bytes, Signature]:
    """The session's exact bytes and the requester's signature (the key is secret)."""
    body = session.to_bytes()
    return body, key.sign(RepairSession.title, body)


def verify_session(session: RepairSession, body: bytes, signature: bytes, signing_key: bytes) -> None:
    """Check the signature of the requester, whose key the roster tells.

    Raises:
        SignatureInvalid: It does not hold.
    """
    verify(session.title, signing_key, body, signature)
