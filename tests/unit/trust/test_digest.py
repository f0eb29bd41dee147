"""A digest keeps its mode's promise."""

from typing import Any

import pytest

from support.messagepack import pack
from support.sample_documents import FIELDS, draw
from trust.digest import VACANT, Digest, DigestFields, public_digest
from trust.documents import DocumentProblem
from trust.errors import DocumentMalformed


def test_a_public_digest_shows_its_fields() -> None:
    """To anyone who holds it."""
    digest = public_digest(FIELDS)
    assert digest.mode == "public"
    assert DigestFields.from_bytes(digest.content) == FIELDS


def test_a_public_digest_may_show_empty_fields() -> None:
    """All are optional."""
    digest = public_digest(DigestFields())
    assert Digest.from_bytes(digest.to_bytes()) == digest


def test_a_vacant_digest_is_empty() -> None:
    """It says nothing, in the same bytes each time."""
    assert VACANT.to_bytes() == pack(["vacant", b""])


@pytest.mark.parametrize(
    ("mode", "content"),
    [("vacant", b"\x00"), ("vacant", FIELDS.to_bytes()), ("sealed", b""), ("public", b"")],
)
def test_content_that_does_not_fit_the_mode_is_refused(mode: Any, content: bytes) -> None:
    """A vacant digest with content, or another without."""
    with pytest.raises(DocumentProblem, match="content: does not fit the mode"):
        Digest(mode, content)
    with pytest.raises(DocumentMalformed, match="does not fit the mode"):
        Digest.from_bytes(pack([mode, content]))


@pytest.mark.parametrize(
    "content",
    [
        b"\xc1",
        b"\x90",
        FIELDS.to_bytes()[:-1],
        FIELDS.to_bytes() + b"\x00",
        pack(["a", "b", "c", "d", "e", 6]),
    ],
)
def test_a_public_digest_that_cannot_be_read_is_refused(content: bytes) -> None:
    """Public means that everyone reads the same fields in it."""
    with pytest.raises(DocumentMalformed):
        Digest("public", content)
    with pytest.raises(DocumentMalformed):
        Digest.from_bytes(pack(["public", content]))


def test_a_sealed_digest_may_hold_anything() -> None:
    """Only its owner can tell."""
    digest = Digest("sealed", draw("sealed digest", 60))
    assert Digest.from_bytes(digest.to_bytes()) == digest
