"""The digest: what a certificate tells about an item to whoever holds it.

`public` shows what the policy chose of the fields, those of figure 2(b) of the source by default;
`sealed` is readable by the owner alone; `vacant` says nothing. An item of several coupled values has
an entry for each of them.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from msgspec import Meta

from trust.documents import Document
from trust.value_fields import ValueFields

DIGEST_MAX_BYTES: Final = 16_384
ENTRIES_MAX_BYTES: Final = DIGEST_MAX_BYTES - 16
"""A digest holds its entries in any mode: sealing adds a tag of 16 bytes."""

DigestField = Literal[
    "class",
    "name",
    "quantity",
    "valid-from",
    "valid-until",
    "place",
    "unit-price",
    "total-amount",
    "remaining-amount",
    "currency",
    "media-type",
    "file-name",
    "held-since",
]
"""A field that a digest can show, as policy files name it; remarks are too long."""

DEFAULT_SHOWN: Final[tuple[DigestField, ...]] = (
    "class",
    "name",
    "quantity",
    "valid-from",
    "valid-until",
    "place",
)
"""Figure 2(b) of the source."""

_Amount = Annotated[str, Meta(max_length=30)]
_Day = Annotated[str, Meta(max_length=10)]
_Name = Annotated[str, Meta(max_length=1000)]


class DigestFields(Document, frozen=True):
    """What is shown of one value, as text; what is not shown or not stated is empty.

    Args:
        item_class: Kind of value.
        name: Its name.
        quantity: How many, decimal.
        valid_from: ISO 8601 day.
        valid_until: ISO 8601 day.
        place: Where it can be used.
        unit_price: Price of one, decimal.
        total_amount: Price of all, decimal.
        remaining_amount: What is left of it, decimal.
        currency: ISO 4217 code.
        media_type: Of the payload.
        file_name: Of the payload.
        held_since: Seconds since 1970-01-01 UTC, decimal.
    """

    title = "digest fields"

    item_class: Annotated[str, Meta(max_length=64)] = ""
    name: _Name = ""
    quantity: _Amount = ""
    valid_from: _Day = ""
    valid_until: _Day = ""
    place: _Name = ""
    unit_price: _Amount = ""
    total_amount: _Amount = ""
    remaining_amount: _Amount = ""
    currency: Annotated[str, Meta(max_length=3)] = ""
    media_type: Annotated[str, Meta(max_length=255)] = ""
    file_name: _Name = ""
    held_since: Annotated[str, Meta(max_length=12)] = ""


class DigestEntries(Document, frozen=True):
    """What a digest says of an item.

    Args:
        entries: One for each value of the item, in their order; at least one.
    """

    title = "digest entries"

    entries: Annotated[tuple[DigestFields, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        """Refuse what no digest holds."""
        if len(self.to_bytes()) > ENTRIES_MAX_BYTES:
            raise self.malformed("entries", f"take more than {ENTRIES_MAX_BYTES} bytes")


class Digest(Document, frozen=True):
    """One of the three kinds.

    Args:
        mode: Which.
        content: The bytes of DigestEntries; sealed: those bytes sealed; vacant: empty.
    """

    title = "digest"

    mode: Literal["public", "sealed", "vacant"]
    content: Annotated[bytes, Meta(max_length=DIGEST_MAX_BYTES)] = b""

    def __post_init__(self) -> None:
        """Hold each mode to its promise."""
        if (self.mode == "vacant") != (self.content == b""):
            raise self.malformed("content", "does not fit the mode")
        if self.mode == "public":
            DigestEntries.from_bytes(self.content)


VACANT = Digest("vacant")


def public_digest(entries: tuple[DigestFields, ...]) -> Digest:
    """A digest that anyone with the certificate can read.

    Raises:
        DocumentProblem: The entries take more than 16,368 bytes.
    """
    return Digest("public", DigestEntries(entries).to_bytes())


def digest_fields_of(fields: ValueFields, shown: Sequence[DigestField]) -> DigestFields:
    """What a digest shows of one value."""
    names = ("item_class" if field == "class" else field.replace("-", "_") for field in shown)
    return DigestFields(**{name: _text(getattr(fields, name)) for name in names})


def _text(content: object) -> str:
    return "" if content is None else str(content)
