"""A safe process that is stopped, killed, filled up, restarted; and the operator's command."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pysqlite3
import pytest

from kura.common.v1 import error_reason_pb2 as reasons
from kura.safe.v1 import safe_pb2 as pb
from support.safe_process import (
    SafeClient,
    SafeHome,
    SafeProcess,
    command,
    make_safes,
    running,
)
from support.safe_requests import CHUNK_BYTES, deal, seeded, signed_tombstone, wallet_key
from trust.certificate import Certificate

pytestmark = pytest.mark.no_cover

SERVICE = "/kura.safe.v1.SafeService"
WALLET = wallet_key()
SECONDS = 20.0
MIB = 1024 * 1024


@pytest.fixture
def home(tmp_path: Path) -> SafeHome:
    """One safe that is a roster of its own."""
    return make_safes(tmp_path, 1)[0]


def dealt(home: SafeHome, label: str, *values: bytes) -> Any:
    return deal(home.roster, WALLET, values or (b"value",), label=label)


async def register(safe: SafeProcess, *batches: Any) -> list[pb.BatchResult]:
    safe_id = safe.home.entry.safe_id
    request = pb.RegisterRequest(batches=[batch.for_safe(safe_id) for batch in batches])
    async with SafeClient(safe, WALLET) as call:
        return list((await call.unary(f"{SERVICE}/Register", request, pb.RegisterResponse, SECONDS)).results)


async def certificate(safe: SafeProcess, batch: Any) -> bytes:
    (result,) = await register(safe, batch)
    return result.registration.certificates[0]


async def fetch(safe: SafeProcess, *bodies: bytes) -> list[pb.FetchResult]:
    async with SafeClient(safe, WALLET) as call:
        request = pb.FetchRequest(certificates=bodies)
        return list((await call.unary(f"{SERVICE}/Fetch", request, pb.FetchResponse, SECONDS)).results)


async def delete(safe: SafeProcess, item: bytes) -> pb.DeleteResult:
    async with SafeClient(safe, WALLET) as call:
        request = pb.DeleteRequest(tombstones=[signed_tombstone(WALLET, item)])  # type: ignore[arg-type]
        return (await call.unary(f"{SERVICE}/Delete", request, pb.DeleteResponse, SECONDS)).results[0]


async def upload(
    safe: SafeProcess, batch: Any, pause: Callable[[int], Any] | None = None
) -> pb.RegisterStreamResponse:
    opening, blob = batch.opening(safe.home.entry.safe_id)

    async def parts() -> AsyncIterator[pb.RegisterStreamRequest]:
        for start_at in range(0, len(blob), CHUNK_BYTES):
            if pause is not None:
                await pause(start_at)
            yield pb.RegisterStreamRequest(chunk=blob[start_at : start_at + CHUNK_BYTES])

    async with SafeClient(safe, WALLET) as call:
        first = pb.RegisterStreamRequest(opening=opening)
        return await call.stream_up(
            f"{SERVICE}/RegisterStream", first, parts(), pb.RegisterStreamResponse, SECONDS
        )


def counters(*bodies: bytes) -> list[int]:
    return [Certificate.from_bytes(body).counter for body in bodies]


async def test_a_restart_keeps_pieces_and_counter(home: SafeHome) -> None:
    """Also after SIGKILL: what was answered is there."""
    with running(home) as safe:
        first = await certificate(safe, dealt(home, "first"))
        safe.kill()
    with running(home) as safe:
        assert (await fetch(safe, first))[0].HasField("piece")
        second = await certificate(safe, dealt(home, "second"))
    assert counters(first, second) == [0, 1]


async def test_the_counter_wraps_at_its_limit(home: SafeHome) -> None:
    """Across a restart too."""
    home.set_limits(counter_limit=2)
    bodies = []
    for part in (0, 2):
        with running(home) as safe:
            bodies += [
                await certificate(safe, dealt(home, f"{part + n}", b"%d" % (part + n))) for n in range(2)
            ]
            results = await fetch(safe, *bodies)
    assert counters(*bodies) == [0, 1, 2, 0]
    assert [result.piece.blob[32:] for result in results] == [b"0", b"1", b"2", b"3"]


async def test_a_full_safe_refuses_and_goes_on_when_room_is_made(home: SafeHome) -> None:
    """A real SQLITE_FULL: RESOURCE_EXHAUSTED, nothing half-written, everything else still works."""
    home.set_limits(database_bytes=3 * MIB)
    with running(home) as safe:
        batches = [dealt(home, f"{n}", seeded(f"{n}").read(500_000)) for n in range(8)]
        results = await register(safe, *batches)
        stored = [n for n, result in enumerate(results) if result.HasField("registration")]
        refused = [n for n in range(8) if n not in stored]
        assert stored
        assert {results[n].refusal.reason for n in refused} == {reasons.ERROR_REASON_STORAGE_FULL}
        answer = await upload(safe, dealt(home, "large", bytes(2 * MIB)))
        assert answer.result.refusal.reason == reasons.ERROR_REASON_STORAGE_FULL
        bodies = [results[n].registration.certificates[0] for n in stored]
        assert all(result.HasField("piece") for result in await fetch(safe, *bodies))
        assert (await delete(safe, batches[stored[0]].items[0].item_id)).HasField("receipt")
        assert await certificate(safe, batches[refused[0]])
    assert "0 damaged" in command("check", "--config", str(home.config)).stdout


async def test_sigterm_lets_running_calls_finish(home: SafeHome) -> None:
    """The upload under way is answered, new calls are refused, the exit code is 0."""
    half_way, signalled = asyncio.Event(), asyncio.Event()

    async def pause(start_at: int) -> None:
        if start_at == 2 * CHUNK_BYTES:
            half_way.set()
            await signalled.wait()

    with running(home) as safe:
        batch = dealt(home, "large", seeded("large").read(4 * MIB))
        uploading = asyncio.create_task(upload(safe, batch, pause))
        await half_way.wait()
        stopping = asyncio.create_task(asyncio.to_thread(safe.terminate))
        signalled.set()
        body = (await uploading).result.registration.certificates[0]
        assert await stopping == 0
    assert [line["event"] for line in safe.log if line["event"] != "rpc"][-2:] == ["server.stopped", "closed"]
    with running(home) as safe:
        async with SafeClient(safe, WALLET) as call:
            request = pb.FetchStreamRequest(certificate=body)
            parts = call.stream_down(f"{SERVICE}/FetchStream", request, pb.FetchStreamResponse, SECONDS)
            assert sum([len(part.chunk) async for part in parts]) == 4 * MIB + 32


async def test_sigkill_during_an_upload_leaves_nothing_stray(home: SafeHome) -> None:
    """The staged chunks are in the files before the restart and gone after it."""
    mark = seeded("mark").read(100)
    batch = dealt(home, "large", (mark * 100_000)[: 4 * MIB])

    def found() -> bool:
        return any(mark in path.read_bytes() for path in home.database.parent.iterdir())

    async def pause(start_at: int) -> None:
        if start_at == 3 * CHUNK_BYTES:
            while not await asyncio.to_thread(found):
                continue
            safe.kill()

    with running(home) as safe, pytest.raises(Exception, match=r"connection|listens|reached|lost"):
        await upload(safe, batch, pause)
    assert found()
    with running(home) as safe:
        assert not found()
        connection = pysqlite3.connect(str(home.database))
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in ("pieces", "batches", "blocks", "loose_blobs", "key_shares")
        ]
        connection.close()
        assert counts == [0] * 5
        assert (await upload(safe, batch)).result.HasField("registration")


async def test_a_caller_that_leaves_in_the_middle_leaves_nothing(home: SafeHome) -> None:
    """The safe notices and erases what was staged, while it goes on serving."""
    half_way = asyncio.Event()

    async def pause(start_at: int) -> None:
        if start_at == 2 * CHUNK_BYTES:
            half_way.set()
            await asyncio.Event().wait()

    with running(home) as safe:
        uploading = asyncio.create_task(upload(safe, dealt(home, "large", bytes(4 * MIB)), pause))
        await half_way.wait()
        uploading.cancel()
        await asyncio.gather(uploading, return_exceptions=True)
        async with asyncio.timeout(SECONDS):
            while await asyncio.to_thread(_count_loose, home.database):
                continue
        connection = pysqlite3.connect(str(home.database))
        assert connection.execute("SELECT count(*) FROM blocks").fetchone()[0] == 0
        connection.close()


def _count_loose(database: Path) -> int:
    connection = pysqlite3.connect(str(database))
    try:
        return int(connection.execute("SELECT count(*) FROM loose_blobs").fetchone()[0])
    finally:
        connection.close()


async def test_memory_stays_bounded_while_64_mib_go_in_and_out(home: SafeHome) -> None:
    """Two uploads at once, then a download: under 256 MB at every moment."""
    value = seeded("64 MiB").read(64 * MIB)
    batches = [dealt(home, label, value) for label in ("one", "two")]
    with running(home) as safe:
        answers = await asyncio.gather(*(upload(safe, batch) for batch in batches))
        request = pb.FetchStreamRequest(certificate=answers[0].result.registration.certificates[0])
        async with SafeClient(safe, WALLET) as call:
            parts = call.stream_down(f"{SERVICE}/FetchStream", request, pb.FetchStreamResponse, SECONDS)
            assert sum([len(part.chunk) async for part in parts]) == 64 * MIB + 32
        assert safe.peak_mb() < 256


async def test_the_log_tells_no_secrets(home: SafeHome) -> None:
    """Every call is a line; neither values nor shares nor whole identifiers are in any."""
    batch = dealt(home, "logged", b"a value that nobody may read")
    with running(home) as safe:
        body = await certificate(safe, batch)
        await fetch(safe, body)
        await delete(safe, batch.items[0].item_id)
    methods = [line["method"].rpartition("/")[2] for line in safe.log if line["event"] == "rpc"]
    assert methods == ["Register", "Fetch", "Delete"]
    text = json.dumps(safe.log)
    for secret in (b"a value", batch.shares[1], batch.blobs[0, 1], batch.items[0].item_id, WALLET.public):
        assert secret.hex() not in text
        assert repr(secret)[2:-1] not in text


@pytest.mark.parametrize("lie", ["flip-bit", "other-item", "old-generation", "swap-key-share", "garbage"])
async def test_a_lying_safe_lies(home: SafeHome, lie: str) -> None:
    """The test double does what its name says: certificates are right, what goes out is not."""
    first = dealt(home, "first", b"first value")
    second = deal(
        home.roster, WALLET, [b"second val."], label="second", generation=2, item_ids=[first.items[0].item_id]
    )
    third = dealt(home, "third", b"third value")
    with running(home, ("support.lying_safe", "--lie", lie)) as safe:
        await certificate(safe, first)
        body = await certificate(safe, second)
        await certificate(safe, third)
        await delete(safe, first.items[0].item_id)
        piece = (await fetch(safe, body))[0].piece
    honest = (second.blobs[0, 1], second.shares[1])
    expected = {
        "flip-bit": (honest[0][:-1] + bytes([honest[0][-1] ^ 1]), honest[1]),
        "other-item": (third.blobs[0, 1], honest[1]),
        "old-generation": (first.blobs[0, 1], honest[1]),
        "swap-key-share": (honest[0], third.shares[1]),
    }
    if lie == "garbage":
        assert (len(piece.blob), len(piece.key_share)) == (43, 32)
        assert piece.blob != honest[0]
        return
    assert (piece.blob, piece.key_share) == expected[lie]
