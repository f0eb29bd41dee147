"""What a receipt keeps, where it stands, and which of its certificates do not hold."""

from typing import Any

import msgspec
import pytest

from support.batches import KEYS, ROSTER, batch_of, receipt_of
from support.memory_safes import MemorySafes, roster_of
from support.sample_documents import draw
from support.wallet_samples import small_value
from trust.certificate import Certificate, SignedCertificate, sign_certificates, verify_call
from trust.errors import CertificateMismatch, DocumentMalformed, RosterRefused, SignatureInvalid, TrustError
from trust.ids import ItemId, Signature
from trust.manifest import sign_manifest
from trust.policy import Division, KeyRule
from wallet_client.policies.policy import Policy
from wallet_client.receipts.receipt import (
    Receipt,
    ReceiptMember,
    ReceiptState,
    receipt_id_of,
    state_of,
    verify_receipt,
)
from wallet_client.values.value import ValueId


def changed(receipt: Receipt, **changes: Any) -> Receipt:
    """The receipt with some fields changed."""
    return msgspec.structs.replace(receipt, **changes)


def with_first(receipt: Receipt, signed: SignedCertificate) -> Receipt:
    """The receipt with another first certificate."""
    return changed(receipt, certificates=(signed, *receipt.certificates[1:]))


def certified_again(receipt: Receipt, **changes: Any) -> SignedCertificate:
    """The first safe signs a certificate with some fields changed."""
    first = receipt.certificates[0].read()
    fields = {name: getattr(first, name) for name in Certificate.__struct_fields__}
    body = Certificate(**(fields | changes)).to_bytes()
    safe = MemorySafes.of()[1]
    signature = sign_certificates(safe.entry.safe_id, [body], safe.signing_key)
    (signed,) = verify_call(safe.entry.safe_id, [body], signature, safe.entry.signing_key)
    return signed


@pytest.mark.parametrize("policy", ["threshold", "apart", "sealed", "plain"])
async def test_a_receipt_survives_its_encoding(policy: str) -> None:
    """Byte for byte, strictly."""
    receipt = await receipt_of(batch_of([b"one", b"two"], policy), index=1)
    assert Receipt.from_bytes(receipt.to_bytes()) == receipt
    with pytest.raises(DocumentMalformed):
        Receipt.from_bytes(receipt.to_bytes()[:-1])


async def test_its_id_comes_from_the_item() -> None:
    """The same through all generations."""
    batch = batch_of([b"one"], "threshold")
    receipt = await receipt_of(batch)
    assert receipt.receipt_id == receipt_id_of(batch.plan.items[0].item_id)
    assert receipt_id_of(ItemId(bytes(16))) == "r-aaaaaaaaaa"
    assert receipt.read_leaf().item_id == batch.plan.items[0].item_id


KEEPING = Policy(
    name="keeping",
    summary="Two value shares and a key share stay in the wallet.",
    sealing="shared-key",
    value=Division("shamir", 3, 5),
    key=KeyRule("shared", 3, 5),
    digest="sealed",
    value_at=("safe-1", "wallet", "safe-3", "wallet", "safe-5"),
    key_at=("safe-1", "safe-2", "wallet", "safe-4", "safe-5"),
)


async def test_only_where_the_policy_keeps_shares_has_it_any() -> None:
    """One of each index that no safe has, and never shown."""
    kept, shared = [await receipt_of(batch_of([b"one"], policy)) for policy in (KEEPING, "threshold")]
    assert (shared.kept_shares, shared.kept_key_shares) == ((), ())
    placed = [place.x for place in kept.read_manifest().value_places()]
    assert sorted(placed + [x for x, _ in kept.kept_shares]) == [1, 2, 3, 4, 5]
    assert len(kept.kept_key_shares) == 1
    for _, share in (*kept.kept_shares, *kept.kept_key_shares):
        assert repr(share)[2:-1] not in repr(kept)
        assert share.hex() not in repr(kept)
    assert Receipt.from_bytes(kept.to_bytes()) == kept


async def test_what_the_wallet_keeps_counts_as_much_as_what_a_safe_holds() -> None:
    """Two shares of three are here: of the safes with value shares all but one may go."""
    receipt = await receipt_of(batch_of([b"one"], KEEPING))
    assert state_of(receipt).may_still_be_lost == 2
    assert set(verify_receipt(receipt, ROSTER).values()) == {None}


