"""What safe_node.store.base promises of taking in and giving out, held against every store."""

import asyncio
import threading
from collections.abc import Awaitable
from functools import partial
from pathlib import Path
from typing import Any

import pysqlite3
import pytest

from durable.folder import StoreUnusable
from safe_node.decisions.admission import admit_batch
from safe_node.decisions.retrieval import judge_stream
from safe_node.records import ReleasedPiece
from safe_node.store.sqlite_store import open_store
from support.safe_requests import deal, seeded
from support.store_bench import (
    CALLER,
    MEMBERSHIP,
    MIB,
    OTHER,
    ROSTER,
    SAFE_ID,
    WALLET,
    Opener,
    admitted,
    batch_of,
    shown,
    tombstone,
)
from trust.certificate import Certificate
from trust.ids import SafeId, WalletKey
from trust.manifest import Place
from trust.refusals import Busy, CallTooLarge, Refusal
from trust.wallet_refusals import (
    CertificateUnknown,
    ItemDeleted,
    NotYourItem,
    PieceConflict,
    StoredPieceDamaged,
)


async def test_what_was_registered_comes_back(opened: Opener) -> None:
    """Blob and key share, byte for byte, an empty value included."""
    dealt = deal(ROSTER, WALLET, [b"one", b"", bytes(100_000)])
    async with opened() as bench:
        certificates = await bench.certificates(admitted(dealt))
        pieces = await bench.fetch(*certificates)
    assert [piece.blob for piece in pieces] == [dealt.blobs[index, 1] for index in range(3)]
    assert {piece.key_share for piece in pieces} == {dealt.shares[1]}


async def test_answers_survive_a_restart(opened: Opener) -> None:
    """Pieces, counter and tombstones."""
    async with opened() as bench:
        first = await bench.certificates(batch_of("first"))
        await bench.delete(tombstone(b"d" * 16))
    async with opened() as bench:
        assert isinstance((await bench.fetch(*first))[0], ReleasedPiece)
        second = await bench.certificates(batch_of("second"))
        refused = (await bench.register(batch_of("late", item_ids=[b"d" * 16])))[0]
    assert [shown(body).certificate.counter for body in first + second] == [0, 1]
    assert isinstance(refused, ItemDeleted)


async def test_the_counter_wraps_and_x_tells_equal_y_apart(opened: Opener) -> None:
    """After the limit Y starts again; every certificate still opens its own piece."""
    async with opened(counter_limit=2) as bench:
        bodies = [(await bench.certificates(batch_of(f"{number}", b"%d" % number)))[0] for number in range(7)]
        assert [shown(body).certificate.counter for body in bodies] == [0, 1, 2, 0, 1, 2, 0]
        assert [piece.blob[32:] for piece in await bench.fetch(*bodies)] == [b"%d" % n for n in range(7)]


