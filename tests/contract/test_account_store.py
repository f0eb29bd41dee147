"""What safe_node.store.owners_base promises of wallets and owners, and of what wallets of one owner share."""

import asyncio
from functools import partial
from pathlib import Path

import pysqlite3
import pytest

from safe_node.accounts import OwnersWallet, OwnerView, Standing
from safe_node.decisions.accounts import MAX_UNSEEN_REVOKED, plan_revocation
from safe_node.decisions.registration import RegistrationRules
from safe_node.records import ReleasedPiece
from safe_node.store.schema import VERSION, migrations
from safe_node.store.sqlite_store import open_store
from support.owner_bench import (
    OTHER_OWNER,
    OTHER_OWNER_KEY,
    OTHER_WALLET,
    OWNER,
    SIGNER,
    authorise,
    count,
    enroll,
    found,
    word_against,
    word_for,
)
from support.safe_requests import deal
from support.sample_documents import NOW, draw, key
from support.store_bench import (
    CALLER,
    OTHER,
    ROSTER,
    SAFE_ID,
    WALLET,
    Bench,
    Opener,
    admitted,
    tombstone,
)
from trust.certificate import COUNTER_LIMIT
from trust.ids import ItemId, WalletKey
from trust.owner_refusals import TooManyRevocations, WalletHasOwner, WalletRevoked
from trust.wallet_refusals import ItemDeleted, NotYourItem


async def test_who_a_caller_is(opened: Opener) -> None:
    """A stranger, an owner's wallet, the owner of a record, an owner whose record this safe missed."""
    async with opened() as bench:
        owners = bench.store.owners
        await enroll(bench)
        await authorise(bench, word_for(CALLER))
        await authorise(bench, word_for(OTHER_WALLET, OTHER_OWNER_KEY))
        stranger = WalletKey(key("stranger").public)
        assert await owners.standing(stranger) == Standing(stranger)
        assert await owners.standing(CALLER) == Standing(CALLER, OWNER)
        assert await owners.standing(SIGNER) == Standing(SIGNER, OWNER)
        missed = WalletKey(OTHER_OWNER)
        assert await owners.standing(missed) == Standing(missed, OTHER_OWNER)


async def test_a_wallet_has_one_owner_and_the_first_word_stays(opened: Opener) -> None:
    """Across a restart."""
    async with opened() as bench:
        await authorise(bench, word_for(CALLER))
        await authorise(bench, word_for(CALLER, at=NOW + 1))
        with pytest.raises(WalletHasOwner):
            await authorise(bench, word_for(CALLER, OTHER_OWNER_KEY))
    async with opened() as bench:
        first = word_for(CALLER)
        assert await bench.store.owners.wallets(OWNER) == (
            OwnersWallet(CALLER, first.authorisation, first.signature),
        )
        assert await bench.store.owners.wallets(OTHER_OWNER) == ()


async def test_a_revocation_stands_for_good(opened: Opener) -> None:
    """A later one does not replace it, and no later authorisation undoes it."""
    async with opened() as bench:
        await authorise(bench, word_for(CALLER))
        await bench.store.owners.revoke(word_against(CALLER), plan_revocation)
        await bench.store.owners.revoke(word_against(CALLER, at=NOW + 9), plan_revocation)
    async with opened() as bench:
        assert await bench.store.owners.standing(CALLER) == Standing(CALLER, OWNER, revoked=True)
        with pytest.raises(WalletRevoked):
            await authorise(bench, word_for(CALLER, at=NOW + 99))
        word, against = word_for(CALLER), word_against(CALLER)
        assert await bench.store.owners.wallets(OWNER) == (
            OwnersWallet(CALLER, word.authorisation, word.signature, against.revocation, against.signature),
        )


async def test_a_wallet_that_was_never_seen_can_be_revoked(opened: Opener) -> None:
    """It never becomes that owner's, and stands in their list."""
    against = word_against(CALLER)
    async with opened() as bench:
        await bench.store.owners.revoke(against, plan_revocation)
        with pytest.raises(WalletRevoked):
            await authorise(bench, word_for(CALLER))
        assert await bench.store.owners.wallets(OWNER) == (
            OwnersWallet(CALLER, revocation=against.revocation, revocation_signature=against.signature),
        )


async def test_made_up_wallets_are_counted_against_the_owner_who_revokes_them(opened: Opener) -> None:
    """Across a restart; the wallets that are theirs, what they said before, and other owners go on."""
    made_up = [WalletKey(draw(f"made up {number}", 32)) for number in range(MAX_UNSEEN_REVOKED)]
    async with opened() as bench:
        owners = bench.store.owners
        await authorise(bench, word_for(CALLER))
        await asyncio.gather(*(owners.revoke(word_against(one), plan_revocation) for one in made_up))
    async with opened() as bench:
        owners = bench.store.owners
        with pytest.raises(TooManyRevocations):
            await owners.revoke(word_against(OTHER_WALLET), plan_revocation)
        assert count(bench, "revocations") == MAX_UNSEEN_REVOKED
        await owners.revoke(word_against(made_up[0], at=NOW + 9), plan_revocation)
        await owners.revoke(word_against(CALLER), plan_revocation)
        await owners.revoke(word_against(OTHER_WALLET, OTHER_OWNER_KEY), plan_revocation)
        assert count(bench, "revocations") == MAX_UNSEEN_REVOKED + 2


