"""Sealed rows: the one mechanism under every repository.

A record has a name (looked up, never readable), a small sealed *head*, which listings read, and
a sealed *body* of any size, read only when asked for. Head and body each lie under a
row secret of their own, so that a changed head does not reseal a large body.
"""

from collections.abc import Iterator
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec

from wallet_client.errors import AlreadyKept, Kind, NotKept
from wallet_client.storage.database import Database
from wallet_client.storage.errors import WalletDamaged
from wallet_client.storage.sealing import ROW_SECRET_BYTES, SealBroken, Sealer, new_row_secret
from wallet_client.storage.secret import Secret

_ERASED: Final = bytes(ROW_SECRET_BYTES)
# What a damaged page may lead to: a column of another type, a number out of range, no row at all.
_NOT_AS_WRITTEN: Final = (TypeError, OverflowError)
_HEADS: Final = (
    "SELECT r.name, r.head_slot, r.head, s.secret FROM records r"
    " JOIN slots s ON s.id = r.head_slot WHERE r.kind = ?"
)
_INSERT: Final = (
    "INSERT INTO records (kind, name, size, head_slot, head, body_slot) VALUES (?, ?, ?, ?, ?, ?)"
)
_INSERT_CHUNK: Final = "INSERT INTO chunks (slot, part, data) VALUES (?, ?, ?)"
_REUSE_SLOT: Final = (
    "UPDATE slots SET used = 1, secret = ?"
    " WHERE id = (SELECT id FROM slots WHERE used = 0 LIMIT 1) RETURNING id"
)
_INSERT_SLOT: Final = "INSERT INTO slots (used, secret) VALUES (1, ?) RETURNING id"


Head = TypeVar("Head")


class Total(NamedTuple):
    """How much is kept of one kind."""

    records: int
    size: int


class _Found(NamedTuple):
    id: int
    size: int
    head_slot: int
    body_slot: int


