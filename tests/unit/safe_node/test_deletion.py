"""Whose tombstone is taken, when its pieces go, and that the receipt says so."""

from dataclasses import replace

import pytest

from safe_node.accounts import Standing
from safe_node.decisions.costs import TOMBSTONE_BYTES
from safe_node.decisions.deletion import DeletionRules, judge_deletion, plan_deletion
from safe_node.deletions import AdmittedTombstone, Burial, DeletionState, StandingTombstone
from support.sample_documents import NOW, draw, hash_of, key
from trust.documents import SigningKey
from trust.ids import ItemId, OwnerKey, SafeId, WalletKey
from trust.refusals import Malformed
from trust.tombstone import Tombstone, read_deletion, sign_tombstone
from trust.wallet_refusals import NotYourItem, QuotaExceeded, TombstoneRevived

SAFE_ID = SafeId(draw("safe", 16))
SAFE_KEY = key("safe")
WALLET, OWNER = key("wallet"), key("owner")
ITEM = ItemId(draw("item", 16))
GRACE = 7 * 86_400
RULES = DeletionRules(SAFE_ID, SAFE_KEY, NOW, GRACE, 0)

NOBODYS = Standing(WalletKey(WALLET.public))
OWNERS = Standing(WalletKey(WALLET.public), OwnerKey(OWNER.public))
THE_OWNER = Standing(WalletKey(OWNER.public), OwnerKey(OWNER.public))


def brought(by: Standing = NOBODYS, signer: SigningKey = WALLET, deleted_at: int = NOW) -> AdmittedTombstone:
    body, signature = sign_tombstone(Tombstone(WalletKey(signer.public), ITEM, 2, deleted_at), signer)
    return judge_deletion(body, signature, by)


def state(by: Standing = NOBODYS, earlier: Burial | None = None, *more: int | None) -> DeletionState:
    """What stands: an earlier burial under the same signer, and others' with these times."""
    times = [*([] if earlier is None else [earlier.erase_at]), *more]
    standing = tuple(StandingTombstone(hash_of(f"{number}"), at) for number, at in enumerate(times))
    return DeletionState(by.owner_key, earlier, standing, False, 0, 0)


def bury(by: Standing = NOBODYS, rules: DeletionRules = RULES, **given: object) -> Burial:
    return plan_deletion(state(by), brought(by, **given), rules).burial  # type: ignore[arg-type]


def erased_at(burial: Burial) -> int:
    """As the receipt says, which the safe signed for this tombstone."""
    receipt = read_deletion(
        burial.receipt, burial.receipt_signature, SAFE_ID, SAFE_KEY.public, burial.tombstone
    )
    return receipt.erased_at


@pytest.mark.parametrize(
    ("by", "signer", "erase_at"),
    [
        (NOBODYS, WALLET, None),
        (OWNERS, WALLET, NOW + GRACE),
        (THE_OWNER, OWNER, None),
        (OWNERS, OWNER, NOW + GRACE),
    ],
    ids=[
        "nobody's wallet: at once",
        "an owner's wallet: after the grace",
        "the owner: at once",
        "the owner's word, brought by their wallet: after the grace",
    ],
)
def test_pieces_go_when_the_receipt_says(by: Standing, signer: SigningKey, erase_at: int | None) -> None:
    """Only the owner's key, or nobody's wallet, erases at once."""
    burial = bury(by, signer=signer)
    assert burial.erase_at == erase_at
    assert erased_at(burial) == (NOW if erase_at is None else erase_at)
    assert (burial.item_id, burial.generation, burial.signer) == (ITEM, 2, signer.public)


def test_a_safe_without_grace_erases_at_once() -> None:
    """Also what an owner's wallet deletes."""
    assert bury(OWNERS, replace(RULES, grace_seconds=0)).erase_at is None


@pytest.mark.parametrize(
    ("standing", "erase_at"),
    [
        ([NOW + 5], NOW + 5),
        ([NOW + 2 * GRACE], NOW + GRACE),
        ([NOW + 2 * GRACE, NOW + 7], NOW + 7),
        ([NOW], None),
        ([NOW - 1], None),
        ([None, NOW + 5], None),
    ],
    ids=["sooner", "later", "the soonest of several", "due", "overdue", "erased already"],
)
def test_a_later_tombstone_does_not_put_off_an_earlier_one(
    standing: list[int | None], erase_at: int | None
) -> None:
    """Another wallet of the owner's deleted it too; its receipt holds."""
    assert plan_deletion(state(OWNERS, None, *standing), brought(OWNERS), RULES).burial.erase_at == erase_at


