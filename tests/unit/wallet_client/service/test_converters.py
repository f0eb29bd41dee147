"""Messages become values and values become messages, field by field, strictly."""

from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import asdict

import rpc_edge  # noqa: F401  # isort: split
from kura.wallet.v1 import wallet_pb2 as pb
from support.sample_documents import ALL_SHOWN
from support.wallet_samples import FULL_VALUE, NOW
from trust.refusals import Malformed
from trust.value_fields import ValueFields
from wallet_client.service.converters import (
    PART_ENTRIES,
    in_parts,
    read_fields,
    read_request_day,
    write_digest,
    write_fields,
)
from wallet_client.storage.values import ValueSummary
from wallet_client.values.errors import ValueRefused
from wallet_client.values.value import Value


def test_every_field_goes_there_and_back() -> None:
    """None is lost, none is changed: 1600.50 does not become 1600.5."""
    message = write_fields(FULL_VALUE.fields)
    assert Value(**read_fields(message), payload=FULL_VALUE.payload) == FULL_VALUE
    assert message.unit_price == "1600.50"


def test_a_message_has_all_fields_of_a_value_and_no_other() -> None:
    """A field added to one side is missed on the other."""
    assert {field.name for field in pb.ValueFields.DESCRIPTOR.fields} == set(ValueFields.__struct_fields__)
    assert {"id", "payload_bytes", "size_bytes", "receipt_id"} == set(ValueSummary.__struct_fields__) - set(
        ValueFields.__struct_fields__
    )


def test_a_message_has_all_fields_of_a_digest_and_no_other() -> None:
    """And shows each as the digest does."""
    message = write_digest(ALL_SHOWN)
    shown = {field.name: getattr(message, field.name) for field in pb.DigestFields.DESCRIPTOR.fields}
    assert shown == asdict(ALL_SHOWN)


def test_a_field_that_is_not_stated_stays_unstated() -> None:
    """Empty text is none; only the media type and the time have something in their place."""
    value = Value(**read_fields(pb.ValueFields(item_class="file", name="A"), held_since=NOW))
    assert value == Value(item_class="file", name="A", held_since=NOW)
    assert write_fields(value.fields).currency == ""


def test_zero_is_an_amount_and_not_nothing() -> None:
    """A card with nothing left is not a card of which it is unknown."""
    fields = read_fields(pb.ValueFields(item_class="card", name="A", remaining_amount="0"))
    assert fields["remaining_amount"] == Decimal(0)


@pytest.mark.parametrize(
    "text", ["1_000", "1e3", "-1", "+1", ".5", "5.", "١٢", "NaN", "Infinity", " 1", "1,5", "1" * 29]
)
def test_an_amount_is_digits_and_nothing_else(text: str) -> None:
    """Python's Decimal alone would take most of these."""
    with pytest.raises(ValueRefused) as caught:
        read_fields(pb.ValueFields(quantity=text))
    assert caught.value.field == "quantity"


@pytest.mark.parametrize(
    "text", ["20261231", "2026-W53-4", "2026-1-1", "2026-02-30", "٢٠٢٦-٠١-٠١", "0000-01-01", "soon"]
)
def test_a_day_is_written_in_one_way(text: str) -> None:
    """Python's ISO reader alone would take the first two."""
    with pytest.raises(ValueRefused) as caught:
        read_fields(pb.ValueFields(valid_from=text))
    assert caught.value.field == "valid_from"
    with pytest.raises(Malformed):
        read_request_day("expires_until", text)


def test_a_condition_is_a_day_or_none() -> None:
    """Empty is no condition."""
    assert read_request_day("expires_until", "2026-12-31") == date(2026, 12, 31)
    assert read_request_day("expires_until", "") is None


@pytest.mark.parametrize(
    ("count", "parts"), [(0, []), (1, [1]), (PART_ENTRIES, [500]), (PART_ENTRIES + 1, [500, 1])]
)
def test_a_list_is_cut_without_losing_an_entry(count: int, parts: list[int]) -> None:
    """Parts in order, none empty."""
    cut = [list(part) for part in in_parts(range(count))]
    assert [len(part) for part in cut] == parts
    assert [one for part in cut for one in part] == list(range(count))
