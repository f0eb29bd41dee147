"""A recovery by factors alone waits where the owner said so; their wallet does not, and they may end it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from kura.safe.v1 import owner_pb2 as pb
from safe_node.decisions.waiting import MOST_WAITING
from support.owner_safes import LocalSafe, LocalSafes, local_safes
from support.owners import PIN, WRONG_PIN, Access, DealtOwner, Guess, deal_owner, guess_at, output_of
from support.sample_documents import draw, key
from threshold.hpke import KeyPair
from trust.access_refusals import NothingWaits, VetoedLately
from trust.authorisation import authorise_wallet, revoke_wallet
from trust.documents import SigningKey
from trust.ids import WalletKey
from trust.owner_refusals import OwnerUnknown, UnlockRefused, WalletRevoked
from trust.refusals import Malformed, RequestSignatureInvalid

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = 24 * 3_600_000
WAITING = Access(waiting_seconds=2 * 86_400)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalSafes]:
    """Two safes that open a record together; each test enrols an owner of its own."""
    async with local_safes(tmp_path_factory.mktemp("two"), 2, 2) as safes:
        yield safes


async def enrolled(two: LocalSafes, name: str, **options: Any) -> DealtOwner:
    owner = deal_owner(two.roster, name, **({"access": WAITING} | options))
    await two.enroll(owner)
    return owner


async def asked(
    two: LocalSafes, owner: DealtOwner, label: str, signer: SigningKey | None = None, pin: bytes = PIN
) -> tuple[Guess, pb.UnlockResponse]:
    """A guess, and what the first safe makes of the proof."""
    guess = guess_at(owner.record, pin, label)
    await two.safes[0].ask(guess.request())
    return guess, await again(two, owner, guess, signer)


async def again(
    two: LocalSafes, owner: DealtOwner, guess: Guess, signer: SigningKey | None = None
) -> pb.UnlockResponse:
    """The same call once more."""
    safe, output = two.safes[0], output_of(owner, two.roster)
    answer: pb.UnlockResponse = await safe.ask(guess.unlock_request(safe.safe_id, output), signer)
    return answer


async def told(safe: LocalSafe, owner: DealtOwner) -> pb.OwnerStatusResponse:
    answer: pb.OwnerStatusResponse = await safe.ask(pb.OwnerStatusRequest(), owner.key)
    return answer


async def wallet_of(two: LocalSafes, owner: DealtOwner, name: str) -> SigningKey:
    """A wallet of the owner's."""
    wallet = key(name)
    word = authorise_wallet(WalletKey(wallet.public), 1_790_000_000, owner.key)
    request = pb.AuthoriseWalletRequest(authorisation=word.authorisation, signature=word.signature)
    await two.safes[0].ask(request, wallet)
    return wallet


async def test_the_part_comes_when_the_period_is_over_and_not_before(two: LocalSafes) -> None:
    """To the millisecond, also across restarts; the guess is given back at once."""
    owner, safe = await enrolled(two, "alice"), two.safes[0]
    guess, first = await asked(two, owner, "alice")
    assert (first.sealed_part, first.release_at_ms) == (b"", two.clock.ms + 2 * DAY)
    two.clock.ms += 2 * DAY - 1
    await safe.restart()
    assert (await again(two, owner, guess)) == first
    two.clock.ms += 1
    last = await again(two, owner, guess)
    assert last.release_at_ms == 0
    assert guess.part(safe.safe_id, last.sealed_part).sealed == owner.part(safe.safe_id).sealed_secrets
    assert (await told(safe, owner)).guesses_spent == 0


async def test_a_clock_that_is_set_back_makes_the_wait_no_shorter(two: LocalSafes) -> None:
    owner = await enrolled(two, "adam")
    guess, first = await asked(two, owner, "adam")
    two.clock.ms -= DAY
    assert (await again(two, owner, guess)) == first
    two.clock.ms += DAY


async def test_it_stands_however_many_guesses_there_are_meanwhile(two: LocalSafes) -> None:
    """Those are forgotten after an hour; what waits is not."""
    owner, safe = await enrolled(two, "bob"), two.safes[0]
    guess, _ = await asked(two, owner, "bob")
    two.clock.ms += 2 * DAY
    await safe.ask(guess_at(owner.record, WRONG_PIN, "bob, another").request())
    assert (await again(two, owner, guess)).sealed_part


