"""What each wallet uses, kept in the same transaction as what it uses."""

from __future__ import annotations

from durable.sqlite import Connection
from trust.ids import WalletKey

OF_ACCOUNT = """wallet IN (SELECT ?1 UNION SELECT id FROM wallets WHERE owner_key = ?2
    UNION SELECT id FROM wallets WHERE wallet_key = ?2)"""
"""A condition: the row is of wallet ?1, of a wallet of owner ?2, or of that owner's own key; NULL: nobody."""


def find_wallet(connection: Connection, wallet_key: WalletKey) -> int | None:
    """The wallet's row, if it has kept anything here."""
    row = connection.execute("SELECT id FROM wallets WHERE wallet_key = ?", (wallet_key,)).fetchone()
    return None if row is None else int(row[0])


def make_wallet(connection: Connection, wallet_key: WalletKey) -> int:
    """The wallet's row, made when there is none."""
    connection.execute("INSERT OR IGNORE INTO wallets (wallet_key, used_bytes) VALUES (?, 0)", (wallet_key,))
    return int(connection.execute("SELECT id FROM wallets WHERE wallet_key = ?", (wallet_key,)).fetchone()[0])


def used_bytes(connection: Connection, wallet: int) -> int:
    """What it keeps, and what it has reserved for streams under way."""
    kept = connection.execute("SELECT used_bytes FROM wallets WHERE id = ?", (wallet,)).fetchone()[0]
    loose = connection.execute(
        "SELECT total(length) FROM loose_blobs WHERE wallet = ?", (wallet,)
    ).fetchone()[0]
    return int(kept) + int(loose)


def add_used(connection: Connection, wallet: int, change: int) -> None:
    """Account for what was written, or with a negative change for what was erased."""
    connection.execute("UPDATE wallets SET used_bytes = used_bytes + ? WHERE id = ?", (change, wallet))