class Records(Generic[Head]):
    """All sealed rows of one kind.

    Args:
        database: Where they are.
        master: Secret: the wallet's master key, 32 bytes.
        wallet_id: 16 bytes.
        kind: Their kind.
        head_type: What their heads are: a type that msgspec encodes.
        missing: The error for a name that is not kept.
        purges: Whether what is removed or replaced must be beyond recovery at the commit, at the
            price of two more disk writes; else it is by the next such commit or the last close.
    """

    def __init__(
        self,
        database: Database,
        master: Secret,
        wallet_id: bytes,
        kind: Kind,
        head_type: type[Head],
        missing: type[NotKept],
        *,
        purges: bool = False,
    ) -> None:
        self.database = database
        self._decoder = msgspec.msgpack.Decoder(head_type)
        self._sealer = Sealer(master, wallet_id, kind)
        self._kind = kind
        self._missing = missing
        self._purges = purges

    def add(self, name: str, head: Head, body: bytes = b"", *, size: int = 0) -> None:
        """Keep a new record.

        Args:
            name: Its name among its kind.
            head: Secret: what listings read.
            body: Secret: the rest, of any size.
            size: Bytes it counts for in `total`.

        Raises:
            AlreadyKept: The name is taken.
        """
        with self.database.joined():
            if self._find(name):
                raise AlreadyKept(self._kind, name)
            self._add(name, head, body, size)

    def _add(self, name: str, head: Head, body: bytes, size: int) -> None:
        blinded = self._sealer.blinded(name)
        head_slot, sealed = self._sealed_head(blinded, head)
        body_slot = self._store_body(blinded, body)
        self.database.execute(_INSERT, (self._kind, blinded, size, head_slot, sealed, body_slot))
        self._count(1, size)

    def replace(self, name: str, head: Head, body: bytes = b"", *, size: int = 0) -> None:
        """Put other content in a record's place; the old content's secrets are erased.

        Raises:
            NotKept: There is none.
        """
        with self.database.joined():
            self._replace(self._found(name), name, head, body, size)

    def _replace(self, found: _Found, name: str, head: Head, body: bytes, size: int) -> None:
        blinded = self._sealer.blinded(name)
        self._erase(found)
        head_slot, sealed = self._sealed_head(blinded, head)
        body_slot = self._store_body(blinded, body)
        self.database.execute(
            "UPDATE records SET size = ?, head_slot = ?, head = ?, body_slot = ? WHERE id = ?",
            (size, head_slot, sealed, body_slot, found.id),
        )
        self._count(0, size - found.size)

    def put(self, name: str, head: Head, body: bytes = b"", *, size: int = 0) -> None:
        """Keep a record, in the place of the one of that name if there is one."""
        with self.database.joined():
            found = self._find(name)
            if found is None:
                self._add(name, head, body, size)
            else:
                self._replace(found, name, head, body, size)

    def replace_head(self, name: str, head: Head) -> None:
        """Change what listings read and leave the body.

        Raises:
            NotKept: There is none.
        """
        with self.database.joined():
            found = self._found(name)
            secret = new_row_secret()
            place = _place(self._sealer.blinded(name), found.head_slot)
            sealed = self._sealer.seal_head(secret, place, msgspec.msgpack.encode(head))
            self.database.execute("UPDATE slots SET secret = ? WHERE id = ?", (secret, found.head_slot))
            self.database.execute("UPDATE records SET head = ? WHERE id = ?", (sealed, found.id))

    def remove(self, name: str) -> None:
        """Erase a record with its secrets.

        Raises:
            NotKept: There is none.
        """
        with self.database.joined():
            found = self._found(name)
            self.database.execute("DELETE FROM records WHERE id = ?", (found.id,))
            self._erase(found)
            self._count(-1, -found.size)

    def has(self, name: str) -> bool:
        """Whether a record of that name is kept."""
        return self._find(name) is not None

    def head(self, name: str) -> Head:
        """Secret: a record's head.

        Raises:
            NotKept: There is none.
            WalletDamaged: It does not open.
        """
        row = self.database.row(f"{_HEADS} AND r.name = ?", (self._kind, self._sealer.blinded(name)))
        if row is None:
            raise self._missing(name)
        return self._open_head(row)

    def heads(self) -> list[Head]:
        """Secret: all heads, in the order in which the records were added.

        Raises:
            WalletDamaged: One does not open.
        """
        return [self._open_head(row) for row in self.database.rows(f"{_HEADS} ORDER BY r.id", (self._kind,))]

    def body(self, name: str) -> bytes:
        """Secret: a record's body.

        Raises:
            NotKept: There is none.
            WalletDamaged: It does not open.
        """
        with self.database.snapshot():
            return self._open_body(name, self._found(name).body_slot)

    def total(self) -> Total:
        """How many records are kept, and the bytes they count for."""
        row = self.database.row("SELECT records, size FROM totals WHERE kind = ?", (self._kind,))
        return Total(*row) if row else Total(0, 0)

    def _find(self, name: str) -> _Found | None:
        row = self.database.row(
            "SELECT id, size, head_slot, body_slot FROM records WHERE kind = ? AND name = ?",
            (self._kind, self._sealer.blinded(name)),
        )
        return _Found(*row) if row else None

    def _found(self, name: str) -> _Found:
        found = self._find(name)
        if found is None:
            raise self._missing(name)
        return found

    def _open_head(self, row: tuple[bytes, int, bytes, bytes]) -> Head:
        name, slot, sealed, secret = row
        try:
            return self._decoder.decode(self._sealer.open_head(secret, _place(name, slot), sealed))
        except (SealBroken, msgspec.DecodeError, *_NOT_AS_WRITTEN) as error:
            raise WalletDamaged(f"a {self._kind} does not open") from error

    def _open_body(self, name: str, slot: int) -> bytes:
        try:
            (secret,) = self.database.row("SELECT secret FROM slots WHERE id = ?", (slot,))
            return self._sealer.open_body(
                secret, _place(self._sealer.blinded(name), slot), self._chunks(slot)
            )
        except (SealBroken, *_NOT_AS_WRITTEN) as error:
            raise WalletDamaged(f"the content of {self._kind} {name} does not open") from error

    def _sealed_head(self, blinded: bytes, head: Head) -> tuple[int, bytes]:
        secret = new_row_secret()
        slot = self._take_slot(secret)
        return slot, self._sealer.seal_head(secret, _place(blinded, slot), msgspec.msgpack.encode(head))

    def _store_body(self, blinded: bytes, body: bytes) -> int:
        secret = new_row_secret()
        slot = self._take_slot(secret)
        for part, chunk in enumerate(self._sealer.seal_body(secret, _place(blinded, slot), body)):
            self.database.execute(_INSERT_CHUNK, (slot, part, chunk))
        return slot

    def _take_slot(self, secret: bytes) -> int:
        taken = self.database.row(_REUSE_SLOT, (secret,)) or self.database.row(_INSERT_SLOT, (secret,))
        return int(taken[0])

    def _erase_slot(self, slot: int) -> None:
        self.database.execute("UPDATE slots SET used = 0, secret = ? WHERE id = ?", (_ERASED, slot))

    def _erase(self, found: _Found) -> None:
        self._erase_slot(found.head_slot)
        self.database.execute("DELETE FROM chunks WHERE slot = ?", (found.body_slot,))
        self._erase_slot(found.body_slot)
        if self._purges:
            self.database.erase_at_commit()

    def _chunks(self, slot: int) -> Iterator[bytes]:
        rows = self.database.stream("SELECT data FROM chunks WHERE slot = ? ORDER BY part", (slot,))
        return (row[0] for row in rows)

    def _count(self, more: int, size: int) -> None:
        self.database.execute(
            "INSERT INTO totals (kind, records, size) VALUES (?1, ?2, ?3)"
            " ON CONFLICT (kind) DO UPDATE SET records = records + ?2, size = size + ?3",
            (self._kind, more, size),
        )


def _place(blinded: bytes, slot: int) -> bytes:
    """Associated data of a row: 16 bytes of name, 8 of slot."""
    return blinded + slot.to_bytes(8)
