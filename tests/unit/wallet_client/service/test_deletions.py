"""What was deleted, over the wire: who confirmed, who owes it, and whether the signed words hold."""

from typing import Any

import msgspec

from kura.wallet.v1 import wallet_pb2 as pb
from support.memory_safes import MemorySafes
from support.vendor import Vendor, refused, same, ticket
from wallet_client.receipts.deletion import Deletion
from wallet_client.receipts.shelf import get_deletion, put_deletion
from wallet_client.service import errors


async def deletions(vendor: Vendor, receipt_id: str = "") -> list[pb.Deletion]:
    """The list."""
    parts = vendor.stub.ListDeletions(pb.ListDeletionsRequest(receipt_id=receipt_id))
    return [one async for part in parts for one in part.deletions]


async def back_and_forgotten(vendor: Vendor, *names: str) -> list[str]:
    """Receipts of values that were backed up and recovered, and then deleted."""
    ids = await vendor.add(*map(ticket, names))
    done = (await vendor.back_up(*ids, drop_values=True))[-1].result.values
    receipt_ids = [one.receipt_id for one in done]
    await vendor.recover(*receipt_ids, delete_receipts=True)
    return receipt_ids


async def verified(vendor: Vendor, *receipt_ids: str) -> Any:
    """Check all, or those named."""
    return await vendor.stub.VerifyReceipts(pb.VerifyReceiptsRequest(receipt_ids=receipt_ids))


async def test_a_deletion_names_the_safes_that_confirmed_it(vendor: Vendor) -> None:
    """Without class or name of what was deleted."""
    (receipt_id,) = await back_and_forgotten(vendor, "A")
    (one,) = await deletions(vendor)
    assert (one.receipt_id, one.policy, one.generation) == (receipt_id, "threshold", 1)
    assert [erasure.safe for erasure in one.erasures] == [f"safe-{number}" for number in range(1, 6)]
    assert all(erasure.erased_at > 0 and len(erasure.safe_id) == 16 for erasure in one.erasures)
    assert (list(one.owed_to), len(one.item_id), one.deleted_at > 0) == ([], 16, True)


async def test_a_safe_that_was_away_owes_its_word_until_it_is_asked_again(
    vendor: Vendor, safes: MemorySafes
) -> None:
    """Resume asks it."""
    ids = await vendor.add(ticket("A"))
    (done,) = (await vendor.back_up(*ids, drop_values=True))[-1].result.values
    safes.take_down(4)
    await vendor.recover(done.receipt_id, delete_receipts=True)
    (one,) = await deletions(vendor)
    assert (len(one.erasures), list(one.owed_to)) == (4, ["safe-4"])
    safes.take_down()
    await vendor.stub.Resume(pb.ResumeRequest())
    (one,) = await deletions(vendor)
    assert (len(one.erasures), list(one.owed_to)) == (5, [])


async def test_the_deletions_of_one_receipt_are_listed_alone(vendor: Vendor) -> None:
    """By the id that it had."""
    first, second = await back_and_forgotten(vendor, "A", "B")
    assert {one.receipt_id for one in await deletions(vendor)} == {first, second}
    assert [one.receipt_id for one in await deletions(vendor, second)] == [second]


async def test_a_receipt_of_which_nothing_was_deleted_is_unknown_there(vendor: Vendor) -> None:
    """It may well be kept."""
    ids = await vendor.add(ticket("A"))
    (done,) = (await vendor.back_up(*ids))[-1].result.values
    refusal = await refused(vendor.stub.ListDeletions(pb.ListDeletionsRequest(receipt_id=done.receipt_id)))
    assert same(refusal, errors.UnknownName("deletion", done.receipt_id))


async def test_deletion_receipts_are_verified_unless_receipts_are_named(vendor: Vendor) -> None:
    """Of two deletions by five safes, and one receipt that is kept."""
    await back_and_forgotten(vendor, "A", "B")
    ids = await vendor.add(ticket("C"))
    (done,) = (await vendor.back_up(*ids))[-1].result.values
    everything = await verified(vendor)
    assert (everything.receipts, everything.deletion_receipts, len(everything.problems)) == (1, 10, 0)
    one = await verified(vendor, done.receipt_id)
    assert (one.receipts, one.deletion_receipts) == (1, 0)


def forged(deletion: Deletion, at: int) -> Deletion:
    """One bit of one safe's signature is another."""
    safes = list(deletion.safes)
    signed = safes[at].receipts[0]
    assert signed is not None
    changed = (signed[0], bytes([signed[1][0] ^ 1]) + signed[1][1:])
    safes[at] = msgspec.structs.replace(safes[at], receipts=(changed, *safes[at].receipts[1:]))
    return msgspec.structs.replace(deletion, safes=tuple(safes))


async def test_a_forged_deletion_receipt_is_told_by_receipt_and_safe(vendor: Vendor) -> None:
    """The other four hold."""
    (receipt_id,) = await back_and_forgotten(vendor, "A")
    store = vendor.served.wallet.store
    (entry,) = store.deletions.entries()
    put_deletion(store, entry.id, forged(get_deletion(store, entry.id), 2))
    (problem,) = (await verified(vendor)).problems
    assert (problem.receipt_id, problem.safe, problem.is_deletion) == (receipt_id, "safe-3", True)