@pytest.mark.parametrize(
    ("policy", "missing", "lost", "word"),
    [
        ("threshold", (), 2, "safe"),
        ("threshold", (5,), 1, "registered"),
        ("threshold", (1, 3), 0, "registered"),
        ("threshold", (1, 2, 3), -1, "registered"),
        ("apart", (), 1, "safe"),
        ("apart", (4,), 0, "registered"),
        ("apart", (1, 2), 0, "registered"),
        ("plain", (), 0, "safe"),
        ("plain", (1,), -1, "registered"),
    ],
)
async def test_its_state_counts_certificates_against_the_placement(
    policy: str, missing: tuple[int, ...], lost: int, word: str
) -> None:
    """Who holds, who should, how many may still be lost."""
    receipt = await receipt_of(batch_of([b"one"], policy), missing=missing)
    state = state_of(receipt)
    numbers = {safe.safe_id: number for number, safe in enumerate(ROSTER.safes, 1)}
    assert [numbers[safe] for safe in state.placed] == list(range(1, len(state.placed) + 1))
    assert [numbers[safe] for safe in state.holding] == [
        number for number in range(1, len(state.placed) + 1) if number not in missing
    ]
    assert (state.may_still_be_lost, state.word) == (lost, word)
    assert ReceiptState.from_bytes(state.to_bytes()) == state


async def test_certificates_that_come_later_join_the_others() -> None:
    """One for each place, however often one comes."""
    batch = batch_of([b"one"], "threshold")
    all_of_them = (await receipt_of(batch)).certificates
    receipt = await receipt_of(batch, missing=(2, 5))
    for _ in range(2):
        receipt = receipt.with_certificates((all_of_them[1], all_of_them[4]))
    assert sorted(one.read().index for one in receipt.certificates) == [1, 2, 3, 4, 5]
    assert state_of(receipt).word == "safe"


@pytest.mark.parametrize("policy", ["threshold", "apart", "sealed", "plain"])
async def test_an_honest_receipt_holds(policy: str) -> None:
    """Of every safe there is nothing to say."""
    receipt = await receipt_of(batch_of([b"one", b"two"], policy), index=1)
    assert verify_receipt(receipt, ROSTER) == dict.fromkeys(state_of(receipt).placed)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "key"},
        {"digest": batch_of([b"x"], "threshold", seed="z").leaves[0].digest},
        {"x_hash": draw("another hash", 32)},
        {"item_id": ItemId(draw("another item", 16))},
        {"generation": 2},
        {"index": 2},
        {"index": 200},
    ],
    ids=lambda changes: "-".join(map(str, changes)),
)
async def test_a_certificate_of_something_else_is_named(changes: dict[str, Any]) -> None:
    """Though the safe signed it; the others hold."""
    receipt = await receipt_of(batch_of([b"one"], "threshold"))
    findings = verify_receipt(with_first(receipt, certified_again(receipt, **changes)), ROSTER)
    first, *others = findings.values()
    assert isinstance(first, CertificateMismatch)
    assert list(findings) == [safe.safe_id for safe in ROSTER.safes]
    assert others == [None] * 4


async def test_another_counter_is_the_safes_own_affair() -> None:
    """If it signed it."""
    receipt = await receipt_of(batch_of([b"one"], "threshold"))
    findings = verify_receipt(with_first(receipt, certified_again(receipt, counter=99)), ROSTER)
    assert set(findings.values()) == {None}


@pytest.mark.parametrize(
    "spoil",
    [
        {"signature": Signature(bytes(64))},
        {"root": draw("another root", 32)},
        {"position": 1, "count": 2},
        {"count": 2},
        {"path": (bytes(32),)},
    ],
    ids=["signature", "root", "position", "count", "path"],
)
async def test_a_proof_that_does_not_hold_is_named(spoil: dict[str, Any]) -> None:
    """Signature, root, position, path."""
    receipt = await receipt_of(batch_of([b"one"], "threshold"))
    spoiled = msgspec.structs.replace(receipt.certificates[0], **spoil)
    findings = verify_receipt(with_first(receipt, spoiled), ROSTER)
    assert isinstance(findings[ROSTER.safes[0].safe_id], SignatureInvalid)
    assert sum(finding is not None for finding in findings.values()) == 1


async def test_a_good_certificate_of_the_same_safe_hides_no_bad_one() -> None:
    """In either order."""
    receipt = await receipt_of(batch_of([b"one"], "threshold"))
    bad = certified_again(receipt, generation=2)
    for certificates in ((bad, *receipt.certificates), (*receipt.certificates, bad)):
        findings = verify_receipt(changed(receipt, certificates=certificates), ROSTER)
        assert isinstance(findings[ROSTER.safes[0].safe_id], CertificateMismatch)


async def test_a_safe_that_is_not_in_the_roster_is_named() -> None:
    """Its key is not known to anybody."""
    receipt = await receipt_of(batch_of([b"one"], "threshold"))
    findings = verify_receipt(receipt, roster_of(4, 3))
    assert isinstance(findings[ROSTER.safes[4].safe_id], RosterRefused)
    assert [findings[safe.safe_id] for safe in ROSTER.safes[:4]] == [None] * 4


