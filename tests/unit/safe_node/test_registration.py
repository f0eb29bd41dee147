"""Counters, repeated calls, conflicts and quotas, decided on a given state."""

from dataclasses import replace

import pytest

from safe_node.accounts import AdmittedAuthorisation, WalletState
from safe_node.decisions.admission import Membership, admit_batch
from safe_node.decisions.registration import RegistrationRules, plan_registration
from safe_node.records import ExistingPiece, RegistrationPlan, RegistrationState
from support.safe_requests import DECOY_SECRET, deal, roster_of, wallet_key
from trust.certificate import COUNTER_LIMIT, Certificate
from trust.ids import Hash, OwnerKey, WalletKey
from trust.owner_refusals import WalletHasOwner, WalletRevoked
from trust.refusals import Refusal
from trust.wallet_refusals import ItemDeleted, PieceConflict, QuotaExceeded

ROSTER = roster_of(1)
SAFE_ID = ROSTER.safes[0].safe_id
WALLET = wallet_key()
BATCH = admit_batch(
    deal(ROSTER, WALLET, [b"a", b"b", b"c"]).candidate(SAFE_ID),
    WalletKey(WALLET.public),
    Membership.of(SAFE_ID, [ROSTER], DECOY_SECRET),
)
RULES = RegistrationRules(SAFE_ID, COUNTER_LIMIT, 0)
EMPTY = RegistrationState(0, 0, False, frozenset(), {})


def counters(plan: RegistrationPlan) -> list[int]:
    return [Certificate.from_bytes(body).counter for body in plan.certificates]


def after(plan: RegistrationPlan) -> RegistrationState:
    existing = {
        new.piece.name: ExistingPiece(BATCH.manifest_hash, new.piece.x_hash, new.certificate)
        for new in plan.new_pieces
    }
    return RegistrationState(plan.next_counter, plan.added_bytes, True, frozenset(), existing)


def test_certificates_say_what_the_batch_says() -> None:
    """Kind, digest, X, item, generation and index are the piece's; safe and counter are the safe's."""
    plan = plan_registration(EMPTY, BATCH, RULES)
    for body, piece in zip(plan.certificates, BATCH.pieces, strict=True):
        found = Certificate.from_bytes(body)
        assert (found.safe_id, found.kind, found.digest) == (SAFE_ID, piece.kind, piece.digest)
        assert (found.x_hash, found.item_id, found.generation) == (
            piece.x_hash,
            piece.item_id,
            piece.generation,
        )
        assert found.index == piece.x


@pytest.mark.parametrize(
    ("start", "limit", "expected", "following"),
    [
        (0, COUNTER_LIMIT, [0, 1, 2], 3),
        (41, COUNTER_LIMIT, [41, 42, 43], 44),
        (COUNTER_LIMIT, COUNTER_LIMIT, [COUNTER_LIMIT, 0, 1], 2),
        (COUNTER_LIMIT - 2, COUNTER_LIMIT, [COUNTER_LIMIT - 2, COUNTER_LIMIT - 1, COUNTER_LIMIT], 0),
        (1, 1, [1, 0, 1], 0),
    ],
    ids=["from zero", "goes on", "wraps in the batch", "wraps after the batch", "smallest limit"],
)
def test_the_counter(start: int, limit: int, expected: list[int], following: int) -> None:
    """Y rises by one for each certificate and returns to 0 after its limit."""
    plan = plan_registration(replace(EMPTY, next_counter=start), BATCH, replace(RULES, counter_limit=limit))
    assert counters(plan) == expected
    assert plan.next_counter == following


def test_the_same_batch_again_gets_the_same_certificates() -> None:
    """Nothing is written and no counter is used."""
    first = plan_registration(EMPTY, BATCH, RULES)
    again = plan_registration(after(first), BATCH, replace(RULES, bytes_per_wallet=1))
    assert again.certificates == first.certificates
    assert again.new_pieces == ()
    assert again.added_bytes == 0
    assert again.next_counter == first.next_counter


