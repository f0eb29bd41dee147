"""The fields of a value are within their limits, and can be read from its first bytes."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from support.messagepack import Plain, pack, plain
from support.sample_documents import VALUE_FIELDS
from trust.documents import DocumentProblem
from trust.errors import DocumentMalformed
from trust.piece import BLINDING_BYTES, BLOCK_BYTES
from trust.value_fields import FieldRefused, ValueFields, payload_start, read_head, write_head

HEAD = write_head(VALUE_FIELDS)
WIDEST = ValueFields(
    item_class="a" * 64,
    name="🎫" * 1_000,
    place="🎫" * 1_000,
    file_name="🎫" * 1_000,
    remarks="🎫" * 10_000,
    unit_price=Decimal("0." + "9" * 28),
    quantity=Decimal("0." + "9" * 28),
    total_amount=Decimal("0." + "9" * 28),
    remaining_amount=Decimal("0." + "9" * 28),
    valid_from=date.min,
    valid_until=date.max,
    held_since=253_402_300_799,
    media_type="a" * 127 + "/" + "a" * 127,
    currency="JPY",
)


@pytest.mark.parametrize(
    ("field", "content"),
    [
        pytest.param("item_class", "", id="an empty class"),
        pytest.param("item_class", "a" * 65, id="a class of 65 characters"),
        pytest.param("item_class", "Ticket", id="a class in capitals"),
        pytest.param("item_class", "tick\n", id="a class that ends in a newline"),
        pytest.param("item_class", "ticket１", id="a class with a digit of another script"),
        pytest.param("name", "", id="no name"),
        pytest.param("name", "a" * 1001, id="a name of 1,001 characters"),
        pytest.param("name", "\ud800", id="half a surrogate pair in the name"),
        pytest.param("place", "a" * 1001, id="a place of 1,001 characters"),
        pytest.param("remarks", "a" * 10_001, id="remarks of 10,001 characters"),
        pytest.param("file_name", "\udcff", id="a file name that is no Unicode"),
        pytest.param("unit_price", Decimal(-1), id="a negative price"),
        pytest.param("unit_price", Decimal("-0"), id="a negative zero"),
        pytest.param("quantity", Decimal("NaN"), id="a quantity that is no number"),
        pytest.param("total_amount", Decimal("Infinity"), id="an endless amount"),
        pytest.param("total_amount", Decimal("1E+3"), id="an amount that is not written out"),
        pytest.param("total_amount", Decimal("1E-29"), id="an amount with 29 decimals"),
        pytest.param("remaining_amount", Decimal("1" * 29), id="an amount of 29 digits"),
        pytest.param("valid_until", date(2026, 11, 22), id="a validity that ends before it begins"),
        pytest.param("held_since", -1, id="held since before 1970"),
        pytest.param("held_since", 253_402_300_800, id="held since the year 10000"),
        pytest.param("media_type", "text", id="a media type without a subtype"),
        pytest.param("media_type", "Text/Plain", id="a media type in capitals"),
        pytest.param("currency", "yen", id="a currency in small letters"),
        pytest.param("currency", "JPYE", id="a currency of four letters"),
    ],
)
def test_a_field_over_its_limit_is_refused_by_name(field: str, content: Any) -> None:
    """The error names the field as people know it, and does not repeat its content."""
    with pytest.raises(FieldRefused) as refused:
        msgspec.structs.replace(VALUE_FIELDS, **{field: content})
    assert refused.value.field == {"item_class": "class"}.get(field, field)
    assert str(refused.value) == f"{refused.value.field}: {refused.value.reason}"
    assert isinstance(refused.value, DocumentProblem)


@pytest.mark.parametrize(
    ("place", "content"),
    [
        pytest.param(1, "", id="no name"),
        pytest.param(2, "1E+3", id="an amount that is not written out"),
        pytest.param(2, "01", id="an amount with a leading zero"),
        pytest.param(2, " 1", id="an amount behind a space"),
        pytest.param(2, "1_000", id="an amount with an underscore"),
        pytest.param(2, 1600, id="an amount as a number"),
        pytest.param(6, "20261123", id="a day without hyphens"),
        pytest.param(6, "2026-11-31", id="a day that does not exist"),
        pytest.param(7, "2026-11-22", id="a validity that ends before it begins"),
        pytest.param(10, 253_402_300_800, id="held since the year 10000"),
    ],
)
def test_fields_are_read_in_the_one_way_they_are_written(place: int, content: Plain) -> None:
    """Over a limit or in another form, they are no value's fields."""
    elements = plain(VALUE_FIELDS)
    assert isinstance(elements, list)
    head = pack([*elements[:place], content, *elements[place + 1 :]])
    with pytest.raises(DocumentMalformed):
        read_head(len(head).to_bytes(4) + head)


@pytest.mark.parametrize("behind", [b"", b"\0", b"the payload"], ids=["nothing", "a byte", "more"])
def test_the_fields_are_read_from_any_beginning_that_holds_them(behind: bytes) -> None:
    """However much of the payload has come."""
    assert read_head(HEAD + behind) == VALUE_FIELDS
    assert payload_start(HEAD + behind) == len(HEAD)


def test_no_shorter_beginning_has_any_fields() -> None:
    """A head is whole or it is none."""
    for length in range(len(HEAD)):
        with pytest.raises(DocumentMalformed):
            read_head(HEAD[:length])


@pytest.mark.parametrize(
    "prefix",
    [
        pytest.param(bytes(8), id="an empty head"),
        pytest.param(b"\xff" * 100, id="a head of 4 GiB"),
        pytest.param((len(HEAD) - 3).to_bytes(4) + HEAD[4:] + b"\0", id="a head with a byte of the payload"),
        pytest.param((len(HEAD) - 5).to_bytes(4) + HEAD[4:], id="a head without its last byte"),
        pytest.param((60_000).to_bytes(4) + b"\x91" * 60_000, id="nested sixty thousand deep"),
    ],
)
def test_what_is_no_head_is_refused(prefix: bytes) -> None:
    """By one error, whatever it is."""
    with pytest.raises(DocumentMalformed):
        read_head(prefix)


def test_the_largest_head_lies_in_the_first_block_of_a_piece() -> None:
    """With the blinding before it and the length: what a safe reads of a value comes in one block."""
    head = write_head(WIDEST)
    assert len(head) == 4 + 52_495
    assert BLINDING_BYTES + len(head) <= BLOCK_BYTES
    assert read_head(head) == WIDEST


def test_no_amount_is_longer_than_thirty_characters() -> None:
    """As text, wherever its point stands."""
    amounts = [Decimal(f"{'9' * digits}E-{point}") for digits in range(1, 29) for point in range(29)]
    texts = [str(ValueFields(item_class="a", name="a", unit_price=one).unit_price) for one in amounts]
    assert max(map(len, texts)) == 30


def test_fields_do_not_show_themselves_in_logs() -> None:
    """The class alone."""
    assert repr(VALUE_FIELDS) == "<ValueFields ticket>"
