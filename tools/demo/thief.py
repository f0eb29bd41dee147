"""Who has stolen a wallet's folder, unlocked it, and copied the databases of safes: what opens?

    python -m tools.demo.thief HOME DATABASE...        the passphrase on standard input; none: an empty input

Everything in the databases is put together, whatever its owner; then every key and binding of the wallet is
tried on every item, and every key that comes to light, or comes of a root that does, until none is new.
Prints how many items there are and how many values and keys of them open.
"""

import json
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from threshold.errors import ThresholdError
from threshold.ristretto import Scalar
from trust.errors import TrustError
from trust.key_algorithm import BUILT_IN, derive_scalar
from trust.manifest import ItemLeaf, Manifest
from wallet_client.errors import WalletError
from wallet_client.operations.opening import batch_secret, key_from_shares, open_items
from wallet_client.operations.receipt_batch import Gathered, ReceiptBatch
from wallet_client.operations.wallet_keys import read_key
from wallet_client.pipeline.batch import WalletKeys
from wallet_client.pipeline.wrapping import WrappingKey
from wallet_client.storage.keyfile import NoPassphrase, Passphrase
from wallet_client.storage.keyring import KEY_CLASS
from wallet_client.storage.store import WalletStore
from wallet_client.values.value import Value, decode_value
from wallet_client.wallet import wallet_keys

_PIECES = """SELECT b.manifest, p.leaf, p.x, p.content, p.blob_id, k.share FROM pieces p
    JOIN batches b ON b.id = p.batch LEFT JOIN key_shares k ON k.id = p.batch * 256 + p.x"""
_BLOCKS = "SELECT content FROM blocks WHERE id >= ?1 * 65536 AND id < (?1 + 1) * 65536 ORDER BY id"
_NOTHING = (WalletError, ThresholdError, TrustError)
"""What comes of trying what does not fit."""


@dataclass(slots=True)
class StolenItem:
    """What the databases together have of one item.

    Args:
        shares: Secret: blobs by share index.
        key_shares: Secret: by share index.
    """

    manifest: Manifest
    leaf: ItemLeaf
    shares: dict[int, bytes] = field(default_factory=dict, repr=False)
    key_shares: dict[int, Scalar] = field(default_factory=dict, repr=False)

    def gathered(self) -> Gathered:
        """As if the safes had given it."""
        blobs = {x: BytesIO(blob) for x, blob in self.shares.items()}
        return Gathered(shares={0: {**blobs}}, key_shares=dict(self.key_shares))


def read_databases(paths: Sequence[Path]) -> list[StolenItem]:
    """Every item in the databases."""
    items: dict[tuple[bytes, bytes], StolenItem] = {}
    key_shares: dict[bytes, dict[int, Scalar]] = defaultdict(dict)
    for path in paths:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        for manifest, leaf, x, content, blob_id, share in database.execute(_PIECES):
            parsed = StolenItem(Manifest.from_bytes(manifest), ItemLeaf.from_bytes(leaf))
            item = items.setdefault((manifest, leaf), parsed)
            item.key_shares = key_shares[manifest]
            blob = content if blob_id is None else _streamed(database, blob_id)
            if blob is not None:
                item.shares[x] = blob
            if share is not None:
                key_shares[manifest][x] = Scalar.from_bytes(share)
        database.close()
    return list(items.values())


def _streamed(database: sqlite3.Connection, blob_id: int) -> bytes:
    return b"".join(row[0] for row in database.execute(_BLOCKS, (blob_id,)))


def opened_values(
    items: Sequence[StolenItem], keys: WalletKeys, wrapping: Iterable[WrappingKey]
) -> list[Value]:
    """Secret: every value, and every key as a value, that opens.

    Args:
        items: What was copied.
        keys: Secret: the stolen wallet's.
        wrapping: Secret: the keys in its keyring, and what comes of its root.
    """
    known = {(one.kind, one.key_id): one for one in wrapping}
    while True:
        opened = [value for item in items for value in _opened(item, keys, list(known.values()))]
        found = {(one.kind, one.key_id): one for value in opened for one in keys_of(value)}
        if found.keys() <= known.keys():
            return opened
        known |= found


def _opened(item: StolenItem, keys: WalletKeys, wrapping: Sequence[WrappingKey]) -> list[Value]:
    tries = (_opened_with(item, keys, key) for key in (None, *wrapping))
    return next((values for values in tries if values), [])


def _opened_with(item: StolenItem, keys: WalletKeys, key: WrappingKey | None) -> list[Value]:
    batch, gathered = ReceiptBatch(item.manifest, (), (item.leaf,), key), item.gathered()
    if not batch.is_enough(gathered):
        return []
    try:
        secret = batch_secret(batch, gathered, keys, key or key_from_shares(batch, gathered))
        return [decode_value(one) for _, members in open_items(batch, gathered, secret) for one in members]
    except _NOTHING:
        return []


def keys_of(value: Value) -> Iterator[WrappingKey]:
    """Secret: what a key that came to light could have sealed with; nothing where the value is none."""
    if value.item_class != KEY_CLASS:
        return
    try:
        entry, secret, algorithms = read_key(value)
    except _NOTHING:
        return
    if entry.kind != "root":
        yield WrappingKey.of(entry.kind, Scalar.from_bytes(secret.reveal()), entry.algorithm)
        return
    for algorithm in (BUILT_IN, *algorithms):
        scalar = derive_scalar(algorithm, secret.reveal())
        yield WrappingKey.of("shared", scalar, algorithm.label)
        yield WrappingKey.of("pair", scalar, algorithm.label)


def wrapping_keys(store: WalletStore) -> Iterator[WrappingKey]:
    """Secret: every key of the stolen wallet that could have sealed a batch."""
    for entry in store.keyring.entries():
        if entry.is_here:
            yield from keys_of(store.keyring.get(entry.id))


def main(arguments: Sequence[str]) -> int:
    """Search; gives the exit code."""
    home, *databases = map(Path, arguments)
    passphrase = sys.stdin.read().encode()
    with WalletStore.open(home, Passphrase(passphrase) if passphrase else NoPassphrase()) as store:
        keys, wrapping = wallet_keys(store), list(wrapping_keys(store))
    items = read_databases(databases)
    print(json.dumps({"items": len(items), "opened": len(opened_values(items, keys, wrapping))}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
