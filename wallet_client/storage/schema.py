"""The database's tables and how each version of them becomes the next.

    slots    row secrets, one of 32 bytes each
    records  one sealed row each: kind, blinded name, size, sealed head
    chunks   the sealed parts of large rows
    totals   count and bytes of each kind, kept by the same transactions

A slot is never deleted and never changes its length: erasing overwrites it where it stands, and
it is used again later. Rows of `slots` are appended in order, so SQLite never moves one to
another page; this is what makes erasure certain (see `sealing`).

sqlite-utils writes the schema and remembers the migrations; PRAGMA user_version counts them.
A later version of Kura adds a migration below; it never changes one.
"""

from typing import TYPE_CHECKING, Final

from wallet_client.storage.database import APPLICATION_ID, Database
from wallet_client.storage.errors import WalletTooNew

if TYPE_CHECKING:
    from sqlite_utils import Database as Tables
    from sqlite_utils import Migrations

SCHEMA_VERSION: Final = 1


def schema_version(database: Database) -> int:
    """How many migrations the database went through; 0 for a new one.

    Raises:
        WalletTooNew: More than this program knows.
    """
    version = int(database.row("PRAGMA user_version")[0])
    if version > SCHEMA_VERSION:
        raise WalletTooNew(version, SCHEMA_VERSION)
    return version


def migrate(database: Database) -> None:
    """Bring the tables to this program's version.

    Raises:
        WalletTooNew: They are beyond it; nothing was changed.
        WalletError: The device or the file failed; what was not finished is done next time.
    """
    if schema_version(database) == SCHEMA_VERSION:
        return
    from sqlite_utils import Database as Tables

    migrations().apply(Tables(database.connection, execute_plugins=False))
    database.execute(f"PRAGMA application_id={APPLICATION_ID}")
    database.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def migrations() -> "Migrations":
    """All migrations in order, for sqlite-utils."""
    from sqlite_utils import Migrations

    ours = Migrations("kura.wallet")
    ours(name="0001_sealed_rows")(_sealed_rows)
    return ours


def _sealed_rows(tables: "Tables") -> None:
    slots = {"id": int, "used": int, "secret": bytes}
    tables.create_table("slots", slots, pk="id", not_null={"used", "secret"}, strict=True)
    # used is 0 or 1: SQLite stores both in no bytes, so a slot keeps its length.
    tables.execute("CREATE INDEX slots_free ON slots (id) WHERE used = 0")
    tables.create_table(
        "records",
        {
            "id": int,
            "kind": str,
            "name": bytes,
            "size": int,
            "head_slot": int,
            "head": bytes,
            "body_slot": int,
        },
        pk="id",
        not_null={"kind", "name", "size", "head_slot", "head", "body_slot"},
        foreign_keys=[("head_slot", "slots", "id"), ("body_slot", "slots", "id")],
        strict=True,
    )
    tables.table("records").create_index(["kind", "name"], unique=True)
    tables.create_table(
        "chunks",
        {"slot": int, "part": int, "data": bytes},
        pk=("slot", "part"),
        not_null={"data"},
        foreign_keys=[("slot", "slots", "id")],
        strict=True,
    )
    tables.create_table(
        "totals",
        {"kind": str, "records": int, "size": int},
        pk="kind",
        not_null={"records", "size"},
        strict=True,
    )
