"""Backup by conditions and recovery in parts, over the wire; what a policy says of afterwards is done."""

from typing import Any

import pytest

from kura.wallet.v1 import wallet_pb2 as pb
from support.memory_safes import MemorySafes
from support.vendor import Vendor, collect, refused, same, ticket
from trust.refusals import Malformed
from wallet_client.conditions.default import DEFAULT_NAME
from wallet_client.service import errors

LEAVING = 'name = "leaving"\n[after]\nbackup = "delete"\nrecovery = "delete"\n'


async def only_condition(vendor: Vendor, expression: str) -> None:
    """Let the wallet's one condition say this."""
    request = pb.EditConditionRequest(name=DEFAULT_NAME, expression=expression)
    await vendor.stub.EditCondition(request)


async def add_policy(vendor: Vendor, toml: str) -> None:
    """Add one."""
    await vendor.stub.AddPolicy(pb.AddPolicyRequest(file=pb.PolicyFile(toml=toml)))


async def coupled(vendor: Vendor, *names: str, **options: Any) -> tuple[str, list[str]]:
    """Values that are one item: its receipt, and their ids."""
    ids = await vendor.add(*map(ticket, names))
    (*_, last) = await vendor.back_up(*ids, policy="coupled", drop_values=True, **options)
    (receipt_id,) = {one.receipt_id for one in last.result.values}
    return receipt_id, ids


async def test_what_the_conditions_select_is_backed_up_without_being_named(vendor: Vendor) -> None:
    """In the order added; what they do not select stays as it is."""
    ids = await vendor.add(ticket("A"), ticket("B", item_class="card"), ticket("C"))
    await only_condition(vendor, "class is movie-ticket")
    (*_, last) = await vendor.back_up(by_conditions=True, drop_values=True)
    assert [one.value_id for one in last.result.values] == [ids[0], ids[2]]
    assert list(await vendor.values()) == ["B"]


@pytest.mark.parametrize("expression", ["class is gift", "size > 1 KiB"])
async def test_it_is_a_success_when_nothing_is_selected(vendor: Vendor, expression: str) -> None:
    """With or without one value; no safe hears of it."""
    await vendor.add(ticket("A"))
    await only_condition(vendor, expression)
    (last,) = await vendor.back_up(by_conditions=True, drop_values=True)
    assert list(last.result.values) == []
    assert list(await vendor.values()) == ["A"]


async def test_a_backup_of_nothing_or_in_two_ways_is_malformed(vendor: Vendor) -> None:
    """Values are named, or the conditions choose."""
    (value_id,) = await vendor.add(ticket("A"))
    for request in (pb.BackupRequest(), pb.BackupRequest(value_ids=[value_id], by_conditions=True)):
        assert same(await refused(vendor.stub.Backup(request)), Malformed("value_ids"))
    assert await vendor.receipts() == {}


@pytest.mark.parametrize(
    ("asked", "stay"),
    [({}, False), ({"drop_values": True}, False), ({"drop_values": False}, True)],
    ids=["as the policy says", "erase", "keep"],
)
async def test_a_policy_says_whether_values_are_erased_unless_the_call_does(
    vendor: Vendor, asked: dict[str, bool], stay: bool
) -> None:
    """This one says they are."""
    await add_policy(vendor, LEAVING)
    ids = await vendor.add(ticket("A"))
    await vendor.back_up(*ids, policy="leaving", **asked)
    assert bool(await vendor.values()) is stay


@pytest.mark.parametrize(
    ("asked", "stay"),
    [({}, False), ({"delete_receipts": True}, False), ({"delete_receipts": False}, True)],
    ids=["as the policy says", "delete", "keep"],
)
async def test_a_policy_says_whether_receipts_are_deleted_unless_the_call_does(
    vendor: Vendor, asked: dict[str, bool], stay: bool
) -> None:
    """This one says they are."""
    await add_policy(vendor, LEAVING)
    ids = await vendor.add(ticket("A"))
    (*_, last) = await vendor.back_up(*ids, policy="leaving")
    (*_, done) = await vendor.recover(last.result.values[0].receipt_id, **asked)
    assert list(done.result.recovered_value_ids) == ids
    assert list(done.result.forgotten_value_ids) == ([] if stay else ids)
    assert bool(await vendor.receipts()) is stay


async def test_with_a_safe_away_a_policy_that_erases_ends_in_a_refusal(
    vendor: Vendor, safes: MemorySafes
) -> None:
    """The result comes first; fewer can be accepted without saying drop_values."""
    await add_policy(vendor, LEAVING)
    ids = await vendor.add(ticket("A"))
    safes.take_down(2)
    steps: list[pb.BackupResponse] = []
    refusal = await refused(collect(steps, vendor.back_up_steps(*ids, policy="leaving")))
    assert same(refusal, errors.DropRefused(1, "safe-2"))
    assert steps[-1].result.values[0].state == pb.BACKUP_STATE_REGISTERED
    await vendor.back_up(*ids, policy="leaving", accept_fewer=True)
    assert await vendor.values() == {}


async def test_one_of_several_values_of_an_item_comes_back_alone(vendor: Vendor) -> None:
    """The others can follow; the receipt stays for them."""
    receipt_id, ids = await coupled(vendor, "A", "B", "C")
    (*_, done) = await vendor.recover(value_ids=[ids[1]], delete_receipts=True)
    assert list(done.result.recovered_value_ids) == [ids[1]]
    assert list(await vendor.values()) == ["B"]
    (receipt,) = (await vendor.receipts()).values()
    assert [one.value_id for one in receipt.members] == [ids[0], ids[2]]
    (*_, rest) = await vendor.recover(receipt_id, delete_receipts=True)
    assert list(rest.result.recovered_value_ids) == [ids[0], ids[2]]
    assert await vendor.receipts() == {}


async def test_a_value_without_a_receipt_is_unknown_to_a_recovery(vendor: Vendor) -> None:
    """Nothing is fetched for the others either."""
    receipt_id, _ = await coupled(vendor, "A", "B")
    refusal = await refused(
        vendor.stub.Recover(pb.RecoverRequest(receipt_ids=[receipt_id], value_ids=["v-x"]))
    )
    assert same(refusal, errors.UnknownName("receipt", "v-x"))
    assert await vendor.values() == {}


async def test_a_key_that_is_away_is_named(vendor: Vendor) -> None:
    """Under `sealed` the wallet's key opens; without it nothing is fetched."""
    ids = await vendor.add(ticket("A"))
    (*_, last) = await vendor.back_up(*ids, policy="sealed", drop_values=True)
    keyring = vendor.served.wallet.store.keyring
    (entry,) = keyring.entries()
    keyring.send_away(entry.id)
    receipt_id = last.result.values[0].receipt_id
    refusal = await refused(vendor.stub.Recover(pb.RecoverRequest(receipt_ids=[receipt_id])))
    assert same(refusal, errors.KeyElsewhere(entry.name))
    ids = await vendor.add(ticket("B"))
    refusal = await refused(vendor.stub.Backup(pb.BackupRequest(value_ids=ids, policy="sealed")))
    assert same(refusal, errors.KeyElsewhere(entry.name))
