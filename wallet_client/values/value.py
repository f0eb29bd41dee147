"""The value: one piece of electronic value information, with every field of the glossary.

A `Value` that exists is valid: its limits are checked when it is made, wherever it comes from.
`encode_value` gives the exact bytes that are sealed and divided; `decode_value` takes back only
those bytes, so that what is recovered is what was backed up, field by field and byte by byte.

Amounts are `decimal.Decimal`: figure 19's yen are whole numbers, but passes carry `21.75` and
binary floats would not give it back. They are kept as written (`21.50` stays `21.50`).

Source: PCT/JP00/05439, figures 2 and 19 (the fields).
"""

import base64
import re
import secrets
from datetime import date
from decimal import Decimal
from typing import Final, NewType, Self

import msgspec

from wallet_client.errors import ValueDamaged, ValueRefused

PAYLOAD_MAX_BYTES: Final = 64 * 1024 * 1024
CLASS_MAX_CHARACTERS: Final = 64
NAME_MAX_CHARACTERS: Final = 1_000
REMARKS_MAX_CHARACTERS: Final = 10_000
AMOUNT_MAX_DIGITS: Final = 28
HELD_SINCE_MAX_SECONDS: Final = 2**40
VALUE_ID_RANDOM_BYTES: Final = 7

ValueId = NewType("ValueId", str)
"""A value in one wallet: `v-` and ten random base32 characters (50 bits), in lower case."""

_CLASS = re.compile(rf"[a-z0-9-]{{1,{CLASS_MAX_CHARACTERS}}}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")


class ValueFields(msgspec.Struct, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True):
    """What is known of a value, without its payload.

    Args:
        item_class: Kind of value, `[a-z0-9-]{1,64}`; called `class` wherever people see it.
        name: 1 to 1,000 code points, any of them but lone surrogates.
        unit_price: Price of one, at least 0, at most 28 digits; None when not stated.
        quantity: How many; None when not stated.
        total_amount: Price of all.
        place: Where it can be used, up to 1,000 code points.
        valid_from: First day of validity.
        valid_until: Last day of validity, not before the first.
        remaining_amount: What is left of it.
        remarks: Up to 10,000 code points.
        held_since: When the wallet got it, whole seconds since 1970-01-01 UTC.
        media_type: Of the payload, as `type/subtype` in lower case.
        currency: ISO 4217 code of the amounts, three capital letters; None when not stated.
        file_name: Name of the file the payload came from, without folders; "" if from none.
    """

    item_class: str
    name: str
    unit_price: Decimal | None = None
    quantity: Decimal | None = None
    total_amount: Decimal | None = None
    place: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    remaining_amount: Decimal | None = None
    remarks: str = ""
    held_since: int = 0
    media_type: str = "application/octet-stream"
    currency: str | None = None
    file_name: str = ""

    def __repr__(self) -> str:
        """Kind and class alone: what a value is called is nobody's business in a log."""
        return f"<{type(self).__name__} {self.item_class}>"


class Value(ValueFields, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True):
    """One value, whole.

    Args:
        payload: Secret: the bytes it consists of, 0 to 67,108,864; empty for a value that is
            all in its fields.

    Raises:
        ValueRefused: A field is over its limit; the error names it.
    """

    payload: bytes = b""

    def __post_init__(self) -> None:
        """Refuse whatever is over a limit; nothing checks again later."""
        _check_class(self.item_class)
        _check_text("name", self.name, NAME_MAX_CHARACTERS, least=1)
        for field in ("place", "file_name"):
            _check_text(field, getattr(self, field), NAME_MAX_CHARACTERS)
        _check_text("remarks", self.remarks, REMARKS_MAX_CHARACTERS)
        for field in ("unit_price", "quantity", "total_amount", "remaining_amount"):
            _check_amount(field, getattr(self, field))
        _check_days(self.valid_from, self.valid_until)
        _check_marks(self.held_since, self.media_type, self.currency)
        if len(self.payload) > PAYLOAD_MAX_BYTES:
            raise ValueRefused("payload", f"has {len(self.payload)} bytes; at most {PAYLOAD_MAX_BYTES} fit")

    def __repr__(self) -> str:
        """Class and size alone."""
        return f"<Value {self.item_class}, {len(self.payload)} bytes>"

    @property
    def fields(self) -> ValueFields:
        """All but the payload."""
        return ValueFields(**{name: getattr(self, name) for name in ValueFields.__struct_fields__})

    def with_fields(self, **changes: object) -> Self:
        """A changed copy, checked like a new one.

        Raises:
            ValueRefused: A changed field is over its limit.
        """
        return msgspec.structs.replace(self, **changes)


