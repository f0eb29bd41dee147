"""A piece is what its root says, whole or block by block, and the first wrong block is named."""

from hashlib import sha256

import pytest

from support.sample_documents import ITEM_IDS, draw
from threshold import merkle
from trust.errors import PieceRootMismatch
from trust.ids import ItemId
from trust.piece import (
    BLOCK_BYTES,
    BlockChecker,
    BlockHasher,
    block_hashes,
    blocks,
    check_piece,
    key_piece_hash,
    piece_root,
)

BLOB = draw("a blob of three blocks and a bit", 3 * BLOCK_BYTES + 100)
HASHES = block_hashes(BLOB)
ROOT = piece_root(BLOB)
LENGTHS = [0, 1, 32, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES, len(BLOB)]


def checker() -> BlockChecker:
    return BlockChecker(HASHES, len(BLOB), ROOT)


def feed(blob: bytes, blocks_per_chunk: int) -> None:
    """Give a blob to whoever expects BLOB."""
    stream = checker()
    step = blocks_per_chunk * BLOCK_BYTES
    for start in range(0, len(blob), step):
        stream.check(blob[start : start + step])
    stream.finish()


def turned(blob: bytes, position: int) -> bytes:
    return blob[:position] + bytes([blob[position] ^ 1]) + blob[position + 1 :]