async def test_an_owner_can_revoke_no_wallet_but_their_own(opened: Opener) -> None:
    """Another owner's goes on, and so does nobody's; neither shows whose it is."""
    async with opened() as bench:
        owners = bench.store.owners
        await authorise(bench, word_for(CALLER))
        await owners.revoke(word_against(CALLER, OTHER_OWNER_KEY), plan_revocation)
        await owners.revoke(word_against(OTHER_WALLET, OTHER_OWNER_KEY), plan_revocation)
        assert await owners.standing(CALLER) == Standing(CALLER, OWNER)
        assert await owners.standing(OTHER_WALLET) == Standing(OTHER_WALLET)
        assert [wallet.wallet_key for wallet in await owners.wallets(OTHER_OWNER)] == [OTHER_WALLET]
        await authorise(bench, word_for(OTHER_WALLET))
        assert await owners.standing(OTHER_WALLET) == Standing(OTHER_WALLET, OWNER)


async def test_a_view_counts_what_all_wallets_of_the_owner_keep(opened: Opener) -> None:
    """What they registered before they were the owner's too; items, not pieces."""
    mine = deal(ROSTER, WALLET, [b"1", b"2"], label="mine")
    others = deal(ROSTER, OTHER, [b"3"], label="others")
    async with opened() as bench:
        await bench.certificates(admitted(mine))
        await bench.certificates(admitted(others, OTHER_WALLET))
        assert await bench.store.owners.view(OWNER) == OwnerView(None, 0, 0)
        await enroll(bench)
        for wallet in (CALLER, OTHER_WALLET):
            await authorise(bench, word_for(wallet))
        view = await bench.store.owners.view(OWNER)
        assert (view.owner, view.items) == (await found(bench), 3)
        assert view.used_bytes > 3 * 512


async def test_wallets_of_one_owner_fetch_what_each_other_registered(opened: Opener) -> None:
    """What is nobody's, or another owner's, stays with its wallet."""
    dealt = deal(ROSTER, WALLET, [b"value"], label="shared")
    async with opened() as bench:
        (body,) = await bench.certificates(admitted(dealt))
        fetched = partial(bench.fetch, body, caller=OTHER_WALLET)
        assert isinstance((await fetched())[0], NotYourItem)
        await authorise(bench, word_for(CALLER))
        assert isinstance((await fetched(account=OTHER_OWNER))[0], NotYourItem)
        assert isinstance((await fetched(account=OWNER))[0], ReleasedPiece)


async def test_a_tombstone_reaches_what_another_wallet_of_the_owner_registered(opened: Opener) -> None:
    """Before both are the owner's it does not; afterwards the bytes are gone, and it cannot come back."""
    small = deal(ROSTER, OTHER, [b"value"], label="small")
    streamed = deal(ROSTER, OTHER, [draw("large", 300_000)], label="streamed")
    async with opened() as bench:
        await bench.certificates(admitted(small, OTHER_WALLET))
        await bench.upload(streamed, wallet=OTHER_WALLET)
        item, large_item = small.items[0].item_id, streamed.items[0].item_id
        await bench.delete(tombstone(item, generation=2))
        for wallet in (CALLER, OTHER_WALLET):
            await authorise(bench, word_for(wallet))
        assert small.blobs[0, 1] in bench.files()
        used = (await bench.store.owners.view(OWNER)).used_bytes
        await bench.delete(tombstone(item), tombstone(large_item), grace_seconds=0)
        for secret in (small.blobs[0, 1], small.shares[1], streamed.blobs[0, 1][-200:]):
            assert secret not in bench.files()
        after = await bench.store.owners.view(OWNER)
        assert (after.items, count(bench, "batches"), count(bench, "loose_blobs")) == (0, 0, 0)
        assert after.used_bytes < used
        outcome = await bench.register(admitted(small, OTHER_WALLET))
        assert isinstance(outcome[0], ItemDeleted)


async def test_a_tombstone_reaches_nobody_elses(opened: Opener) -> None:
    """The same item's name at a wallet of another owner, or of nobody's, is another item."""
    item = [ItemId(b"i" * 16)]
    mine = deal(ROSTER, WALLET, [b"mine"], label="mine", item_ids=item)
    others = deal(ROSTER, OTHER, [b"others"], label="others", item_ids=item)
    async with opened() as bench:
        await bench.certificates(admitted(mine))
        (body,) = await bench.certificates(admitted(others, OTHER_WALLET))
        await authorise(bench, word_for(CALLER))
        await bench.delete(tombstone(item[0]))
        assert isinstance((await bench.fetch(body, caller=OTHER_WALLET))[0], ReleasedPiece)


async def test_a_database_of_the_version_before_learns_about_owners(tmp_path: Path) -> None:
    """And keeps what it had."""
    await first_version(tmp_path / "safe.db")
    store = await open_store(tmp_path, SAFE_ID)
    try:
        bench = Bench(tmp_path, store, RegistrationRules(SAFE_ID, COUNTER_LIMIT, 0))
        (body,) = await bench.certificates(admitted(deal(ROSTER, WALLET, [b"value"], label="kept")))
        await enroll(bench)
        await authorise(bench, word_for(CALLER))
        assert isinstance((await bench.fetch(body))[0], ReleasedPiece)
        assert (await bench.store.owners.view(OWNER)).items == 1
    finally:
        await store.close()
    connection = pysqlite3.connect(str(tmp_path / "safe.db"))
    assert connection.execute("PRAGMA user_version").fetchone()[0] == VERSION
    connection.close()


async def first_version(path: Path) -> None:
    """The database as the first migration leaves it, with one wallet in it."""
    from sqlite_utils import Database

    database = Database(path)
    database.enable_wal()
    migrations().apply(database, stop_before="0002 owners")
    database.execute("PRAGMA user_version = 1")
    database.execute("INSERT INTO wallets (wallet_key, used_bytes) VALUES (?, 0)", (CALLER,))
    database.conn.commit()
    database.close()
