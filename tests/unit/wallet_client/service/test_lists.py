"""Lists of values and receipts by class, kind and both ends of validity."""

from typing import Any

import pytest

from kura.wallet.v1 import wallet_pb2 as pb
from support.vendor import Vendor, refused, same, ticket
from trust.refusals import Malformed

CONDITIONS: dict[str, tuple[dict[str, str], set[str]]] = {
    "everything": ({}, {"A", "B", "C", "D"}),
    "a class": ({"item_class": "movie-ticket"}, {"A", "B", "D"}),
    "an end, both days included": ({"expires_from": "2026-12-31", "expires_until": "2026-12-31"}, {"A", "C"}),
    "a later end": ({"expires_from": "2027-01-01"}, {"B"}),
    "a beginning, both days included": (
        {"starts_from": "2026-12-01", "starts_until": "2026-12-01"},
        {"B", "C"},
    ),
    "an earlier beginning": ({"starts_until": "2026-11-30"}, {"A"}),
    "all of it together": (
        {"item_class": "card", "starts_from": "2026-12-01", "expires_until": "2026-12-31"},
        {"C"},
    ),
    "nothing": ({"item_class": "movie-ticket", "starts_from": "2027-01-01"}, set()),
}


@pytest.fixture
async def filled(vendor: Vendor) -> Vendor:
    """Four values in the wallet, each with a receipt."""
    ids = await vendor.add(
        ticket("A", valid_from="2026-11-01"),
        ticket("B", valid_from="2026-12-01", valid_until="2027-01-01"),
        ticket("C", item_class="card", valid_from="2026-12-01"),
        ticket("D", valid_until=""),
    )
    await vendor.back_up(*ids)
    return vendor


@pytest.mark.parametrize(("conditions", "names"), CONDITIONS.values(), ids=CONDITIONS)
async def test_both_lists_hold_what_meets_all_conditions(
    filled: Vendor, conditions: dict[str, str], names: set[str]
) -> None:
    """What does not state a day meets no condition about it."""
    assert set(await filled.values(**conditions)) == names
    assert {one.fields.name for one in (await filled.receipts(**conditions)).values()} == names


async def test_a_receipt_of_several_values_is_listed_for_each_of_them(vendor: Vendor) -> None:
    """One value must meet all conditions, not each condition another value."""
    ids = await vendor.add(ticket("A"), ticket("B", item_class="card", valid_until="2027-06-30"))
    (*_, last) = await vendor.back_up(*ids, policy="coupled")
    (receipt_id,) = {one.receipt_id for one in last.result.values}
    for found in ({"item_class": "card"}, {"item_class": "card", "expires_from": "2027-01-01"}):
        assert set(await vendor.receipts(**found)) == {receipt_id}
    assert await vendor.receipts(item_class="movie-ticket", expires_from="2027-01-01") == {}


async def test_receipts_are_listed_by_kind(vendor: Vendor) -> None:
    """Under `seed` the root is registered too, with a receipt of kind `key`."""
    ids = await vendor.add(ticket("A"))
    await vendor.back_up(*ids, policy="seed")
    kinds = {
        kind: [one.kind for one in (await vendor.receipts(kind=kind)).values()] for kind in ("value", "key")
    }
    assert kinds == {"value": ["value"], "key": ["key"]}
    assert len(await vendor.receipts()) == 2


@pytest.mark.parametrize(
    ("call", "request_message", "field"),
    [
        ("ListReceipts", pb.ListReceiptsRequest(kind="ticket"), "kind"),
        ("ListReceipts", pb.ListReceiptsRequest(expires_from="soon"), "expires_from"),
        ("ListReceipts", pb.ListReceiptsRequest(starts_until="20261231"), "starts_until"),
        ("ListValues", pb.ListValuesRequest(starts_from="2026-13-01"), "starts_from"),
    ],
)
async def test_a_condition_that_says_nothing_is_malformed(
    vendor: Vendor, call: str, request_message: Any, field: str
) -> None:
    """The field is named."""
    assert same(await refused(getattr(vendor.stub, call)(request_message)), Malformed(field))
