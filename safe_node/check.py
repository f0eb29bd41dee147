"""`check`: is what this safe keeps still what it certified? For operators, beside a running safe or not.

SQLite's own quick_check first, then every piece: that its certificate finds it, its blob against its X, its
key share against its checksum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from durable import sqlite
from durable.sqlite import Connection
from safe_node.decisions.retrieval import block_checker, judge_stream
from safe_node.records import AnnouncedBlob, Presented, StoredPiece
from safe_node.store import blobs
from safe_node.store.retrieval import find_piece
from safe_node.store.sqlite_store import DATABASE_NAME
from trust.certificate import Certificate
from trust.errors import TrustError
from trust.refusals import Refusal

_STANDING = "id NOT IN (SELECT piece FROM doomed)"
"""A condition: no tombstone names the piece."""
_CERTIFICATES = f"SELECT id, certificate FROM pieces WHERE id > ? AND {_STANDING} ORDER BY id LIMIT 500"  # noqa: S608
_COUNT = f"SELECT count(*) FROM pieces WHERE {_STANDING}"  # noqa: S608 - a condition of ours
_STANDS = f"SELECT 1 FROM pieces WHERE id = ? AND {_STANDING}"  # noqa: S608 - a condition of ours


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found.

    Args:
        pieces: How many were hashed.
        damaged: Certificates, exact bytes, of those that are not what they were.
        database: What SQLite says of the file; "ok" when it is sound.
    """

    pieces: int
    damaged: tuple[bytes, ...]
    database: str

    @property
    def sound(self) -> bool:
        """Nothing is wrong."""
        return self.database == "ok" and not self.damaged


def check_database(data_dir: Path, progress: Callable[[int, int], None]) -> CheckReport:
    """Check a whole database, reading only.

    Args:
        data_dir: Its folder.
        progress: Told after each piece: how many are done, how many there are.
    """
    connection = sqlite.open_reader(data_dir / DATABASE_NAME)
    try:
        database = "; ".join(str(row[0]) for row in connection.execute("PRAGMA quick_check(10)"))
        total = int(connection.execute(_COUNT).fetchone()[0])
        damaged, done = [], 0
        for done, (row, body) in enumerate(_certificates(connection), start=1):
            # What was deleted since it was listed is not damaged.
            if not _intact(connection, body) and _stands(connection, row):
                damaged.append(body)
            progress(done, total)
        return CheckReport(done, tuple(damaged), database)
    finally:
        connection.close()


def _certificates(connection: Connection) -> Iterator[tuple[int, bytes]]:
    last = 0
    while rows := connection.execute(_CERTIFICATES, (last,)).fetchall():
        yield from ((int(row[0]), bytes(row[1])) for row in rows)
        last = int(rows[-1][0])


def _stands(connection: Connection, row: int) -> bool:
    return connection.execute(_STANDS, (row,)).fetchone() is not None


def _intact(connection: Connection, body: bytes) -> bool:
    try:
        presented = Presented(body, Certificate.from_bytes(body))
        stored = find_piece(connection, presented)
        if stored is None:
            return False  # its wallet would not find it either
        judge_stream(stored, presented.certificate, stored.wallet_key)
        _check_blocks(connection, stored, presented.certificate)
    except (Refusal, TrustError, ValueError):
        return False
    return True


def _check_blocks(connection: Connection, stored: StoredPiece, certificate: Certificate) -> None:
    if stored.blob_id is None or not isinstance(stored.content, AnnouncedBlob):
        return
    checker = block_checker(stored.content, certificate.x_hash)
    number = 0
    while (block := blobs.read_block(connection, stored.blob_id, number)) is not None:
        checker.check(block)
        number += 1
    checker.finish()
