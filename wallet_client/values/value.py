"""The value: one piece of electronic value information, with every field of the glossary.

A `Value` that exists is valid: its limits are checked when it is made, wherever it comes from.
`encode_value` gives the exact bytes that are sealed and divided; `decode_value` takes back only
those bytes, so that what is recovered is what was backed up, field by field and byte by byte.
"""

import base64
import secrets
from typing import Final, NewType, Self

import msgspec

from trust.errors import DocumentMalformed
from trust.value_fields import (
    FieldRefused,
    ValueFields,
    payload_start,
    read_head,
    write_head,
)
from wallet_client.values.errors import ValueDamaged, ValueRefused

PAYLOAD_MAX_BYTES: Final = 64 * 1024 * 1024
VALUE_ID_RANDOM_BYTES: Final = 7

ValueId = NewType("ValueId", str)
"""A value in one wallet: `v-` and ten random base32 characters (50 bits), in lower case."""


class Value(ValueFields, frozen=True, kw_only=True):
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
        try:
            ValueFields.__post_init__(self)
        except FieldRefused as refused:
            raise ValueRefused(refused.field, refused.reason) from None
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
    """The bytes that are sealed: the head with the fields, then the payload.

    Deterministic: equal values give equal bytes. One copy of the payload is made.
    """
    return write_head(value) + value.payload


def decode_value(encoded: bytes) -> Value:
    """The value that `encode_value` made these bytes of.

    Strict: other bytes for the same value are refused. The payload is copied once.

    Raises:
        ValueDamaged: Not such bytes, or fields over their limits.
    """
    try:
        fields = read_head(encoded)
        payload = encoded[payload_start(encoded) :]
        return Value(**msgspec.structs.asdict(fields), payload=payload)
    except (DocumentMalformed, ValueRefused) as error:
        raise ValueDamaged("the bytes are no value") from error


def stored_size(value: Value) -> int:
    """Bytes that a value takes of the wallet's capacity: its encoding's length."""
    return len(write_head(value)) + len(value.payload)
