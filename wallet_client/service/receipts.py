"""The calls about receipts: list, get, verify. None of them contacts a safe."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

from kura.wallet.v1 import wallet_pb2 as pb
from threshold.errors import SealBroken
from trust.certificate import SignedCertificate
from trust.digest import DigestFields
from trust.errors import TrustError
from trust.refusals import Malformed
from trust.roster import Roster
from wallet_client.pipeline.batch import WalletKeys
from wallet_client.receipts.receipt import Receipt, ReceiptId, verify_receipt
from wallet_client.receipts.shelf import ReceiptSummary, get_receipt, read_summary
from wallet_client.service.converters import (
    in_parts,
    read_validity,
    safe_name,
    write_certificate,
    write_digest,
    write_receipt,
)
from wallet_client.service.deletions import verify_deletions
from wallet_client.service.served import Served
from wallet_client.storage.errors import WalletDamaged


async def list_receipts(
    served: Served, request: pb.ListReceiptsRequest
) -> AsyncIterator[pb.ListReceiptsResponse]:
    """What meets the conditions, as it stands now."""
    validity = read_validity(request)
    if request.kind not in ("", "value", "key"):
        raise Malformed("kind")

    def meets(summary: ReceiptSummary) -> bool:
        return request.kind in ("", summary.kind) and any(
            request.item_class in ("", one.fields.item_class) and validity.holds(one.fields)
            for one in summary.members
        )

    def read() -> list[pb.Receipt]:
        pairs = ((entry.id, read_summary(entry)) for entry in served.wallet.store.receipts.entries())
        return [
            write_receipt(receipt_id, summary, served.wallet.roster)
            for receipt_id, summary in pairs
            if meets(summary)
        ]

    for part in in_parts(await asyncio.to_thread(read)):
        yield pb.ListReceiptsResponse(receipts=part)


async def get_one_receipt(served: Served, request: pb.GetReceiptRequest) -> pb.GetReceiptResponse:
    """One receipt, its digest readable, its certificates in the roster's order."""
    return await asyncio.to_thread(_read_one, served, ReceiptId(request.receipt_id))


def _read_one(served: Served, receipt_id: ReceiptId) -> pb.GetReceiptResponse:
    store, roster = served.wallet.store, served.wallet.roster
    receipt = get_receipt(store, receipt_id)
    return pb.GetReceiptResponse(
        receipt=write_receipt(receipt_id, read_summary(store.receipts.entry(receipt_id)), roster),
        digests=map(write_digest, _digests_of(receipt, served.wallet.keys)),
        certificates=[
            write_certificate(signed.certificate, signed.read(), roster)
            for signed in _in_roster_order(receipt.certificates, roster)
        ],
    )


def _digests_of(receipt: Receipt, keys: WalletKeys) -> tuple[DigestFields, ...]:
    try:
        return receipt.read_digests(keys)
    except SealBroken:
        raise WalletDamaged("the digest of a receipt does not open") from None


def _in_roster_order(certificates: Sequence[SignedCertificate], roster: Roster) -> list[SignedCertificate]:
    order = {safe.safe_id: place for place, safe in enumerate(roster.safes)}
    return sorted(certificates, key=lambda signed: order.get(signed.read().safe_id, len(order)))


async def verify_receipts(served: Served, request: pb.VerifyReceiptsRequest) -> pb.VerifyReceiptsResponse:
    """Signatures, paths and contents of those named, or of all, and of all deletions."""
    return await asyncio.to_thread(_verify, served, [ReceiptId(one) for one in request.receipt_ids])


def _verify(served: Served, named: Sequence[ReceiptId]) -> pb.VerifyReceiptsResponse:
    store, roster = served.wallet.store, served.wallet.roster
    receipt_ids = named or [ReceiptId(entry.id) for entry in store.receipts.entries()]
    erasures, problems = (0, []) if named else verify_deletions(served.wallet)
    response = pb.VerifyReceiptsResponse(receipts=len(receipt_ids), deletion_receipts=erasures)
    for receipt_id in receipt_ids:
        receipt = get_receipt(store, receipt_id)
        response.certificates += len(receipt.certificates)
        response.problems.extend(_problems(receipt, roster))
    response.problems.extend(problems)
    return response


def _problems(receipt: Receipt, roster: Roster) -> Iterator[pb.ReceiptProblem]:
    try:
        findings = verify_receipt(receipt, roster)
    except TrustError as error:
        yield pb.ReceiptProblem(receipt_id=receipt.receipt_id, problem=str(error))
        return
    for safe_id, problem in findings.items():
        if problem is not None:
            yield pb.ReceiptProblem(
                receipt_id=receipt.receipt_id, safe=safe_name(safe_id, roster), problem=str(problem)
            )
