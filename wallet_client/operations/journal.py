"""What the journal and the outbox hold, as documents.

The journal holds what was begun: a crash leaves it there, and `settle` finishes or withdraws it. It holds too
the receipts of generations that go once the next one was read back (superseded.py). The outbox holds what is
owed to a safe, in the order in which that safe must get it.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import Literal

from trust.documents import Document
from trust.ids import Bytes32, SignatureField
from wallet_client.pipeline.plan import BatchPlan
from wallet_client.values.value import ValueId


class NewContent(Document, frozen=True):
    """A value's content that the wallet does not keep, or not yet.

    Args:
        value_id: Whose.
        encoded: Secret: the value, or the key, as the pipeline takes it.
    """

    value_id: ValueId
    encoded: bytes

    def __repr__(self) -> str:
        """Without the content."""
        return f"<NewContent of {self.value_id}>"


class BackupBegun(Document, frozen=True):
    """A batch that may be at some safes already.

    Args:
        plan: How it is made.
        edited: Content that is to take the old one's place in the wallet once it is registered.
        passing: Content that is sealed anew on its way from the safes to the safes.
        keeps_old: Older generations stand until the new one was read back from all its safes.
    """

    title = "journal entry"

    plan: BatchPlan
    edited: tuple[NewContent, ...] = ()
    passing: tuple[NewContent, ...] = ()
    keeps_old: bool = False

    @property
    def contents(self) -> dict[ValueId, bytes]:
        """Secret: what is not to be taken from the wallet, by value."""
        return {content.value_id: content.encoded for content in (*self.edited, *self.passing)}


class OwedPiece(Document, frozen=True):
    """A piece that a safe is still to get; `blob` is None where none is placed, or where it is streamed."""

    leaf_index: int
    x: int
    blob: bytes | None

    def __repr__(self) -> str:
        """Without the blob."""
        return f"<OwedPiece {self.leaf_index} at {self.x}>"


class OwedParcel(Document, frozen=True):
    """A parcel that a safe is still to get."""

    title = "owed parcel"

    manifest: bytes
    signature: SignatureField
    leaves: tuple[bytes, ...]
    pieces: tuple[OwedPiece, ...]
    key_shares: tuple[tuple[int, Bytes32], ...]

    def __repr__(self) -> str:
        """Without the shares."""
        return f"<OwedParcel of {len(self.pieces)} pieces>"


class OwnersWord(Document, frozen=True):
    """What the owner signed, and a safe is still to hear.

    Args:
        about: "authorisation" of this wallet, "revocation" of another, "revival" of what was deleted, or the
            owner's "forgetting".
        word: trust.authorisation.WalletAuthorisation or WalletRevocation, trust.tombstone.Revival or
            OwnerTombstone, exact bytes.
        signature: The owner's.
    """

    title = "owner's word"

    about: Literal["authorisation", "revocation", "revival", "forgetting"]
    word: bytes
    signature: SignatureField


class Owed(Document, frozen=True):
    """One entry of the outbox.

    Args:
        kind: What the safe is still to get.
        body: The parcel or the word; empty for tombstones, which stand in the deletion under whose id the
            entry is kept.
    """

    title = "outbox entry"

    kind: Literal["parcel", "tombstones", "word"]
    body: bytes

    def __repr__(self) -> str:
        """Without the content."""
        return f"<Owed {self.kind}>"


_LENGTH_BYTES = 4


def write_entry(owed: Owed, blob: Iterable[bytes] = ()) -> bytes:
    """An entry as the outbox keeps it: the document's length in 4 bytes, the document, a streamed blob.

    The blob stands outside the document, so that 64 MiB are in memory once and not once for each layer.
    """
    document = owed.to_bytes()
    entry = BytesIO()
    entry.write(len(document).to_bytes(_LENGTH_BYTES, "big") + document)
    for chunk in blob:
        entry.write(chunk)
    return entry.getvalue()


def read_entry(entry: bytes) -> tuple[Owed, memoryview]:
    """The document, and the streamed blob (Secret), empty where there is none.

    Raises:
        DocumentMalformed: It is damaged.
    """
    end = _LENGTH_BYTES + int.from_bytes(entry[:_LENGTH_BYTES], "big")
    return Owed.from_bytes(entry[_LENGTH_BYTES:end]), memoryview(entry)[end:]
