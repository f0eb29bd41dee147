"""Wallets of owners in SQLite. Runs inside a transaction, or reads."""

from __future__ import annotations

from durable.sqlite import Connection
from safe_node.accounts import (
    AdmittedAuthorisation,
    AdmittedRevocation,
    OwnersWallet,
    OwnerView,
    RevocationState,
    Standing,
    WalletState,
)
from safe_node.store.owner_rows import find_owner_by_key
from safe_node.store.owners_base import PlanAuthorisation, PlanRevocation
from safe_node.store.wallets import make_wallet
from trust.ids import OwnerKey, WalletKey

_STANDING = """SELECT w.owner_key,
        EXISTS (SELECT 1 FROM revocations r WHERE r.owner_key = w.owner_key AND r.wallet = w.id)
    FROM wallets w WHERE w.wallet_key = ? AND w.owner_key IS NOT NULL"""
_IS_OWNER = """SELECT EXISTS (SELECT 1 FROM owners WHERE owner_key = ?1)
    OR EXISTS (SELECT 1 FROM wallets WHERE owner_key = ?1)"""
_WALLET_STATE = """SELECT w.owner_key,
        EXISTS (SELECT 1 FROM revocations r WHERE r.wallet = w.id AND r.owner_key IN (w.owner_key, ?1))
    FROM wallets w WHERE w.wallet_key = ?2"""
_FORGOTTEN = "SELECT EXISTS (SELECT 1 FROM forgotten WHERE owner_key = ?)"
_AUTHORISE = """UPDATE wallets SET owner_key = ?, authorisation = ?, authorisation_signature = ?
    WHERE id = ?"""
_REVOCATION_STATE = """SELECT
    EXISTS (SELECT 1 FROM revocations r JOIN wallets w ON w.id = r.wallet
        WHERE r.owner_key = ?1 AND w.wallet_key = ?2),
    EXISTS (SELECT 1 FROM wallets WHERE wallet_key = ?2 AND owner_key = ?1),
    (SELECT count(*) FROM revocations r JOIN wallets w ON w.id = r.wallet
        WHERE r.owner_key = ?1 AND w.owner_key IS NOT ?1)"""
_REVOKE = """INSERT INTO revocations (owner_key, wallet, revocation, signature)
    VALUES (?, ?, ?, ?)"""
_WALLETS = """SELECT w.wallet_key, coalesce(w.authorisation, x''), coalesce(w.authorisation_signature, x''),
        coalesce(r.revocation, x''), coalesce(r.signature, x'')
    FROM wallets w LEFT JOIN revocations r ON r.owner_key = ?1 AND r.wallet = w.id
    WHERE w.id IN (SELECT id FROM wallets WHERE owner_key = ?1
            UNION SELECT wallet FROM revocations WHERE owner_key = ?1)
        AND coalesce(w.owner_key, ?1) = ?1
    ORDER BY w.id"""
_ITEMS = """SELECT count(DISTINCT item_id) FROM pieces
    WHERE wallet IN (SELECT id FROM wallets WHERE owner_key = ?)"""
_BYTES = "SELECT total(used_bytes) FROM wallets WHERE owner_key = ?"


def standing(connection: Connection, key: WalletKey) -> Standing:
    """Who signs with that key: a wallet of an owner's, or the owner, or neither."""
    row = connection.execute(_STANDING, (key,)).fetchone()
    if row is not None:
        return Standing(key, OwnerKey(row[0]), bool(row[1]))
    is_owner = connection.execute(_IS_OWNER, (key,)).fetchone()[0]
    return Standing(key, OwnerKey(key) if is_owner else None)


def wallet_state(connection: Connection, word: AdmittedAuthorisation) -> WalletState:
    """What decides on an owner's word for a wallet."""
    row = connection.execute(_WALLET_STATE, (word.owner_key, word.wallet_key)).fetchone()
    owner_key, revoked = row or (None, 0)
    return WalletState(owner_key, bool(revoked), is_forgotten(connection, word.owner_key))


def is_forgotten(connection: Connection, owner_key: OwnerKey) -> bool:
    """Whether the owner of that key had themselves forgotten."""
    return bool(connection.execute(_FORGOTTEN, (owner_key,)).fetchone()[0])


def authorise(connection: Connection, word: AdmittedAuthorisation, plan: PlanAuthorisation) -> None:
    """Plan on the wallet as it is, and make it the owner's."""
    if plan(wallet_state(connection, word), word):
        make_owners(connection, word)


def make_owners(connection: Connection, word: AdmittedAuthorisation) -> None:
    """Write down whose the wallet is."""
    wallet = make_wallet(connection, word.wallet_key)
    connection.execute(_AUTHORISE, (word.owner_key, word.authorisation, word.signature, wallet))


def revoke(connection: Connection, word: AdmittedRevocation, plan: PlanRevocation) -> None:
    """Plan on what the owner revoked before, and keep their word; an earlier one stays."""
    row = connection.execute(_REVOCATION_STATE, (word.owner_key, word.wallet_key)).fetchone()
    if not plan(RevocationState(bool(row[0]), bool(row[1]), int(row[2]))):
        return
    wallet = make_wallet(connection, word.wallet_key)
    connection.execute(_REVOKE, (word.owner_key, wallet, word.revocation, word.signature))


def wallets(connection: Connection, owner_key: OwnerKey) -> tuple[OwnersWallet, ...]:
    """The owner's wallets, in the order in which they were learnt."""
    return tuple(OwnersWallet(*row) for row in connection.execute(_WALLETS, (owner_key,)))


def view(connection: Connection, owner_key: OwnerKey) -> OwnerView:
    """Record, guesses, and what the owner's wallets registered."""
    row = find_owner_by_key(connection, owner_key)
    items = int(connection.execute(_ITEMS, (owner_key,)).fetchone()[0])
    used = int(connection.execute(_BYTES, (owner_key,)).fetchone()[0])
    return OwnerView(None if row is None else row.owner, items, used)