def test_a_batch_that_stands_in_part_is_completed() -> None:
    """What stands keeps its counter; only the rest is new."""
    first = plan_registration(EMPTY, BATCH, RULES)
    state = after(first)
    partly = {BATCH.pieces[1].name: state.existing[BATCH.pieces[1].name]}
    plan = plan_registration(replace(state, existing=partly), BATCH, RULES)
    assert counters(plan) == [3, 1, 4]
    assert plan.batch_cost == 0


@pytest.mark.parametrize("field", ["manifest_hash", "x_hash"])
def test_another_piece_under_the_same_name_conflicts(field: str) -> None:
    """Same item, generation and index; another X or another manifest."""
    state = after(plan_registration(EMPTY, BATCH, RULES))
    name = BATCH.pieces[2].name
    changed = replace(state.existing[name], **{field: Hash(bytes(32))})
    with pytest.raises(PieceConflict):
        plan_registration(replace(state, existing={**state.existing, name: changed}), BATCH, RULES)


def test_a_deleted_item_never_comes_back() -> None:
    """The tombstone goes before everything else."""
    state = replace(
        after(plan_registration(EMPTY, BATCH, RULES)), deleted=frozenset({BATCH.pieces[0].name[:2]})
    )
    with pytest.raises(ItemDeleted):
        plan_registration(state, BATCH, RULES)


def test_the_quota_holds_to_the_byte() -> None:
    """Exactly full is allowed; one byte more is not, and the refusal says how much."""
    needed = plan_registration(EMPTY, BATCH, RULES).added_bytes
    state = replace(EMPTY, used_bytes=100)
    plan_registration(state, BATCH, replace(RULES, bytes_per_wallet=100 + needed))
    with pytest.raises(QuotaExceeded) as caught:
        plan_registration(state, BATCH, replace(RULES, bytes_per_wallet=99 + needed))
    refusal = caught.value
    assert (refusal.limit_bytes, refusal.used_bytes, refusal.needed_bytes) == (99 + needed, 100, needed)


OWNER, OTHER = OwnerKey(wallet_key("owner").public), OwnerKey(wallet_key("other owner").public)
OWNED = replace(BATCH, authorisation=AdmittedAuthorisation(OWNER, BATCH.wallet_key, b"", b""))


@pytest.mark.parametrize(
    ("wallet", "authorises"),
    [(WalletState(), True), (WalletState(OWNER), False)],
    ids=["nobody's until now", "the owner's already"],
)
def test_a_batch_of_an_owners_makes_the_wallet_theirs(wallet: WalletState, authorises: bool) -> None:
    """Once; also when its pieces stand already."""
    plan = plan_registration(replace(EMPTY, wallet=wallet), OWNED, RULES)
    assert plan.authorises is authorises
    again = plan_registration(replace(after(plan), wallet=wallet), OWNED, RULES)
    assert (again.new_pieces, again.authorises) == ((), authorises)


@pytest.mark.parametrize(
    ("wallet", "refusal"),
    [
        (WalletState(OTHER), WalletHasOwner),
        (WalletState(revoked=True), WalletRevoked),
        (WalletState(OWNER, revoked=True), WalletRevoked),
        (WalletState(forgotten=True), WalletRevoked),
    ],
    ids=["another owner's wallet", "revoked before it was seen", "revoked", "the owner was forgotten"],
)
def test_a_batch_of_an_owner_whose_the_wallet_cannot_be_is_refused(
    wallet: WalletState, refusal: type[Refusal]
) -> None:
    """As AuthoriseWallet refuses it, and before anything else is looked at."""
    state = replace(EMPTY, wallet=wallet, deleted=frozenset({BATCH.pieces[0].name[:2]}))
    with pytest.raises(refusal):
        plan_registration(state, OWNED, RULES)


def test_a_batch_of_nobodys_asks_for_no_owner() -> None:
    """Whatever stands against the wallet, the rights have judged it."""
    assert not plan_registration(replace(EMPTY, wallet=WalletState(OTHER)), BATCH, RULES).authorises
