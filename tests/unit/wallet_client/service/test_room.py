"""Room over the wire: what is short is reported, and made in the ways that a call allows."""

from typing import Any

import pytest

from kura.wallet.v1 import wallet_pb2 as pb
from support.memory_safes import MemorySafes
from support.small_wallets import PAYLOAD_BYTES, SIZE, away, condition, keep, limit, names, trigger
from support.vendor import Vendor, collect, refused, same, ticket
from trust.refusals import Malformed
from wallet_client.operations.backup import back_up
from wallet_client.service import errors
from wallet_client.wallet import Wallet

BY_CONDITIONS = pb.Room(by_conditions=True)


@pytest.fixture
async def wallet(vendor: Vendor) -> Wallet:
    """It holds two values, and no condition selects either."""
    one = vendor.served.wallet
    condition(one, "class is gift")
    keep(one, "one", "two")
    limit(one, 2)
    return one


def third(name: str = "new") -> pb.NewValue:
    """As large as the others."""
    return ticket(name, bytes(PAYLOAD_BYTES), valid_until="", held_since=1)


async def add(vendor: Vendor, room: pb.Room | None = None) -> Any:
    """Add one that does not fit."""
    return await vendor.stub.AddValues(pb.AddValuesRequest(values=[third()], room=room))


async def fails(vendor: Vendor, room: pb.Room | None = None) -> Exception:
    """What adding it is refused with."""
    return await refused(vendor.stub.AddValues(pb.AddValuesRequest(values=[third()], room=room)))


async def find_room(vendor: Vendor, needed: int) -> pb.FindRoomResponse:
    """What would help."""
    answer: pb.FindRoomResponse = await vendor.stub.FindRoom(pb.FindRoomRequest(needed_bytes=needed))
    return answer


async def test_what_would_help_is_reported_value_by_value(vendor: Vendor, wallet: Wallet) -> None:
    """What the conditions select comes first, then what is safe already."""
    one, two = (summary.id for summary in wallet.store.values.summaries())
    await back_up(wallet, [one], "threshold")
    condition(wallet, "name is two")
    shortage = (await find_room(vendor, SIZE)).shortage
    assert (shortage.needed_bytes, shortage.free_bytes) == (SIZE, 0)
    assert (shortage.selected_bytes, shortage.safe_bytes) == (SIZE, SIZE)
    assert [(found.value_id, found.name, found.is_safe) for found in shortage.candidates] == [
        (two, "two", False),
        (one, "one", True),
    ]
    assert shortage.candidates[0].clause.startswith("name is two")
    assert [found.size_bytes for found in shortage.candidates] == [SIZE, SIZE]


async def test_where_it_fits_there_is_no_shortage(vendor: Vendor, wallet: Wallet) -> None:
    """Also exactly."""
    limit(wallet, 3)
    assert not (await find_room(vendor, SIZE)).HasField("shortage")
    assert (await find_room(vendor, SIZE + 1)).HasField("shortage")


async def test_room_for_nothing_is_malformed(vendor: Vendor) -> None:
    """A program that forgot the number learns of it."""
    assert same(await refused(vendor.stub.FindRoom(pb.FindRoomRequest())), Malformed("needed_bytes"))


async def test_what_does_not_fit_is_not_added_and_the_figures_are_told(
    vendor: Vendor, wallet: Wallet
) -> None:
    """Nothing leaves unless the call allows it."""
    condition(wallet, "name is two")
    helping = {"selected_bytes": str(SIZE), "safe_bytes": "0", "left_values": "0"}
    assert same(await fails(vendor), errors.NoRoom(SIZE, 0, helping))
    assert names(wallet) == ["one", "two"]
    assert await vendor.receipts() == {}


async def test_what_the_conditions_select_leaves_for_what_comes(vendor: Vendor, wallet: Wallet) -> None:
    """It is safe first; the answer names it."""
    condition(wallet, "name is two")
    answer = await add(vendor, BY_CONDITIONS)
    assert [value.fields.name for value in answer.values] == ["new"]
    ((receipt),) = (await vendor.receipts()).values()
    assert list(answer.moved.left_value_ids) == [receipt.value_id]
    assert (names(wallet), receipt.state) == (["new", "one"], pb.BACKUP_STATE_SAFE)


async def test_what_fits_moves_nothing(vendor: Vendor, wallet: Wallet) -> None:
    """However much may leave."""
    limit(wallet, 3)
    condition(wallet, "name is two")
    answer = await add(vendor, BY_CONDITIONS)
    assert not answer.HasField("moved")
    assert names(wallet) == ["new", "one", "two"]


async def test_the_owner_chooses_what_leaves(vendor: Vendor, wallet: Wallet) -> None:
    """No condition need select it."""
    one = wallet.store.values.summaries()[0].id
    answer = await add(vendor, pb.Room(move_value_ids=[one]))
    assert list(answer.moved.left_value_ids) == [one]
    assert names(wallet) == ["new", "two"]


async def test_a_streamed_value_finds_room_too(vendor: Vendor, wallet: Wallet) -> None:
    """What may leave is said with the fields."""
    condition(wallet, "name is two")
    parts = [
        pb.AddValueStreamRequest(fields=third().fields, room=BY_CONDITIONS),
        pb.AddValueStreamRequest(chunk=bytes(PAYLOAD_BYTES)),
    ]
    answer = await vendor.stub.AddValueStream(iter(parts))
    assert (answer.value.fields.name, len(answer.moved.left_value_ids)) == ("new", 1)
    refusal = await refused(vendor.stub.AddValueStream(iter([parts[0], *parts[1:] * 9])))
    assert isinstance(refusal, errors.NoRoom)


