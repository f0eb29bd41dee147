"""The fields of a value, which wallet and safe read alike, and the head that carries them.

A value is encoded as

    length of the head (4 bytes, big-endian) ‖ head (ValueFields) ‖ payload

so that its fields can be read from its first bytes: a safe that is given an unsealed value whole
derives the digest itself. The limits keep a head at 52,495 bytes or fewer; behind a piece's blinding
it lies within the first block, whatever the payload.

Amounts are `decimal.Decimal`: figure 19's yen are whole numbers, but passes carry `21.75` and
binary floats would not give it back. They are kept as written (`21.50` stays `21.50`).

Source: PCT/JP00/05439, figures 2 and 19 (the fields).
"""

import re
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from trust.documents import Document, DocumentProblem
from trust.errors import DocumentMalformed

CLASS_MAX_CHARACTERS: Final = 64
NAME_MAX_CHARACTERS: Final = 1_000
REMARKS_MAX_CHARACTERS: Final = 10_000
AMOUNT_MAX_DIGITS: Final = 28
HELD_SINCE_MAX_SECONDS: Final = 253_402_300_799
"""The last second of the year 9999: any calendar can show it."""
HEAD_LENGTH_BYTES: Final = 4

_CLASS = re.compile(rf"[a-z0-9-]{{1,{CLASS_MAX_CHARACTERS}}}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")


class FieldRefused(DocumentProblem):
    """A field is over its limit.

    Args:
        field: The field as people know it, such as "class".
        reason: What is wrong with it, without its content.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class ValueFields(Document, frozen=True, kw_only=True):
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
        held_since: When the wallet got it, whole seconds since 1970-01-01 UTC, at most 253,402,300,799.
        media_type: Of the payload, as `type/subtype` in lower case.
        currency: ISO 4217 code of the amounts, three capital letters; None when not stated.
        file_name: Name of the file the payload came from, without folders; "" if from none.

    Raises:
        FieldRefused: A field is over its limit; the error names it.
    """

    title = "value fields"

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

    def __post_init__(self) -> None:
        """Refuse whatever is over a limit; nothing checks again later."""
        if not _CLASS.fullmatch(self.item_class):
            raise FieldRefused("class", "must be 1 to 64 of a-z, 0-9 and -")
        _check_text("name", self.name, NAME_MAX_CHARACTERS, least=1)
        for field in ("place", "file_name"):
            _check_text(field, getattr(self, field), NAME_MAX_CHARACTERS)
        _check_text("remarks", self.remarks, REMARKS_MAX_CHARACTERS)
        for field in ("unit_price", "quantity", "total_amount", "remaining_amount"):
            _check_amount(field, getattr(self, field))
        _check_days(self.valid_from, self.valid_until)
        _check_marks(self.held_since, self.media_type, self.currency)

    def __repr__(self) -> str:
        """Kind and class alone: what a value is called is nobody's business in a log."""
        return f"<{type(self).__name__} {self.item_class}>"


def write_head(fields: ValueFields) -> bytes:
    """The first bytes of a value's encoding: all but the payload.

    Args:
        fields: They alone, or something that has them and more: the rest is left out.
    """
    head = msgspec.msgpack.encode([getattr(fields, name) for name in ValueFields.__struct_fields__])
    return len(head).to_bytes(HEAD_LENGTH_BYTES, "big") + head


def read_head(prefix: bytes) -> ValueFields:
    """The fields of a value, from the first bytes of its encoding.

    Args:
        prefix: Secret: any beginning of the encoding that holds the head, or all of it.

    Raises:
        DocumentMalformed: It does not begin with a whole head, or not with one that `write_head` writes.
    """
    return ValueFields.from_bytes(prefix[HEAD_LENGTH_BYTES : payload_start(prefix)])


def payload_start(prefix: bytes) -> int:
    """Where the payload begins in an encoding of which `read_head` reads the fields.

    Raises:
        DocumentMalformed: The head goes on behind `prefix`.
    """
    end = HEAD_LENGTH_BYTES + int.from_bytes(prefix[:HEAD_LENGTH_BYTES], "big")
    if len(prefix) < end:
        raise DocumentMalformed(ValueFields.title, "", "the head is not whole")
    return end


def _check_text(field: str, text: str, most: int, least: int = 0) -> None:
    if not least <= len(text) <= most:
        raise FieldRefused(field, f"has {len(text)} characters; {least} to {most} are allowed")
    if not text.isascii():
        _check_encodable(field, text)


def _check_encodable(field: str, text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FieldRefused(field, "holds half of a surrogate pair, which is no character") from error


def _check_amount(field: str, amount: Decimal | None) -> None:
    if amount is None:
        return
    if not amount.is_finite() or amount.is_signed():
        raise FieldRefused(field, "must be a number of at least 0")
    _, digits, exponent = amount.as_tuple()
    # `1E+9` would come back as `1000000000`: one way to write each number of digits.
    if not isinstance(exponent, int) or not -AMOUNT_MAX_DIGITS <= exponent <= 0:
        raise FieldRefused(field, "must be written out, with at most 28 digits")
    if len(digits) > AMOUNT_MAX_DIGITS:
        raise FieldRefused(field, "must be written out, with at most 28 digits")


def _check_days(valid_from: date | None, valid_until: date | None) -> None:
    if valid_from is not None and valid_until is not None and valid_until < valid_from:
        raise FieldRefused("valid_until", "lies before valid_from")


def _check_marks(held_since: int, media_type: str, currency: str | None) -> None:
    if not 0 <= held_since <= HELD_SINCE_MAX_SECONDS:
        raise FieldRefused("held_since", "must be seconds since 1970 and at most 253402300799")
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise FieldRefused("media_type", "must look like type/subtype in lower case")
    if currency is not None and not _CURRENCY.fullmatch(currency):
        raise FieldRefused("currency", "must be three capital letters")