@pytest.mark.parametrize("by", [NOBODYS, OWNERS, THE_OWNER], ids=["nobody's", "an owner's", "the owner"])
def test_an_equal_tombstone_repeats_the_first_receipt(by: Standing) -> None:
    """Idempotent to the byte, however much later it comes."""
    signer = OWNER if by is THE_OWNER else WALLET
    earlier = bury(by, signer=signer)
    later = replace(RULES, now=NOW + 3 * GRACE)
    plan = plan_deletion(state(by, earlier), brought(by, signer), later)
    assert (plan.burial, plan.is_new) == (earlier, False)


def test_the_owner_hurries_their_own_tombstone() -> None:
    """A wallet brought it, and it waits; brought by the owner it erases, and says so."""
    waiting = bury(OWNERS, signer=OWNER)
    plan = plan_deletion(state(THE_OWNER, waiting), brought(THE_OWNER, OWNER), RULES)
    assert plan.is_new
    assert plan.burial.erase_at is None
    assert erased_at(plan.burial) == NOW
    assert plan.burial.tombstone == waiting.tombstone


def test_another_tombstone_for_the_same_generation_takes_its_place() -> None:
    """So that every receipt names a tombstone that is really kept."""
    plan = plan_deletion(state(earlier=bury()), brought(deleted_at=NOW + 1), RULES)
    assert plan.is_new
    assert plan.burial.tombstone == brought(deleted_at=NOW + 1).body


def test_a_tombstone_that_was_taken_back_is_refused() -> None:
    """Whoever brings it."""
    for by, signer in ((OWNERS, WALLET), (OWNERS, OWNER), (THE_OWNER, OWNER)):
        with pytest.raises(TombstoneRevived):
            plan_deletion(replace(state(by), revived=True), brought(by, signer), RULES)


@pytest.mark.parametrize(
    ("body", "signature"),
    [(b"\xc1", bytes(64)), (brought().body, bytes(64)), (brought().body[:-1], brought().signature)],
    ids=["no document", "unsigned", "cut short"],
)
def test_malformed_tombstones_are_refused(body: bytes, signature: bytes) -> None:
    """Neither form nor signature may be wrong."""
    with pytest.raises(Malformed):
        judge_deletion(body, signature, NOBODYS)


@pytest.mark.parametrize(
    ("by", "signer"),
    [
        (Standing(WalletKey(key("other").public)), WALLET),
        (Standing(WalletKey(key("other").public), OwnerKey(OWNER.public)), WALLET),
        (NOBODYS, OWNER),
        (Standing(WalletKey(WALLET.public), OwnerKey(key("other owner").public)), OWNER),
        (THE_OWNER, WALLET),
    ],
    ids=[
        "a stranger brings a wallet's",
        "another wallet of the owner brings a wallet's",
        "nobody's wallet brings an owner's",
        "another owner's wallet brings an owner's",
        "the owner brings a wallet's",
    ],
)
def test_a_captured_tombstone_cannot_be_brought_by_somebody_else(by: Standing, signer: SigningKey) -> None:
    """Who signed it brings it, or a wallet of the owner who signed."""
    with pytest.raises(NotYourItem):
        brought(by, signer)


@pytest.mark.parametrize("by", [NOBODYS, OWNERS], ids=["erased at once", "waits"])
@pytest.mark.parametrize(
    ("used", "freed", "limit", "allowed"),
    [
        (0, 0, TOMBSTONE_BYTES, True),
        (1, 0, TOMBSTONE_BYTES, False),
        (10_000, TOMBSTONE_BYTES, 10_000, True),
        (10_000, TOMBSTONE_BYTES - 1, 10_000, False),
        (10**9, 0, 0, True),
    ],
    ids=["just fits", "one byte too much", "erasing makes room", "not quite enough room", "no limit"],
)
def test_tombstones_count_towards_the_quota(
    by: Standing, used: int, freed: int, limit: int, allowed: bool
) -> None:
    """Nobody fills a disk with tombstones for free, and a full wallet can still delete."""
    full = replace(state(by), used_bytes=used, freed_bytes=freed)
    rules = replace(RULES, bytes_per_wallet=limit)
    if allowed:
        assert plan_deletion(full, brought(by), rules).is_new
        return
    with pytest.raises(QuotaExceeded):
        plan_deletion(full, brought(by), rules)
