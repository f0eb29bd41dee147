"""What the stores promise of an owner who is forgotten: nothing of theirs is left but their own word."""

import pytest

from safe_node.accounts import Standing
from safe_node.records import ReleasedPiece
from support.owner_bench import (
    OTHER_OWNER,
    OTHER_OWNER_KEY,
    OTHER_WALLET,
    OWNER,
    OWNER_KEY,
    PART,
    SECOND_PART,
    SIGNER,
    attempt_at,
    authorise,
    count,
    enroll,
    forget,
    guess,
    stage,
    word_against_oneself,
    word_for,
)
from support.owners import deal_owner
from support.safe_requests import deal, ownership_of, seeded
from support.sample_documents import NOW
from support.store_bench import (
    CALLER,
    GRACE,
    MIB,
    OTHER,
    ROSTER,
    SAFE_ID,
    WALLET,
    Opener,
    admitted,
    tombstone,
)
from trust.owner_refusals import OwnerForgotten, WalletRevoked
from trust.wallet_refusals import CertificateUnknown, ItemDeleted

MINE = deal(ROSTER, WALLET, [seeded("mine").read(500)], label="mine")
THEIRS = deal(ROSTER, OTHER, [seeded("theirs").read(MIB + 5000)], label="theirs")
SECRETS = [
    MINE.blobs[0, 1],
    THEIRS.blobs[0, 1][-200:],
    MINE.shares[1],
    THEIRS.shares[1],
    PART.record.parts[0].unlock_share,
    PART.record.parts[0].oprf_share,
    PART.record.parts[0].unlock_tag,
    SECOND_PART.record.parts[0].unlock_share,
]


async def test_nothing_of_a_forgotten_owner_is_left(opened: Opener) -> None:
    """Records in force and staged, guesses, pieces of every wallet, also those that wait to be erased."""
    async with opened() as bench:
        await enroll(bench)
        await stage(bench, SECOND_PART)
        await guess(bench, attempt_at())
        for wallet in (CALLER, OTHER_WALLET):
            await authorise(bench, word_for(wallet))
        (body,) = await bench.certificates(admitted(MINE))
        await bench.upload(THEIRS, wallet=OTHER_WALLET)
        await bench.delete(tombstone(THEIRS.items[0].item_id))
        assert all(secret in bench.files() for secret in SECRETS)
        await forget(bench, word_against_oneself())
        assert not [number for number, secret in enumerate(SECRETS) if secret in bench.files()]
        tables = (
            "owners",
            "owner_records",
            "owner_policies",
            "guesses",
            "pieces",
            "batches",
            "doomed",
            "loose_blobs",
        )
        assert [count(bench, table) for table in tables] == [0] * len(tables)
        assert isinstance((await bench.fetch(body))[0], CertificateUnknown)
        for key in (CALLER, OTHER_WALLET, SIGNER):
            assert await bench.store.owners.standing(key) == Standing(key)


async def test_another_owners_and_nobodys_stay(opened: Opener) -> None:
    """Only the owner's own is theirs to erase."""
    async with opened() as bench:
        await enroll(bench)
        await authorise(bench, word_for(CALLER, OTHER_OWNER_KEY))
        bodies = [*await bench.certificates(admitted(MINE))]
        await bench.upload(THEIRS, wallet=OTHER_WALLET)
        await forget(bench, word_against_oneself())
        assert isinstance((await bench.fetch(*bodies))[0], ReleasedPiece)
        assert await bench.store.owners.standing(CALLER) == Standing(CALLER, OTHER_OWNER)
        assert count(bench, "pieces") == 2


async def test_a_word_for_a_waiting_piece_of_another_owner_waits_on(opened: Opener) -> None:
    """Forgetting hurries nobody else's deletions."""
    async with opened() as bench:
        await authorise(bench, word_for(CALLER, OTHER_OWNER_KEY))
        await bench.certificates(admitted(MINE))
        await bench.delete(tombstone(MINE.items[0].item_id))
        await forget(bench, word_against_oneself(), NOW + 2 * GRACE)
        assert MINE.blobs[0, 1] in bench.files()


async def test_forgetting_again_gives_the_same_receipt(opened: Opener) -> None:
    """Across a restart, and for an owner who was never seen."""
    async with opened() as bench:
        first = await forget(bench, word_against_oneself())
    async with opened() as bench:
        assert await forget(bench, word_against_oneself(), NOW + 9) == first
        later = await forget(bench, word_against_oneself(at=NOW + 1), NOW + 9)
        assert later.tombstone != first.tombstone


async def test_forgetting_again_finishes_the_one_that_broke_off(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The word was kept, the pieces were not erased yet: nothing of them is given out, then they go."""
    async with opened() as bench:
        await authorise(bench, word_for(CALLER))
        (body,) = await bench.certificates(admitted(MINE))
        with monkeypatch.context() as broken:
            broken.setattr("safe_node.store.erasing.Eraser.erase_due", breaks_off)
            with pytest.raises(InterruptedError):
                await forget(bench, word_against_oneself())
        assert MINE.blobs[0, 1] in bench.files()
        assert isinstance((await bench.fetch(body))[0], CertificateUnknown)
        assert isinstance((await bench.register(admitted(MINE)))[0], ItemDeleted)
        await forget(bench, word_against_oneself())
        assert MINE.blobs[0, 1] not in bench.files()


async def breaks_off(*_: object) -> int:
    raise InterruptedError


async def test_the_name_is_free_and_the_key_is_not(opened: Opener) -> None:
    """Whoever enrols next has another key; the forgotten one comes back under no name."""
    namesake = deal_owner(ROSTER, owner="a namesake").admitted(SAFE_ID, ROSTER)
    async with opened() as bench:
        await enroll(bench)
        await forget(bench, word_against_oneself())
        with pytest.raises(OwnerForgotten):
            await enroll(bench)
        await enroll(bench, namesake)
        with pytest.raises(OwnerForgotten):
            await enroll(bench, deal_owner(ROSTER, "another name", owner="owner").admitted(SAFE_ID, ROSTER))


async def test_a_forgotten_owner_makes_no_wallet_theirs(opened: Opener) -> None:
    """Neither by their word alone nor by a batch that carries it, also where they were never seen."""
    owned = deal(ROSTER, WALLET, [b"value"], label="owned", ownership=ownership_of(OWNER_KEY, WALLET))
    async with opened() as bench:
        await forget(bench, word_against_oneself())
        with pytest.raises(WalletRevoked):
            await authorise(bench, word_for(CALLER))
        assert isinstance((await bench.register(admitted(owned)))[0], WalletRevoked)
        assert count(bench, "pieces") == 0


async def test_a_wallet_of_a_forgotten_owner_goes_on_as_nobodys(opened: Opener) -> None:
    """What it registers is kept, and another owner can make it theirs."""
    again = deal(ROSTER, WALLET, [b"again"], label="again")
    async with opened() as bench:
        await authorise(bench, word_for(CALLER))
        await forget(bench, word_against_oneself())
        (body,) = await bench.certificates(admitted(again))
        assert await bench.store.erase_due(NOW) == 0
        assert isinstance((await bench.fetch(body))[0], ReleasedPiece)
        await authorise(bench, word_for(CALLER, OTHER_OWNER_KEY))
        assert await bench.store.owners.standing(CALLER) == Standing(CALLER, OTHER_OWNER)
        assert (await bench.store.owners.view(OWNER)).items == 0
