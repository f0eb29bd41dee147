"""From values to parcels and back, without a network: all presets, each length at which something changes."""

from dataclasses import replace
from io import BytesIO
from itertools import combinations

import pytest

from support.batches import (
    KEYS,
    ROSTER,
    batch_of,
    brought_back,
    delivered,
    divided_bytes,
    plaintext,
    plans_of,
    prepared,
    secret_of,
    streamed_blob,
)
from support.memory_safes import CheckFailed, check_parcel
from support.sample_documents import FIELDS
from threshold.errors import SealBroken
from trust.certificate import Certificate
from trust.division import share_length
from trust.manifest import Manifest
from trust.piece import BLINDING_BYTES
from wallet_client.pipeline.batch import EncodedMember
from wallet_client.pipeline.divide import combine
from wallet_client.pipeline.errors import PlanOutdated
from wallet_client.pipeline.parcel import CHUNK_BYTES, STREAMED_ABOVE_BYTES
from wallet_client.pipeline.seal import WHOLE, ItemName, item_name
from wallet_client.policies.presets import policy_names

KIB, MIB = 1024, 1024 * 1024
LENGTHS = [
    0,
    1,
    15,
    1024,
    64 * KIB - 17,  # sealed: just below the line of dispersal
    64 * KIB - 16,
    64 * KIB - 15,
    64 * KIB - 1,
    64 * KIB,
    64 * KIB + 1,
    MIB - 32,  # unsealed: the last blob that travels in one message
    MIB - 31,
    MIB,
    MIB + 1,
    3 * MIB,
    3 * MIB + 5,  # dispersed: pieces of more than 1 MiB, in four segments
]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("policy", policy_names())
def test_any_k_pieces_bring_the_value_back(policy: str, length: int) -> None:
    """Every choice of k value pieces, each with the key from every choice of k key shares in turn."""
    value = plaintext(length)
    batch = batch_of([value], policy)
    arrived = delivered(batch)
    blobs = {x: blob for x, (_, (blob,)) in arrived.items() if blob is not None}
    key_shares = {x: share for parcel, _ in arrived.values() for x, share in parcel.key_shares}
    terms = batch.plan.terms
    key_choices = list(combinations(key_shares, terms.key.k)) if terms.key.mode == "shared" else [()]
    (leaf,) = batch.leaves
    for number, chosen in enumerate(combinations(blobs, terms.value.k)):
        keys = key_choices[number % len(key_choices)]
        secret = secret_of(batch.manifest, {x: key_shares[x] for x in keys}) if keys else None
        assert brought_back(batch, leaf, {x: blobs[x] for x in chosen}, secret) == value


@pytest.mark.parametrize("policy", ["threshold", "apart"])
def test_every_k_key_shares_give_the_same_secret(policy: str) -> None:
    """And it is the one the commitments name."""
    batch = batch_of([b"value"], policy)
    shares = {x: share for parcel, _ in delivered(batch).values() for x, share in parcel.key_shares}
    found = {
        secret_of(batch.manifest, {x: shares[x] for x in chosen}).scalar.to_bytes()
        for chosen in combinations(shares, batch.plan.terms.key.k)
    }
    assert found == {batch.secret.scalar.to_bytes()}


@pytest.mark.parametrize(
    ("policy", "length", "streamed"),
    [
        ("plain", MIB - 32, False),
        ("plain", MIB - 31, True),
        ("sealed", MIB - 48, False),
        ("sealed", MIB - 47, True),
        ("threshold", MIB, False),  # a third of it at each safe
        ("threshold", 3 * MIB - 5_000, False),
        ("threshold", 3 * MIB, True),
    ],
)
def test_a_blob_of_more_than_1_mib_is_streamed(policy: str, length: int, streamed: bool) -> None:
    """Blinding counted; pieces that are smaller than the value go in one message for longer."""
    batch = batch_of([plaintext(length)], policy)
    (parcel,) = batch.parcels(batch.manifest.placement[0].safe_id)
    assert (parcel.streamed is not None) == streamed
    assert (parcel.pieces[0].blob is None) == streamed


@pytest.mark.parametrize("policy", policy_names())
@pytest.mark.parametrize("length", [0, 1, 1024, 100_000, MIB + 1, 2 * MIB + 3])
def test_the_same_plan_makes_the_same_batch_byte_for_byte(policy: str, length: int) -> None:
    """That is what the journal relies on after a crash."""
    value = plaintext(length)
    (plan,) = plans_of([length], policy)
    first, second = prepared(plan, [value]), prepared(type(plan).from_bytes(plan.to_bytes()), [value])
    assert (first.manifest_bytes, first.signature) == (second.manifest_bytes, second.signature)
    for safe_id in plan.arrangement.safes:
        (parcel,) = first.parcels(safe_id)
        assert (parcel,) == second.parcels(safe_id)
        if parcel.streamed is not None:
            assert streamed_blob(first, parcel) == streamed_blob(second, parcel)


