"""What was deleted at the safes: the list, and whether the safes' signed words for it hold."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from kura.wallet.v1 import wallet_pb2 as pb
from trust.roster import Roster
from wallet_client.receipts.deletion import DeletedGeneration, generations_of, verify_deletion
from wallet_client.receipts.errors import UnknownDeletion
from wallet_client.receipts.shelf import all_deletions
from wallet_client.service.converters import in_parts, safe_name
from wallet_client.service.served import Served
from wallet_client.wallet import Wallet, pinned_signing_keys


async def list_deletions(
    served: Served, request: pb.ListDeletionsRequest
) -> AsyncIterator[pb.ListDeletionsResponse]:
    """All deleted generations, or those of one receipt."""
    wallet = served.wallet

    def read() -> list[pb.Deletion]:
        found = [one for deletion in all_deletions(wallet.store) for one in generations_of(deletion)]
        found = [one for one in found if request.receipt_id in ("", one.receipt_id)]
        if request.receipt_id and not found:
            raise UnknownDeletion(request.receipt_id)
        return [_write(one, wallet.roster) for one in found]

    for part in in_parts(await asyncio.to_thread(read)):
        yield pb.ListDeletionsResponse(deletions=part)


def verify_deletions(wallet: Wallet) -> tuple[int, list[pb.ReceiptProblem]]:
    """How many deletion receipts there are, and what does not hold in tombstones and receipts."""
    keys = pinned_signing_keys(wallet.store)
    kept = 0
    problems: list[pb.ReceiptProblem] = []
    for deletion in all_deletions(wallet.store):
        kept += deletion.receipts_kept
        problems += (
            pb.ReceiptProblem(
                receipt_id=one.receipt_id,
                safe="" if one.safe_id is None else safe_name(one.safe_id, wallet.roster),
                problem=str(one.error),
                is_deletion=True,
            )
            for one in verify_deletion(deletion, keys)
        )
    return kept, problems


def _write(one: DeletedGeneration, roster: Roster) -> pb.Deletion:
    return pb.Deletion(
        receipt_id=one.receipt_id,
        item_id=one.item_id,
        generation=one.generation,
        policy=one.policy_name,
        deleted_at=one.deleted_at,
        erasures=_erasures(one, roster),
        owed_to=[safe_name(safe_id, roster) for safe_id in one.owed_to],
    )


def _erasures(one: DeletedGeneration, roster: Roster) -> Iterator[pb.Erasure]:
    for safe_id, erased_at in one.erased_at.items():
        yield pb.Erasure(safe=safe_name(safe_id, roster), safe_id=safe_id, erased_at=erased_at)