async def test_a_value_that_is_unknown_cannot_leave(vendor: Vendor, wallet: Wallet) -> None:
    """Nothing is moved for it either."""
    one = wallet.store.values.summaries()[0].id
    refusal = await fails(vendor, pb.Room(move_value_ids=[one, "v-x"]))
    assert same(refusal, errors.UnknownName("value", "v-x"))
    assert names(wallet) == ["one", "two"]


async def test_what_not_all_safes_have_stays(vendor: Vendor, wallet: Wallet, safes: MemorySafes) -> None:
    """With one safe away the value is registered, and nothing is added."""
    safes.take_down(3)
    one = wallet.store.values.summaries()[0].id
    assert isinstance(await fails(vendor, pb.Room(move_value_ids=[one])), errors.NoRoom)
    assert names(wallet) == ["one", "two"]
    (receipt,) = (await vendor.receipts()).values()
    assert receipt.state == pb.BACKUP_STATE_REGISTERED


async def test_with_too_few_safes_nothing_leaves(vendor: Vendor, wallet: Wallet, safes: MemorySafes) -> None:
    """The refusal is that of the backup."""
    safes.take_down(1, 2, 3)
    one = wallet.store.values.summaries()[0].id
    assert isinstance(await fails(vendor, pb.Room(move_value_ids=[one])), errors.SafesMissing)
    assert names(wallet) == ["one", "two"]


async def test_values_that_left_in_vain_are_counted(vendor: Vendor, wallet: Wallet) -> None:
    """One leaves, and two would be needed."""
    one = wallet.store.values.summaries()[0].id
    request = pb.AddValuesRequest(values=[third("new"), third("old")], room=pb.Room(move_value_ids=[one]))
    refusal = await refused(vendor.stub.AddValues(request))
    assert isinstance(refusal, errors.NoRoom)
    assert refusal.helping["left_values"] == "1"
    assert names(wallet) == ["two"]


async def test_the_owners_trigger_makes_room_by_itself(vendor: Vendor, wallet: Wallet) -> None:
    """The call need not say so."""
    condition(wallet, "name is two")
    trigger(wallet, "full", "on shortage", start="backup and delete")
    assert len((await add(vendor)).moved.left_value_ids) == 1
    assert names(wallet) == ["new", "one"]


@pytest.fixture
async def gone(vendor: Vendor, wallet: Wallet) -> list[str]:
    """Two values that are put away, where there is room for one."""
    limit(wallet, 4)
    value_ids: list[str] = [*await away(wallet, "old", "our")]
    limit(wallet, 3)
    return value_ids


async def recovered(vendor: Vendor, *value_ids: str, **options: Any) -> tuple[pb.RecoverResult, Exception]:
    """A recovery that ends in a refusal: the result before it, and the refusal."""
    steps: list[pb.RecoverResponse] = []
    request = pb.RecoverRequest(value_ids=value_ids, **options)
    refusal = await refused(collect(steps, vendor.stub.Recover(request)))
    return steps[-1].result, refusal


async def test_what_fits_comes_back_and_the_rest_is_suspended(
    vendor: Vendor, wallet: Wallet, gone: list[str]
) -> None:
    """The result has the report, and the refusal its figures."""
    result, refusal = await recovered(vendor, *gone)
    assert names(wallet) == ["old", "one", "two"]
    assert (len(result.recovered_value_ids), len(result.suspended_value_ids)) == (1, 1)
    assert (result.shortage.needed_bytes, result.shortage.free_bytes) == (SIZE, 0)
    assert isinstance(refusal, errors.NoRoom)
    assert (refusal.needed_bytes, refusal.helping["safe_bytes"]) == (SIZE, str(SIZE))


async def test_a_recovery_makes_room_if_it_may(vendor: Vendor, wallet: Wallet, gone: list[str]) -> None:
    """All comes back, and what left is named."""
    condition(wallet, "name is two")
    (*_, done) = await vendor.recover(value_ids=gone, room=BY_CONDITIONS)
    assert (len(done.result.recovered_value_ids), len(done.result.moved.left_value_ids)) == (2, 1)
    assert not done.result.HasField("shortage")
    assert names(wallet) == ["old", "one", "our"]


async def test_what_is_suspended_goes_on_when_there_is_room(
    vendor: Vendor, wallet: Wallet, gone: list[str]
) -> None:
    """As it was asked for: its receipt goes."""
    await recovered(vendor, *gone, delete_receipts=True)
    result, _ = await recovered(vendor, suspended=True)
    assert (len(result.recovered_value_ids), len(result.suspended_value_ids)) == (0, 1)
    limit(wallet, 4)
    (*_, done) = await vendor.recover(suspended=True)
    assert list(done.result.recovered_value_ids) == list(result.suspended_value_ids)
    assert await vendor.receipts() == {}
    (last,) = await vendor.recover(suspended=True)
    assert last.result == pb.RecoverResult()


@pytest.mark.parametrize(
    ("request_message", "field"),
    [
        (pb.RecoverRequest(), "receipt_ids"),
        (pb.RecoverRequest(receipt_ids=["r-x"], suspended=True), "receipt_ids"),
        (pb.RecoverRequest(suspended=True, value_ids=["v-x"]), "receipt_ids"),
        (pb.RecoverRequest(suspended=True, delete_receipts=False), "delete_receipts"),
    ],
)
async def test_a_recovery_in_two_ways_is_malformed(
    vendor: Vendor, request_message: pb.RecoverRequest, field: str
) -> None:
    """Receipts or values are named, or what is suspended goes on as it was asked for."""
    assert same(await refused(vendor.stub.Recover(request_message)), Malformed(field))
