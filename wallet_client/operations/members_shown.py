"""What a digest says of an item's values, as members of a receipt.

An owner's wallet signed the digest, and a thief's may have: what is no digest, or shows what no value can
have, is taken as if it said nothing.
"""

import base64
import hashlib
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from threshold.errors import ThresholdError
from trust.digest import DigestFields
from trust.errors import TrustError
from trust.ids import ItemId
from trust.value_fields import ValueFields
from wallet_client.pipeline.batch import WalletKeys
from wallet_client.pipeline.couple import MAX_MEMBERS
from wallet_client.pipeline.errors import BindingUnknown
from wallet_client.receipts.receipt import Receipt, ReceiptId, ReceiptMember, receipt_id_of
from wallet_client.values.value import ValueId

HIDDEN_CLASS = "unknown"
"""Class of a value of which the digest says nothing, until it is opened."""

_AMOUNTS = ("quantity", "unit_price", "total_amount", "remaining_amount")
_DAYS = ("valid_from", "valid_until")
_TEXTS = ("place", "currency", "media_type", "file_name")


def members_shown(receipt: Receipt, keys: WalletKeys) -> tuple[ReceiptMember, ...]:
    """One for each value that the digest shows; a hidden one where it shows nothing.

    Args:
        receipt: Whose members are not known.
        keys: Secret: the wallet's, for a digest that is sealed.
    """
    leaf = receipt.read_leaf()
    shown = _shown(receipt, keys)
    size = leaf.sealed_length // max(1, len(shown))
    return tuple(
        ReceiptMember(derived_value_id(leaf.item_id, position), position, fields, size)
        for position, fields in enumerate(shown or (hidden_fields(leaf.item_id),))
    )


def derived_value_id(item_id: ItemId, position: int) -> ValueId:
    """The id of a value of which the wallet knows nothing but the item it is in.

    Args:
        position: Its place in the item, 0 to 254.
    """
    digest = hashlib.sha256(b"kura/v1/value-id" + item_id + bytes([position])).digest()
    return ValueId("v-" + base64.b32encode(digest).decode("ascii")[:10].lower())


def hidden_fields(item_id: ItemId) -> ValueFields:
    """What is said of a value of which nothing is known."""
    return ValueFields(item_class=HIDDEN_CLASS, name=_hidden_name(receipt_id_of(item_id)))


def is_hidden(member: ReceiptMember, receipt_id: ReceiptId) -> bool:
    """Whether the digest said too little of a member to tell what it is."""
    fields = member.fields
    return fields.item_class == HIDDEN_CLASS or fields.name == _hidden_name(receipt_id)


def _hidden_name(receipt_id: ReceiptId) -> str:
    return f"item {receipt_id}"


def _shown(receipt: Receipt, keys: WalletKeys) -> tuple[ValueFields, ...]:
    item_id = receipt.read_leaf().item_id
    try:
        shown = receipt.read_digests(keys)
        fields = tuple(_fields(one, item_id) for one in shown)
    except (ThresholdError, TrustError, BindingUnknown, ValueError, InvalidOperation):
        return ()
    return fields if len(fields) <= MAX_MEMBERS else ()


def _fields(shown: DigestFields, item_id: ItemId) -> ValueFields:
    hidden = hidden_fields(item_id)
    stated: dict[str, Any] = {name: getattr(shown, name) for name in _TEXTS}
    stated |= {name: _day(getattr(shown, name)) for name in _DAYS}
    stated |= {name: _amount(getattr(shown, name)) for name in _AMOUNTS}
    return ValueFields(
        item_class=shown.item_class or hidden.item_class,
        name=shown.name or hidden.name,
        **{name: value for name, value in stated.items() if value not in ("", None)},
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _amount(text: str) -> Decimal | None:
    return Decimal(text) if text else None
