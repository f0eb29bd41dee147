"""Only the owner's signed word makes a wallet theirs, or ends that; and it concerns that owner alone."""

from dataclasses import replace

import pytest

from safe_node.accounts import RevocationState, Standing, WalletState
from safe_node.decisions.accounts import (
    MAX_UNSEEN_REVOKED,
    REARM_EVERY_MS,
    judge_authorisation,
    judge_revocation,
    plan_authorisation,
    plan_rearming,
    plan_revocation,
)
from safe_node.handlers.rights import Right, caller, check_right
from safe_node.owners import Ledger
from support.sample_documents import NOW, key
from trust.authorisation import authorise_wallet, revoke_wallet
from trust.ids import OwnerKey, WalletKey
from trust.owner_refusals import (
    NotAnOwnersWallet,
    NotTheOwner,
    OwnerUnknown,
    RearmedLately,
    TooManyRevocations,
    WalletHasOwner,
    WalletRevoked,
)
from trust.refusals import Malformed, Refusal, RequestUnsigned
from trust.wallet_refusals import NotYourItem

T = 1_790_000_000_000
OWNER_KEY, OTHER_KEY = key("owner"), key("other owner")
OWNER, OTHER = OwnerKey(OWNER_KEY.public), OwnerKey(OTHER_KEY.public)
WALLET, STRANGER = WalletKey(key("wallet").public), WalletKey(key("stranger").public)
GOOD = authorise_wallet(WALLET, NOW, OWNER_KEY)
WORD = judge_authorisation(GOOD.authorisation, GOOD.signature, WALLET)
AGAINST, AGAINST_SIGNATURE = revoke_wallet(WALLET, NOW, OWNER_KEY)
THE_WALLET = Standing(WALLET, OWNER)
THE_OWNER = Standing(WalletKey(OWNER), OWNER)


def test_an_owners_word_for_the_caller_is_taken() -> None:
    """With the bytes that were signed."""
    assert (WORD.owner_key, WORD.wallet_key) == (OWNER, WALLET)
    assert (WORD.authorisation, WORD.signature) == (GOOD.authorisation, GOOD.signature)


@pytest.mark.parametrize(
    ("body", "signature", "by", "refusal"),
    [
        pytest.param(b"\xc1", GOOD.signature, WALLET, Malformed("authorisation"), id="no document"),
        pytest.param(
            AGAINST + b"x", GOOD.signature, WALLET, Malformed("authorisation"), id="bytes behind it"
        ),
        pytest.param(GOOD.authorisation, bytes(64), WALLET, Malformed("signature"), id="unsigned"),
        pytest.param(
            AGAINST,
            AGAINST_SIGNATURE,
            WALLET,
            Malformed("signature"),
            id="a revocation shown as an authorisation",
        ),
        pytest.param(GOOD.authorisation, GOOD.signature, STRANGER, NotYourItem(), id="another's"),
    ],
)
def test_a_word_for_a_wallet_is_refused_that_is(
    body: bytes, signature: bytes, by: WalletKey, refusal: Refusal
) -> None:
    with pytest.raises(type(refusal)) as refused:
        judge_authorisation(body, signature, by)
    assert vars(refused.value) == vars(refusal)


@pytest.mark.parametrize(
    ("state", "writes"),
    [
        pytest.param(WalletState(None, revoked=False), True, id="nobody's wallet becomes the owner's"),
        pytest.param(WalletState(OWNER, revoked=False), False, id="the owner's stays as it is"),
    ],
)
def test_an_authorisation_is_written_once(state: WalletState, writes: bool) -> None:
    assert plan_authorisation(state, WORD) is writes


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        pytest.param(WalletState(OTHER, revoked=False), WalletHasOwner, id="another owner's"),
        pytest.param(WalletState(OWNER, revoked=True), WalletRevoked, id="revoked"),
        pytest.param(WalletState(None, revoked=True), WalletRevoked, id="revoked before it was ever seen"),
        pytest.param(WalletState(OTHER, revoked=True), WalletRevoked, id="revoked by another owner of its"),
    ],
)
def test_a_wallet_does_not_become_the_owners_that_is(state: WalletState, refusal: type[Refusal]) -> None:
    """For good."""
    with pytest.raises(refusal):
        plan_authorisation(state, WORD)


@pytest.mark.parametrize(
    "by",
    [
        pytest.param(THE_OWNER, id="the owner"),
        pytest.param(THE_WALLET, id="the wallet itself"),
        pytest.param(Standing(STRANGER, OWNER), id="another wallet of the owner's"),
        pytest.param(Standing(WalletKey(OWNER)), id="an owner of whom the safe knows nothing"),
    ],
)
def test_a_word_against_a_wallet_is_brought_by(by: Standing) -> None:
    word = judge_revocation(AGAINST, AGAINST_SIGNATURE, by)
    assert (word.owner_key, word.wallet_key, word.revocation) == (OWNER, WALLET, AGAINST)