@pytest.mark.parametrize("policy", policy_names())
def test_a_streamed_blob_can_be_made_again_and_again(policy: str) -> None:
    """Once for the hashes, once to be sent, once more for the outbox."""
    batch = batch_of([plaintext(4 * MIB)], policy)
    for safe_id in batch.plan.arrangement.safes:
        (parcel,) = batch.parcels(safe_id)
        if parcel.streamed is not None:
            assert streamed_blob(batch, parcel) == streamed_blob(batch, parcel)


@pytest.mark.parametrize("policy", policy_names())
def test_another_seed_makes_other_pieces(policy: str) -> None:
    """Blinding, and with it every piece root, is fresh even where the share is the plain value."""
    one, other = (batch_of([b"value"], policy, seed=seed) for seed in ("one", "another"))
    blobs = [
        {blob for _, held in delivered(batch).values() for blob in held if blob} for batch in (one, other)
    ]
    assert not blobs[0] & blobs[1]
    assert not set(one.leaves[0].piece_roots) & set(other.leaves[0].piece_roots)
    assert one.manifest.salt != other.manifest.salt
    assert one.secret.scalar != other.secret.scalar


def test_blobs_of_different_items_all_differ() -> None:
    """Equal values, equal shares at k = 1, and still nobody can tell; the copies of one item are alike."""
    batch = batch_of([b"same"] * 20, "apart")
    blobs = [blob for _, held in delivered(batch).values() for blob in held if blob is not None]
    assert (len(blobs), len(set(blobs))) == (60, 20)


@pytest.mark.parametrize("policy", ["threshold", "apart"])
def test_a_batch_of_1000_comes_back_item_by_item(policy: str) -> None:
    """All lengths from 0 up; each item's share is a slice of the batch's."""
    values = [plaintext(number % 700, f"value {number}") for number in range(1000)]
    batch = batch_of(values, policy)
    arrived = delivered(batch)
    held = {x: blobs for x, (_, blobs) in arrived.items() if blobs[0] is not None}
    chosen = list(held)[-batch.plan.terms.value.k :]
    for index, leaf in enumerate(batch.leaves):
        assert brought_back(batch, leaf, {x: held[x][index] or b"" for x in chosen}) == values[index]


def test_shares_of_many_items_may_be_combined_at_once() -> None:
    """Shamir works byte by byte: end to end they are the shares of the sealed bytes end to end."""
    values = [plaintext(length, f"value {length}") for length in (0, 5, 17, 300)]
    batch = batch_of(values, "threshold")
    arrived = delivered(batch)
    joined = {
        x: BytesIO(b"".join((blob or b"")[BLINDING_BYTES:] for blob in arrived[x][1])) for x in (1, 3, 5)
    }
    total = sum(leaf.sealed_length for leaf in batch.leaves)
    sealed = bytes(combine(batch.plan.terms, joined, total))
    for leaf, value in zip(batch.leaves, values, strict=True):
        assert batch.secret.open(item_name(leaf), WHOLE, sealed[: leaf.sealed_length]) == value
        sealed = sealed[leaf.sealed_length :]


@pytest.mark.parametrize("policy", policy_names())
@pytest.mark.parametrize("length", [0, 1024, 65_521, MIB, 3 * MIB + 1])
def test_share_length_is_the_length_of_every_share(policy: str, length: int) -> None:
    """Before anything is divided."""
    batch = batch_of([plaintext(length)], policy)
    expected = BLINDING_BYTES + share_length(batch.plan.terms, batch.plan.items[0].divided_length)
    for _, (blob,) in delivered(batch).values():
        assert blob is None or len(blob) == expected
    for place in batch.manifest.placement:
        assert batch.total_bytes(place.safe_id) == (expected if place.value else 0)


@pytest.mark.parametrize("policy", [name for name in policy_names() if name != "compact"])
def test_a_certificate_is_expected_for_each_piece(policy: str) -> None:
    """With the place's index, the item's digest and X; the counter is the safe's to choose."""
    batch = batch_of([b"one", b"two"], policy)
    for place in batch.manifest.placement:
        (parcel,) = batch.parcels(place.safe_id)
        assert batch.piece_items(place.safe_id) == [0, 1] == [piece.leaf_index for piece in parcel.pieces]
        for piece, leaf in zip(parcel.pieces, batch.leaves, strict=True):
            assert piece.expected == Certificate(
                safe_id=place.safe_id,
                kind="value",
                digest=leaf.digest,
                x_hash=batch.manifest.piece_hash(leaf, place.x),
                counter=0,
                item_id=leaf.item_id,
                generation=1,
                index=place.x,
            )


def test_under_apart_no_parcel_has_both() -> None:
    """A blob, or a key share, never both."""
    for parcel, (blob,) in delivered(batch_of([b"value"], "apart")).values():
        assert (blob is None) == bool(parcel.key_shares)


