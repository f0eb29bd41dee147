"""Taking deletions back, and forgetting owners, in SQLite. Runs inside a transaction.

What a forgotten owner's wallets registered is doomed here, all at once, and erased by store/erasing.py; the
wallets are nobody's from then on.
"""

from __future__ import annotations

from durable.sqlite import Connection
from safe_node.decisions.costs import TOMBSTONE_BYTES
from safe_node.deletions import (
    AdmittedForgetting,
    AdmittedRevival,
    Forgetting,
    UndeletionState,
)
from safe_node.store.deletion import OF_ITEM, standing_tombstones
from safe_node.store.owner_rows import erase_owner
from safe_node.store.owners_base import PlanForgetting, PlanUndeletion
from safe_node.store.wallets import add_used, make_wallet, used_bytes
from trust.ids import OwnerKey

_KNOWN = "SELECT 1 FROM revivals WHERE owner_key = ? AND tombstone_hash = ?"
_ADD_REVIVAL = "INSERT INTO revivals (owner_key, tombstone_hash, revival, signature) VALUES (?, ?, ?, ?)"
_TAKE_BACK = "DELETE FROM tombstones WHERE wallet = ? AND item_id = ? AND generation = ?"
_SPARE = f"DELETE FROM doomed WHERE piece IN (SELECT id FROM pieces WHERE {OF_ITEM})"  # noqa: S608 - a condition of ours

_FORGOTTEN = (
    "SELECT owner_key, tombstone, signature, receipt, receipt_signature FROM forgotten WHERE owner_key = ?"
)
_FORGET = """INSERT OR REPLACE INTO forgotten (owner_key, tombstone, signature, receipt, receipt_signature)
    VALUES (?, ?, ?, ?, ?)"""
_DOOM_ALL = """INSERT OR REPLACE INTO doomed (piece, erase_at) SELECT id, 0 FROM pieces
    WHERE wallet IN (SELECT id FROM wallets WHERE owner_key = ?1 OR wallet_key = ?1)"""
_FREE_WALLETS = """UPDATE wallets SET owner_key = NULL, authorisation = NULL, authorisation_signature = NULL
    WHERE owner_key = ?"""


def undelete(connection: Connection, word: AdmittedRevival, plan: PlanUndeletion) -> None:
    """Plan on what stands, keep the owner's word, and spare the pieces unless another tombstone stands.

    Raises:
        Refusal: The plan's; nothing is written then.
    """
    deliverer = make_wallet(connection, word.deliverer)
    item = (word.item_id, word.generation)
    whose = (None, word.owner_key)
    standing = standing_tombstones(connection, whose, item)
    known = connection.execute(_KNOWN, (word.owner_key, word.tombstone_hash)).fetchone() is not None
    state = UndeletionState(known, tuple(one for _, one in standing), used_bytes(connection, deliverer))
    if not plan(state):
        return
    row = (word.owner_key, word.tombstone_hash, word.revival, word.signature)
    connection.execute(_ADD_REVIVAL, row)
    add_used(connection, deliverer, TOMBSTONE_BYTES)
    for wallet in [wallet for wallet, one in standing if one.hash == word.tombstone_hash]:
        connection.execute(_TAKE_BACK, (wallet, *item))
        add_used(connection, wallet, -TOMBSTONE_BYTES)
    if all(one.hash == word.tombstone_hash for _, one in standing):
        connection.execute(_SPARE, (*whose, *item))


def find_forgetting(connection: Connection, owner_key: OwnerKey) -> Forgetting | None:
    """What stands against an owner, by their own word."""
    row = connection.execute(_FORGOTTEN, (owner_key,)).fetchone()
    return None if row is None else Forgetting(*row)


def forget(connection: Connection, word: AdmittedForgetting, plan: PlanForgetting) -> Forgetting:
    """Keep an owner's tombstone; erase their records and guesses, doom their pieces, free their wallets."""
    earlier = find_forgetting(connection, word.owner_key)
    standing = plan(earlier, word)
    if standing is earlier:
        return standing
    erase_owner(connection, word.owner_key)
    connection.execute(_DOOM_ALL, (word.owner_key,))
    connection.execute(_FREE_WALLETS, (word.owner_key,))
    row = (standing.tombstone, standing.signature, standing.receipt, standing.receipt_signature)
    connection.execute(_FORGET, (word.owner_key, *row))
    return standing
