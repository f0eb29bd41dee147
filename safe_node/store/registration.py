"""Registering in SQLite: read the state a plan needs, write what it says. Runs inside a transaction."""

from __future__ import annotations

from durable.sqlite import Connection
from safe_node.accounts import WalletState
from safe_node.decisions.retrieval import key_share_checksum
from safe_node.records import (
    AdmittedBatch,
    AnnouncedBlob,
    ExistingPiece,
    ItemName,
    NewPiece,
    PieceName,
    RegistrationPlan,
    RegistrationState,
)
from safe_node.store.account_rows import make_owners, standing, wallet_state
from safe_node.store.base import PlanRegistration
from safe_node.store.schema import KEY_SHARES_PER_BATCH
from safe_node.store.wallets import OF_ACCOUNT, add_used, find_wallet, make_wallet, used_bytes
from trust.ids import OwnerKey

_EXISTING = """SELECT EXISTS (SELECT 1 FROM doomed WHERE piece = pieces.id),
        batches.manifest_hash, pieces.x_hash, pieces.certificate
    FROM pieces JOIN batches ON batches.id = pieces.batch
    WHERE pieces.wallet = ? AND item_id = ? AND generation = ? AND x = ?"""
_TOMBSTONE = f"SELECT 1 FROM tombstones WHERE {OF_ACCOUNT} AND item_id = ?3 AND generation = ?4"  # noqa: S608 - ours
_ADD_BATCH = """INSERT INTO batches
    (manifest_hash, wallet, manifest, signature, leaf_hashes, pieces_left, cost)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_ADD_PIECE = """INSERT INTO pieces
    (counter, x_hash, wallet, item_id, generation, x, batch, leaf_index, has_key_share, cost, leaf,
    certificate, blob_id, blob_length, block_hashes, content)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


def register(
    connection: Connection, batch: AdmittedBatch, plan: PlanRegistration, blob_id: int | None = None
) -> RegistrationPlan:
    """Plan a batch on the state as it is and write it.

    Args:
        connection: Inside a transaction.
        batch: What to register.
        plan: Decides.
        blob_id: The blob of its one piece, when that was streamed.

    Returns:
        What was written, and the certificates for every piece in order.

    Raises:
        Refusal: The plan's; nothing is written then.
    """
    decided = plan(load_state(connection, batch), batch)
    if batch.authorisation is not None and decided.authorises:
        make_owners(connection, batch.authorisation)
    if decided.new_pieces:
        _write(connection, batch, decided, blob_id)
    return decided


def load_state(connection: Connection, batch: AdmittedBatch) -> RegistrationState:
    """What decides on a batch."""
    next_counter = connection.execute("SELECT next_counter FROM safe").fetchone()[0]
    word = batch.authorisation
    state = WalletState() if word is None else wallet_state(connection, word)
    account = standing(connection, batch.wallet_key).owner_key if word is None else word.owner_key
    wallet = find_wallet(connection, batch.wallet_key)
    deleted = _buried(connection, wallet, account, batch)
    if wallet is None:
        return RegistrationState(next_counter, 0, False, deleted, {}, state)
    existing, doomed = _existing(connection, wallet, batch)
    return RegistrationState(
        next_counter=next_counter,
        used_bytes=used_bytes(connection, wallet),
        batch_known=_batch_id(connection, batch) is not None,
        deleted=deleted | doomed,
        existing=existing,
        wallet=state,
    )


def _batch_id(connection: Connection, batch: AdmittedBatch) -> int | None:
    row = connection.execute(
        "SELECT id FROM batches WHERE manifest_hash = ?", (batch.manifest_hash,)
    ).fetchone()
    return None if row is None else int(row[0])


def _buried(
    connection: Connection, wallet: int | None, account: OwnerKey | None, batch: AdmittedBatch
) -> frozenset[ItemName]:
    if wallet is None and account is None:
        return frozenset()
    items = {(piece.item_id, piece.generation) for piece in batch.pieces}
    whose = (wallet, account)
    return frozenset(
        name for name in items if connection.execute(_TOMBSTONE, (*whose, *name)).fetchone() is not None
    )


def _existing(
    connection: Connection, wallet: int, batch: AdmittedBatch
) -> tuple[dict[PieceName, ExistingPiece], frozenset[ItemName]]:
    """The batch's pieces that stand, and the items of those that only wait to be erased."""
    existing: dict[PieceName, ExistingPiece] = {}
    doomed: set[ItemName] = set()
    for piece in batch.pieces:
        row = connection.execute(_EXISTING, (wallet, *piece.name)).fetchone()
        if row is not None and row[0]:
            doomed.add((piece.item_id, piece.generation))
        elif row is not None:
            existing[piece.name] = ExistingPiece(*row[1:])
    return existing, frozenset(doomed)


def _write(connection: Connection, batch: AdmittedBatch, plan: RegistrationPlan, blob_id: int | None) -> None:
    wallet = make_wallet(connection, batch.wallet_key)
    batch_id = _write_batch(connection, batch, wallet, plan)
    _write_key_shares(connection, batch, batch_id)
    connection.executemany(
        _ADD_PIECE, [_piece_row(new, wallet, batch_id, blob_id) for new in plan.new_pieces]
    )
    connection.execute("UPDATE safe SET next_counter = ?", (plan.next_counter,))
    add_used(connection, wallet, plan.added_bytes)


def _write_batch(connection: Connection, batch: AdmittedBatch, wallet: int, plan: RegistrationPlan) -> int:
    count = len(plan.new_pieces)
    known = _batch_id(connection, batch)
    if known is not None:
        connection.execute("UPDATE batches SET pieces_left = pieces_left + ? WHERE id = ?", (count, known))
        return known
    content = (batch.manifest, batch.manifest_signature, batch.leaf_hashes)
    row = (batch.manifest_hash, wallet, *content, count, plan.batch_cost)
    return int(connection.execute(_ADD_BATCH, row).lastrowid or 0)


def _write_key_shares(connection: Connection, batch: AdmittedBatch, batch_id: int) -> None:
    rows = [
        (
            batch_id * KEY_SHARES_PER_BATCH + share.x,
            share.share,
            key_share_checksum(batch.manifest_hash, share.x, share.share),
        )
        for share in batch.key_shares
    ]
    # A second stream of the same batch brings a share that stands already: it was verified, so it is equal.
    connection.executemany("INSERT OR IGNORE INTO key_shares (id, share, checksum) VALUES (?, ?, ?)", rows)


def _piece_row(new: NewPiece, wallet: int, batch_id: int, blob_id: int | None) -> tuple[object, ...]:
    piece, content = new.piece, new.piece.content
    name = (new.counter, piece.x_hash, wallet, piece.item_id, piece.generation, piece.x)
    about = (batch_id, piece.leaf_index, int(piece.has_key_share), new.cost, piece.leaf, new.certificate)
    if isinstance(content, AnnouncedBlob):
        return (*name, *about, blob_id, content.length, b"".join(content.block_hashes), None)
    return (*name, *about, None, None if content is None else len(content), None, content)