def new_value_id() -> ValueId:
    """A fresh random id."""
    text = base64.b32encode(secrets.token_bytes(VALUE_ID_RANDOM_BYTES)).decode("ascii")
    return ValueId("v-" + text[:10].lower())


def encode_value(value: Value) -> bytes:
    """The bytes that are sealed: a MessagePack array of the fields in order, the payload last.

    Deterministic: equal values give equal bytes. One copy of the payload is made.
    """
    return msgspec.msgpack.encode(value)


class _Decoded(ValueFields, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True):
    """A value whose payload still lies in the bytes it came from."""

    payload: memoryview


_DECODER = msgspec.msgpack.Decoder(_Decoded)


def decode_value(encoded: bytes) -> Value:
    """The value that `encode_value` made these bytes of.

    Strict: other bytes for the same value are refused. The payload is copied once: the check
    encodes the fields again, and compares the payload's place instead of its bytes.

    Raises:
        ValueDamaged: Not such bytes, or fields over their limits.
    """
    try:
        decoded = _DECODER.decode(encoded)
        fields = {name: getattr(decoded, name) for name in ValueFields.__struct_fields__}
        head = _encoded_head(Value(**fields), len(decoded.payload))
        if len(encoded) != len(head) + len(decoded.payload) or not encoded.startswith(head):
            raise ValueDamaged("the encoding is not the one this wallet writes")
        return Value(**fields, payload=bytes(decoded.payload))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueRefused, RecursionError) as error:
        raise ValueDamaged("the bytes are no value") from error


def stored_size(value: ValueFields, payload_bytes: int | None = None) -> int:
    """Bytes that a value takes of the wallet's capacity: its encoding's length.

    Args:
        value: The value, or its fields alone.
        payload_bytes: Length of the payload where only the fields are at hand.
    """
    fields = value.fields if isinstance(value, Value) else value
    payload = len(value.payload) if isinstance(value, Value) else payload_bytes or 0
    plain = Value(**{name: getattr(fields, name) for name in ValueFields.__struct_fields__})
    return len(_encoded_head(plain, payload)) + payload


def _encoded_head(empty: Value, payload_bytes: int) -> bytes:
    """Everything of an encoding that stands before the payload's first byte."""
    return msgspec.msgpack.encode(empty)[:-2] + _binary_header(payload_bytes)


def _binary_header(length: int) -> bytes:
    """The MessagePack specification's `bin 8`, `bin 16` and `bin 32`."""
    if length < 2**8:
        return b"\xc4" + length.to_bytes(1)
    if length < 2**16:
        return b"\xc5" + length.to_bytes(2)
    return b"\xc6" + length.to_bytes(4)


def _check_class(item_class: str) -> None:
    if not _CLASS.fullmatch(item_class):
        raise ValueRefused("class", "must be 1 to 64 of a-z, 0-9 and -")


def _check_text(field: str, text: str, most: int, least: int = 0) -> None:
    if not least <= len(text) <= most:
        raise ValueRefused(field, f"has {len(text)} characters; {least} to {most} are allowed")
    if not text.isascii():
        _check_encodable(field, text)


def _check_encodable(field: str, text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueRefused(field, "holds half of a surrogate pair, which is no character") from error


def _check_amount(field: str, amount: Decimal | None) -> None:
    if amount is None:
        return
    if not amount.is_finite() or amount.is_signed():
        raise ValueRefused(field, "must be a number of at least 0")
    _, digits, exponent = amount.as_tuple()
    # `1E+9` would come back as `1000000000`: one way to write each number of digits.
    if not isinstance(exponent, int) or not -AMOUNT_MAX_DIGITS <= exponent <= 0:
        raise ValueRefused(field, "must be written out, with at most 28 digits")
    if len(digits) > AMOUNT_MAX_DIGITS:
        raise ValueRefused(field, "must be written out, with at most 28 digits")


def _check_days(valid_from: date | None, valid_until: date | None) -> None:
    if valid_from is not None and valid_until is not None and valid_until < valid_from:
        raise ValueRefused("valid_until", "lies before valid_from")


def _check_marks(held_since: int, media_type: str, currency: str | None) -> None:
    if not 0 <= held_since <= HELD_SINCE_MAX_SECONDS:
        raise ValueRefused("held_since", "must be seconds since 1970 and at most 2^40")
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise ValueRefused("media_type", "must look like type/subtype in lower case")
    if currency is not None and not _CURRENCY.fullmatch(currency):
        raise ValueRefused("currency", "must be three capital letters")
