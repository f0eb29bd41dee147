"""Deleting in SQLite: keep an item's tombstone, and erase its pieces or doom them. Runs inside a transaction.

A tombstone reaches what any wallet of the same owner registered. Doomed pieces stay until `erase_due` of
store/erasing.py takes them; nothing of them is given out.

Rows go before the tombstone comes, so that a full database can still be emptied.
"""

from __future__ import annotations

from dataclasses import dataclass

from durable.sqlite import Connection
from safe_node.decisions.costs import TOMBSTONE_BYTES
from safe_node.deletions import AdmittedTombstone, Burial, DeletionState, StandingTombstone
from safe_node.records import ItemName
from safe_node.store import blobs
from safe_node.store.account_rows import standing as standing_of
from safe_node.store.base import PlanDeletion
from safe_node.store.schema import KEY_SHARES_PER_BATCH
from safe_node.store.wallets import OF_ACCOUNT, add_used, make_wallet, used_bytes
from trust.ids import ItemId, OwnerKey
from trust.tombstone import hash_of

OF_ITEM = f"{OF_ACCOUNT} AND item_id = ?3 AND generation = ?4"
"""A condition: the row is of that account's item and generation."""

_PIECES = f"""SELECT id, wallet, batch, cost, item_id, generation, blob_id, blob_length FROM pieces
    WHERE {OF_ITEM}"""  # noqa: S608 - a condition of ours
_STANDING = f"SELECT wallet, tombstone, erase_at FROM tombstones WHERE {OF_ITEM}"  # noqa: S608 - a condition of ours
_EARLIER = """SELECT tombstone, signature, receipt, receipt_signature, erase_at FROM tombstones
    WHERE wallet = ? AND item_id = ? AND generation = ?"""
_WRITE = """INSERT OR REPLACE INTO tombstones
    (wallet, item_id, generation, tombstone, signature, receipt, receipt_signature, erase_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
_DOOM = "INSERT OR IGNORE INTO doomed (piece, erase_at) VALUES (?, ?)"
_REVIVED = "SELECT 1 FROM revivals WHERE owner_key = ? AND tombstone_hash = ?"

Whose = tuple[int | None, OwnerKey | None]
"""A wallet's row, and the owner for whom it acts; None is nobody."""


@dataclass(frozen=True, slots=True)
class Buried:
    """What stands now, and which of the item's blobs are still to be erased, whichever call deleted them."""

    burial: Burial
    loose_blobs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PieceRow:
    """A piece as far as erasing it goes."""

    id: int
    wallet: int
    batch: int
    cost: int
    item: ItemName
    blob_id: int | None
    blob_length: int | None


def piece_row(row: tuple[int, int, int, int, bytes, int, int | None, int | None]) -> PieceRow:
    """One row of `id, wallet, batch, cost, item_id, generation, blob_id, blob_length`."""
    number, wallet, batch, cost, item_id, generation, blob_id, blob_length = row
    return PieceRow(number, wallet, batch, cost, (ItemId(item_id), generation), blob_id, blob_length)


def bury(connection: Connection, tombstone: AdmittedTombstone, plan: PlanDeletion) -> Buried:
    """Decide on a tombstone and write what follows.

    Raises:
        Refusal: The plan's; nothing is written then.
    """
    wallet = make_wallet(connection, tombstone.signer)
    whose = (wallet, standing_of(connection, tombstone.signer).owner_key)
    item = (tombstone.item_id, tombstone.generation)
    pieces = [piece_row(row) for row in connection.execute(_PIECES, (*whose, *item))]
    decided = plan(_state(connection, *whose, tombstone, pieces), tombstone)
    if decided.is_new:
        _carry_out(connection, wallet, decided.burial, pieces)
    return Buried(decided.burial, tuple(blobs.deleted_with(connection, *whose, item)))


def standing_tombstones(
    connection: Connection, whose: Whose, item: ItemName
) -> list[tuple[int, StandingTombstone]]:
    """Every tombstone that reaches an item, each with the row of the wallet that signed it."""
    rows = connection.execute(_STANDING, (*whose, *item))
    return [(wallet, StandingTombstone(hash_of(body), erase_at)) for wallet, body, erase_at in rows]


def _state(
    connection: Connection,
    wallet: int,
    account: OwnerKey | None,
    tombstone: AdmittedTombstone,
    pieces: list[PieceRow],
) -> DeletionState:
    item = (tombstone.item_id, tombstone.generation)
    row = connection.execute(_EARLIER, (wallet, *item)).fetchone()
    return DeletionState(
        account=account,
        earlier=None if row is None else Burial(tombstone.signer, *item, *row),
        standing=tuple(one for _, one in standing_tombstones(connection, (wallet, account), item)),
        revived=_is_revived(connection, account, tombstone.body),
        used_bytes=used_bytes(connection, wallet),
        freed_bytes=sum(piece.cost for piece in pieces if piece.wallet == wallet),
    )


def _is_revived(connection: Connection, account: OwnerKey | None, body: bytes) -> bool:
    if account is None:
        return False
    return connection.execute(_REVIVED, (account, hash_of(body))).fetchone() is not None


def _carry_out(connection: Connection, wallet: int, burial: Burial, pieces: list[PieceRow]) -> None:
    name = (wallet, burial.item_id, burial.generation)
    known = connection.execute(_EARLIER, name).fetchone() is not None
    for piece in pieces:
        if burial.erase_at is None:
            erase_piece(connection, piece)
        else:
            connection.execute(_DOOM, (piece.id, burial.erase_at))
    row = (*name, burial.tombstone, burial.signature, burial.receipt, burial.receipt_signature)
    connection.execute(_WRITE, (*row, burial.erase_at))
    add_used(connection, wallet, 0 if known else TOMBSTONE_BYTES)


def erase_piece(connection: Connection, piece: PieceRow) -> None:
    """Erase a piece, and its batch with the last one; its blob is loose from now on."""
    connection.execute("DELETE FROM pieces WHERE id = ?", (piece.id,))
    add_used(connection, piece.wallet, -piece.cost)
    if piece.blob_id is not None:
        blobs.add_loose(connection, piece.blob_id, piece.wallet, piece.blob_length or 0, piece.item)
    connection.execute("UPDATE batches SET pieces_left = pieces_left - 1 WHERE id = ?", (piece.batch,))
    _erase_batch_without_pieces(connection, piece.batch, piece.wallet)


def _erase_batch_without_pieces(connection: Connection, batch: int, wallet: int) -> None:
    row = connection.execute("SELECT cost FROM batches WHERE id = ? AND pieces_left = 0", (batch,)).fetchone()
    if row is None:
        return
    first = batch * KEY_SHARES_PER_BATCH
    connection.execute(
        "DELETE FROM key_shares WHERE id >= ? AND id < ?", (first, first + KEY_SHARES_PER_BATCH)
    )
    connection.execute("DELETE FROM batches WHERE id = ?", (batch,))
    add_used(connection, wallet, -int(row[0]))
