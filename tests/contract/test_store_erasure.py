"""What safe_node.store.base promises of erasing and of running full, held against every store."""

import asyncio
from functools import partial

import pysqlite3
import pytest

from safe_node.decisions.costs import TOMBSTONE_BYTES
from safe_node.deletions import Burial
from safe_node.records import ReleasedPiece
from safe_node.store.deletion import bury
from support.safe_requests import deal, seeded
from support.store_bench import CALLER, MIB, ROSTER, WALLET, Opener, admitted, batch_of, tombstone
from trust.refusals import StorageFull
from trust.wallet_refusals import CertificateUnknown, QuotaExceeded


async def test_an_upload_given_up_leaves_nothing(opened: Opener) -> None:
    """Not in the files, not in the wallet's bytes."""
    mark = seeded("mark").read(64)
    async with opened(bytes_per_wallet=200_000) as bench:
        upload = await bench.store.begin_upload(CALLER, 150_000, 200_000)
        await upload.write(mark * 1000)
        assert mark in bench.files()
        with pytest.raises(QuotaExceeded):
            await bench.store.begin_upload(CALLER, 60_000, 200_000)
        await upload.abort()
        assert mark not in bench.files()
        await (await bench.store.begin_upload(CALLER, 150_000, 200_000)).abort()


async def test_what_a_dead_process_staged_is_erased_at_the_next_start(opened: Opener) -> None:
    """Nobody called abort."""
    mark = seeded("mark").read(64)
    async with opened() as bench:
        upload = await bench.store.begin_upload(CALLER, 64_000, 0)
        await upload.write(mark * 1000)
        assert mark in bench.files()
    async with opened() as bench:
        assert mark not in bench.files()


async def test_erased_is_gone_from_the_files(opened: Opener) -> None:
    """Small and large blobs and the key share; all are there before, and neighbours stay."""
    small, large = seeded("small").read(500), seeded("large").read(MIB + 5000)
    doomed = deal(ROSTER, WALLET, [small], label="doomed")
    streamed = deal(ROSTER, WALLET, [large], label="streamed")
    secrets = [small, large[-200:], large[:200], doomed.shares[1], streamed.shares[1]]
    async with opened() as bench:
        kept = await bench.certificates(batch_of("kept"))
        gone = await bench.certificates(admitted(doomed)) + await bench.upload(streamed)
        assert all(secret in bench.files() for secret in secrets)
        await bench.delete(*(tombstone(item.item_id) for item in (*doomed.items, *streamed.items)))
        assert not [number for number, secret in enumerate(secrets) if secret in bench.files()]
        found = [type(outcome) for outcome in await bench.fetch(*gone, *kept)]
        assert found == [CertificateUnknown, CertificateUnknown, ReleasedPiece]


async def test_a_deletion_asked_again_finishes_the_one_that_broke_off(opened: Opener) -> None:
    """No receipt before the blocks are gone, whoever wrote the tombstone."""
    large = deal(ROSTER, WALLET, [seeded("large").read(MIB + 5000)], label="large")
    doomed = tombstone(large.items[0].item_id)
    async with opened() as bench:
        await bench.upload(large)
        plan = bench.deletion_rules().plan
        written = await bench.store._writer.submit(partial(bury, tombstone=doomed, plan=plan))
        assert large.blobs[0, 1][-200:] in bench.files()
        assert await bench.delete(doomed) == [written.burial]
        assert large.blobs[0, 1][-200:] not in bench.files()


