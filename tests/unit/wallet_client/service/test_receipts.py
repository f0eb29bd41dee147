"""What does not hold in a receipt is told by receipt and safe; nothing of it reaches a safe."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

import rpc_edge  # noqa: F401  # isort: split
from kura.wallet.v1 import wallet_pb2 as pb
from support.memory_safes import MemorySafes, opened
from support.wallet_samples import small_value
from trust.certificate import SignedCertificate
from wallet_client.operations.backup import back_up
from wallet_client.operations.backup_desk import BackupDesk
from wallet_client.receipts.receipt import Receipt, ReceiptId
from wallet_client.receipts.shelf import get_receipt, update_receipt
from wallet_client.service.receipts import get_one_receipt, verify_receipts
from wallet_client.service.served import Operations, Served
from wallet_client.storage.errors import WalletDamaged


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with opened(tmp_path, MemorySafes.of()) as wallet:
        for name in "AB":
            await back_up(wallet, [wallet.store.values.add(small_value(name))], "threshold")
        yield Served(wallet, BackupDesk(wallet), Operations())


def receipts_of(served: Served) -> list[Receipt]:
    """All of the wallet's."""
    store = served.wallet.store
    return [get_receipt(store, ReceiptId(entry.id)) for entry in store.receipts.entries()]


def flipped(signature: bytes) -> bytes:
    """One bit is another."""
    return bytes([signature[0] ^ 1]) + signature[1:]


def forged(receipt: Receipt, at: int) -> Receipt:
    """The signature of one certificate changed."""
    certificates: list[SignedCertificate] = list(receipt.certificates)
    old = certificates[at]
    certificates[at] = msgspec.structs.replace(old, signature=flipped(old.signature))
    return msgspec.structs.replace(receipt, certificates=tuple(certificates))


async def verified(served: Served, *receipt_ids: str) -> pb.VerifyReceiptsResponse:
    return await verify_receipts(served, pb.VerifyReceiptsRequest(receipt_ids=receipt_ids))


async def test_all_receipts_are_checked_unless_some_are_named(served: Served) -> None:
    """Two receipts of five certificates each."""
    everything = await verified(served)
    assert (everything.receipts, everything.certificates, len(everything.problems)) == (2, 10, 0)
    one = await verified(served, receipts_of(served)[0].receipt_id)
    assert (one.receipts, one.certificates) == (1, 5)


async def test_a_forged_certificate_is_told_by_its_safe(served: Served) -> None:
    """The others of that receipt hold, and so does the other receipt."""
    receipt = receipts_of(served)[1]
    update_receipt(served.wallet.store, forged(receipt, 3))
    liar = served.wallet.roster.safe(receipt.certificates[3].read().safe_id)
    (problem,) = (await verified(served)).problems
    assert (problem.receipt_id, problem.safe) == (receipt.receipt_id, liar.name)
    assert problem.problem == "The signature of the certificates does not hold."


async def test_a_manifest_that_nobody_signed_is_told_without_a_safe(served: Served) -> None:
    """It is the wallet's own part; the list of receipts stays readable."""
    receipt = receipts_of(served)[0]
    changed = msgspec.structs.replace(receipt, manifest_signature=flipped(receipt.manifest_signature))
    store = served.wallet.store
    entry = store.receipts.entry(receipt.receipt_id)
    store.receipts.put(
        receipt.receipt_id,
        changed.to_bytes(),
        state=entry.state,
        value_ids=entry.value_ids,
        summary=entry.summary,
    )
    (problem,) = (await verified(served)).problems
    assert (problem.receipt_id, problem.safe) == (receipt.receipt_id, "")


async def test_a_digest_of_another_wallet_is_damage(served: Served) -> None:
    """Its seal is another's."""
    served.wallet.keys = replace(served.wallet.keys, digest_secret=bytes(32))
    with pytest.raises(WalletDamaged):
        await get_one_receipt(served, pb.GetReceiptRequest(receipt_id=receipts_of(served)[0].receipt_id))
