"""The signature over digest and ciphertext is checked before anything is opened, and failure stops [E2, C4].

    the wallet's signature -> manifest -> root over the leaves -> leaf: digest, X of every piece -> piece

One bit changed anywhere in that chain, and no secret of the batch is opened.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from support.memory_safes import MemorySafes, opened
from support.wallet_samples import FULL_VALUE, small_value
from trust.errors import DocumentMalformed, TrustError
from trust.manifest import read_leaf
from wallet_client.network.messages import FetchedPiece
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.receipt_batch import group_by_batch
from wallet_client.operations.recover import recover
from wallet_client.pipeline.seal import BatchSecret
from wallet_client.pipeline.wrapping import WrappingKey
from wallet_client.receipts.receipt import Receipt, ReceiptId, verify_receipt
from wallet_client.receipts.shelf import get_receipt
from wallet_client.wallet import Wallet

POLICIES = ["sealed", "sealed-pair", "threshold", "divided", "coupled"]
VALUES = [FULL_VALUE, small_value("B", payload=b"b"), small_value("C", payload=b"c")]


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """An empty wallet."""
    async with opened(folder, safes) as made:
        yield made


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every time that something sealed is opened from here on."""
    seen: list[str] = []
    for owner, name in ((WrappingKey, "unwrap"), (BatchSecret, "open")):
        original = getattr(owner, name)

        def noted(*args: object, name: str = name, original: object = original) -> object:
            seen.append(name)
            return original(*args)  # type: ignore[operator]

        monkeypatch.setattr(owner, name, noted)
    return seen


async def away(wallet: Wallet, policy: str) -> list[ReceiptId]:
    """Receipts of three values, in one batch or one item, that are at the safes and nowhere else."""
    with wallet.store.transaction():
        ids = [wallet.store.values.add(value) for value in VALUES]
    report = await back_up(wallet, ids, policy)
    await drop_backed_up(wallet, ids, accept_fewer=False)
    return list(dict.fromkeys(entry.receipt_id for entry in report.entries))


def flipped(content: bytes, bit: int) -> bytes:
    """The bytes with one bit changed."""
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def variants(receipt: Receipt) -> list[Receipt]:
    """The receipt with one bit changed, for a bit of every byte of what the signature stands for."""
    found = [
        replace(receipt, **{part: flipped(content, 8 * position + position % 8)})
        for part in ("manifest", "manifest_signature", "leaf")
        for content in [getattr(receipt, part)]
        for position in range(len(content))
    ]
    for number, sibling in enumerate(receipt.leaf_path):
        path = list(receipt.leaf_path)
        path[number] = flipped(sibling, 8 * number)
        found.append(replace(receipt, leaf_path=tuple(path)))
    return found


@pytest.mark.parametrize("policy", POLICIES)
async def test_no_bit_of_what_was_signed_can_be_changed(wallet: Wallet, policy: str) -> None:
    """Manifest, signature, leaf and path; the digest is in the leaf, the sealed secret in the manifest."""
    receipt = get_receipt(wallet.store, (await away(wallet, policy))[-1])
    group_by_batch([receipt])
    for changed in variants(receipt):
        with pytest.raises(TrustError):
            group_by_batch([changed])
    with pytest.raises(TrustError):
        verify_receipt(changed, wallet.roster)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ["manifest", "manifest_signature", "leaf"])
async def test_a_changed_receipt_stops_a_recovery_before_anyone_is_asked(
    wallet: Wallet, safes: MemorySafes, openings: list[str], policy: str, part: str
) -> None:
    """No safe is asked, nothing is opened, and no value is in the wallet."""
    receipt_ids = await away(wallet, policy)
    receipt = get_receipt(wallet.store, receipt_ids[0])
    content = getattr(receipt, part)
    changed = replace(receipt, **{part: flipped(content, 8 * len(content) - 1)})
    wallet.store.receipts.put(receipt_ids[0], changed.to_bytes(), state="safe", value_ids=changed.value_ids)
    calls = [len(safe.calls) for safe in safes]
    with pytest.raises(TrustError):
        await recover(wallet, receipt_ids)
    assert openings == []
    assert [len(safe.calls) for safe in safes] == calls
    assert wallet.store.values.summaries() == []


@pytest.mark.parametrize("policy", POLICIES)
async def test_a_changed_piece_stops_a_recovery_before_anything_is_opened(
    wallet: Wallet, safes: MemorySafes, openings: list[str], policy: str
) -> None:
    """One bit, at every safe; with honest safes the same receipts open."""
    receipt_ids = await away(wallet, policy)

    def alter(piece: FetchedPiece) -> FetchedPiece:
        return FetchedPiece(piece.blob and flipped(piece.blob, 8 * len(piece.blob) - 1), piece.key_share)

    for safe in safes:
        safe.alter = alter
    with pytest.raises(TooFewSafes):
        await recover(wallet, receipt_ids)
    assert openings == []
    assert wallet.store.values.summaries() == []
    for safe in safes:
        safe.alter = lambda piece: piece
    await recover(wallet, receipt_ids)
    assert openings != []
    assert len(wallet.store.values.summaries()) == len(VALUES)


async def test_a_leaf_of_another_batch_is_not_taken_for_one_of_this(wallet: Wallet) -> None:
    """Nor one at another place of the same batch."""
    first, second, _ = [get_receipt(wallet.store, one) for one in await away(wallet, "sealed")]
    for changed in (
        replace(first, leaf=second.leaf),
        replace(first, leaf_position=second.leaf_position),
        replace(first, leaf_position=99),
        replace(first, leaf_path=first.leaf_path[1:]),
        replace(first, leaf_path=(*first.leaf_path, bytes(32))),
    ):
        with pytest.raises(DocumentMalformed, match="not one that the manifest names"):
            group_by_batch([changed])


async def test_a_leaf_that_the_manifest_names_must_fit_its_terms(wallet: Wallet) -> None:
    """A signature over a leaf with a digest of another mode does not make it right."""
    receipt = get_receipt(wallet.store, (await away(wallet, "sealed-pair"))[0])
    manifest = receipt.read_manifest()
    vacant = replace(manifest, terms=replace(manifest.terms, digest="vacant"))
    with pytest.raises(DocumentMalformed, match="digest"):
        read_leaf(vacant, receipt.leaf, receipt.leaf_position, receipt.leaf_path)