async def test_a_long_read_holds_up_deletions_and_nothing_else(opened: Opener) -> None:
    """An operator may look into the database; the receipt comes when the bytes are gone from the log too."""
    doomed = deal(ROSTER, WALLET, [seeded("doomed").read(500)], label="doomed")
    async with opened() as bench:
        await bench.certificates(admitted(doomed))
        reader = pysqlite3.connect(str(bench.folder / "safe.db"), isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM pieces").fetchone()
        deleting = asyncio.create_task(bench.delete(tombstone(doomed.items[0].item_id)))
        for label in ("beside", "after"):
            await bench.certificates(batch_of(label))
        assert not deleting.done()
        assert doomed.blobs[0, 1] in bench.files()
        reader.close()
        assert isinstance((await deleting)[0], Burial)
        assert doomed.blobs[0, 1] not in bench.files()


async def test_no_stale_copy_outlives_many_deletions(opened: Opener) -> None:
    """Rows of many sizes come and go in turn; nothing that went is found in any file."""
    async with opened() as bench:
        gone: list[bytes] = []
        for turn in range(6):
            values = [seeded(f"{turn} {number}").read(40 + 150 * number) for number in range(25)]
            dealt = deal(ROSTER, WALLET, values, label=f"turn {turn}")
            await bench.certificates(admitted(dealt))
            doomed = range(turn % 2, 25, 2)
            await bench.delete(*(tombstone(dealt.items[number].item_id) for number in doomed))
            gone += [values[number] for number in doomed]
            assert all(values[number] in bench.files() for number in range(25) if number not in doomed)
        files = bench.files()
        assert not [value for value in gone if value in files or value[:40] in files or value[-40:] in files]


async def test_the_batch_goes_with_its_last_piece(opened: Opener) -> None:
    """Until then its key share is needed."""
    dealt = deal(ROSTER, WALLET, [b"1", b"2"], label="two")
    async with opened() as bench:
        bodies = await bench.certificates(admitted(dealt))
        await bench.delete(tombstone(dealt.items[0].item_id))
        assert (await bench.fetch(bodies[1]))[0].key_share == dealt.shares[1]
        await bench.delete(tombstone(dealt.items[1].item_id))
        assert dealt.shares[1] not in bench.files()
        assert dealt.body not in bench.files()


async def test_deletion_is_idempotent_and_reaches_one_generation(opened: Opener) -> None:
    """The first receipt again; the next generation stays."""
    item = [b"i" * 16]
    async with opened() as bench:
        await bench.certificates(batch_of("g1", item_ids=item))
        second = await bench.certificates(batch_of("g2", item_ids=item, generation=2))
        first, again = [(await bench.delete(tombstone(item[0])))[0] for _ in range(2)]
        assert first == again
        assert isinstance((await bench.fetch(*second))[0], ReleasedPiece)


async def test_quota_counts_tombstones_and_gives_back_what_is_erased(opened: Opener) -> None:
    """A wallet that deletes can register as much again, less its tombstones."""
    batch = batch_of("a", bytes(50_000))
    async with opened(bytes_per_wallet=55_000) as bench:
        await bench.certificates(batch)
        assert isinstance((await bench.register(batch_of("b", bytes(50_000))))[0], QuotaExceeded)
        await bench.delete(tombstone(batch.pieces[0].item_id))
        await bench.certificates(batch_of("c", bytes(50_000)))
        room = (55_000 - 50_000) // TOMBSTONE_BYTES + 2
        outcomes = await bench.delete(*(tombstone(bytes([n]) * 16) for n in range(room)))
        assert isinstance(outcomes[-1], QuotaExceeded)
        assert isinstance(outcomes[0], Burial)


async def test_full_means_nothing_half_written_and_room_can_be_made(opened: Opener) -> None:
    """What fits stays, what does not leaves no trace, and after a deletion it fits."""
    async with opened(database_bytes=3 * MIB) as bench:
        batches = [batch_of(f"{number}", seeded(f"{number}").read(400_000)) for number in range(12)]
        outcomes = await bench.register(*batches)
        stored = [batch for batch, done in zip(batches, outcomes, strict=True) if isinstance(done, tuple)]
        refused = [
            batch for batch, done in zip(batches, outcomes, strict=True) if isinstance(done, StorageFull)
        ]
        assert stored
        assert len(stored) + len(refused) == 12
        assert refused
        content = refused[0].pieces[0].content
        assert isinstance(content, bytes)
        with pytest.raises(StorageFull):
            await bench.upload(deal(ROSTER, WALLET, [bytes(2 * MIB)], label="too much"))
        bodies = [body for done in outcomes if isinstance(done, tuple) for body in done]
        assert {type(found) for found in await bench.fetch(*bodies)} == {ReleasedPiece}
        await bench.delete(tombstone(stored[0].pieces[0].item_id))
        await bench.certificates(refused[0])
