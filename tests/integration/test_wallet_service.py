"""WalletService as a ticketing program uses it: stubs alone, over the Unix socket, with five real safes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from kura.wallet.v1 import wallet_pb2 as pb
from support.cluster import LocalCluster
from support.vendor import CAPACITY_BYTES, MIB, Vendor, collect, refused, same, served_wallet, ticket
from wallet_client.operations import backup_desk
from wallet_client.operations.backup import back_up
from wallet_client.operations.reseed import reseed
from wallet_client.service import errors
from wallet_client.service.errors import WALLET_ERRORS

SAFE, REGISTERED = pb.BACKUP_STATE_SAFE, pb.BACKUP_STATE_REGISTERED
NOT_BACKED_UP = pb.BACKUP_STATE_NOT_BACKED_UP


@pytest.fixture
async def vendor(cluster: LocalCluster, tmp_path: Path) -> AsyncIterator[Vendor]:
    async with served_wallet(tmp_path / "wallet", cluster.roster_file.read_bytes()) as one:
        yield one


async def test_a_ticket_is_added_listed_backed_up_dropped_and_recovered(vendor: Vendor) -> None:
    """Every field and byte comes back, and the last message of a stream is the result."""
    given = ticket(
        "A", b"the ticket", unit_price="1600.50", quantity="2", place="Kabuki-za 歌舞伎座", currency="JPY"
    )
    (value_id,) = await vendor.add(given)
    before = (await vendor.values())["A"]
    *steps, last = await vendor.back_up(value_id, drop_values=True)
    assert last.result.values[0].state == SAFE
    assert last.result.values[0].may_still_be_lost == 2
    assert steps[-1].progress.done_bytes == steps[-1].progress.total_bytes > 0
    assert await vendor.values() == {}
    *fetched, done = await vendor.recover(last.result.values[0].receipt_id)
    assert done.result.recovered_value_ids == [value_id]
    assert {step.progress.stage for step in fetched} == {"fetch"}
    back = await vendor.stub.GetValue(pb.GetValueRequest(value_id=value_id))
    assert (back.payload, back.value.fields) == (b"the ticket", before.fields)
    assert (before.state, back.value.state) == (NOT_BACKED_UP, SAFE)


@pytest.mark.parametrize(
    ("conditions", "names"),
    [
        ({}, {"A", "B", "C", "D"}),
        ({"item_class": "movie-ticket"}, {"A", "B", "D"}),
        ({"expires_until": "2026-12-31"}, {"A", "C"}),
        ({"expires_from": "2027-01-01"}, {"B"}),
        ({"item_class": "card", "expires_from": "2026-12-31", "expires_until": "2026-12-31"}, {"C"}),
        ({"item_class": "gift"}, set()),
    ],
)
async def test_a_list_holds_what_meets_all_conditions(
    vendor: Vendor, conditions: dict[str, str], names: set[str]
) -> None:
    """A value without an end of validity meets no condition about it; both days are included."""
    await vendor.add(
        ticket("A"),
        ticket("B", valid_until="2027-01-01"),
        ticket("C", item_class="card"),
        ticket("D", valid_until=""),
    )
    assert set(await vendor.values(**conditions)) == names


async def test_a_long_list_comes_in_parts(vendor: Vendor) -> None:
    """1,001 values are three messages, in the order added."""
    await vendor.add(*(ticket(str(number)) for number in range(1000)))
    await vendor.add(ticket("last"))
    parts = [len(part.values) async for part in vendor.stub.ListValues(pb.ListValuesRequest())]
    assert parts == [500, 500, 1]
    assert list(await vendor.values())[-1] == "last"


async def test_a_payload_beyond_one_message_is_streamed_both_ways(vendor: Vendor) -> None:
    """64 MiB pass with a client's default limits; the unary call says which one to use."""
    payload = bytes(range(256)) * (64 * MIB // 256)

    async def parts() -> AsyncIterator[pb.AddValueStreamRequest]:
        yield pb.AddValueStreamRequest(fields=ticket("film").fields)
        for start in range(0, len(payload), MIB):
            yield pb.AddValueStreamRequest(chunk=payload[start : start + MIB])

    added = await vendor.stub.AddValueStream(parts())
    value_id = added.value.value_id
    stream = vendor.stub.GetValueStream(pb.GetValueStreamRequest(value_id=value_id))
    first, *rest = [part async for part in stream]
    assert first.value == added.value
    assert b"".join(part.chunk for part in rest) == payload
    refusal = await refused(vendor.stub.GetValue(pb.GetValueRequest(value_id=value_id)))
    assert same(refusal, errors.PayloadNeedsStream(MIB))


async def test_new_fields_are_registered_and_the_payload_stays(vendor: Vendor) -> None:
    """An edited value stays safe, under the receipt it had."""
    (value_id,) = await vendor.add(ticket("card", b"content", remaining_amount="1000"))
    (done,) = (await vendor.back_up(value_id))[-1].result.values
    fields = ticket("card", remaining_amount="800").fields
    changed = await vendor.stub.EditValue(pb.EditValueRequest(value_id=value_id, fields=fields))
    assert changed.value.fields.remaining_amount == "800"
    assert changed.value.fields.held_since > 0
    assert (changed.value.state, changed.value.receipt_id) == (SAFE, done.receipt_id)
    await vendor.stub.RemoveValue(pb.RemoveValueRequest(value_id=value_id))
    await vendor.recover(done.receipt_id)
    back = await vendor.stub.GetValue(pb.GetValueRequest(value_id=value_id))
    assert (back.payload, back.value.fields.remaining_amount) == (b"content", "800")


async def test_a_receipt_shows_its_certificates_and_verifies_offline(
    vendor: Vendor, cluster: LocalCluster
) -> None:
    """Class, digest, X, Y and safe of each; a sealed digest is readable to this wallet."""
    (value_id,) = await vendor.add(ticket("A", place="Ginza"))
    (done,) = (await vendor.back_up(value_id))[-1].result.values
    shown = await vendor.stub.GetReceipt(pb.GetReceiptRequest(receipt_id=done.receipt_id))
    assert [one.safe for one in shown.certificates] == list(cluster.names)
    assert {(one.piece_class, one.digest_mode, len(one.x)) for one in shown.certificates} == {
        ("value", "sealed", 32)
    }
    assert all(one.y < 2**63 and len(one.safe_id) == 16 and one.document for one in shown.certificates)
    assert [(one.name, one.place) for one in shown.digests] == [("A", "Ginza")]
    assert (await vendor.receipts(item_class="movie-ticket"))[done.receipt_id] == shown.receipt
    assert await vendor.receipts(item_class="card") == {}
    verified = await vendor.stub.VerifyReceipts(pb.VerifyReceiptsRequest(receipt_ids=[done.receipt_id]))
    assert (verified.receipts, verified.certificates, list(verified.problems)) == (1, 5, [])


async def test_the_wallet_describes_itself(vendor: Vendor, cluster: LocalCluster) -> None:
    """Room, counts and safes, and the policies with their default."""
    await vendor.add(ticket(payload=bytes(1000)))
    state = await vendor.stub.Describe(pb.DescribeRequest())
    assert (state.capacity_bytes, state.values, state.receipts) == (CAPACITY_BYTES, 1, 0)
    assert state.used_bytes > 1000
    assert [safe.name for safe in state.safes] == list(cluster.names)
    assert state.roster_fingerprint == cluster.roster.fingerprint
    policies = (await vendor.stub.ListPolicies(pb.ListPoliciesRequest())).policies
    assert [one.name for one in policies if one.is_default] == ["threshold"]


async def test_receipts_are_deleted_after_a_recovery_if_asked(vendor: Vendor) -> None:
    """The values are in the wallet, and nothing is backed up any more."""
    ids = await vendor.add(ticket("A"), ticket("B"))
    done = (await vendor.back_up(*ids, drop_values=True))[-1].result.values
    await vendor.recover(*(one.receipt_id for one in done), delete_receipts=True)
    assert await vendor.receipts() == {}
    assert {value.state for value in (await vendor.values()).values()} == {NOT_BACKED_UP}


async def test_sixty_four_callers_share_few_batches_and_one_in_error_fails_alone(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked for while a batch is under way travels in the next one."""
    batches: list[int] = []

    async def counted(wallet: Any, value_ids: Any, *rest: Any) -> Any:
        batches.append(len(value_ids))
        return await back_up(wallet, value_ids, *rest)

    monkeypatch.setattr(backup_desk, "back_up", counted)
    ids = [*await vendor.add(*(ticket(str(number)) for number in range(64))), "v-unknown000"]
    outcomes = await asyncio.gather(*(vendor.back_up(one) for one in ids), return_exceptions=True)
    assert [one[-1].result.values[0].state for one in outcomes[:64] if isinstance(one, list)] == [SAFE] * 64
    assert isinstance(outcomes[64], grpc.aio.AioRpcError)
    assert same(WALLET_ERRORS.from_status(outcomes[64]), errors.UnknownName("value", "v-unknown000"))
    assert sum(batches) == 64
    assert len(batches) < 32


async def test_a_backup_goes_on_when_its_caller_leaves(vendor: Vendor) -> None:
    """The value is safe a little later, with one receipt."""
    (value_id,) = await vendor.add(ticket("A"))
    call = vendor.stub.Backup(pb.BackupRequest(value_ids=[value_id]))
    await call.read()
    call.cancel()
    await vendor.served.operations.finish(30)
    (receipt,) = (await vendor.receipts()).values()
    assert (receipt.value_id, receipt.state) == (value_id, SAFE)


async def test_with_a_safe_down_a_value_is_dropped_only_if_fewer_are_accepted(
    vendor: Vendor, cluster: LocalCluster
) -> None:
    """The result comes first, then the refusal with its number; Resume delivers what waits."""
    cluster.kill("safe-4")
    (value_id,) = await vendor.add(ticket("A"))
    steps: list[pb.BackupResponse] = []
    refusal = await refused(collect(steps, vendor.back_up_steps(value_id, drop_values=True)))
    assert steps[-1].result.values[0].state == REGISTERED
    assert [one.safe for one in steps[-1].result.failed_safes] == ["safe-4"]
    assert same(refusal, errors.DropRefused(1, "safe-4"))
    assert (await vendor.values())["A"].state == REGISTERED
    (*_, last) = await vendor.back_up(value_id, drop_values=True, accept_fewer=True)
    assert last.result.values[0].already
    assert await vendor.values() == {}
    waiting = await vendor.stub.Resume(pb.ResumeRequest())
    assert (dict(waiting.still_waiting), waiting.failed_safes[0].safe) == ({"safe-4": 1}, "safe-4")
    cluster.start("safe-4")
    delivered = 0
    while not delivered:  # gRPC tries a lost connection again within a second
        delivered = (await vendor.stub.Resume(pb.ResumeRequest())).delivered
    (receipt,) = (await vendor.receipts()).values()
    assert receipt.state == SAFE


async def test_resume_tells_of_old_generations_that_wait_for_a_safe(
    vendor: Vendor, cluster: LocalCluster
) -> None:
    """Until the new one was read back from all five."""
    (value_id,) = await vendor.add(ticket("A"))
    await vendor.back_up(value_id)
    cluster.kill("safe-4")
    await reseed(vendor.served.wallet)
    waiting = await vendor.stub.Resume(pb.ResumeRequest())
    assert (waiting.older_generations, waiting.root_changing) == (1, False)
    cluster.start("safe-4")
    while waiting.older_generations:  # gRPC tries a lost connection again within a second
        waiting = await vendor.stub.Resume(pb.ResumeRequest())
    assert [receipt.state for receipt in (await vendor.receipts()).values()] == [SAFE]


async def test_with_three_safes_down_every_caller_learns_which(vendor: Vendor, cluster: LocalCluster) -> None:
    """Nothing is backed up, and the reasons stand at the safes' names."""
    cluster.kill("safe-1", "safe-2", "safe-5")
    ids = await vendor.add(ticket("A"), ticket("B"))
    refusals = await asyncio.gather(
        *(refused(vendor.stub.Backup(pb.BackupRequest(value_ids=[one]))) for one in ids)
    )
    for refusal in refusals:
        assert isinstance(refusal, errors.SafesMissing)
        assert (refusal.safes_good, refusal.safes_needed) == (2, 4)
        assert sorted(refusal.failed) == ["safe-1", "safe-2", "safe-5"]
    assert {value.state for value in (await vendor.values()).values()} == {NOT_BACKED_UP}
