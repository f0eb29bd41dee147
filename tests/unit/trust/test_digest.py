"""A digest keeps its mode's promise."""

from typing import Any, get_args

import msgspec
import pytest

from support.messagepack import pack
from support.sample_documents import ALL_SHOWN, FIELDS, VALUE_FIELDS, draw
from trust.digest import (
    DEFAULT_SHOWN,
    VACANT,
    Digest,
    DigestEntries,
    DigestField,
    DigestFields,
    digest_fields_of,
    public_digest,
)
from trust.documents import DocumentProblem
from trust.errors import DocumentMalformed
from trust.value_fields import ValueFields

ENTRY = DigestEntries((FIELDS,)).to_bytes()


def test_a_public_digest_shows_its_fields() -> None:
    """To anyone who holds it, those of each value in their order."""
    digest = public_digest((FIELDS, ALL_SHOWN))
    assert digest.mode == "public"
    assert DigestEntries.from_bytes(digest.content).entries == (FIELDS, ALL_SHOWN)


def test_a_public_digest_may_show_empty_fields() -> None:
    """All are optional."""
    digest = public_digest((DigestFields(),))
    assert Digest.from_bytes(digest.to_bytes()) == digest


def test_a_vacant_digest_is_empty() -> None:
    """It says nothing, in the same bytes each time."""
    assert VACANT.to_bytes() == pack(["vacant", b""])


@pytest.mark.parametrize(
    ("mode", "content"),
    [("vacant", b"\x00"), ("vacant", ENTRY), ("sealed", b""), ("public", b"")],
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
        ENTRY[:-1],
        ENTRY + b"\x00",
        FIELDS.to_bytes(),
        pack([[]]),
        pack([[[*[""] * 12, 6]]]),
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


def test_entries_that_no_digest_holds_are_refused() -> None:
    """Sealed or not, all of them have 16,368 bytes."""
    entries = (DigestFields(name="n" * 1000),) * 20
    with pytest.raises(DocumentProblem, match="entries: take more than 16368 bytes"):
        public_digest(entries)
    with pytest.raises(DocumentMalformed, match="take more than 16368 bytes"):
        DigestEntries.from_bytes(pack([[["", "n" * 1000, *[""] * 11]] * 20]))


def test_one_value_fits_whatever_is_shown_of_it() -> None:
    """Every field at its longest, in the characters that take most bytes."""
    amount, long = "0." + "9" * 28, "🎫" * 1000
    amounts = ("quantity", "unit_price", "total_amount", "remaining_amount")
    widest = DigestFields(
        item_class="a" * 64,
        **dict.fromkeys(("name", "place", "file_name"), long),
        **dict.fromkeys(amounts, amount),
        **dict.fromkeys(("valid_from", "valid_until"), "2026-11-23"),
        currency="JPY",
        media_type="a" * 255,
        held_since="253402300799",
    )
    assert Digest.from_bytes(public_digest((widest,)).to_bytes()).mode == "public"


def test_the_default_is_figure_2b() -> None:
    """Class, name, quantity, validity and place."""
    assert digest_fields_of(VALUE_FIELDS, DEFAULT_SHOWN) == DigestFields(
        item_class="ticket",
        name="Kabuki-za, 昼の部",
        quantity="2",
        valid_from="2026-11-23",
        valid_until="2026-12-31",
        place="Tōkyō",
    )


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("class", "ticket"),
        ("unit-price", "1600.50"),
        ("remaining-amount", "0"),
        ("currency", "JPY"),
        ("media-type", "text/plain"),
        ("file-name", "ticket.txt"),
        ("held-since", "1790000000"),
    ],
)
def test_a_field_is_shown_alone_when_it_alone_is_chosen(field: DigestField, text: str) -> None:
    """As it is written; nothing else of the value."""
    shown = digest_fields_of(VALUE_FIELDS, (field,))
    assert [one for one in msgspec.structs.astuple(shown) if one] == [text]


def test_all_fields_can_be_shown_but_the_remarks() -> None:
    """Each name leads to a field of its own, and every field has a name."""
    assert all(msgspec.structs.astuple(ALL_SHOWN))
    assert len(get_args(DigestField)) == len(DigestFields.__struct_fields__)
    assert set(ValueFields.__struct_fields__) - set(DigestFields.__struct_fields__) == {"remarks"}


def test_what_is_not_stated_is_shown_as_nothing() -> None:
    """No amount is not the amount 0."""
    shown = digest_fields_of(ValueFields(item_class="coupon", name="A"), get_args(DigestField))
    assert shown == DigestFields(
        item_class="coupon", name="A", media_type="application/octet-stream", held_since="0"
    )


def test_nothing_need_be_shown() -> None:
    """A digest of empty fields is public all the same."""
    assert digest_fields_of(VALUE_FIELDS, ()) == DigestFields()