async def test_another_recipient_key_gets_nothing_by_then(two: LocalSafes) -> None:
    owner = await enrolled(two, "carol")
    guess, _ = await asked(two, owner, "carol")
    two.clock.ms += 2 * DAY
    with pytest.raises(UnlockRefused):
        await again(two, owner, replace(guess, recipient=KeyPair(draw("thief", 32))))


async def test_a_wrong_pin_starts_nothing(two: LocalSafes) -> None:
    owner, safe = await enrolled(two, "dan"), two.safes[0]
    guess = guess_at(owner.record, WRONG_PIN, "dan")
    await safe.ask(guess.request())
    with pytest.raises(UnlockRefused):
        await safe.ask(guess.unlock_request(safe.safe_id, output_of(owner, two.roster, WRONG_PIN)))
    assert not (await told(safe, owner)).waiting


async def test_the_owners_wallet_and_the_owner_wait_for_nothing(two: LocalSafes) -> None:
    """Though it waited before for the same guess, unsigned."""
    owner = await enrolled(two, "erin")
    wallet = await wallet_of(two, owner, "erin's wallet")
    guess, first = await asked(two, owner, "erin")
    assert not first.sealed_part
    for signer in (wallet, owner.key):
        assert (await again(two, owner, guess, signer)).sealed_part
    assert (await asked(two, owner, "erin, the owner", owner.key))[1].sealed_part


async def test_a_strangers_signature_hastens_nothing(two: LocalSafes) -> None:
    """Nor another owner's, or one of their wallets'."""
    owner, other = await enrolled(two, "frank"), await enrolled(two, "eve")
    for number, signer in enumerate(
        (key("stranger"), other.key, await wallet_of(two, other, "eve's wallet"))
    ):
        assert (await asked(two, owner, f"frank {number}", signer))[1].release_at_ms


async def test_a_revoked_wallet_is_refused(two: LocalSafes) -> None:
    owner = await enrolled(two, "gina")
    wallet = await wallet_of(two, owner, "gina's wallet")
    body, signature = revoke_wallet(WalletKey(wallet.public), 1_790_000_000, owner.key)
    await two.safes[0].ask(pb.RevokeWalletRequest(revocation=body, signature=signature), owner.key)
    with pytest.raises(WalletRevoked):
        await asked(two, owner, "gina", wallet)


async def test_a_signature_that_does_not_hold_is_refused(two: LocalSafes) -> None:
    """For another safe: the call is none without one."""
    owner = await enrolled(two, "harry")
    first, second = two.safes
    guess = guess_at(owner.record, label="harry")
    await first.ask(guess.request())
    request = guess.unlock_request(first.safe_id, output_of(owner, two.roster))
    misled = replace(first, home=second.home)
    with pytest.raises(RequestSignatureInvalid):
        await misled.ask(request, owner.key)


async def test_the_owner_is_told_what_waits(two: LocalSafes) -> None:
    owner, safe, now = await enrolled(two, "heidi"), two.safes[0], two.clock.ms
    guess, _ = await asked(two, owner, "heidi")
    (waiting,) = (await told(safe, owner)).waiting
    assert waiting == pb.WaitingRecovery(
        recipient_key=guess.recipient.public,
        factors=[pb.FACTOR_PIN],
        asked_at_ms=now,
        release_at_ms=now + 2 * DAY,
    )


async def test_a_veto_ends_it_for_good_once_in_thirty_days(two: LocalSafes) -> None:
    """Durably; the guess is worth nothing any more, and the same veto may be repeated."""
    owner, safe = await enrolled(two, "ivan"), two.safes[0]
    guess, _ = await asked(two, owner, "ivan")
    other, _ = await asked(two, owner, "ivan, another")
    veto, vetoed_at = pb.VetoRequest(recipient_key=guess.recipient.public), two.clock.ms
    for _ in range(2):
        await safe.ask(veto, owner.key)
    await safe.restart()
    two.clock.ms += 3 * DAY
    for signer in (None, owner.key):
        with pytest.raises(UnlockRefused):
            await again(two, owner, guess, signer)
    assert [bytes(one.recipient_key) for one in (await told(safe, owner)).waiting] == [other.recipient.public]
    with pytest.raises(VetoedLately) as refused:
        await safe.ask(pb.VetoRequest(recipient_key=other.recipient.public), owner.key)
    assert refused.value.next_at_ms == (await told(safe, owner)).next_veto_at_ms == vetoed_at + 30 * DAY
    two.clock.ms = vetoed_at + 30 * DAY
    assert (await told(safe, owner)).next_veto_at_ms == 0
    await safe.ask(pb.VetoRequest(recipient_key=other.recipient.public), owner.key)
    with pytest.raises(UnlockRefused):
        await again(two, owner, other)