@pytest.mark.parametrize(
    "change",
    [
        {"counter": 9},
        {"safe_id": SafeId(b"s" * 16)},
        {"x_hash": bytes(32)},
        {"generation": 2},
        {"index": 2},
        {"kind": "key"},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_changed_certificate_opens_nothing(opened: Opener, change: dict[str, Any]) -> None:
    """Index and hash find a row; the whole certificate must match it."""
    async with opened() as bench:
        body = (await bench.certificates(batch_of("a")))[0]
        certificate = shown(body).certificate
        fields = {name: getattr(certificate, name) for name in Certificate.__struct_fields__}
        changed = Certificate(**(fields | change)).to_bytes()
        assert [type(found) for found in await bench.fetch(changed, body)] == [
            CertificateUnknown,
            ReleasedPiece,
        ]


async def test_another_wallet_gets_nothing(opened: Opener) -> None:
    """A certificate names, it does not authorise."""
    async with opened() as bench:
        body = (await bench.certificates(batch_of("a")))[0]
        assert isinstance((await bench.fetch(body, caller=WalletKey(OTHER.public)))[0], NotYourItem)


async def test_registering_again_changes_nothing(opened: Opener) -> None:
    """The same certificates; no counter is used, no byte is counted."""
    async with opened() as bench:
        batch = batch_of("a", b"1", b"2")
        first = await bench.certificates(batch)
        assert await bench.certificates(batch) == first
        assert shown((await bench.certificates(batch_of("b")))[0]).certificate.counter == 2


async def test_each_batch_stands_or_falls_alone(opened: Opener) -> None:
    """A conflict between two good ones leaves both of them standing."""
    async with opened() as bench:
        await bench.certificates(batch_of("a", item_ids=[b"i" * 16]))
        conflicting = batch_of("b", b"new", b"other", item_ids=[b"n" * 16, b"i" * 16])
        outcomes = await bench.register(batch_of("c"), conflicting, batch_of("d"))
        assert [type(outcome) for outcome in outcomes] == [tuple, PieceConflict, tuple]
        again = await bench.certificates(batch_of("e", item_ids=[b"n" * 16]))
        assert len(again) == 1, "nothing of the refused batch was written"


async def test_many_at_once_get_counters_of_their_own(opened: Opener) -> None:
    """However they are grouped, no counter is given twice and none is left out."""
    async with opened() as bench:
        outcomes = await asyncio.gather(*(bench.certificates(batch_of(f"{n}")) for n in range(50)))
        assert sorted(shown(body).certificate.counter for (body,) in outcomes) == list(range(50))


async def test_the_same_batch_many_times_at_once_is_one_registration(opened: Opener) -> None:
    """Concurrent retries agree on one certificate."""
    async with opened() as bench:
        batch = batch_of("a")
        assert len(set(await asyncio.gather(*(bench.certificates(batch) for _ in range(20))))) == 1


async def test_a_large_piece_comes_in_and_goes_out_in_chunks(opened: Opener) -> None:
    """More than two chunks and a rest."""
    value = seeded("large").read(2 * MIB + 100_000)
    async with opened() as bench:
        (body,) = await bench.upload(deal(ROSTER, WALLET, [value], label="large"))
        assert (await bench.stream(body))[32:] == value


async def test_a_piece_erased_while_it_goes_out_is_unknown_not_damaged(opened: Opener) -> None:
    """Nobody is to look for rot on a sound disk."""
    large = deal(ROSTER, WALLET, [bytes(2 * MIB)], label="large")
    async with opened() as bench:
        (body,) = await bench.upload(large)
        streamed = await bench.store.stream(shown(body), partial(judge_stream, caller=CALLER))
        await anext(streamed.chunks)
        await bench.delete(tombstone(large.items[0].item_id))
        with pytest.raises(CertificateUnknown):
            await anext(streamed.chunks)


async def test_two_large_pieces_of_one_item_come_in_two_streams(opened: Opener) -> None:
    """They share a manifest; each brings its own key share."""
    places = [Place(x, SAFE_ID, value=True, key=True) for x in (1, 2)]
    dealt = deal(ROSTER, WALLET, [bytes(100_000)], places=places, label="two here")
    async with opened() as bench:
        bodies = [(await bench.upload(dealt, x))[0] for x in (1, 2)]
        assert [await bench.stream(body) for body in bodies] == [dealt.blobs[0, 1], dealt.blobs[0, 2]]
        await bench.delete(tombstone(dealt.items[0].item_id))
        assert not [share for share in dealt.shares.values() if share in bench.files()]


async def test_a_second_stream_of_the_same_piece_gets_the_first_certificate(opened: Opener) -> None:
    """And its own copy is erased."""
    dealt = deal(ROSTER, WALLET, [bytes(100_000)], label="twice")
    async with opened() as bench:
        assert await bench.upload(dealt) == await bench.upload(dealt)
        assert await bench.store.erase_loose() == 0


async def test_an_answer_is_bounded(opened: Opener) -> None:
    """More than the budget is refused as a whole, before it is all in memory."""
    async with opened() as bench:
        bodies = await bench.certificates(batch_of("a", bytes(1000), bytes(1000)))
        assert len(await bench.fetch(*bodies, budget=2064)) == 2
        with pytest.raises(CallTooLarge):
            await bench.fetch(*bodies, budget=2063)


async def test_another_safes_database_is_refused(tmp_path: Path) -> None:
    """A restored backup in the wrong folder is found at the start."""
    await (await open_store(tmp_path, SAFE_ID)).close()
    with pytest.raises(StoreUnusable, match="belongs to safe"):
        await open_store(tmp_path, SafeId(b"o" * 16))


async def test_a_second_process_is_kept_out(opened: Opener) -> None:
    """At its start it would erase the upload that is under way; so the upload ends well."""
    large = deal(ROSTER, WALLET, [seeded("half-way").read(100_000)], label="half-way")
    candidate, blob = large.streamed_candidate(SAFE_ID)
    async with opened() as bench:
        upload = await bench.store.begin_upload(CALLER, len(blob), 0)
        await upload.write(blob)
        with pytest.raises(StoreUnusable, match="another process runs this safe"):
            await open_store(bench.folder, SAFE_ID)
        batch = admit_batch(candidate, CALLER, MEMBERSHIP)
        (body,) = await upload.finish(batch, bench.rules.plan)
        assert await bench.stream(body) == blob
    async with opened() as bench:
        assert await bench.stream(body) == blob


async def test_a_newer_programs_database_is_refused(opened: Opener) -> None:
    """And keeps its mark, so that the newer program still knows it."""
    async with opened() as bench:
        connection = pysqlite3.connect(str(bench.folder / "safe.db"))
        connection.execute("PRAGMA user_version = 99")
        connection.close()
    for _ in range(2):
        with pytest.raises(StoreUnusable, match="newer version"):
            await open_store(bench.folder, SAFE_ID)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """And is not touched."""
    (tmp_path / "safe.db").write_bytes(b"not a database, and long enough to be read as one" * 100)
    with pytest.raises(StoreUnusable, match="not a database"):
        await open_store(tmp_path, SAFE_ID)
    assert (tmp_path / "safe.db").read_bytes().startswith(b"not a database")


DAMAGE = {
    "a blob": "UPDATE pieces SET content = zeroblob(length(content)) WHERE content IS NOT NULL",
    "a key share": "UPDATE key_shares SET share = zeroblob(32)",
    "a lost key share": "DELETE FROM key_shares",
    "a block": "UPDATE blocks SET content = zeroblob(length(content))",
    "a lost block": "DELETE FROM blocks",
    "block hashes": "UPDATE pieces SET block_hashes = zeroblob(length(block_hashes)) WHERE blob_id > 0",
}


@pytest.mark.parametrize("statement", DAMAGE.values(), ids=DAMAGE)
async def test_damage_is_noticed_when_it_is_read(opened: Opener, statement: str) -> None:
    """Whatever rots, something that goes out says DATA_LOSS, and nothing wrong goes out."""
    dealt = deal(ROSTER, WALLET, [seeded("rots").read(5000)], label="small")
    large = deal(ROSTER, WALLET, [seeded("rots too").read(100_000)], label="large")
    async with opened() as bench:
        (small_body,) = await bench.certificates(admitted(dealt))
        (large_body,) = await bench.upload(large)
        connection = pysqlite3.connect(str(bench.folder / "safe.db"))
        connection.execute(statement)
        connection.commit()
        connection.close()
        outcomes = [await attempt(bench.fetch(small_body)), await attempt(bench.stream(large_body))]
        flat = [outcome[0] if isinstance(outcome, list) else outcome for outcome in outcomes]
        assert any(isinstance(outcome, StoredPieceDamaged) for outcome in flat)
        for outcome, blob in zip(flat, (dealt.blobs[0, 1], large.blobs[0, 1]), strict=True):
            assert isinstance(outcome, StoredPieceDamaged) or getattr(outcome, "blob", outcome) == blob


async def attempt(work: Awaitable[Any]) -> Any:
    try:
        return await work
    except Refusal as refusal:
        return refusal


async def test_a_stalled_disk_stops_neither_readers_nor_refusals(opened: Opener, monkeypatch: Any) -> None:
    """Reads go on beside a write that hangs; when too much waits, more is refused at once."""
    monkeypatch.setattr("durable.writer.MAX_QUEUED", 3)
    release, entered = threading.Event(), threading.Event()

    def hang(_: Any) -> None:
        entered.set()
        release.wait(30)

    async with opened() as bench:
        body = (await bench.certificates(batch_of("a")))[0]
        hanging = asyncio.create_task(bench.store._writer.submit(hang))
        await asyncio.to_thread(entered.wait, 30)
        waiting = [asyncio.create_task(bench.certificates(batch_of(f"{n}"))) for n in range(3)]
        await asyncio.sleep(0)
        assert isinstance((await bench.fetch(body))[0], ReleasedPiece)
        with pytest.raises(Busy):
            await bench.certificates(batch_of("one too many"))
        release.set()
        await hanging
        assert [len(done) for done in await asyncio.gather(*waiting)] == [1, 1, 1]


async def test_a_call_of_many_writes_is_taken_whole_or_not_at_all(opened: Opener, monkeypatch: Any) -> None:
    """More than the queue's bound goes in when nothing waits; what is refused as Busy wrote nothing."""
    monkeypatch.setattr("durable.writer.MAX_QUEUED", 3)
    release, entered = threading.Event(), threading.Event()

    def hang(_: Any) -> None:
        entered.set()
        release.wait(30)

    many = [batch_of(f"many {n}") for n in range(5)]
    async with opened() as bench:
        hanging = asyncio.create_task(bench.store._writer.submit(hang))
        await asyncio.to_thread(entered.wait, 30)
        waiting = asyncio.create_task(bench.certificates(batch_of("waits")))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await bench.register(*many)
        release.set()
        await asyncio.gather(hanging, waiting)
        outcomes = await bench.register(*many)
        assert [shown(body).certificate.counter for (body,) in outcomes] == [1, 2, 3, 4, 5]


async def test_a_caller_that_gave_up_in_the_queue_gets_nothing_written(opened: Opener) -> None:
    """Its turn comes, and passes."""
    release, entered = threading.Event(), threading.Event()

    def hang(_: Any) -> None:
        entered.set()
        release.wait(30)

    async with opened() as bench:
        hanging = asyncio.create_task(bench.store._writer.submit(hang))
        await asyncio.to_thread(entered.wait, 30)
        given_up = asyncio.create_task(bench.certificates(batch_of("given up")))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        release.set()
        await hanging
        body = (await bench.certificates(batch_of("next")))[0]
        assert shown(body).certificate.counter == 0
