"""A caller that vanishes just as the safe commits: what was committed stays whole, what was not goes.

The moment is exact: the writer has committed, its answer is held back, and the call is cancelled.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest

from safe_node.decisions.admission import admit_batch
from support.faults import wait_until
from support.safe_databases import count_strays, pieces_of
from support.safe_requests import CHUNK_BYTES, deal, seeded
from support.store_bench import (
    CALLER,
    MEMBERSHIP,
    MIB,
    ROSTER,
    SAFE_ID,
    WALLET,
    Bench,
    sqlite_bench,
    tombstone,
)

BLOB = seeded("vanished").read(MIB + 70_000)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """An empty store."""
    async with sqlite_bench(tmp_path / "data") as bench:
        yield bench


def database(bench: Bench) -> Path:
    """Its file."""
    return bench.folder / "safe.db"


async def cancelled_after_commit(
    bench: Bench, call: Coroutine[Any, Any, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run a call until its first write is committed, cancel it, and only then let the answer through."""
    writer: Any = bench.store._writer
    loop, committed = asyncio.get_running_loop(), asyncio.Event()
    held: list[tuple[Any, ...]] = []

    def hold(*answer: Any) -> None:
        held.append(answer)
        loop.call_soon_threadsafe(committed.set)

    monkeypatch.setattr(writer, "_answer", hold)
    running = asyncio.create_task(call)
    await committed.wait()
    running.cancel()
    monkeypatch.undo()
    for answer in held:
        writer._answer(*answer)
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_piece_committed_for_a_vanished_caller_keeps_its_blob(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its upload is aborted afterwards; the next upload is answered with a certificate that holds."""
    dealt = deal(ROSTER, WALLET, [BLOB], label="vanished")
    candidate, blob = dealt.streamed_candidate(SAFE_ID)
    batch = admit_batch(candidate, CALLER, MEMBERSHIP)
    upload = await bench.store.begin_upload(CALLER, len(blob), 0)
    for start in range(0, len(blob), CHUNK_BYTES):
        await upload.write(blob[start : start + CHUNK_BYTES])

    await cancelled_after_commit(bench, upload.finish(batch, bench.rules.plan), monkeypatch)
    assert len(pieces_of(database(bench), CALLER)) == 1
    await upload.abort()

    (certificate,) = await bench.upload(dealt)
    assert await bench.stream(certificate) == blob
    assert count_strays(database(bench)) == 0


async def test_a_reservation_for_a_vanished_caller_is_given_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its bytes would count against the wallet until the next start."""
    await cancelled_after_commit(bench, bench.store.begin_upload(CALLER, 1_000_000, 0), monkeypatch)
    await asyncio.to_thread(wait_until, lambda: count_strays(database(bench)) == 0)


async def test_a_deletion_for_a_vanished_caller_erases_all_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tombstone stands, so the blocks of the blob must go, though nobody waits for the receipt."""
    dealt = deal(ROSTER, WALLET, [BLOB], label="doomed")
    await bench.upload(dealt)
    await cancelled_after_commit(bench, bench.delete(tombstone(dealt.items[0].item_id)), monkeypatch)
    assert not pieces_of(database(bench), CALLER)
    await asyncio.to_thread(wait_until, lambda: count_strays(database(bench)) == 0)
    await bench.delete(tombstone(dealt.items[0].item_id))
    assert BLOB[-64:] not in bench.files()
