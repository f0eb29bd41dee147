"""One safe's own figures: `python -m benchmarks --detail safe`.

A real process over TLS, a database on disk, synchronous=FULL. Each figure is a median; "at the safe" is what
the safe's own log says of the call, without the client.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.client import SignedCaller
from support.safe_process import SafeClient, SafeHome, SafeProcess, make_safes, running
from support.safe_requests import CHUNK_BYTES, Dealt, deal, seeded, signed_tombstone, wallet_key

SERVICE = "/kura.safe.v1.SafeService"
MIB = 1024 * 1024
SECONDS = 30.0
WALLET = wallet_key("speed")


async def _register(call: SignedCaller, home: SafeHome, dealt: Dealt) -> list[bytes]:
    request = pb.RegisterRequest(batches=[dealt.for_safe(home.entry.safe_id)])
    answer = await call.unary(f"{SERVICE}/Register", request, pb.RegisterResponse, SECONDS)
    return list(answer.results[0].registration.certificates)


async def _seconds(work: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


def _show(what: str, figure: str) -> None:
    print(f"{what:<52} {figure}")


async def one_at_a_time(call: SignedCaller, home: SafeHome, rounds: int = 200) -> bytes:
    """1 KiB, one after the other; gives a certificate."""
    batches = [deal(home.roster, WALLET, [bytes(1024)], label=f"one {n}", k=3) for n in range(rounds)]
    times = [await _seconds(partial(_register, call, home, dealt)) for dealt in batches]
    _show(
        "Register 1 KiB, one at a time, with the client",
        f"p50 {statistics.median(times) * 1e3:.2f} ms, {rounds / sum(times):.0f}/s",
    )
    return (await _register(call, home, batches[0]))[0]


async def in_flight(call: SignedCaller, home: SafeHome, width: int = 64, rounds: int = 640) -> None:
    """1 KiB, `width` calls at a time."""
    batches = [deal(home.roster, WALLET, [bytes(1024)], label=f"many {n}", k=3) for n in range(rounds)]
    gate = asyncio.Semaphore(width)

    async def one(dealt: Dealt) -> None:
        async with gate:
            await _register(call, home, dealt)

    seconds = await _seconds(lambda: asyncio.gather(*map(one, batches)))
    _show(f"Register 1 KiB, {width} in flight", f"{rounds / seconds:.0f}/s")


async def large_batch(call: SignedCaller, home: SafeHome) -> None:
    """1,000 pieces of 1 KiB in one batch."""
    batches = [deal(home.roster, WALLET, [bytes(1024)] * 1000, label=f"batch {n}", k=3) for n in range(5)]
    times = [await _seconds(partial(_register, call, home, dealt)) for dealt in batches]
    _show("Register 1,000 x 1 KiB in one batch", f"p50 {statistics.median(times) * 1e3:.0f} ms")


async def fetches(call: SignedCaller, certificate: bytes, what: str) -> None:
    """One certificate at a time."""
    request = pb.FetchRequest(certificates=[certificate])
    times = [
        await _seconds(lambda: call.unary(f"{SERVICE}/Fetch", request, pb.FetchResponse, SECONDS))
        for _ in range(200)
    ]
    _show(f"Fetch 1 KiB, {what}", f"p50 {statistics.median(times) * 1e3:.2f} ms")


async def streams(call: SignedCaller, home: SafeHome, safe: SafeProcess) -> None:
    """64 MiB up, down, and erased."""
    value = seeded("64 MiB").read(64 * MIB)
    dealt = deal(home.roster, WALLET, [value], label="stream")
    opening, blob = dealt.opening(home.entry.safe_id)

    async def parts() -> AsyncIterator[pb.RegisterStreamRequest]:
        for start in range(0, len(blob), CHUNK_BYTES):
            yield pb.RegisterStreamRequest(chunk=blob[start : start + CHUNK_BYTES])

    first = pb.RegisterStreamRequest(opening=opening)
    started = time.perf_counter()
    answer = await call.stream_up(
        f"{SERVICE}/RegisterStream", first, parts(), pb.RegisterStreamResponse, SECONDS
    )
    _show("RegisterStream 64 MiB", f"{64 / (time.perf_counter() - started):.0f} MB/s")
    request = pb.FetchStreamRequest(certificate=answer.result.registration.certificates[0])
    started = time.perf_counter()
    async for _ in call.stream_down(f"{SERVICE}/FetchStream", request, pb.FetchStreamResponse, SECONDS):
        pass
    _show("FetchStream 64 MiB", f"{64 / (time.perf_counter() - started):.0f} MB/s")
    tombstones = pb.DeleteRequest(tombstones=[signed_tombstone(WALLET, dealt.items[0].item_id)])
    seconds = await _seconds(lambda: call.unary(f"{SERVICE}/Delete", tombstones, pb.DeleteResponse, SECONDS))
    _show("Delete 64 MiB, zeroed and log truncated", f"{seconds * 1e3:.0f} ms")
    _show("Most memory of the safe", f"{safe.peak_mb():.0f} MB")


async def _measure(home: SafeHome, safe: SafeProcess) -> None:
    async with SafeClient(safe, WALLET) as call:
        certificate = await one_at_a_time(call, home)
        await fetches(call, certificate, "hundreds kept")
        await in_flight(call, home)
        await large_batch(call, home)
        await streams(call, home, safe)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        home = make_safes(Path(folder), 5, 3)[0]
        with running(home):
            pass
        started = time.perf_counter()
        with running(home) as safe:
            _show("Start", f"{time.perf_counter() - started:.2f} s, idle {safe.rss_mb():.0f} MB")
            asyncio.run(_measure(home, safe))
        calls = [line["ms"] for line in safe.log if line.get("method", "").endswith("/Register")]
        _show("Register 1 KiB, at the safe", f"p50 {statistics.median(calls[:200]):.2f} ms")


if __name__ == "__main__":
    main()
