"""What WalletService refuses: the reason and metadata of each bad request, and that nothing was changed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kura.wallet.v1 import wallet_pb2 as pb
from support.cluster import LocalCluster
from support.vendor import MIB, Vendor, refused, same, served_wallet, ticket
from trust.refusals import CallTooLarge, Malformed
from wallet_client.service import errors


@pytest.fixture
async def vendor(cluster: LocalCluster, tmp_path: Path) -> AsyncIterator[Vendor]:
    async with served_wallet(tmp_path / "wallet", cluster.roster_file.read_bytes()) as one:
        yield one


REFUSED: dict[str, tuple[str, Any, Exception]] = {
    "an unknown value": ("GetValue", pb.GetValueRequest(value_id="v-x"), errors.UnknownName("value", "v-x")),
    "an unknown value, streamed": (
        "GetValueStream",
        pb.GetValueStreamRequest(value_id="v-x"),
        errors.UnknownName("value", "v-x"),
    ),
    "a value removed before": (
        "RemoveValue",
        pb.RemoveValueRequest(value_id="v-x"),
        errors.UnknownName("value", "v-x"),
    ),
    "an unknown receipt": (
        "GetReceipt",
        pb.GetReceiptRequest(receipt_id="r-x"),
        errors.UnknownName("receipt", "r-x"),
    ),
    "a receipt to recover": (
        "Recover",
        pb.RecoverRequest(receipt_ids=["r-x"]),
        errors.UnknownName("receipt", "r-x"),
    ),
    "an unknown policy": (
        "Backup",
        pb.BackupRequest(value_ids=["v-x"], policy="\x1b[2J"),
        errors.UnknownName("policy", "\\x1b[2J"),
    ),
    "no value to back up": ("Backup", pb.BackupRequest(), Malformed("value_ids")),
    "no receipt to recover": ("Recover", pb.RecoverRequest(), Malformed("receipt_ids")),
    "no value to add": ("AddValues", pb.AddValuesRequest(), Malformed("values")),
    "too many values": (
        "AddValues",
        pb.AddValuesRequest(values=[ticket()] * 1001),
        CallTooLarge("values", 1000),
    ),
    "a large value in a unary call": (
        "AddValues",
        pb.AddValuesRequest(values=[ticket(payload=bytes(MIB + 1))]),
        errors.PayloadNeedsStream(MIB),
    ),
    "an amount in words": (
        "AddValues",
        pb.AddValuesRequest(values=[ticket(unit_price="1,600")]),
        errors.ValueUnfit("unit_price", "must be digits such as 1600 or 21.50"),
    ),
    "a class in capitals": (
        "AddValues",
        pb.AddValuesRequest(values=[ticket(), ticket(item_class="Movie")]),
        errors.ValueUnfit("class", "must be 1 to 64 of a-z, 0-9 and -"),
    ),
    "a condition that is no day": (
        "ListValues",
        pb.ListValuesRequest(expires_until="soon"),
        Malformed("expires_until"),
    ),
}


@pytest.mark.parametrize(("method", "request_message", "expected"), REFUSED.values(), ids=REFUSED)
async def test_a_bad_request_is_refused_with_its_reason_and_changes_nothing(
    vendor: Vendor, method: str, request_message: Any, expected: Exception
) -> None:
    """Reason and metadata; a client reads them back as the same refusal."""
    assert same(await refused(getattr(vendor.stub, method)(request_message)), expected)
    assert await vendor.values() == {}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], Malformed("fields")),
        ([pb.AddValueStreamRequest(chunk=b"a")], Malformed("fields")),
        ([pb.AddValueStreamRequest(fields=ticket().fields)] * 2, Malformed("chunk")),
        (
            [pb.AddValueStreamRequest(fields=ticket(name="").fields)],
            errors.ValueUnfit("name", "has 0 characters; 1 to 1000 are allowed"),
        ),
        (
            [
                pb.AddValueStreamRequest(fields=ticket().fields),
                *[pb.AddValueStreamRequest(chunk=bytes(8 * MIB))] * 8,
                pb.AddValueStreamRequest(chunk=b"!"),
            ],
            errors.ValueUnfit("payload", f"has more than {64 * MIB} bytes"),
        ),
    ],
    ids=["nothing", "a chunk first", "fields twice", "fields refused", "one byte too many"],
)
async def test_a_bad_stream_is_refused_with_its_reason_and_adds_nothing(
    vendor: Vendor, parts: list[pb.AddValueStreamRequest], expected: Exception
) -> None:
    """What comes out of order or too long is not taken."""
    assert same(await refused(vendor.stub.AddValueStream(iter(parts))), expected)
    assert await vendor.values() == {}


async def test_a_full_wallet_says_how_many_bytes_are_missing(vendor: Vendor) -> None:
    """All or none: the value that would have fitted was not added either."""
    vendor.served.wallet.store.settings.set_capacity(1000)
    refusal = await refused(
        vendor.stub.AddValues(pb.AddValuesRequest(values=[ticket(), ticket("B", bytes(2000))]))
    )
    assert isinstance(refusal, errors.NoRoom)
    assert refusal.needed_bytes > 2000
    assert refusal.free_bytes == 1000
    assert await vendor.values() == {}
