"""An attacker who is handed everything some safes store, and knows the protocol as well as we do.

It reads their databases, puts together every share it finds, under every manifest, and returns whatever
opens. To be believed it needs a twin: the same program with one more safe's database must succeed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import pysqlite3 as sqlite3
from msgspec.structs import replace

from threshold import feldman
from threshold.errors import ThresholdError
from threshold.ristretto import Scalar
from trust.ids import WalletKey
from trust.manifest import ItemLeaf, Manifest
from trust.piece import BLINDING_BYTES
from trust.policy import Division
from wallet_client.errors import WalletError
from wallet_client.pipeline.divide import combine
from wallet_client.pipeline.seal import BatchSecret, ItemName
from wallet_client.values.value import Value, decode_value

_PIECES = """
    SELECT b.manifest, p.leaf, p.x, p.content, p.blob_id FROM pieces p JOIN batches b ON b.id = p.batch
"""
_KEY_SHARES = """
    SELECT b.manifest, k.id % 256, k.share FROM key_shares k JOIN batches b ON b.id = k.id / 256
"""


@dataclass
class Loot:
    """What was found under one manifest."""

    key_shares: dict[int, bytes] = field(default_factory=dict)
    value_shares: dict[bytes, dict[int, bytes]] = field(default_factory=lambda: defaultdict(dict))


def attack(databases: Iterable[Path], wallet: WalletKey) -> list[Value]:
    """Every value of one wallet that the stores of these safes give away together."""
    loot: dict[bytes, Loot] = defaultdict(Loot)
    for database in databases:
        _take(database, loot)
    read = ((Manifest.from_bytes(encoded), found) for encoded, found in loot.items())
    return [
        value
        for manifest, found in read
        if manifest.wallet_key == wallet
        for value in _open_all(manifest, found)
    ]


def _take(database: Path, loot: dict[bytes, Loot]) -> None:
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        for manifest, leaf, x, content, blob_id in connection.execute(_PIECES):
            blob = content if blob_id is None else _blocks(connection, blob_id)
            if blob is not None:
                loot[manifest].value_shares[leaf][x] = blob[BLINDING_BYTES:]
        for manifest, x, share in connection.execute(_KEY_SHARES):
            loot[manifest].key_shares[x] = share
    finally:
        connection.close()


def _blocks(connection: sqlite3.Connection, blob_id: int) -> bytes:
    span = (blob_id * 65_536, (blob_id + 1) * 65_536)
    rows = connection.execute("SELECT content FROM blocks WHERE id >= ? AND id < ? ORDER BY id", span)
    return b"".join(row[0] for row in rows)


def _open_all(manifest: Manifest, found: Loot) -> Iterator[Value]:
    positions = {place.x: position for position, place in enumerate(manifest.value_places())}
    for encoded, shares in found.value_shares.items():
        leaf = ItemLeaf.from_bytes(encoded)
        try:
            sealed = _joined(manifest.terms.value, positions, shares, leaf.sealed_length)
        except ThresholdError:
            continue
        for attempt in (_as_it_is, _opened):
            try:
                yield attempt(manifest, leaf, sealed, found.key_shares)
            except (ThresholdError, WalletError):
                continue


def _joined(
    division: Division, positions: Mapping[int, int], shares: Mapping[int, bytes], length: int
) -> bytes:
    """Combine whatever there is, as if it were enough: fewer Shamir shares than k give noise."""
    chosen = sorted(shares)[: division.k]
    enough = replace(division, k=len(chosen)) if division.scheme == "shamir" else division
    return bytes(combine(enough, positions, {x: BytesIO(shares[x]) for x in chosen}, length))


def _as_it_is(_manifest: Manifest, _leaf: ItemLeaf, sealed: bytes, _key_shares: Mapping[int, bytes]) -> Value:
    return decode_value(sealed)


def _opened(manifest: Manifest, leaf: ItemLeaf, sealed: bytes, key_shares: Mapping[int, bytes]) -> Value:
    """Interpolate whatever key shares there are, as if they were enough."""
    scalars = [feldman.ScalarShare(x, Scalar.from_bytes(share)) for x, share in sorted(key_shares.items())]
    used = scalars[: manifest.terms.key.k]
    secret = BatchSecret(feldman.combine(used, len(used)), manifest.salt)
    return decode_value(secret.open_value(ItemName(leaf.item_id, leaf.generation), sealed))
