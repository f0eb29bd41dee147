"""What the stores promise of deletions that wait: nothing is given out, nothing is lost until it is due."""

import asyncio
from pathlib import Path

import pysqlite3
import pytest

from safe_node.accounts import Standing
from safe_node.check import check_database
from safe_node.decisions.costs import TOMBSTONE_BYTES
from safe_node.deletions import AdmittedTombstone, Burial
from safe_node.records import ReleasedPiece
from safe_node.store import erasing
from support.owner_bench import (
    OTHER_OWNER_KEY,
    OTHER_WALLET,
    OWNER,
    OWNER_KEY,
    SIGNER,
    authorise,
    count,
    enroll,
    undelete,
    word_back,
    word_for,
)
from support.safe_requests import Dealt, deal, ownership_of, seeded
from support.store_bench import (
    CALLER,
    GRACE,
    MIB,
    NOW,
    OTHER,
    ROSTER,
    WALLET,
    Bench,
    Opener,
    admitted,
    tombstone,
)
from trust.ids import ItemId
from trust.owner_refusals import WalletHasOwner
from trust.wallet_refusals import (
    CertificateUnknown,
    ErasedAlready,
    ItemDeleted,
    QuotaExceeded,
    TombstoneRevived,
)

DUE = NOW + GRACE
THE_OWNER = Standing(SIGNER, OWNER)
SMALL = deal(ROSTER, WALLET, [seeded("small").read(500)], label="small")
LARGE = deal(ROSTER, WALLET, [seeded("large").read(MIB + 5000)], label="large")
SECRETS = [SMALL.blobs[0, 1], LARGE.blobs[0, 1][-200:], SMALL.shares[1], LARGE.shares[1]]


def against(dealt: Dealt) -> AdmittedTombstone:
    return tombstone(dealt.items[0].item_id)


def owners_word_against(dealt: Dealt, by: Standing = THE_OWNER) -> AdmittedTombstone:
    return tombstone(dealt.items[0].item_id, signer=OWNER_KEY, by=by)


async def owned(bench: Bench) -> list[bytes]:
    """Two wallets of an owner; the first has a small piece and a large one. Gives their certificates."""
    for wallet in (CALLER, OTHER_WALLET):
        await authorise(bench, word_for(wallet))
    return [*await bench.certificates(admitted(SMALL)), *await bench.upload(LARGE)]


async def found(bench: Bench, *bodies: bytes) -> list[type]:
    return [type(outcome) for outcome in await bench.fetch(*bodies)]


def kept(bench: Bench) -> int:
    """How many of the secrets are in the files."""
    return sum(secret in bench.files() for secret in SECRETS)


async def test_what_waits_is_neither_given_out_nor_taken_in_nor_gone(opened: Opener) -> None:
    """As after any tombstone, but for the bytes."""
    async with opened() as bench:
        bodies = await owned(bench)
        outcomes = await bench.delete(against(SMALL), against(LARGE))
        assert [outcome.erase_at for outcome in outcomes if isinstance(outcome, Burial)] == [DUE, DUE]
        assert await found(bench, *bodies) == [CertificateUnknown, CertificateUnknown]
        with pytest.raises(CertificateUnknown):
            await bench.stream(bodies[1])
        assert isinstance((await bench.register(admitted(SMALL)))[0], ItemDeleted)
        with pytest.raises(ItemDeleted):
            await bench.upload(LARGE)
        assert kept(bench) == 4


async def test_what_is_due_is_erased_and_not_a_second_sooner(opened: Opener) -> None:
    """Small and large pieces, key shares, manifests; what they took is given back."""
    async with opened() as bench:
        await owned(bench)
        await bench.delete(against(SMALL), against(LARGE))
        assert await bench.store.erase_due(DUE - 1) == 0
        assert kept(bench) == 4
        assert await bench.store.erase_due(DUE) == 2
        assert kept(bench) == 0
        assert [count(bench, table) for table in ("pieces", "batches", "doomed", "loose_blobs")] == [0] * 4
        view = await bench.store.owners.view(OWNER)
        assert view.used_bytes == 2 * TOMBSTONE_BYTES
        assert isinstance((await bench.register(admitted(SMALL)))[0], ItemDeleted)


