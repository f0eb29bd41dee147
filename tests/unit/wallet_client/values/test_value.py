"""A value that exists is within its limits, and its encoding gives it back whole."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.wallet_samples import FULL_VALUE, small_value
from trust.value_fields import read_head, write_head
from wallet_client.values.errors import ValueDamaged, ValueRefused
from wallet_client.values.value import (
    PAYLOAD_MAX_BYTES,
    Value,
    decode_value,
    encode_value,
    new_value_id,
    stored_size,
)


@pytest.mark.parametrize(
    ("field", "content"),
    [
        pytest.param("item_class", "a" * 65, id="a class of 65 characters"),
        pytest.param("name", "\ud800", id="half a surrogate pair in the name"),
        pytest.param("unit_price", Decimal(-1), id="a negative price"),
        pytest.param("currency", "yen", id="a currency in small letters"),
        pytest.param("payload", bytes(PAYLOAD_MAX_BYTES + 1), id="a payload of 64 MiB and a byte"),
    ],
)
def test_a_field_over_its_limit_is_refused_by_name(field: str, content: Any) -> None:
    """The error names the field as people know it, and does not repeat its content."""
    with pytest.raises(ValueRefused) as refused:
        FULL_VALUE.with_fields(**{field: content})
    assert refused.value.field == {"item_class": "class"}.get(field, field)
    assert refused.value.hint


def test_a_payload_that_is_too_large_is_refused_with_both_sizes() -> None:
    """The person learns how large it is and how large it may be."""
    with pytest.raises(ValueRefused, match="has 67108865 bytes; at most 67108864 fit"):
        small_value(payload=bytes(PAYLOAD_MAX_BYTES + 1))


def test_a_validity_that_ends_before_it_begins_is_refused() -> None:
    """Validity is a span of days."""
    with pytest.raises(ValueRefused, match="valid_until lies before valid_from"):
        small_value(valid_from=date(2000, 5, 1), valid_until=date(2000, 4, 30))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(FULL_VALUE, id="every field set"),
        pytest.param(small_value(), id="only class and name set"),
        pytest.param(small_value("n" * 1000, place="p" * 1000, remarks="r" * 10_000), id="longest texts"),
        pytest.param(small_value("\0\x1b[2J\u202e\u200b\n"), id="control characters in the name"),
        pytest.param(small_value("🎫" * 1000), id="a thousand characters beyond the first plane"),
        pytest.param(small_value(unit_price=Decimal("0.10"), quantity=Decimal("9" * 28)), id="amounts"),
        pytest.param(small_value(valid_from=date.min, valid_until=date.max), id="first and last day"),
        *[
            pytest.param(small_value(payload=bytes(length)), id=f"a payload of {length} bytes")
            for length in (0, 1, 255, 256, 65_535, 65_536)
        ],
    ],
)
def test_a_value_comes_back_whole(value: Value) -> None:
    """Decoding gives every field and byte back, and its size is its encoding's length."""
    encoded = encode_value(value)
    assert decode_value(encoded) == value
    assert stored_size(value) == len(encoded)
    assert read_head(encoded) == value.fields


def test_an_amount_keeps_its_decimals() -> None:
    """21.50 does not come back as 21.5: the two are equal numbers but not the same text."""
    value = small_value(unit_price=Decimal("21.50"))
    assert str(decode_value(encode_value(value)).unit_price) == "21.50"


def test_the_encoding_is_pinned() -> None:
    """What was sealed years ago must open: the bytes may never change."""
    assert encode_value(small_value("A", unit_price=Decimal(1600), payload=b"\x01")) == (
        b"\0\0\0\x38\x9e\xacmovie-ticket\xa1A\xa41600\xc0\xc0\xa0\xc0\xc0\xc0\xa0\x00"
        b"\xb8application/octet-stream\xc0\xa0\x01"
    )


@given(st.binary(max_size=300), st.text(min_size=1, max_size=50), st.decimals(0, 10**9, places=2))
def test_any_value_comes_back_whole(payload: bytes, name: str, amount: Decimal) -> None:
    """Whatever the content."""
    value = small_value(name, payload=payload, unit_price=abs(amount))
    assert decode_value(encode_value(value)) == value


ENCODED = encode_value(FULL_VALUE)
HEAD = write_head(FULL_VALUE.fields)


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(ENCODED[:3], id="not even the head's length"),
        pytest.param(HEAD[:-1], id="the head's last byte is missing"),
        pytest.param((len(HEAD) - 3).to_bytes(4) + ENCODED[4:], id="a head that takes a byte of the payload"),
        pytest.param((len(HEAD) - 5).to_bytes(4) + ENCODED[4:], id="a head that leaves its last byte"),
        pytest.param(
            (len(HEAD) - 3).to_bytes(4) + HEAD[4:].replace(b"\xaatext", b"\xd9\x0atext"),
            id="a length in too many bytes",
        ),
        pytest.param(HEAD + bytes(PAYLOAD_MAX_BYTES + 1), id="a payload of 64 MiB and a byte"),
        pytest.param(ENCODED.replace(b"1600.50", b"-600.50"), id="an amount below zero"),
        pytest.param(ENCODED.replace(b"2000-05-31", b"1999-05-31"), id="a validity that ends too early"),
        pytest.param(ENCODED.replace(b"2000-04-01", b"2000-04-31"), id="a day that does not exist"),
        pytest.param(msgspec.msgpack.encode([1, 2, 3]), id="another array"),
        pytest.param(b"\x91" * 100_000, id="nested a hundred thousand deep"),
        pytest.param(ENCODED.replace("忠".encode(), b"\xff\xff\xff"), id="text that is no UTF-8"),
    ],
)
def test_other_bytes_are_no_value(encoded: bytes) -> None:
    """Only the exact encoding is taken back."""
    assert encoded != ENCODED
    with pytest.raises(ValueDamaged):
        decode_value(encoded)


def test_no_single_changed_byte_goes_unnoticed_or_breaks_anything() -> None:
    """A changed byte gives another valid value, encoded the same way, or a refusal: nothing else."""
    for position in range(len(ENCODED)):
        changed = ENCODED[:position] + bytes([ENCODED[position] ^ 0x21]) + ENCODED[position + 1 :]
        try:
            assert encode_value(decode_value(changed)) == changed
        except ValueDamaged:
            continue


def test_a_value_does_not_show_itself_in_logs() -> None:
    """Neither name nor payload stand in its representation."""
    assert repr(FULL_VALUE) == "<Value movie-ticket, 17 bytes>"
    assert "Kabuki" not in repr(FULL_VALUE.fields)


def test_ids_are_random_and_well_formed() -> None:
    """v- and ten base32 characters."""
    ids = {new_value_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(one) == 12 and one.startswith("v-") and one == one.lower() for one in ids)
