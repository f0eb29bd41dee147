"""A safe that lost everything has it again from its peers, with no client: same bytes, same key shares."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from safe_node.accounts import AdmittedRevocation
from safe_node.decisions import accounts
from safe_node.handlers.peer_inventory import digest_of
from safe_node.repairs import RepairReport
from support.odd_policies import ODD
from support.peer_safes import PeerSafe, PeerSafes, peer_safes, some_bytes
from support.sample_documents import NOW
from support.sample_documents import key as draw_key
from trust.authorisation import revoke_wallet
from trust.ids import OwnerKey, WalletKey
from trust.owner_refusals import TooManyRevocations
from wallet_client.policies.policy import Policy

MIB = 1_048_576
PLANS = {one.name: one for one in ODD}
TWO = [some_bytes(1), some_bytes(700)]
NOBODY: frozenset[bytes] = frozenset()


@pytest.fixture
async def safes(tmp_path: Path) -> AsyncIterator[PeerSafes]:
    """Five, three bring back."""
    async with peer_safes(tmp_path) as made:
        yield made


async def assert_comes_back_whole(lost: PeerSafe) -> None:
    """Every piece as it was, byte for byte, and the second round has nothing left to do."""
    before = lost.kept()
    assert before
    await lost.wipe()
    assert await lost.repair() == RepairReport(repaired=len(before))
    assert lost.kept() == before
    assert await lost.repair() == RepairReport()


@pytest.mark.parametrize(
    "policy",
    [
        "threshold",
        PLANS["divided-unsealed"],
        PLANS["whole-at-several"],
        "seed",
        PLANS["several-at-one-of-five"],
    ],
    ids=lambda one: getattr(one, "name", one),
)
async def test_a_wiped_safe_comes_back_whole(safes: PeerSafes, policy: Policy | str) -> None:
    """Shares of values, whole copies, key shares, several at one safe."""
    await safes.take_in(TWO, policy)
    await assert_comes_back_whole(safes.safes[1])


async def test_pieces_of_every_kind_and_size_come_back_at_once(safes: PeerSafes) -> None:
    """Compact ones, streamed ones, coupled ones, the keys that went elsewhere."""
    await safes.take_in([some_bytes(100_000)], "compact", seed="small and compact")
    await safes.take_in([some_bytes(4 * MIB)], "compact", seed="large and compact")
    await safes.take_in([some_bytes(2 * MIB + 5)], PLANS["divided-unsealed"], seed="large")
    await safes.take_in([some_bytes(9)], PLANS["seal-then-couple"], seed="coupled")
    await safes.take_in([some_bytes(9)], "apart", seed="apart")
    for lost in (safes.safes[0], safes.safes[4]):
        await assert_comes_back_whole(lost)


@pytest.mark.parametrize(
    "policy", ["sealed", "divided", PLANS["n-of-n"], PLANS["some-pieces-in-the-wallet"]], ids=str
)
async def test_what_no_peer_can_give_back_is_counted_as_such(safes: PeerSafes, policy: Policy | str) -> None:
    """One safe has all of it, every share is sealed by itself, or too few others keep any."""
    batch = await safes.take_in(TWO, policy)
    lost = next(one for one in safes.safes if batch.manifest.places_at(one.safe_id))
    await lost.wipe()
    report = await lost.repair()
    helped = len(batch.manifest.placement) > 1
    assert (report.repaired, report.lacking, report.beyond_repair) == (0, 2 * helped, 2 * helped)


async def test_what_a_safe_missed_while_it_was_away_comes_too(safes: PeerSafes) -> None:
    """The wallet is gone; the safe that was down has its pieces all the same."""
    whole = await safes.take_in(TWO, "threshold", missing=[3])
    assert not safes.safes[3].kept()
    assert await safes.safes[3].repair() == RepairReport(repaired=2)
    assert {x for _, x in safes.safes[3].kept()} == {whole.manifest.places_at(safes.safes[3].safe_id)[0].x}


async def test_k_safes_are_enough_and_one_fewer_is_not(safes: PeerSafes) -> None:
    """What is missing is counted, and comes when the third helper is there."""
    await safes.take_in(TWO, "threshold")
    lost, third, *_ = safes.safes
    before = lost.kept()
    await safes.safes[4].stop()
    await third.stop()
    await lost.wipe()
    report = await lost.repair()
    assert (report.repaired, report.lacking, report.beyond_repair) == (0, 2, 0)
    assert report.silent == {third.safe_id, safes.safes[4].safe_id}
    await third.start()
    for safe in safes.safes:
        await safe.reconnect()
    assert (await lost.repair()).repaired == 2
    assert lost.kept() == before


async def test_revocations_of_made_up_wallets_come_to_an_end_everywhere(
    safes: PeerSafes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said differently to each safe, all hear of all, and then have nothing more to tell one another."""
    monkeypatch.setattr(accounts, "MAX_UNSEEN_REVOKED", 2)
    for number, safe in enumerate(safes.safes):
        for wallet in (f"made up {number}", f"made up {number} too"):
            await safe.local.store.owners.revoke(word_against(wallet), accounts.plan_revocation)
        with pytest.raises(TooManyRevocations):
            await safe.local.store.owners.revoke(word_against("one more"), accounts.plan_revocation)
    for safe in safes.safes:
        assert await safe.repair() == RepairReport()
    told = {digest_of(await safe.local.store.peers.words()) for safe in safes.safes}
    assert len(told) == 1
    assert len(await safes.safes[0].local.store.peers.words()) == 10


def word_against(wallet: str) -> AdmittedRevocation:
    """A word of an owner of whom no safe knows anything."""
    owner, key = draw_key("an owner"), WalletKey(draw_key(wallet).public)
    body, signature = revoke_wallet(key, NOW, owner)
    return AdmittedRevocation(OwnerKey(owner.public), key, body, signature)