async def test_who_may_veto_and_what(two: LocalSafes) -> None:
    """Neither a stranger nor a wallet without the owner's key may; and nothing that is not there."""
    owner, safe = await enrolled(two, "judy"), two.safes[0]
    guess, _ = await asked(two, owner, "judy")
    wallet = await wallet_of(two, owner, "judy's wallet")
    for signer in (key("stranger"), wallet):
        with pytest.raises(OwnerUnknown):
            await safe.ask(pb.VetoRequest(recipient_key=guess.recipient.public), signer)
    with pytest.raises(NothingWaits):
        await safe.ask(pb.VetoRequest(recipient_key=KeyPair(draw("other", 32)).public), owner.key)
    with pytest.raises(Malformed):
        await safe.ask(pb.VetoRequest(recipient_key=bytes(32)), owner.key)
    assert len((await told(safe, owner)).waiting) == 1


async def test_another_record_in_force_ends_what_waits(two: LocalSafes) -> None:
    """Whatever its period; the old record's guess is worth nothing, though the record is kept."""
    owner, safe = await enrolled(two, "kim"), two.safes[0]
    guess, _ = await asked(two, owner, "kim")
    new = deal_owner(two.roster, "kim", version="new", access=WAITING)
    await safe.ask(pb.StageRecordRequest(version=new.versions[safe.safe_id]), owner.key)
    await safe.ask(pb.CommitRecordRequest(owner_id=new.owner_id, record_id=new.record.record_id), owner.key)
    assert not (await told(safe, owner)).waiting
    two.clock.ms += 3 * DAY
    with pytest.raises(UnlockRefused):
        await again(two, owner, guess)


async def test_a_record_of_before_is_no_way_round_the_period_of_the_one_in_force(two: LocalSafes) -> None:
    """Kept while a safe is away: it opens after that period, also by a guess of before the change."""
    owner, safe = await enrolled(two, "nina", access=Access()), two.safes[0]
    early = guess_at(owner.record, PIN, "nina, early")
    await safe.ask(early.request())
    new = deal_owner(two.roster, "nina", version="new", access=WAITING)
    await safe.ask(pb.StageRecordRequest(version=new.versions[safe.safe_id]), owner.key)
    await safe.ask(pb.CommitRecordRequest(owner_id=new.owner_id, record_id=new.record.record_id), owner.key)
    for first in (await again(two, owner, early), (await asked(two, owner, "nina, late"))[1]):
        assert (first.sealed_part, first.release_at_ms) == (b"", two.clock.ms + 2 * DAY)
    assert len((await told(safe, owner)).waiting) == 2


async def test_no_more_wait_than_may_and_the_oldest_stay(two: LocalSafes) -> None:
    """Until thirty days after their period they count; then a new one takes their place."""
    owner, safe = await enrolled(two, "laura", guesses=100), two.safes[0]
    first, _ = await asked(two, owner, "laura 0")
    for number in range(1, MOST_WAITING):
        await asked(two, owner, f"laura {number}")
    with pytest.raises(UnlockRefused):
        await asked(two, owner, "laura, one too many")
    assert len((await told(safe, owner)).waiting) == MOST_WAITING
    two.clock.ms += 2 * DAY
    assert (await again(two, owner, first)).sealed_part
    two.clock.ms += 30 * DAY
    guess, begun = await asked(two, owner, "laura, much later")
    assert begun.release_at_ms
    assert [bytes(one.recipient_key) for one in (await told(safe, owner)).waiting] == [guess.recipient.public]


async def test_without_a_period_nothing_waits(two: LocalSafes) -> None:
    owner = await enrolled(two, "mallory", access=Access())
    assert (await asked(two, owner, "mallory"))[1].sealed_part
    assert not (await told(two.safes[0], owner)).waiting