@pytest.mark.parametrize(
    ("body", "signature", "by", "refusal"),
    [
        pytest.param(b"\xc1", AGAINST_SIGNATURE, THE_OWNER, Malformed("revocation"), id="no document"),
        pytest.param(AGAINST, bytes(64), THE_OWNER, Malformed("signature"), id="unsigned"),
        pytest.param(
            GOOD.authorisation,
            GOOD.signature,
            THE_OWNER,
            Malformed("signature"),
            id="an authorisation shown as a revocation",
        ),
        pytest.param(AGAINST, AGAINST_SIGNATURE, Standing(STRANGER), NotAnOwnersWallet(), id="by a stranger"),
        pytest.param(
            AGAINST, AGAINST_SIGNATURE, Standing(STRANGER, OTHER), NotTheOwner(), id="by another's wallet"
        ),
        pytest.param(
            AGAINST,
            AGAINST_SIGNATURE,
            Standing(WalletKey(OTHER), OTHER),
            NotTheOwner(),
            id="by another owner",
        ),
    ],
)
def test_a_word_against_a_wallet_is_refused(
    body: bytes, signature: bytes, by: Standing, refusal: Refusal
) -> None:
    with pytest.raises(type(refusal)) as refused:
        judge_revocation(body, signature, by)
    assert vars(refused.value) == vars(refusal)


@pytest.mark.parametrize(
    ("state", "writes"),
    [
        pytest.param(RevocationState(), True, id="the first of a wallet never seen"),
        pytest.param(RevocationState(unseen=MAX_UNSEEN_REVOKED - 1), True, id="the last of such"),
        pytest.param(
            RevocationState(theirs=True, unseen=MAX_UNSEEN_REVOKED),
            True,
            id="their own wallet, whatever else",
        ),
        pytest.param(RevocationState(stands=True, unseen=MAX_UNSEEN_REVOKED), False, id="said before"),
    ],
)
def test_a_revocation_is_written_once(state: RevocationState, writes: bool) -> None:
    assert plan_revocation(state) is writes


def test_wallets_never_seen_are_revoked_up_to_a_limit() -> None:
    """The refusal says which."""
    with pytest.raises(TooManyRevocations) as refused:
        plan_revocation(RevocationState(unseen=MAX_UNSEEN_REVOKED))
    assert refused.value.limit == 256


def test_what_peers_tell_has_as_much_room_as_all_safes_together() -> None:
    assert plan_revocation(RevocationState(unseen=5 * MAX_UNSEEN_REVOKED - 1), safes=5)
    with pytest.raises(TooManyRevocations):
        plan_revocation(RevocationState(unseen=5 * MAX_UNSEEN_REVOKED), safes=5)


@pytest.mark.parametrize(
    ("by", "ledger", "after"),
    [
        pytest.param(THE_WALLET, Ledger(10, T - 5), Ledger(0, 0, T), id="a wallet, for the first time"),
        pytest.param(
            THE_WALLET, Ledger(4, T, T - REARM_EVERY_MS), Ledger(0, 0, T), id="a wallet, 24 hours later"
        ),
        pytest.param(THE_OWNER, Ledger(10, T, T - 1), Ledger(0, 0, T - 1), id="the owner, at any time"),
        pytest.param(THE_OWNER, Ledger(), Ledger(), id="the owner, although none is spent"),
    ],
)
def test_all_guesses_are_given_back_by(by: Standing, ledger: Ledger, after: Ledger) -> None:
    """What a clock that ran ahead wrote down goes as well."""
    assert plan_rearming(ledger, by, T) == after


@pytest.mark.parametrize(
    "rearmed_ms", [T, T - REARM_EVERY_MS + 1, T + 1], ids=["now", "a day less 1 ms", "to come"]
)
def test_a_wallet_gives_them_back_once_a_day(rearmed_ms: int) -> None:
    """A clock set back does not make it more often; the refusal says when."""
    with pytest.raises(RearmedLately) as refused:
        plan_rearming(Ledger(10, T, rearmed_ms), THE_WALLET, T)
    assert refused.value.again_at_ms == rearmed_ms + REARM_EVERY_MS


@pytest.mark.parametrize("by", [THE_WALLET, THE_OWNER], ids=["a wallet", "the owner"])
def test_there_is_nothing_to_give_back_without_a_record(by: Standing) -> None:
    with pytest.raises(OwnerUnknown):
        plan_rearming(None, by, T)


@pytest.mark.parametrize("right", Right)
def test_a_revoked_wallet_has_no_right(right: Right) -> None:
    """Whatever it calls."""
    with pytest.raises(WalletRevoked):
        check_right(right, replace(THE_WALLET, revoked=True))


@pytest.mark.parametrize("right", [right for right in Right if right is not Right.OWNERS_WALLET])
def test_who_acts_for_nobody_may_try_what_the_decisions_judge(right: Right) -> None:
    check_right(right, Standing(STRANGER))


def test_who_acts_for_nobody_has_no_owners_rights() -> None:
    with pytest.raises(NotAnOwnersWallet):
        check_right(Right.OWNERS_WALLET, Standing(STRANGER))
    check_right(Right.OWNERS_WALLET, THE_WALLET)
    check_right(Right.OWNERS_WALLET, THE_OWNER)


def test_outside_a_signed_call_there_is_no_caller() -> None:
    with pytest.raises(RequestUnsigned):
        caller()


def test_an_owner_is_told_from_their_wallets() -> None:
    assert THE_OWNER.is_owner
    assert not THE_WALLET.is_owner
    assert not Standing(STRANGER).is_owner
