"""What one safe gets of one batch, and what its certificates must then say."""

from dataclasses import dataclass, field

from trust.certificate import Certificate
from trust.ids import Hash, SafeId, Signature

CHUNK_BYTES = 1_048_576
"""Bytes of a streamed blob in one message; a multiple of the 64 KiB block."""

STREAMED_ABOVE_BYTES = 1_048_576
"""A blob longer than this does not travel in one message."""


@dataclass(frozen=True, slots=True)
class ParcelPiece:
    """One piece.

    Args:
        leaf_index: The item's place in the batch.
        blob: Secret: blinding and value share; None where none is placed, or where it is streamed.
        expected: What its certificate must say; the counter is the safe's to choose.
    """

    leaf_index: int
    blob: bytes | None = field(repr=False)
    expected: Certificate

    @property
    def x(self) -> int:
        """The share index."""
        return self.expected.index


@dataclass(frozen=True, slots=True)
class StreamedBlob:
    """The blob of a parcel's only piece, when it is too long for one message."""

    x: int
    length: int
    block_hashes: tuple[Hash, ...]


@dataclass(frozen=True, slots=True)
class Parcel:
    """All that one safe gets of one batch.

    Args:
        leaves: Every leaf of the batch, in tree order.
        pieces: At least one; exactly one if it is streamed.
        key_shares: Secret: 32 bytes by share index.
        streamed: Set where the one piece's blob follows in chunks.
    """

    safe_id: SafeId
    manifest: bytes
    signature: Signature
    leaves: tuple[bytes, ...]
    pieces: tuple[ParcelPiece, ...]
    key_shares: tuple[tuple[int, bytes], ...] = field(repr=False)
    streamed: StreamedBlob | None = None

    @property
    def size_bytes(self) -> int:
        """Roughly what it takes in a message."""
        blobs = sum(len(piece.blob or b"") for piece in self.pieces)
        return blobs + sum(map(len, self.leaves)) + len(self.manifest)
