"""A batch comes in only when its own documents vouch for every piece of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from safe_node.decisions.admission import Membership, admit_batch
from safe_node.records import AnnouncedBlob, CandidateBatch, CandidatePiece, KeyShare
from support.safe_requests import DECOY_SECRET, Dealt, deal, ownership_of, roster_of, wallet_key
from trust.authorisation import SignedAuthorisation
from trust.ids import Hash, SafeId, Signature, WalletKey
from trust.manifest import Ownership, Place, item_root
from trust.refusals import Refusal
from trust.wallet_refusals import (
    KeyShareMismatch,
    ManifestInvalid,
    NotPlacedHere,
    NotYourItem,
    PieceMismatch,
    RosterUnknown,
)

ROSTER = roster_of(3)
HERE, ELSEWHERE, THIRD = (safe.safe_id for safe in ROSTER.safes)
STRANGER = SafeId(b"s" * 16)
WALLET = wallet_key()
OTHER_WALLET = wallet_key("other")
CALLER = WalletKey(WALLET.public)
MEMBERSHIP = Membership.of(HERE, [ROSTER], DECOY_SECRET)
GOOD = deal(ROSTER, WALLET, [b"first", b"second"], k=2)
LARGE = deal(ROSTER, WALLET, [bytes(200_000)], label="large")
IDENTITY_POINT = bytes(32)


def remanifested(dealt: Dealt = GOOD, **changes: object) -> CandidateBatch:
    return dealt.signed_again(WALLET, **changes).candidate(HERE)


def with_leaves(*leaves: bytes) -> CandidateBatch:
    return replace(remanifested(item_root=Hash(item_root(leaves)), item_count=len(leaves)), leaves=leaves)


def with_piece(number: int, **changes: Any) -> CandidateBatch:
    candidate = GOOD.candidate(HERE)
    pieces = list(candidate.pieces)
    pieces[number] = replace(pieces[number], **changes)
    return replace(candidate, pieces=tuple(pieces))


def with_shares(*shares: KeyShare) -> CandidateBatch:
    return replace(GOOD.candidate(HERE), key_shares=shares)


def placed_at(*safes: SafeId) -> CandidateBatch:
    return remanifested(placement=tuple(Place(n, safe, True, True) for n, safe in enumerate(safes, start=1)))


OWNER = wallet_key("owner")
OWNERSHIP = ownership_of(OWNER, WALLET)
WORD = OWNERSHIP.signed


def owned_as(signed: SignedAuthorisation) -> Ownership:
    return Ownership(OWNERSHIP.binding_id, signed)


BLOB = GOOD.blobs[0, 1]
SHARE = GOOD.shares[1]

SPOILT: dict[str, tuple[CandidateBatch, Refusal]] = {
    "a manifest that does not parse": (
        replace(GOOD.candidate(HERE), manifest=b"\xc1"),
        ManifestInvalid("manifest"),
    ),
    "a manifest with a salt of another length": (
        remanifested(salt=bytes(31)),
        ManifestInvalid("manifest[6]"),
    ),
    "a manifest signed by another wallet": (
        replace(GOOD.candidate(HERE), manifest_signature=bytes(64)),
        ManifestInvalid("manifest_signature"),
    ),
    "an authorisation that does not parse": (
        remanifested(ownership=owned_as(SignedAuthorisation(b"\xc1", Signature(bytes(64))))),
        ManifestInvalid("manifest.ownership"),
    ),
    "an authorisation that no owner signed": (
        remanifested(ownership=owned_as(SignedAuthorisation(WORD.authorisation, Signature(bytes(64))))),
        ManifestInvalid("manifest.ownership"),
    ),
    "another wallet's authorisation": (
        remanifested(ownership=ownership_of(OWNER, OTHER_WALLET)),
        ManifestInvalid("manifest.ownership"),
    ),
    "a roster version nobody made": (remanifested(roster_version=2), RosterUnknown(2)),
    "another roster of the same version": (remanifested(roster_hash=Hash(bytes(32))), RosterUnknown(1)),
    "a placement at a safe outside the roster": (
        placed_at(HERE, ELSEWHERE, STRANGER),
        ManifestInvalid("manifest.placement"),
    ),
    "a placement at other safes only": (placed_at(ELSEWHERE, THIRD), NotPlacedHere()),
    "leaves that are not the manifest's": (
        replace(GOOD.candidate(HERE), leaves=(GOOD.leaves[0], GOOD.leaves[0])),
        ManifestInvalid("leaves"),
    ),
    "an item twice in one batch": (
        with_leaves(GOOD.leaves[0], GOOD.leaves[0]),
        ManifestInvalid("leaves.item_id"),
    ),
    "a leaf that does not parse": (with_leaves(GOOD.leaves[0], b"\xc1"), ManifestInvalid("leaves")),
    "a piece for an index of another safe": (with_piece(0, x=2), NotPlacedHere()),
    "a piece twice": (with_piece(1, leaf_index=0), PieceMismatch("pieces")),
    "a missing piece": (
        replace(GOOD.candidate(HERE), pieces=GOOD.candidate(HERE).pieces[:1]),
        PieceMismatch("pieces"),
    ),
    "a changed blob": (with_piece(0, content=BLOB[:-1] + b"?"), PieceMismatch("pieces[0].blob")),
    "the blob of another item": (with_piece(1, content=BLOB), PieceMismatch("pieces[1].blob")),
    "no blob where a value share is placed": (with_piece(1, content=None), PieceMismatch("pieces[1].blob")),
    "a blob too short for its random bytes": (
        with_piece(0, content=b"x" * 31),
        PieceMismatch("pieces[0].blob"),
    ),
    "commitments that are no points": (
        remanifested(commitments=(b"\xff" * 32, b"\xff" * 32)),
        ManifestInvalid("manifest.commitments"),
    ),
    "the identity as a commitment": (
        remanifested(commitments=(GOOD.manifest.commitments[0], IDENTITY_POINT)),
        ManifestInvalid("manifest.commitments"),
    ),
    "too few commitments": (
        remanifested(commitments=GOOD.manifest.commitments[:1]),
        ManifestInvalid("manifest"),
    ),
    "other commitments": (
        remanifested(commitments=GOOD.manifest.commitments[:1] * 2),
        KeyShareMismatch("key_shares[0]"),
    ),
    "no key share where one is placed": (with_shares(), KeyShareMismatch("key_shares")),
    "the key share of another index": (
        with_shares(KeyShare(2, GOOD.shares[2])),
        KeyShareMismatch("key_shares"),
    ),
    "a key share twice": (
        with_shares(KeyShare(1, SHARE), KeyShare(1, SHARE)),
        KeyShareMismatch("key_shares"),
    ),
    "a key share off the polynomial": (
        with_shares(KeyShare(1, GOOD.shares[2])),
        KeyShareMismatch("key_shares[0]"),
    ),
    "a key share that is not canonical": (
        with_shares(KeyShare(1, b"\xff" * 32)),
        KeyShareMismatch("key_shares[0]"),
    ),
}


@pytest.mark.parametrize(("candidate", "refusal"), SPOILT.values(), ids=SPOILT)
def test_refuses(candidate: CandidateBatch, refusal: Refusal) -> None:
    """Each way a batch can be wrong has its refusal, and the refusal names the field."""
    with pytest.raises(type(refusal)) as caught:
        admit_batch(candidate, CALLER, MEMBERSHIP)
    assert str(caught.value) == str(refusal)


def test_another_wallets_manifest_is_not_the_callers() -> None:
    """A right manifest, shown by somebody else."""
    with pytest.raises(NotYourItem):
        admit_batch(GOOD.candidate(HERE), WalletKey(OTHER_WALLET.public), MEMBERSHIP)


@pytest.mark.parametrize("safe_id", [HERE, ELSEWHERE, THIRD], ids=["first", "second", "third"])
def test_a_right_batch_is_admitted_at_each_of_its_safes(safe_id: SafeId) -> None:
    """Every piece comes out with its leaf, its X and its place."""
    membership = Membership.of(safe_id, [ROSTER], DECOY_SECRET)
    batch = admit_batch(GOOD.candidate(safe_id), CALLER, membership)
    x = GOOD.manifest.places_at(safe_id)[0].x
    assert [piece.name for piece in batch.pieces] == [(leaf.item_id, 1, x) for leaf in GOOD.items]
    assert [piece.x_hash for piece in batch.pieces] == [
        GOOD.manifest.piece_hash(leaf, x) for leaf in GOOD.items
    ]
    assert all(piece.has_key_share for piece in batch.pieces)
    assert len(batch.leaf_hashes) == 32 * len(GOOD.leaves)


def test_a_place_without_a_value_share_takes_no_blob() -> None:
    """A safe that keeps only a key share is named X by the key piece, and refuses a blob for it."""
    places = [Place(1, HERE, False, True), Place(2, ELSEWHERE, True, True)]
    dealt = deal(ROSTER, WALLET, [b"apart"], places=places, label="apart")
    candidate = dealt.candidate(HERE)
    piece = admit_batch(candidate, CALLER, MEMBERSHIP).pieces[0]
    assert piece.content is None
    assert piece.x_hash == dealt.manifest.piece_hash(dealt.items[0], 1)
    with pytest.raises(PieceMismatch):
        admit_batch(replace(candidate, pieces=(CandidatePiece(0, 1, b"x" * 40),)), CALLER, MEMBERSHIP)


def test_a_batch_without_keys_needs_none() -> None:
    """The policy `plain` shares no secret."""
    dealt = deal(ROSTER, WALLET, [b"plain"], key_mode="none", label="plain")
    batch = admit_batch(dealt.candidate(HERE), CALLER, MEMBERSHIP)
    assert batch.key_shares == ()
    assert not batch.pieces[0].has_key_share


def test_an_opening_is_admitted_by_its_announcement() -> None:
    """The blob is not there yet; its block hashes lead to the piece root."""
    candidate, blob = LARGE.streamed_candidate(HERE)
    piece = admit_batch(candidate, CALLER, MEMBERSHIP).pieces[0]
    assert isinstance(piece.content, AnnouncedBlob)
    assert piece.content.length == len(blob)


def test_an_opening_may_bring_one_of_several_pieces() -> None:
    """Two large pieces of one item at one safe come in two streams, each with its own key share."""
    places = [Place(1, HERE, True, True), Place(2, HERE, True, True)]
    dealt = deal(ROSTER, WALLET, [bytes(100_000)], places=places, label="two here")
    for x in (1, 2):
        candidate, _ = dealt.streamed_candidate(HERE, x)
        assert [piece.x for piece in admit_batch(candidate, CALLER, MEMBERSHIP).pieces] == [x]


OPENING_SPOILT: dict[str, tuple[Callable[[AnnouncedBlob], AnnouncedBlob], str]] = {
    "a hash of another block": (
        lambda blob: replace(blob, block_hashes=(bytes(32), *blob.block_hashes[1:])),
        "pieces[0].blob",
    ),
    "a length for more blocks": (lambda blob: replace(blob, length=blob.length + 65_536), "pieces[0].blob"),
    "no blocks": (lambda blob: replace(blob, block_hashes=()), "pieces[0].blob"),
}


@pytest.mark.parametrize(("spoil", "field"), OPENING_SPOILT.values(), ids=OPENING_SPOILT)
def test_refuses_an_opening_with(spoil: Callable[[AnnouncedBlob], AnnouncedBlob], field: str) -> None:
    """An announcement that cannot lead to the piece root is refused before a byte is sent."""
    candidate, _ = LARGE.streamed_candidate(HERE)
    content = candidate.pieces[0].content
    assert isinstance(content, AnnouncedBlob)
    pieces = (replace(candidate.pieces[0], content=spoil(content)),)
    with pytest.raises(PieceMismatch) as caught:
        admit_batch(replace(candidate, pieces=pieces), CALLER, MEMBERSHIP)
    assert caught.value.field == field


def test_an_opening_for_an_index_elsewhere_is_not_placed_here() -> None:
    """x belongs to another safe."""
    candidate, _ = LARGE.streamed_candidate(ELSEWHERE)
    with pytest.raises(NotPlacedHere):
        admit_batch(candidate, CALLER, MEMBERSHIP)


def test_secrets_have_no_repr() -> None:
    """What may be logged by accident shows neither blobs nor key shares."""
    batch = admit_batch(GOOD.candidate(HERE), CALLER, MEMBERSHIP)
    shown = repr(batch) + repr(GOOD.candidate(HERE))
    assert repr(BLOB) not in shown
    assert repr(SHARE) not in shown


def test_the_owners_word_comes_in_with_the_batch() -> None:
    """As it was signed; a batch of nobody's brings none."""
    owned = admit_batch(remanifested(ownership=OWNERSHIP), CALLER, MEMBERSHIP).authorisation
    assert owned is not None
    assert (owned.owner_key, owned.wallet_key) == (OWNER.public, CALLER)
    assert (owned.authorisation, owned.signature) == (WORD.authorisation, WORD.signature)
    assert admit_batch(GOOD.candidate(HERE), CALLER, MEMBERSHIP).authorisation is None
