"""Do the safes still keep what receipts here say they keep? Asked before values leave an owner's wallet.

What this wallet registered, another of the owner's may have deleted since, or a thief with one, and this one
heard nothing of it. Certificates say that a safe took an item once. A wallet without an owner is alone with
its items: it knows what it deleted, and asks nobody.
"""

import asyncio
from collections.abc import Collection

from trust.ids import ItemId, OwnerKey
from wallet_client.operations.catalogue import read_catalogue
from wallet_client.operations.merge_catalogues import Catalogue
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import get_receipt
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet


async def not_kept_any_more(wallet: Wallet, value_ids: Collection[ValueId]) -> list[ValueId]:
    """Those that the safes which answer would not bring back; all of them where no safe answers.

    Args:
        value_ids: Values in the wallet that have receipts.
    """
    owner = (await asyncio.to_thread(wallet.store.settings.get)).owner
    if owner is None or not value_ids:
        return []
    told = await read_catalogue(wallet, OwnerKey(owner.owner_key))
    return await asyncio.to_thread(_not_among, wallet, value_ids, told)


def _not_among(wallet: Wallet, value_ids: Collection[ValueId], told: Catalogue) -> list[ValueId]:
    kept: dict[ItemId, tuple[int, bool]] = {
        item.leaf.item_id: (item.leaf.generation, item.comes_back)
        for item in told.items
        if item.generation not in told.tombstones
    }
    return [one for one in value_ids if not _is_among(wallet, one, kept)]


def _is_among(wallet: Wallet, value_id: ValueId, kept: dict[ItemId, tuple[int, bool]]) -> bool:
    """Of an item that another wallet registered anew since, the newer generation is what stands."""
    receipt_id = wallet.store.values.summary(value_id).receipt_id
    if receipt_id is None:
        return False
    receipt = get_receipt(wallet.store, ReceiptId(receipt_id))
    leaf = receipt.read_leaf()
    generation, comes_back = kept.get(leaf.item_id, (-1, False))
    has_pieces_here = bool(receipt.kept_shares or receipt.kept_key_shares)
    return generation >= leaf.generation and (comes_back or has_pieces_here)