async def test_a_leaf_of_another_item_makes_every_certificate_wrong() -> None:
    """None is of that item."""
    batch = batch_of([b"one", b"two"], "threshold")
    other = {"leaf": batch.leaf_bytes[1], "leaf_position": 1, "leaf_path": batch.leaf_paths[1]}
    receipt = changed(await receipt_of(batch), **other)
    assert all(
        isinstance(finding, CertificateMismatch) for finding in verify_receipt(receipt, ROSTER).values()
    )


@pytest.mark.parametrize("field", ["manifest", "manifest_signature"])
async def test_a_manifest_that_does_not_hold_is_refused_as_a_whole(field: str) -> None:
    """One changed byte."""
    receipt = await receipt_of(batch_of([b"one"], "threshold"))
    content = bytearray(getattr(receipt, field))
    content[-1] ^= 1
    with pytest.raises(TrustError):
        verify_receipt(changed(receipt, **{field: bytes(content)}), ROSTER)


@pytest.mark.parametrize("change", ["a piece root", "the position", "the path", "another's place"])
async def test_a_leaf_that_the_manifest_does_not_name_is_refused(change: str) -> None:
    """The wallet's signature covers it through the manifest's root."""
    batch = batch_of([b"one", b"two"], "threshold")
    receipt = await receipt_of(batch)
    changes: dict[str, dict[str, Any]] = {
        "a piece root": {"leaf": receipt.leaf[:-1] + bytes([receipt.leaf[-1] ^ 1])},
        "the position": {"leaf_position": 1},
        "the path": {"leaf_path": (bytes(32),)},
        "another's place": {"leaf": batch.leaf_bytes[1]},
    }
    with pytest.raises(DocumentMalformed, match="is not one that the manifest names"):
        verify_receipt(changed(receipt, **changes[change]), ROSTER)


async def test_a_leaf_that_does_not_fit_the_manifest_is_refused() -> None:
    """Of another policy: another number of piece roots."""
    receipt = await receipt_of(batch_of([b"one"], "threshold"))
    plain = batch_of([b"one"], "plain")
    with pytest.raises(DocumentMalformed):
        verify_receipt(changed(receipt, leaf=plain.leaf_bytes[0]), ROSTER)


async def test_a_certificate_that_cannot_be_read_is_refused() -> None:
    """Nobody can be named for it."""
    receipt = await receipt_of(batch_of([b"one"], "threshold"))
    nonsense = msgspec.structs.replace(receipt.certificates[0], certificate=b"nonsense")
    with pytest.raises(DocumentMalformed):
        verify_receipt(with_first(receipt, nonsense), ROSTER)


async def test_a_manifest_that_the_wallet_signed_differently_fits_no_key_piece() -> None:
    """C_0 is in X of a piece without value share."""
    batch = batch_of([b"one"], "apart")
    receipt = await receipt_of(batch)
    other = msgspec.structs.replace(
        batch.manifest, commitments=batch_of([b"x"], "apart", seed="z").manifest.commitments
    )
    body, signature = sign_manifest(other, KEYS.signing)
    findings = verify_receipt(changed(receipt, manifest=body, manifest_signature=signature), ROSTER)
    assert [finding is None for finding in findings.values()] == [True, True, True, False, False]


async def test_a_receipt_remembers_the_generation_that_was_withdrawn() -> None:
    """Safes refuse it for ever, so the next one must be another."""
    receipt = await receipt_of(batch_of([b"one"], "threshold"))
    assert receipt.spent_generation == 0
    spent = receipt.with_spent(2)
    assert spent.spent_generation == 2
    assert Receipt.from_bytes(spent.to_bytes()) == spent
    assert changed(spent, spent_generation=0) == receipt


async def test_values_that_leave_are_named_no_more_and_the_others_keep_their_place() -> None:
    """The item stays as it was registered; the last to leave leaves nothing."""
    members = tuple(
        ReceiptMember(ValueId(f"v-{position}"), position, small_value(str(position)).fields, 1)
        for position in range(3)
    )
    receipt = changed(await receipt_of(batch_of([b"three"], "coupled")), members=members)
    assert receipt.is_coupled
    left = receipt.without_members([ValueId("v-0"), ValueId("v-nobody")])
    assert [(one.value_id, one.position) for one in left.members] == [("v-1", 1), ("v-2", 2)]
    assert left.leaf == receipt.leaf
    assert left.without_members([ValueId("v-1"), ValueId("v-2")]).members == ()


async def test_pieces_that_are_lost_certify_nothing_more() -> None:
    """The receipt remembers that there were some, whatever comes later."""
    receipt = await receipt_of(batch_of([b"one"], "threshold"))
    left = receipt.without_pieces({2, 5})
    assert [one.read().index for one in left.certificates] == [1, 3, 4]
    assert (left.has_lost_pieces, receipt.has_lost_pieces) == (True, False)
    assert state_of(left).may_still_be_lost == 0
    assert left.with_certificates(receipt.certificates).has_lost_pieces