def test_the_manifest_says_what_was_planned() -> None:
    """Whose it is, under which roster, when, and the root over the leaves."""
    batch = batch_of([b"one", b"two"], "threshold")
    manifest = Manifest.from_bytes(batch.manifest_bytes)
    assert manifest == batch.manifest
    assert manifest.wallet_key == KEYS.signing.public
    assert (manifest.roster_version, manifest.roster_hash) == (1, ROSTER.fingerprint)
    assert (manifest.terms, manifest.placement) == (batch.plan.terms, batch.plan.placement)
    assert (manifest.item_count, manifest.ownership, len(manifest.commitments)) == (2, None, 3)


@pytest.mark.parametrize(
    ("policy", "count"), [("plain", 0), ("sealed", 0), ("seed", 0), ("apart", 1), ("threshold", 3)]
)
def test_there_are_as_many_commitments_as_the_key_rule_asks_for(policy: str, count: int) -> None:
    """k where shares of it are placed, else none: a wrap names the wallet's key itself."""
    assert len(batch_of([b"value"], policy).manifest.commitments) == count


@pytest.mark.parametrize("policy", ["sealed", "apart", "threshold"])
@pytest.mark.parametrize("change", [-1, 1])
def test_a_value_that_changed_after_planning_is_not_sent(policy: str, change: int) -> None:
    """Shorter or longer: its pieces would be cut in the wrong places."""
    (plan,) = plans_of([10, 10], policy)
    with pytest.raises(PlanOutdated) as caught:
        prepared(plan, [bytes(10), bytes(10 + change)])
    assert caught.value.value_id == "v-1"
    assert str(caught.value) == "The value v-1 changed after its backup was planned."


def test_every_planned_item_needs_its_value() -> None:
    """One too few is a defect of the caller's."""
    (plan,) = plans_of([1, 1], "threshold")
    with pytest.raises(RuntimeError, match="StopIteration"):
        prepared(plan, [b"a"])


@pytest.mark.parametrize("other", ["item", "generation"])
def test_a_ciphertext_opens_only_as_what_it_is(other: str) -> None:
    """Not as another item's of the same batch, not as another generation's."""
    batch = batch_of([b"one", b"two"], "threshold")
    first, second = batch.leaves
    arrived = delivered(batch)
    sealed = divided_bytes(batch.manifest, first, {x: arrived[x][1][0] or b"" for x in (1, 2, 3)})
    name = ItemName(second.item_id, 1) if other == "item" else ItemName(first.item_id, 2)
    with pytest.raises(SealBroken):
        batch.secret.open(name, WHOLE, sealed)


def test_two_pieces_of_three_say_nothing_about_the_value() -> None:
    """Under any third piece they may stand for any ciphertext; here: combining two gives no seal."""
    batch = batch_of([b"value"], "threshold")
    arrived = delivered(batch)
    blobs = {1: arrived[1][1][0] or b"", 2: arrived[2][1][0] or b""}
    with pytest.raises(SealBroken):
        brought_back(batch, batch.leaves[0], blobs | {3: bytes(len(blobs[1]))})


def test_a_parcel_for_another_safe_would_be_refused() -> None:
    """The check that all tests above rely on does fail."""
    batch = batch_of([b"value"], "threshold")
    (one, _), (other, blobs) = list(delivered(batch).values())[:2]
    with pytest.raises(CheckFailed):
        check_parcel(replace(other, safe_id=one.safe_id), blobs)


@pytest.mark.parametrize("length", [10, 2 * MIB])
def test_nothing_secret_shows_when_a_batch_is_printed(length: int) -> None:
    """Neither seed nor plaintext nor shares, in plan, item, parcel, piece or secret."""
    value = (b"do-not-show-me!!" * (length // 16 + 1))[:length]
    batch = batch_of([value], "plain")
    (parcel,) = batch.parcels(batch.manifest.placement[0].safe_id)
    printed = f"{batch.plan!r}{batch!r}{EncodedMember(value, FIELDS)!r}{parcel.pieces!r}{batch.secret!r}"
    assert "do-not-show" not in printed
    assert repr(batch.plan.seed)[2:-1] not in printed
    assert FIELDS.name not in printed
    assert repr(batch.plan) == "<BatchPlan plain, 1 items>"


def test_a_parcel_tells_roughly_what_it_weighs() -> None:
    """Blobs, leaves and manifest."""
    batch = batch_of([bytes(1000)] * 3, "threshold")
    (parcel,) = batch.parcels(batch.manifest.placement[0].safe_id)
    exact = sum(len(piece.blob or b"") for piece in parcel.pieces) + sum(map(len, parcel.leaves))
    assert parcel.size_bytes == exact + len(parcel.manifest)


def test_the_limits_of_the_wire_are_multiples_of_a_block() -> None:
    """So that each chunk is checked by itself."""
    assert CHUNK_BYTES % (64 * KIB) == 0
    assert STREAMED_ABOVE_BYTES % (64 * KIB) == 0
