"""What a safe lacks of a batch, how it asks for it, and what it believes of what it is shown."""

from dataclasses import replace
from hashlib import sha256

import pytest

from safe_node.accounts import WalletState
from safe_node.decisions.admission import Membership
from safe_node.decisions.registration import RegistrationRules
from safe_node.decisions.repairing import (
    SESSION_BYTES,
    RepairRules,
    SessionPart,
    admit_rebuilt,
    check_key_share,
    item_names,
    lacking,
    merged,
    ranges,
    read_shown,
    session_parts,
)
from safe_node.records import RegistrationState
from safe_node.repairs import KnownBatch, ShownBatch, ShownLeaf
from support.batches import ROSTER, batch_of, delivered, plaintext
from threshold import merkle
from trust.errors import DocumentMalformed, SignatureInvalid, TrustError
from trust.ids import Hash
from trust.wallet_refusals import KeyShareMismatch

BATCH = batch_of([plaintext(9, "a"), plaintext(700, "b"), plaintext(0, "c")], "threshold")
HASH = Hash(sha256(BATCH.manifest_bytes).digest())
ME = ROSTER.safes[1].safe_id
MEMBERSHIP = Membership.of(ME, [ROSTER], bytes(32))
SHOWN = ShownBatch(
    BATCH.manifest_bytes,
    BATCH.signature,
    b"".join(merkle.leaf_hash(leaf) for leaf in BATCH.leaf_bytes),
    tuple(ShownLeaf(index, leaf) for index, leaf in enumerate(BATCH.leaf_bytes)),
)


def known() -> KnownBatch:
    return read_shown(SHOWN, HASH, MEMBERSHIP)


def test_a_batch_is_believed_for_its_documents() -> None:
    """All leaves, or only some of them, from one peer or from several."""
    first = read_shown(replace(SHOWN, leaves=SHOWN.leaves[:1]), HASH, MEMBERSHIP)
    rest = read_shown(replace(SHOWN, leaves=SHOWN.leaves[1:]), HASH, MEMBERSHIP)
    assert merged([first, rest]) == known()
    assert set(item_names(known())) == {0, 1, 2}


@pytest.mark.parametrize(
    ("shown", "refusal"),
    [
        pytest.param(replace(SHOWN, manifest=b"other"), DocumentMalformed, id="another manifest"),
        pytest.param(replace(SHOWN, signature=bytes(64)), SignatureInvalid, id="not the wallet's signature"),
        pytest.param(replace(SHOWN, leaf_hashes=bytes(96)), DocumentMalformed, id="other leaves"),
        pytest.param(replace(SHOWN, leaf_hashes=b""), DocumentMalformed, id="no leaf hashes"),
        pytest.param(
            replace(SHOWN, leaves=(ShownLeaf(1, SHOWN.leaves[0].leaf),)),
            DocumentMalformed,
            id="a leaf elsewhere",
        ),
        pytest.param(
            replace(SHOWN, leaves=(ShownLeaf(3, SHOWN.leaves[0].leaf),)),
            DocumentMalformed,
            id="a leaf beyond",
        ),
        pytest.param(replace(SHOWN, leaves=(ShownLeaf(0, b"leaf"),)), DocumentMalformed, id="no leaf at all"),
    ],
)
def test_what_a_peer_shows_wrongly_is_not_believed(shown: ShownBatch, refusal: type[TrustError]) -> None:
    """And the peer is known."""
    with pytest.raises(refusal):
        read_shown(shown, HASH, MEMBERSHIP)


def test_a_batch_under_a_roster_that_is_not_known_is_not_believed() -> None:
    """Its safes may be anybody."""
    stranger = Membership(ME, {}, {}, bytes(32))
    with pytest.raises(DocumentMalformed):
        read_shown(SHOWN, HASH, stranger)


def test_what_is_lacking_is_what_is_placed_here_and_neither_kept_nor_buried() -> None:
    """Leaf by leaf."""
    batch = known()
    (place,) = batch.manifest.places_at(ME)
    (missing,) = lacking(batch, ME, {(0, place.x)}, {item_names(batch)[2]})
    assert (missing.place, missing.leaf_indices) == (place, (1,))
    assert lacking(batch, ME, {(index, place.x) for index in range(3)}, set()) == ()


def test_sessions_hold_whole_small_blobs_and_parts_of_large_ones() -> None:
    """None is longer than a session may be."""
    lengths = {0: 10, 1: SESSION_BYTES - 5, 2: 2 * SESSION_BYTES + 1, 3: 7}
    parts = list(session_parts([0, 1, 2, 3], lengths))
    assert parts == [
        SessionPart((0,), 0, 10),
        SessionPart((1,), 0, SESSION_BYTES - 5),
        SessionPart((2,), 0, SESSION_BYTES),
        SessionPart((2,), SESSION_BYTES, SESSION_BYTES),
        SessionPart((2,), 2 * SESSION_BYTES, 1),
        SessionPart((3,), 0, 7),
    ]
    assert list(session_parts([0, 3], lengths)) == [SessionPart((0, 3), 0, 17)]
    assert ranges(5, 2) == [(0, 2), (2, 2), (4, 1)]
    assert list(session_parts([], {})) == []


def test_a_rebuilt_key_share_lies_on_the_committed_polynomial() -> None:
    """Any other is refused, also one that is no scalar."""
    batch = known()
    (place,) = batch.manifest.places_at(ME)
    ((_, share),) = delivered(BATCH)[place.x][0].key_shares
    assert check_key_share(batch.manifest, place.x, share).share == share
    for wrong in (bytes(32), b"\xff" * 32, b"short"):
        with pytest.raises(KeyShareMismatch):
            check_key_share(batch.manifest, place.x, wrong)


@pytest.mark.parametrize(
    ("stored", "limit", "first"),
    [
        pytest.param(0, 2**63 - 1, 5 << 20, id="a database that was lost"),
        pytest.param((5 << 20) + 1, 2**63 - 1, (5 << 20) + 1, id="a counter that is beyond"),
        pytest.param(7, 100, 7, id="a counter that returns to 0 before"),
    ],
)
def test_the_counter_goes_on(stored: int, limit: int, first: int) -> None:
    """Whoever counted before; and a wallet that was revoked since has what it had."""
    batch = known()
    (place,) = batch.manifest.places_at(ME)
    admitted = admit_rebuilt(batch, place, dict(enumerate(delivered(BATCH)[place.x][1])), None)
    state = RegistrationState(stored, 0, False, frozenset(), {}, WalletState(revoked=True))
    plan = RepairRules(RegistrationRules(ME, limit, 0), now=5).plan(state, admitted)
    assert [new.counter for new in plan.new_pieces] == [first, first + 1, first + 2]


def test_what_was_rebuilt_is_registered_as_what_a_wallet_brings() -> None:
    """The same pieces under the same names."""
    batch = known()
    (place,) = batch.manifest.places_at(ME)
    _, blobs = delivered(BATCH)[place.x]
    admitted = admit_rebuilt(batch, place, dict(enumerate(blobs)), None)
    assert [piece.x_hash for piece in admitted.pieces] == [
        batch.manifest.piece_hash(batch.leaves[index].leaf, place.x) for index in range(3)
    ]
    assert (admitted.manifest_hash, admitted.authorisation, admitted.key_shares) == (HASH, None, ())
