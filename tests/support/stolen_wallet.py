"""A thief who has a copy of a wallet's folder, unlocked, and of everything that safes in memory keep."""

import shutil
from pathlib import Path

from support.memory_safes import KeptPiece, MemorySafes
from threshold.ristretto import Scalar
from tools.demo.thief import StolenItem, opened_values, wrapping_keys
from trust.manifest import ItemLeaf, Manifest
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.store import WalletStore
from wallet_client.wallet import wallet_keys


def steal(folder: Path, name: str = "first") -> Path:
    """Copy a wallet that is closed."""
    return Path(shutil.copytree(folder / name, folder / f"stolen {name}"))


def opened_by_thief(home: Path, safes: MemorySafes) -> list[str]:
    """Names of the values and keys that open with what is in the stolen wallet."""
    with WalletStore.open(home, NoPassphrase()) as store:
        keys, wrapping = wallet_keys(store), list(wrapping_keys(store))
    return sorted(value.name for value in opened_values(_loot(safes), keys, wrapping))


def _loot(safes: MemorySafes) -> list[StolenItem]:
    items: dict[tuple[bytes, bytes], StolenItem] = {}
    key_shares: dict[bytes, dict[int, Scalar]] = {}
    for safe in safes:
        for shelf in (safe.pieces, safe.beside):
            for (*_, x), kept in shelf.items():
                _take(items, key_shares, x, kept)
    return list(items.values())


def _take(
    items: dict[tuple[bytes, bytes], StolenItem],
    key_shares: dict[bytes, dict[int, Scalar]],
    x: int,
    kept: KeptPiece,
) -> None:
    leaf = kept.leaves[kept.leaf_index]
    parsed = StolenItem(Manifest.from_bytes(kept.manifest), ItemLeaf.from_bytes(leaf))
    item = items.setdefault((kept.manifest, leaf), parsed)
    item.key_shares = key_shares.setdefault(kept.manifest, {})
    if kept.blob is not None:
        item.shares[x] = kept.blob
    if kept.key_share is not None:
        item.key_shares[x] = Scalar.from_bytes(kept.key_share)
