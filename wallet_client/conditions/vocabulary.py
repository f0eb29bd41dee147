"""The fields that a condition can name, each with its kind and the way to read it.

A field that a value leaves empty is absent and reads as None: no place, no amount, no end of validity,
`free` in a wallet without a limit.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from wallet_client.conditions.subject import Case

Kind = Literal["text", "number", "bytes", "day", "span"]

Scalar = str | Decimal | int | date
"""Text, amount, bytes or day."""


class Field(NamedTuple):
    """One word.

    Args:
        kind: What it is compared with.
        read: Gives it for a value, None where it is absent.
    """

    kind: Kind
    read: Callable[[Case], Scalar | None]


def same_form(text: str) -> str:
    """Text in the one form in which equal letters are equal bytes (Unicode's NFC)."""
    if text.isascii():
        return text
    import unicodedata

    return unicodedata.normalize("NFC", text)


def _text(name: str) -> Field:
    return Field("text", lambda case: same_form(getattr(case.subject.fields, name) or "") or None)


def _of_value(kind: Kind, name: str) -> Field:
    return Field(kind, lambda case: getattr(case.subject.fields, name))


FIELDS: Final = {
    "class": _text("item_class"),
    "name": _text("name"),
    "place": _text("place"),
    "remarks": _text("remarks"),
    "media-type": _text("media_type"),
    "file-name": _text("file_name"),
    "currency": _text("currency"),
    "unit-price": _of_value("number", "unit_price"),
    "quantity": _of_value("number", "quantity"),
    "total": _of_value("number", "total_amount"),
    "remaining": _of_value("number", "remaining_amount"),
    "size": Field("bytes", lambda case: case.subject.size_bytes),
    "free": Field("bytes", lambda case: case.state.free_bytes),
    "capacity": Field("bytes", lambda case: case.state.capacity_bytes),
    "valid-from": _of_value("day", "valid_from"),
    "valid-until": _of_value("day", "valid_until"),
    "held-since": Field("day", lambda case: case.held_since),
    "held-for": Field("span", lambda case: case.held_since),
}
"""Every field by its word. `held-for` reads as the day from which it counts."""

TODAY: Final = "today"
OTHER_WORDS: Final = (
    "and",
    "or",
    "not",
    "is",
    "in",
    "contains",
    "has",
    "absent",
    "usable",
    "within",
    "of",
    TODAY,
)
"""The rest of the language. A text that is one of its words is written in quotes."""


def words_of(*kinds: Kind) -> tuple[str, ...]:
    """The fields of some kinds."""
    return tuple(word for word, field in FIELDS.items() if field.kind in kinds)
