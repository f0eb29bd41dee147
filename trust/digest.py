"""The digest: what a certificate tells about an item to whoever holds it.

`public` shows the fields of figure 2(b) of the source, `sealed` is readable by the owner alone,
`vacant` says nothing.
"""

from typing import Annotated, Literal

from msgspec import Meta

from trust.documents import Document

DIGEST_MAX_BYTES = 16_384


class DigestFields(Document, frozen=True):
    """The readable fields, all optional; dates are ISO 8601 days."""

    title = "digest"

    item_class: Annotated[str, Meta(max_length=64)] = ""
    name: Annotated[str, Meta(max_length=1000)] = ""
    quantity: str = ""
    valid_from: Annotated[str, Meta(max_length=10)] = ""
    valid_until: Annotated[str, Meta(max_length=10)] = ""
    place: Annotated[str, Meta(max_length=1000)] = ""


class Digest(Document, frozen=True):
    """One of the three kinds.

    Args:
        mode: Which.
        content: The bytes of DigestFields; sealed: those bytes sealed; vacant: empty.
    """

    title = "digest"

    mode: Literal["public", "sealed", "vacant"]
    content: Annotated[bytes, Meta(max_length=DIGEST_MAX_BYTES)] = b""

    def __post_init__(self) -> None:
        """Hold each mode to its promise."""
        if (self.mode == "vacant") != (self.content == b""):
            raise self.malformed("content", "does not fit the mode")
        if self.mode == "public":
            DigestFields.from_bytes(self.content)


VACANT = Digest("vacant")


def public_digest(fields: DigestFields) -> Digest:
    """A digest that anyone with the certificate can read."""
    return Digest("public", fields.to_bytes())
