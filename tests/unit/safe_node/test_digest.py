"""The safe derives the digest of what it could read anyway, and takes no other [E1, C2]."""

from dataclasses import replace

import pytest

from safe_node.decisions.admission import Membership, admit_batch, check_digest
from safe_node.records import AnnouncedBlob, CandidateBatch, CandidatePiece, KeyShare
from support.batches import KEYS, plans_of
from support.memory_safes import roster_of
from support.safe_requests import DECOY_SECRET
from support.wallet_samples import FULL_VALUE
from trust.digest import DEFAULT_SHOWN, DigestField, DigestFields, digest_fields_of
from trust.ids import WalletKey
from trust.wallet_refusals import DigestMismatch
from wallet_client.pipeline.batch import EncodedMember, PreparedBatch
from wallet_client.policies.policy import Policy
from wallet_client.policies.presets import policy_named
from wallet_client.values.value import Value, encode_value

ROSTER = roster_of(5, 3)
CALLER = WalletKey(KEYS.signing.public)
MEMBERSHIP = Membership.of(ROSTER.safes[0].safe_id, [ROSTER], DECOY_SECRET)
LARGE = FULL_VALUE.with_fields(payload=bytes(2_000_000))
PLAIN = policy_named("plain", ROSTER)
OTHER = DigestFields(item_class="gold-bar", name="not what it is")


def prepared(encoded: bytes, says: DigestFields, policy: Policy = PLAIN) -> PreparedBatch:
    """A batch of one value, whose digest says what we like."""
    (plan,) = plans_of([len(encoded)], policy, roster=ROSTER)
    return PreparedBatch(plan, [EncodedMember(encoded, says)], KEYS)


def candidate(batch: PreparedBatch) -> CandidateBatch:
    """What goes to the first safe."""
    (parcel,) = batch.parcels(ROSTER.safes[0].safe_id)
    streamed = parcel.streamed
    announced = AnnouncedBlob(streamed.length, streamed.block_hashes) if streamed else None
    pieces = tuple(CandidatePiece(one.leaf_index, one.x, one.blob or announced) for one in parcel.pieces)
    shares = tuple(KeyShare(x, share) for x, share in parcel.key_shares)
    return CandidateBatch(parcel.manifest, parcel.signature, parcel.leaves, pieces, shares)


@pytest.mark.parametrize(
    "shown", [DEFAULT_SHOWN, ("class",), ("remaining-amount", "currency", "held-since"), ()]
)
@pytest.mark.parametrize("value", [FULL_VALUE, FULL_VALUE.with_fields(payload=b"")])
def test_the_digest_of_the_value_itself_is_taken(value: Value, shown: tuple[DigestField, ...]) -> None:
    """Whichever fields the policy shows."""
    policy = replace(PLAIN, shown=shown)
    batch = prepared(encode_value(value), digest_fields_of(value, shown), policy)
    (piece,) = admit_batch(candidate(batch), CALLER, MEMBERSHIP).pieces
    assert piece.digest == batch.leaves[0].digest


@pytest.mark.parametrize(
    "says",
    [OTHER, DigestFields(), digest_fields_of(FULL_VALUE, (*DEFAULT_SHOWN, "unit-price"))],
    ids=["another value's", "nothing", "more than the policy shows"],
)
def test_another_digest_is_refused(says: DigestFields) -> None:
    """A certificate would say what is not so."""
    with pytest.raises(DigestMismatch) as caught:
        admit_batch(candidate(prepared(encode_value(FULL_VALUE), says)), CALLER, MEMBERSHIP)
    assert caught.value.field == "leaves[0].digest"


def test_what_is_no_value_is_refused() -> None:
    """An unsealed whole value that no wallet could read has no digest."""
    with pytest.raises(DigestMismatch):
        admit_batch(candidate(prepared(b"no value at all", OTHER)), CALLER, MEMBERSHIP)


@pytest.mark.parametrize(
    "policy",
    [
        replace(PLAIN, digest="vacant"),
        replace(PLAIN, digest="sealed"),
        replace(PLAIN, coupling="couple-then-seal"),
        policy_named("threshold", ROSTER),
        replace(policy_named("threshold", ROSTER), digest="public"),
    ],
    ids=["vacant", "sealed digest", "coupled", "sealed", "sealed, and a public digest"],
)
def test_what_the_safe_cannot_read_is_the_wallets_word(policy: Policy) -> None:
    """It has nothing to compare with."""
    batch = admit_batch(candidate(prepared(encode_value(FULL_VALUE), OTHER, policy)), CALLER, MEMBERSHIP)
    assert batch.shown is None
    check_digest(batch, batch.pieces[0], b"")


def test_a_streamed_value_is_judged_by_its_first_chunk() -> None:
    """The opening is taken; what the first bytes say is compared when they come."""
    honest = prepared(encode_value(LARGE), digest_fields_of(LARGE, DEFAULT_SHOWN))
    lying = prepared(encode_value(LARGE), OTHER)
    for batch, holds in ((honest, True), (lying, False)):
        admitted = admit_batch(candidate(batch), CALLER, MEMBERSHIP)
        first = next(batch.chunks(1))
        if holds:
            check_digest(admitted, admitted.pieces[0], first)
            check_digest(admitted, admitted.pieces[0], first[:65_536])
            continue
        with pytest.raises(DigestMismatch):
            check_digest(admitted, admitted.pieces[0], first)
