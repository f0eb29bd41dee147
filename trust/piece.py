"""What names a piece: the hash X of its certificate.

A value piece's blob is 32 random bytes followed by the value share. Its *piece root* is the RFC 9162
Merkle root over the blob's 64 KiB blocks, so a stream can be checked block by block as it comes.
The random bytes keep the root from being an oracle for guessing what an unsealed share holds.
A key piece is named by what is public about it.
"""

import hashlib
from collections.abc import Iterator, Sequence

from threshold import merkle
from threshold.errors import InvalidLength
from trust.errors import PieceRootMismatch
from trust.ids import Hash, ItemId

BLOCK_BYTES = 65_536
BLINDING_BYTES = 32


def blocks(blob: bytes) -> Iterator[bytes]:
    """The blob in 64 KiB blocks, the last one shorter; an empty blob has none."""
    return (blob[start : start + BLOCK_BYTES] for start in range(0, len(blob), BLOCK_BYTES))


def block_hashes(blob: bytes) -> list[Hash]:
    """RFC 9162 leaf hashes of the blob's blocks."""
    return [Hash(merkle.leaf_hash(block)) for block in blocks(blob)]


def piece_root(blob: bytes) -> Hash:
    """The Merkle root that names a value piece."""
    return Hash(merkle.root(block_hashes(blob)))


def check_piece(blob: bytes, expected_root: bytes) -> None:
    """Check a whole blob against its piece root.

    Raises:
        PieceRootMismatch: It is another blob.
    """
    if piece_root(blob) != expected_root:
        raise PieceRootMismatch("piece")


class BlockHasher:
    """Block hashes of a blob that comes in parts, however they are cut."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._hashes: list[Hash] = []

    def update(self, part: bytes) -> None:
        """Take the next bytes of the blob."""
        self._waiting += part
        whole = len(self._waiting) - len(self._waiting) % BLOCK_BYTES
        if whole:
            self._hashes += block_hashes(bytes(self._waiting[:whole]))
            del self._waiting[:whole]

    def finish(self) -> list[Hash]:
        """All hashes, the blob having ended."""
        if self._waiting:
            self._hashes += block_hashes(bytes(self._waiting))
            self._waiting.clear()
        return self._hashes


class BlockChecker:
    """Checks a stream of chunks against block hashes that were checked against the piece root first.

    Chunks are multiples of 64 KiB but for the last one.
    """

    def __init__(self, hashes: Sequence[bytes], blob_length: int, expected_root: bytes) -> None:
        """Take the announced hashes.

        Raises:
            PieceRootMismatch: They are not those of the piece, or not as many as the length asks for.
        """
        if not _lead_to(hashes, blob_length, expected_root):
            raise PieceRootMismatch("piece")
        self._hashes = tuple(hashes)
        self._remaining = blob_length
        self._next = 0

    def check(self, chunk: bytes) -> None:
        """Check the next chunk.

        Raises:
            PieceRootMismatch: A block differs, the chunk is not cut at a block's end, or is too long.
        """
        whole_blocks = len(chunk) % BLOCK_BYTES == 0 or len(chunk) == self._remaining
        if not 0 < len(chunk) <= self._remaining or not whole_blocks:
            raise PieceRootMismatch("piece", self._next)
        for block in blocks(chunk):
            if merkle.leaf_hash(block) != self._hashes[self._next]:
                raise PieceRootMismatch("piece", self._next)
            self._next += 1
        self._remaining -= len(chunk)

    def finish(self) -> None:
        """Say that the stream has ended.

        Raises:
            PieceRootMismatch: Too early.
        """
        if self._remaining:
            raise PieceRootMismatch("piece", self._next)


def _lead_to(hashes: Sequence[bytes], blob_length: int, expected_root: bytes) -> bool:
    count = -(-blob_length // BLOCK_BYTES)
    try:
        return len(hashes) == count and merkle.root(hashes) == expected_root
    except InvalidLength:
        return False


def key_piece_hash(item_id: ItemId, generation: int, x: int, commitment: bytes) -> Hash:
    """X of a piece without a value share: SHA-256 of item, generation, index and C_0."""
    name = b"kura/v1/key-piece\x00" + item_id + generation.to_bytes(4, "big") + bytes([x]) + commitment
    return Hash(hashlib.sha256(name).digest())