async def test_what_waits_is_erased_by_the_next_process_too(opened: Opener) -> None:
    """Times stand in the database."""
    async with opened() as bench:
        await owned(bench)
        await bench.delete(against(SMALL), against(LARGE))
    async with opened() as bench:
        assert await bench.store.erase_due(DUE) == 2
        assert kept(bench) == 0


async def test_what_is_due_goes_in_slices(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other writes come in between; the answer comes when all is gone, also to whoever asks meanwhile."""
    monkeypatch.setattr(erasing, "SLICE_PIECES", 2)
    values = [seeded(f"value {number}").read(100) for number in range(7)]
    dealt = deal(ROSTER, WALLET, values, label="seven")
    async with opened() as bench:
        await authorise(bench, word_for(CALLER))
        await bench.certificates(admitted(dealt))
        await bench.delete(*(tombstone(item.item_id) for item in dealt.items))
        erasures = [asyncio.create_task(bench.store.erase_due(DUE)) for _ in range(2)]
        await bench.certificates(admitted(SMALL))
        assert sorted(await asyncio.gather(*erasures)) == [0, 7]
        assert not [value for value in values if value in bench.files()]


async def test_a_slice_is_bounded_in_bytes(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """One piece at least goes, however large."""
    monkeypatch.setattr(erasing, "SLICE_BYTES", 1)
    async with opened() as bench:
        await owned(bench)
        await bench.delete(against(SMALL), against(LARGE))
        first = await bench.store._writer.submit(lambda connection: erasing.erase_due_slice(connection, DUE))
        assert first.pieces == 1
        assert await bench.store.erase_due(DUE) == 1
        assert kept(bench) == 0


async def test_the_owner_erases_at_once_also_what_waits(opened: Opener) -> None:
    """Whichever of their wallets registered it, whichever deleted it."""
    async with opened() as bench:
        await owned(bench)
        await bench.delete(against(SMALL))
        by_other = tombstone(LARGE.items[0].item_id, signer=OTHER)
        await bench.delete(by_other)
        assert kept(bench) == 4
        outcomes = await bench.delete(owners_word_against(SMALL), owners_word_against(LARGE))
        assert [outcome.erase_at for outcome in outcomes if isinstance(outcome, Burial)] == [None, None]
        assert kept(bench) == 0
        assert count(bench, "doomed") == 0


async def test_the_owners_word_brought_by_a_wallet_waits_until_the_owner_brings_it(opened: Opener) -> None:
    """The same tombstone; the receipt is another then."""
    async with opened() as bench:
        await owned(bench)
        (waiting,) = await bench.delete(owners_word_against(SMALL, Standing(CALLER, OWNER)))
        assert isinstance(waiting, Burial)
        assert waiting.erase_at == DUE
        assert SMALL.blobs[0, 1] in bench.files()
        (done,) = await bench.delete(owners_word_against(SMALL))
        assert isinstance(done, Burial)
        assert (done.erase_at, done.tombstone) == (None, waiting.tombstone)
        assert SMALL.blobs[0, 1] not in bench.files()


async def test_an_owners_tombstone_refuses_what_their_wallets_bring(opened: Opener) -> None:
    """Although it stands under the owner's own key."""
    async with opened() as bench:
        await authorise(bench, word_for(CALLER))
        await bench.delete(owners_word_against(SMALL))
        assert isinstance((await bench.register(admitted(SMALL)))[0], ItemDeleted)
        (told,) = await bench.store.owners.tombstones(OWNER)
        assert told[0] == owners_word_against(SMALL).body


async def test_another_owners_word_reaches_nothing(opened: Opener) -> None:
    """It stands for their own items of that name alone."""
    async with opened() as bench:
        bodies = await owned(bench)
        await undelete(bench, word_back(against(SMALL), OTHER_OWNER_KEY))
        await bench.delete(tombstone(SMALL.items[0].item_id, signer=OTHER_OWNER_KEY))
        assert (await found(bench, bodies[0])) == [ReleasedPiece]
        await bench.delete(against(SMALL))
        await undelete(bench, word_back(against(SMALL), OTHER_OWNER_KEY))
        assert (await found(bench, bodies[0])) == [CertificateUnknown]


async def test_a_deletion_is_taken_back_and_that_tombstone_refused(opened: Opener) -> None:
    """Everything is given out as before, and stays when the time comes; another tombstone deletes again."""
    async with opened() as bench:
        bodies = await owned(bench)
        await bench.delete(against(SMALL), against(LARGE))
        for _ in range(2):
            for dealt in (SMALL, LARGE):
                await undelete(bench, word_back(against(dealt)), DUE - 1)
        assert (await bench.fetch(bodies[0]))[0].blob == SMALL.blobs[0, 1]
        assert await bench.stream(bodies[1]) == LARGE.blobs[0, 1]
        assert await bench.certificates(admitted(SMALL)) == tuple(bodies[:1])
        assert await bench.store.erase_due(DUE) == 0
        outcomes = await bench.delete(against(SMALL), against(LARGE))
        assert [type(outcome) for outcome in outcomes] == [TombstoneRevived, TombstoneRevived]
        assert isinstance((await bench.delete(tombstone(SMALL.items[0].item_id, at=NOW + 1)))[0], Burial)
        assert (await found(bench, bodies[0])) == [CertificateUnknown]


async def test_a_word_taken_back_holds_where_the_tombstone_never_came(opened: Opener) -> None:
    """The safe was away for both, and hears them in the wrong order; across a restart."""
    async with opened() as bench:
        bodies = await owned(bench)
        await undelete(bench, word_back(against(SMALL)))
    async with opened() as bench:
        assert isinstance((await bench.delete(against(SMALL)))[0], TombstoneRevived)
        assert (await found(bench, bodies[0])) == [ReleasedPiece]


async def test_what_is_due_is_not_taken_back(opened: Opener) -> None:
    """Whether or not its bytes are gone already, and whatever the clock says afterwards."""
    async with opened() as bench:
        await owned(bench)
        await bench.delete(against(SMALL))
        for _ in range(2):
            with pytest.raises(ErasedAlready):
                await undelete(bench, word_back(against(SMALL)), DUE)
            await bench.store.erase_due(DUE)
        with pytest.raises(ErasedAlready):
            await undelete(bench, word_back(against(SMALL)), NOW)
        assert count(bench, "revivals") == 0


async def test_what_the_owner_erased_is_not_taken_back(opened: Opener) -> None:
    """Although a wallet's tombstone for it would have waited."""
    async with opened() as bench:
        await owned(bench)
        await bench.delete(against(SMALL))
        await bench.delete(owners_word_against(SMALL))
        with pytest.raises(ErasedAlready):
            await undelete(bench, word_back(against(SMALL)))


async def test_two_tombstones_must_both_be_taken_back(opened: Opener) -> None:
    """Two wallets deleted the same item; while one stands it is deleted."""
    second = tombstone(SMALL.items[0].item_id, signer=OTHER)
    async with opened() as bench:
        bodies = await owned(bench)
        await bench.delete(against(SMALL))
        (later,) = await bench.delete(second, now=NOW + 100)
        assert isinstance(later, Burial)
        assert later.erase_at == DUE, "a later tombstone does not put it off"
        await undelete(bench, word_back(against(SMALL)))
        assert (await found(bench, bodies[0])) == [CertificateUnknown]
        await undelete(bench, word_back(second))
        assert (await found(bench, bodies[0])) == [ReleasedPiece]


async def test_the_catalogue_tells_revivals_in_the_place_of_tombstones(opened: Opener) -> None:
    """What was taken back is told no more as deleted."""
    async with opened() as bench:
        await owned(bench)
        await bench.delete(against(SMALL), against(LARGE))
        word = word_back(against(SMALL))
        await undelete(bench, word)
        owners = bench.store.owners
        assert [body for body, _ in await owners.tombstones(OWNER)] == [against(LARGE).body]
        assert await owners.revivals(OWNER) == [(word.revival, word.signature)]
        assert sum([len(await owners.kept_batch(batch)) for batch in await owners.batch_ids(OWNER)]) == 2


async def test_taking_back_gives_the_tombstones_bytes_back(opened: Opener) -> None:
    """The owner's word counts towards who brings it."""
    async with opened() as bench:
        await owned(bench)
        before = (await bench.store.owners.view(OWNER)).used_bytes
        await bench.delete(against(SMALL))
        await undelete(bench, word_back(against(SMALL)))
        assert (await bench.store.owners.view(OWNER)).used_bytes == before + TOMBSTONE_BYTES


async def test_a_full_wallet_of_an_owners_can_still_delete(opened: Opener) -> None:
    """Its room comes back with the erasure."""
    dealt = deal(ROSTER, WALLET, [bytes(50_000)], label="full")
    another = deal(ROSTER, WALLET, [bytes(50_000)], label="another")
    async with opened(bytes_per_wallet=53_000) as bench:
        await authorise(bench, word_for(CALLER))
        await bench.certificates(admitted(dealt))
        assert isinstance((await bench.delete(against(dealt)))[0], Burial)
        assert isinstance((await bench.register(admitted(another)))[0], QuotaExceeded)
        await bench.store.erase_due(DUE)
        await bench.certificates(admitted(another))


async def test_what_waits_is_not_called_damaged(opened: Opener) -> None:
    """No wallet would find it, and none should."""
    async with opened() as bench:
        await owned(bench)
        await bench.delete(against(SMALL))
        report = check_database(bench.folder, lambda done, total: None)
        assert (report.pieces, report.sound) == (1, True)


async def test_a_manifest_makes_the_wallet_its_owners_with_the_batch(opened: Opener) -> None:
    """By one message and by stream; the tombstones of the owner's other wallets hold at once."""
    item = [ItemId(b"i" * 16)]
    mine = deal(ROSTER, WALLET, [b"mine"], label="mine", ownership=ownership_of(OWNER_KEY, WALLET))
    deleted = deal(
        ROSTER, OTHER, [b"theirs"], label="deleted", item_ids=item, ownership=ownership_of(OWNER_KEY, OTHER)
    )
    streamed = deal(ROSTER, OTHER, [bytes(70_000)], label="str", ownership=ownership_of(OWNER_KEY, OTHER))
    async with opened() as bench:
        await bench.certificates(admitted(mine))
        assert await bench.store.owners.standing(CALLER) == Standing(CALLER, OWNER)
        await bench.delete(tombstone(item[0]))
        refused = await bench.register(admitted(deleted, OTHER_WALLET))
        assert isinstance(refused[0], ItemDeleted)
        assert await bench.store.owners.standing(OTHER_WALLET) == Standing(OTHER_WALLET)
        await bench.upload(streamed, wallet=OTHER_WALLET)
        assert await bench.store.owners.standing(OTHER_WALLET) == Standing(OTHER_WALLET, OWNER)


async def test_a_manifest_of_another_owner_leaves_the_wallet_and_stores_nothing(opened: Opener) -> None:
    """The refusal of AuthoriseWallet, and nothing of the batch."""
    ownership = ownership_of(OTHER_OWNER_KEY, WALLET)
    async with opened() as bench:
        await enroll(bench)
        await authorise(bench, word_for(CALLER))
        for large in (False, True):
            dealt = deal(ROSTER, WALLET, [bytes(70_000)], label=f"{large}", ownership=ownership)
            if large:
                with pytest.raises(WalletHasOwner):
                    await bench.upload(dealt)
            else:
                assert isinstance((await bench.register(admitted(dealt)))[0], WalletHasOwner)
        assert await bench.store.owners.standing(CALLER) == Standing(CALLER, OWNER)
        assert (count(bench, "pieces"), count(bench, "loose_blobs")) == (0, 0)


async def test_tombstones_of_before_owners_stay_erased(opened: Opener, tmp_path: Path) -> None:
    """A row without a time is one that was carried out."""
    async with opened() as bench:
        await bench.certificates(admitted(SMALL))
        await bench.delete(against(SMALL))
        await authorise(bench, word_for(CALLER))
        with pytest.raises(ErasedAlready):
            await undelete(bench, word_back(against(SMALL)))
        connection = pysqlite3.connect(str(bench.folder / "safe.db"))
        assert connection.execute("SELECT erase_at FROM tombstones").fetchall() == [(None,)]
        connection.close()