@pytest.mark.parametrize("length", LENGTHS)
def test_blocks_are_64_kib_and_the_last_one_is_what_remains(length: int) -> None:
    """Together they are the blob; an empty blob has none."""
    cut = list(blocks(BLOB[:length]))
    assert b"".join(cut) == BLOB[:length]
    assert all(len(block) == BLOCK_BYTES for block in cut[:-1])
    assert all(0 < len(block) <= BLOCK_BYTES for block in cut)
    assert len(block_hashes(BLOB[:length])) == len(cut) == -(-length // BLOCK_BYTES)


def test_the_root_of_three_blocks_by_hand() -> None:
    """RFC 9162 section 2.1.1, written out: H(1, H(1, l0, l1), l2)."""
    blob = BLOB[: 2 * BLOCK_BYTES + 5]
    first, second, third = (
        sha256(b"\x00" + blob[start : start + BLOCK_BYTES]).digest()
        for start in (0, BLOCK_BYTES, 2 * BLOCK_BYTES)
    )
    pair = sha256(b"\x01" + first + second).digest()
    assert piece_root(blob) == sha256(b"\x01" + pair + third).digest()


@pytest.mark.parametrize("length", LENGTHS)
def test_a_whole_piece_is_accepted(length: int) -> None:
    """At every length around the block's."""
    check_piece(BLOB[:length], piece_root(BLOB[:length]))


@pytest.mark.parametrize(
    "other",
    [BLOB[:-1], BLOB + b"\x00", turned(BLOB, 0), turned(BLOB, len(BLOB) - 1), b"", BLOB[BLOCK_BYTES:]],
    ids=["short", "long", "first-byte", "last-byte", "empty", "block-missing"],
)
def test_another_piece_is_refused(other: bytes) -> None:
    """Whole blobs are compared by their root; which block differs is not known then."""
    with pytest.raises(PieceRootMismatch) as caught:
        check_piece(other, ROOT)
    assert caught.value.block is None
    assert str(caught.value) == "The piece differs from what was signed."


@pytest.mark.parametrize("position", [0, BLOCK_BYTES, 2 * BLOCK_BYTES + 7, len(BLOB) - 1])
def test_a_wrong_root_is_refused_wherever_the_bytes_differ(position: int) -> None:
    """A blob with one bit turned has another root."""
    with pytest.raises(PieceRootMismatch):
        check_piece(turned(BLOB, position), ROOT)


@pytest.mark.parametrize("blocks_per_chunk", [1, 2, 3, 4, 9])
def test_a_stream_is_accepted_in_chunks_of_whole_blocks(blocks_per_chunk: int) -> None:
    """However many blocks are in a chunk; the last one ends where the blob does."""
    feed(BLOB, blocks_per_chunk)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_stream_of_any_length_is_accepted(length: int) -> None:
    """A blob of no bytes is a stream of no chunks."""
    blob = BLOB[:length]
    stream = BlockChecker(block_hashes(blob), length, piece_root(blob))
    for block in blocks(blob):
        stream.check(block)
    stream.finish()


@pytest.mark.parametrize("block", [0, 1, 2, 3])
@pytest.mark.parametrize("blocks_per_chunk", [1, 4])
def test_the_first_wrong_block_is_named(block: int, blocks_per_chunk: int) -> None:
    """Whether it comes alone or in the middle of a chunk."""
    wrong = turned(BLOB, block * BLOCK_BYTES + 99)
    with pytest.raises(PieceRootMismatch) as caught:
        feed(wrong, blocks_per_chunk)
    assert caught.value.block == block
    assert str(caught.value) == f"The piece differs from what was signed from block {block} on."


@pytest.mark.parametrize("given", [0, 1, 3])
def test_a_stream_that_ends_early_is_refused(given: int) -> None:
    """`finish` names the first block that did not come."""
    stream = checker()
    for block in list(blocks(BLOB))[:given]:
        stream.check(block)
    with pytest.raises(PieceRootMismatch) as caught:
        stream.finish()
    assert caught.value.block == given


@pytest.mark.parametrize(
    "chunk",
    [b"", BLOB[: BLOCK_BYTES - 1], BLOB[: BLOCK_BYTES + 1], BLOB[:1], BLOB + b"\x00", BLOB * 2],
    ids=["empty", "one-less", "one-more", "one-byte", "beyond-the-end", "twice"],
)
def test_a_chunk_that_is_not_whole_blocks_is_refused(chunk: bytes) -> None:
    """Before any of it is believed."""
    with pytest.raises(PieceRootMismatch) as caught:
        checker().check(chunk)
    assert caught.value.block == 0


def test_nothing_may_follow_the_last_chunk() -> None:
    """Not even an empty chunk."""
    stream = checker()
    stream.check(BLOB)
    for more in (b"", b"\x00", BLOB[:BLOCK_BYTES]):
        with pytest.raises(PieceRootMismatch):
            stream.check(more)
    stream.finish()


def test_blocks_cut_elsewhere_than_at_64_kib_are_refused_though_their_hashes_fit() -> None:
    """Else a wallet could register by stream what no safe can later check as a whole."""
    odd = [BLOB[:10], BLOB[10 : BLOCK_BYTES + 10]]
    hashes = [merkle.leaf_hash(part) for part in odd]
    stream = BlockChecker(hashes, BLOCK_BYTES + 10, merkle.root(hashes))
    with pytest.raises(PieceRootMismatch):
        stream.check(odd[0])


@pytest.mark.parametrize(
    ("hashes", "length"),
    [
        (HASHES[:-1], len(BLOB)),
        ([*HASHES, HASHES[-1]], len(BLOB)),
        (HASHES, len(BLOB) + BLOCK_BYTES),
        (HASHES, 3 * BLOCK_BYTES),
        (HASHES, 0),
        (HASHES, -1),
        ([], 0),
        ([], len(BLOB)),
        ([HASHES[1], HASHES[0], *HASHES[2:]], len(BLOB)),
        (block_hashes(turned(BLOB, 5)), len(BLOB)),
        ([*HASHES[:-1], HASHES[-1][:-1]], len(BLOB)),
        ([*HASHES[:-1], b""], len(BLOB)),
    ],
    ids=[
        "too-few",
        "too-many",
        "length-asks-for-more",
        "length-asks-for-fewer",
        "no-length",
        "negative-length",
        "nothing",
        "no-hashes",
        "swapped",
        "of-another-blob",
        "hash-of-31-bytes",
        "empty-hash",
    ],
)
def test_announced_hashes_that_are_not_the_pieces_are_refused(hashes: list[bytes], length: int) -> None:
    """Before the first chunk is read."""
    with pytest.raises(PieceRootMismatch) as caught:
        BlockChecker(hashes, length, ROOT)
    assert caught.value.block is None


def test_hashes_changed_after_the_check_change_nothing() -> None:
    """The checker keeps what it checked, not what its caller keeps."""
    hashes: list[bytes] = list(HASHES)
    stream = BlockChecker(hashes, len(BLOB), ROOT)
    hashes[0] = merkle.leaf_hash(b"other")
    stream.check(BLOB)
    stream.finish()


def test_the_hash_of_a_key_piece_by_hand() -> None:
    """SHA-256 of the tag, 0x00, item, generation as 4 bytes big-endian, x as one byte, C_0."""
    commitment = draw("commitment", 32)
    named = b"kura/v1/key-piece\x00" + ITEM_IDS[0] + b"\x00\x00\x01\x02" + b"\x09" + commitment
    assert key_piece_hash(ITEM_IDS[0], 258, 9, commitment) == sha256(named).digest()


def test_the_hash_of_a_key_piece_binds_all_it_is_made_of() -> None:
    """Another item, generation, index or commitment is another piece."""
    commitment = draw("commitment", 32)
    base = key_piece_hash(ITEM_IDS[0], 1, 1, commitment)
    others = {
        key_piece_hash(ITEM_IDS[1], 1, 1, commitment),
        key_piece_hash(ItemId(bytes(16)), 1, 1, commitment),
        key_piece_hash(ITEM_IDS[0], 2, 1, commitment),
        key_piece_hash(ITEM_IDS[0], 1, 2, commitment),
        key_piece_hash(ITEM_IDS[0], 1, 1, draw("other commitment", 32)),
    }
    assert len(others | {base}) == 6


@pytest.mark.parametrize("length", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, 2 * BLOCK_BYTES, 3 * BLOCK_BYTES + 5])
@pytest.mark.parametrize("part", [1_000, BLOCK_BYTES, BLOCK_BYTES + 1, 10 * BLOCK_BYTES])
def test_a_blob_that_comes_in_parts_has_the_same_block_hashes(length: int, part: int) -> None:
    """However it was cut, and if it ends with a whole block."""
    blob = draw("parts", length)
    hasher = BlockHasher()
    for start in range(0, length, part):
        hasher.update(blob[start : start + part])
    assert hasher.finish() == block_hashes(blob)
