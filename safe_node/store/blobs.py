"""Large blobs, block by block, so that nothing holds one whole or moves it.

A blob is *loose* until a piece refers to it and again when its piece is deleted; loose blobs are erased in
slices, so that other writes need not wait for 64 MiB of zeroes. What is loose at the start is erased then.
"""

from __future__ import annotations

from durable.sqlite import Connection
from safe_node.decisions.costs import check_quota
from safe_node.records import ItemName
from safe_node.store.schema import BLOCKS_PER_BLOB
from safe_node.store.wallets import OF_ACCOUNT, make_wallet, used_bytes
from trust.ids import OwnerKey, WalletKey

ERASE_SLICE_BLOCKS = 8
"""At most 8 MiB of zeroes a transaction."""


def begin(connection: Connection, wallet_key: WalletKey, length: int, bytes_per_wallet: int) -> int:
    """Reserve a loose blob of `length` bytes and name it.

    Raises:
        QuotaExceeded: The wallet has no room.
    """
    wallet = make_wallet(connection, wallet_key)
    check_quota(used_bytes(connection, wallet), length, bytes_per_wallet)
    blob_id = int(connection.execute("SELECT next_blob FROM safe").fetchone()[0])
    connection.execute("UPDATE safe SET next_blob = next_blob + 1")
    add_loose(connection, blob_id, wallet, length)
    return blob_id


def add_loose(
    connection: Connection, blob_id: int, wallet: int, length: int, deleted: ItemName | None = None
) -> None:
    """Note that no piece refers to the blob; `deleted` is whose it was, if it was a piece's."""
    item_id, generation = deleted or (None, None)
    row = (blob_id, wallet, length, item_id, generation)
    connection.execute("INSERT INTO loose_blobs VALUES (?, ?, ?, ?, ?)", row)


def attach(connection: Connection, blob_id: int) -> None:
    """Note that a piece refers to the blob now."""
    connection.execute("DELETE FROM loose_blobs WHERE blob_id = ?", (blob_id,))


def write_block(connection: Connection, blob_id: int, number: int, content: bytes) -> None:
    """Write one block (Secret); numbers count from 0, fewer than 65,536."""
    connection.execute("INSERT INTO blocks VALUES (?, ?)", (blob_id * BLOCKS_PER_BLOB + number, content))


def read_block(connection: Connection, blob_id: int, number: int) -> bytes | None:
    """One block (Secret), or None when there is none."""
    key = (blob_id * BLOCKS_PER_BLOB + number,)
    row = connection.execute("SELECT content FROM blocks WHERE id = ?", key).fetchone()
    return None if row is None else bytes(row[0])


def loose(connection: Connection) -> list[int]:
    """All loose blobs."""
    return [int(row[0]) for row in connection.execute("SELECT blob_id FROM loose_blobs")]


def deleted_with(
    connection: Connection, wallet: int, account: OwnerKey | None, deleted: ItemName
) -> list[int]:
    """Blobs of a deleted item that are not erased yet, whichever call deleted it."""
    found = connection.execute(
        f"SELECT blob_id FROM loose_blobs WHERE {OF_ACCOUNT} AND item_id = ?3 AND generation = ?4",  # noqa: S608 - ours
        (wallet, account, *deleted),
    )
    return [int(row[0]) for row in found]


def erase_slice(connection: Connection, blob_id: int) -> bool:
    """Erase some blocks of a loose blob; True when none is left and its note is gone too.

    A blob that is not loose stays: whoever wants it erased may not know yet that a piece refers to it now.
    """
    if not _is_loose(connection, blob_id):
        return True
    first = blob_id * BLOCKS_PER_BLOB
    ids = connection.execute(
        "SELECT id FROM blocks WHERE id >= ? AND id < ? LIMIT ?",
        (first, first + BLOCKS_PER_BLOB, ERASE_SLICE_BLOCKS),
    ).fetchall()
    connection.executemany("DELETE FROM blocks WHERE id = ?", ids)
    if len(ids) == ERASE_SLICE_BLOCKS:
        return False
    attach(connection, blob_id)
    return True


def _is_loose(connection: Connection, blob_id: int) -> bool:
    row = connection.execute("SELECT 1 FROM loose_blobs WHERE blob_id = ?", (blob_id,)).fetchone()
    return row is not None
