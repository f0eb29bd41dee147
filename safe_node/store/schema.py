"""The tables, as migrations that sqlite-utils applies and records.

    safe          one row: whose database this is, the next Y, the next blob
    wallets       what each wallet key uses
    batches       manifests and leaf hashes; erased with the last piece
    key_shares    id = batch * 256 + x
    pieces        one for each certificate; a blob that came in one message is in the row
    blocks        blobs that came as streams, in chunks; id = blob * 65,536 + number
    loose_blobs   blobs that no piece refers to: on their way in, or out and then with the item they were of
    tombstones    what must never come back, with the receipt that was given, and when it is due to be erased
    doomed        pieces that wait to be erased, and until when; nothing of them is given out

    owners         the guesses of each at the PIN alone, which record is in force and which is staged
    owner_records  this safe's parts of their records, one for each way; written once, erased, never changed
    owner_policies what their owners signed of the ways into them
    way_ledgers    the guesses of each at other ways
    owner_devices  the signature counter of each device, by the SHA-256 of its credential id
    waiting        recoveries that wait for a release time
    nobodies       the guesses of each name that nobody has; 16,384 slots that one takes from another
    guesses        those that can still be repeated or unlocked, at an owner or, below zero, at a nobody
    decoys         how many guesses were written that cost nothing, as a ledger would be; which slot is whose
    decoy_guesses  256 slots that these overwrite
    invitations    SHA-256 of each code, and when it was used
    revocations    owners' words against wallets
    revivals       owners' words against tombstones
    forgotten      owners' words against themselves, with the receipt that was given

Every table that holds a secret is a rowid table that grows at its end, so that rows are never moved and
secure_delete leaves no stale copy of an erased one (tests/contract looks for them).

sqlite-utils is imported only when there is something to apply, and then in a process of its own: it takes
20 MB, a third of what an idle safe may use.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

PAGE_BYTES = 16_384
"""Measured: 220 MB/s for 1 MiB blocks against 160 at 4 KiB pages, and no slower for 1 KiB pieces."""

KEY_SHARES_PER_BATCH = 256
BLOCKS_PER_BLOB = 65_536
VERSION = 6
"""PRAGMA user_version of a database on which every migration below was applied."""


class SchemaTooNew(Exception):
    """A newer program made the database; writing into it with this one could harm it."""


_TABLES = (
    """CREATE TABLE safe (
        id INTEGER PRIMARY KEY CHECK (id = 1), safe_id BLOB NOT NULL,
        next_counter INTEGER NOT NULL, next_blob INTEGER NOT NULL) STRICT""",
    """CREATE TABLE wallets (
        id INTEGER PRIMARY KEY, wallet_key BLOB NOT NULL UNIQUE,
        used_bytes INTEGER NOT NULL CHECK (used_bytes >= 0)) STRICT""",
    """CREATE TABLE batches (
        id INTEGER PRIMARY KEY, manifest_hash BLOB NOT NULL UNIQUE,
        wallet INTEGER NOT NULL REFERENCES wallets, manifest BLOB NOT NULL,
        signature BLOB NOT NULL, leaf_hashes BLOB NOT NULL,
        pieces_left INTEGER NOT NULL, cost INTEGER NOT NULL) STRICT""",
    """CREATE TABLE key_shares (
        id INTEGER PRIMARY KEY, share BLOB NOT NULL, checksum BLOB NOT NULL) STRICT""",
    """CREATE TABLE pieces (
        id INTEGER PRIMARY KEY, counter INTEGER NOT NULL, x_hash BLOB NOT NULL,
        wallet INTEGER NOT NULL REFERENCES wallets, item_id BLOB NOT NULL, generation INTEGER NOT NULL,
        x INTEGER NOT NULL, batch INTEGER NOT NULL REFERENCES batches, leaf_index INTEGER NOT NULL,
        has_key_share INTEGER NOT NULL, cost INTEGER NOT NULL, leaf BLOB NOT NULL, certificate BLOB NOT NULL,
        blob_id INTEGER, blob_length INTEGER, block_hashes BLOB, content BLOB) STRICT""",
    "CREATE INDEX pieces_by_counter ON pieces (counter, x_hash)",
    "CREATE UNIQUE INDEX pieces_by_name ON pieces (wallet, item_id, generation, x)",
    "CREATE TABLE blocks (id INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT",
    """CREATE TABLE loose_blobs (
        blob_id INTEGER PRIMARY KEY, wallet INTEGER NOT NULL REFERENCES wallets,
        length INTEGER NOT NULL, item_id BLOB, generation INTEGER) STRICT""",
    """CREATE TABLE tombstones (
        wallet INTEGER NOT NULL REFERENCES wallets, item_id BLOB NOT NULL, generation INTEGER NOT NULL,
        tombstone BLOB NOT NULL, signature BLOB NOT NULL, receipt BLOB NOT NULL,
        receipt_signature BLOB NOT NULL,
        PRIMARY KEY (wallet, item_id, generation)) STRICT, WITHOUT ROWID""",
)

_OWNERS = (
    """CREATE TABLE owners (
        id INTEGER PRIMARY KEY, owner_id BLOB NOT NULL UNIQUE, owner_key BLOB NOT NULL UNIQUE,
        spent INTEGER NOT NULL CHECK (spent >= 0), last_spent_ms INTEGER NOT NULL,
        rearmed_ms INTEGER NOT NULL, current INTEGER NOT NULL, staged INTEGER) STRICT""",
    """CREATE TABLE owner_records (
        id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES owners, record BLOB NOT NULL,
        record_id BLOB NOT NULL, x INTEGER NOT NULL, unlock_share BLOB NOT NULL, oprf_share BLOB NOT NULL,
        unlock_tag BLOB NOT NULL, sealed BLOB NOT NULL, guesses INTEGER NOT NULL) STRICT""",
    "CREATE UNIQUE INDEX owner_records_by_name ON owner_records (owner, record_id)",
    """CREATE TABLE guesses (
        id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES owners, guess_id BLOB NOT NULL,
        record_id BLOB NOT NULL, element BLOB NOT NULL, spent_ms INTEGER NOT NULL,
        returned_to BLOB) STRICT""",
    "CREATE UNIQUE INDEX guesses_by_name ON guesses (owner, guess_id)",
    "CREATE TABLE decoys (id INTEGER PRIMARY KEY CHECK (id = 1), written INTEGER NOT NULL) STRICT",
    "INSERT INTO decoys VALUES (1, 0)",
    """CREATE TABLE decoy_guesses (
        id INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 255), number INTEGER NOT NULL,
        guess_id BLOB NOT NULL, record_id BLOB NOT NULL, element BLOB NOT NULL,
        spent_ms INTEGER NOT NULL) STRICT""",
    "CREATE UNIQUE INDEX decoy_guesses_by_number ON decoy_guesses (number)",
    """CREATE TABLE invitations (
        code_hash BLOB PRIMARY KEY, made_ms INTEGER NOT NULL, used_ms INTEGER) STRICT, WITHOUT ROWID""",
    """CREATE TABLE revocations (
        owner_key BLOB NOT NULL, wallet INTEGER NOT NULL REFERENCES wallets, revocation BLOB NOT NULL,
        signature BLOB NOT NULL, PRIMARY KEY (owner_key, wallet)) STRICT, WITHOUT ROWID""",
    "ALTER TABLE wallets ADD COLUMN owner_key BLOB",
    "ALTER TABLE wallets ADD COLUMN authorisation BLOB",
    "ALTER TABLE wallets ADD COLUMN authorisation_signature BLOB",
    "CREATE INDEX wallets_by_owner ON wallets (owner_key) WHERE owner_key IS NOT NULL",
)


_GRACE = (
    "ALTER TABLE tombstones ADD COLUMN erase_at INTEGER",
    "CREATE INDEX tombstones_by_time ON tombstones (erase_at) WHERE erase_at IS NOT NULL",
    """CREATE TABLE doomed (
        piece INTEGER PRIMARY KEY REFERENCES pieces ON DELETE CASCADE, erase_at INTEGER NOT NULL) STRICT""",
    "CREATE INDEX doomed_by_time ON doomed (erase_at)",
    """CREATE TABLE revivals (
        owner_key BLOB NOT NULL, tombstone_hash BLOB NOT NULL, revival BLOB NOT NULL, signature BLOB NOT NULL,
        PRIMARY KEY (owner_key, tombstone_hash)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE forgotten (
        owner_key BLOB PRIMARY KEY, tombstone BLOB NOT NULL, signature BLOB NOT NULL, receipt BLOB NOT NULL,
        receipt_signature BLOB NOT NULL) STRICT, WITHOUT ROWID""",
)

_NOBODIES = (
    """CREATE TABLE nobodies (
        id INTEGER PRIMARY KEY CHECK (id BETWEEN -16384 AND -1), owner_id BLOB NOT NULL,
        spent INTEGER NOT NULL CHECK (spent >= 0), last_spent_ms INTEGER NOT NULL) STRICT""",
    "ALTER TABLE decoys ADD COLUMN slot_key BLOB",
    "UPDATE decoys SET slot_key = randomblob(32)",
    """CREATE TABLE guesses_at (
        id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, guess_id BLOB NOT NULL,
        record_id BLOB NOT NULL, element BLOB NOT NULL, spent_ms INTEGER NOT NULL,
        returned_to BLOB) STRICT""",
    "INSERT INTO guesses_at SELECT * FROM guesses",
    "DROP TABLE guesses",
    "ALTER TABLE guesses_at RENAME TO guesses",
    "CREATE UNIQUE INDEX guesses_by_name ON guesses (owner, guess_id)",
)

_REPAIR = ("CREATE INDEX pieces_by_batch ON pieces (batch, leaf_index, x)",)


_WAYS = (
    "ALTER TABLE owner_records ADD COLUMN way TEXT NOT NULL DEFAULT 'pin'",
    "DROP INDEX owner_records_by_name",
    "CREATE UNIQUE INDEX owner_records_by_name ON owner_records (owner, record_id, way)",
    """CREATE TABLE owner_policies (
        id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES owners, record_id BLOB NOT NULL,
        policy BLOB NOT NULL, signature BLOB NOT NULL) STRICT""",
    "CREATE UNIQUE INDEX owner_policies_by_name ON owner_policies (owner, record_id)",
    """CREATE TABLE way_ledgers (
        id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES owners, way TEXT NOT NULL,
        spent INTEGER NOT NULL CHECK (spent >= 0), last_spent_ms INTEGER NOT NULL) STRICT""",
    "CREATE UNIQUE INDEX way_ledgers_by_name ON way_ledgers (owner, way)",
    "ALTER TABLE guesses ADD COLUMN way TEXT NOT NULL DEFAULT 'pin'",
    "ALTER TABLE guesses ADD COLUMN bound_to BLOB NOT NULL DEFAULT x''",
    """CREATE TABLE waiting (
        id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES owners, recipient_key BLOB NOT NULL,
        guess_id BLOB NOT NULL, record_id BLOB NOT NULL, way TEXT NOT NULL, asked_ms INTEGER NOT NULL,
        release_ms INTEGER NOT NULL) STRICT""",
    "CREATE UNIQUE INDEX waiting_by_name ON waiting (owner, guess_id)",
    "ALTER TABLE owners ADD COLUMN vetoed_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE owners ADD COLUMN vetoed_key BLOB NOT NULL DEFAULT x''",
    """CREATE TABLE owner_devices (
        id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES owners, name BLOB NOT NULL,
        counter INTEGER NOT NULL, copied INTEGER NOT NULL) STRICT""",
    "CREATE UNIQUE INDEX owner_devices_by_name ON owner_devices (owner, name)",
)
_STEPS = (
    ("0001 tables", _TABLES),
    ("0002 owners", _OWNERS),
    ("0003 grace", _GRACE),
    ("0004 guesses at nobody", _NOBODIES),
    ("0005 pieces by batch", _REPAIR),
    ("0006 ways in", _WAYS),
)


def migrations() -> Migrations:
    """Every step, in order; never change one that was released, add another and raise VERSION."""
    from sqlite_utils.migrations import Migrations

    steps = Migrations("kura-safe")
    for name, statements in _STEPS:
        steps(name=name)(_applying(statements))
    return steps


def _applying(statements: Sequence[str]) -> Callable[[Database], None]:
    def apply(database: Database) -> None:
        for statement in statements:
            database.execute(statement)

    return apply


def migrate(path: Path) -> None:
    """Bring the database at `path` to the newest schema; make it when there is none."""
    from sqlite_utils import Database

    database = Database(path)
    database.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    database.enable_wal()
    migrations().apply(database)
    database.execute(f"PRAGMA user_version = {VERSION}")
    database.close()


def ensure_migrated(path: Path, connection: Any) -> bool:
    """Migrate in a process of its own unless `connection` shows that nothing is to be done.

    Raises:
        SchemaTooNew: This program is older than the database.
        subprocess.CalledProcessError: The migration failed; its output says why.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise SchemaTooNew
    if version == VERSION:
        return False
    subprocess.run(
        [sys.executable, "-m", "safe_node.store.schema", str(path)],
        check=True,
        capture_output=True,
        text=True,
    )
    return True


if __name__ == "__main__":
    migrate(Path(sys.argv[1]))
