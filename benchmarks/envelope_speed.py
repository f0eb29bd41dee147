"""What envelopes cost, and 100,000 half-open ones do to a safe: `python -m benchmarks --detail envelope`.

Real processes: safes over TLS with databases on disk, and `kura terminal`. The three ways of one call take
turns. Half-open is an envelope of which the call was opened and no frame was sent.
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

import grpc

from benchmarks.timing import seconds
from kura.safe.v1 import owner_pb2, safe_pb2
from rpc_edge.carrying import call_to_carry
from rpc_edge.client import SignedCaller
from rpc_edge.envelope_channel import EnvelopeChannel
from rpc_edge.tls import pinned_channel
from support.carrier import carrying
from support.cluster import LocalCluster
from support.safe_process import SafeProcess, make_safes, now_ms, running
from support.safe_requests import CHUNK_BYTES, deal, seeded, wallet_key
from threshold.oprf import Mode, blind
from threshold.randomness import SystemRandomness
from trust.roster import SafeEntry

SAFES, OWNERS = "/kura.safe.v1.SafeService", "/kura.safe.v1.OwnerService"
SECONDS = 30.0
WALLET = wallet_key("envelope speed")
TURNS = 300
HALF_OPEN = 100_000
STRANGERS = 8
AT_ONCE = 60
"""Half-open envelopes of one stranger's connection; a safe takes 64 calls of each."""

Way = Callable[[], Awaitable[object]]


async def _by_turns(what: str, ways: dict[str, Way], turns: int) -> None:
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns + 5):
        for name, way in ways.items():
            times[name].append(await seconds(way))
    medians = {name: statistics.median(taken[5:]) * 1e3 for name, taken in times.items()}
    shown = ", ".join(f"{name} {ms:.2f} ms" for name, ms in medians.items())
    print(f"{what:<28} {shown}")


def _caller(channel: grpc.aio.Channel | EnvelopeChannel, entry: SafeEntry) -> SignedCaller:
    return SignedCaller(channel, entry.safe_id, WALLET, now_ms, SystemRandomness())


def _sealed(channel: grpc.aio.Channel, entry: SafeEntry) -> SignedCaller:
    return _caller(EnvelopeChannel(channel, entry, now_ms, SystemRandomness()), entry)


async def _evaluate(call: SignedCaller) -> None:
    """A guess at a name that nobody has: it costs what any guess costs."""
    rng = SystemRandomness()
    blinded = blind(rng.read(32), Mode.VOPRF, rng).element.to_bytes()
    request = owner_pb2.EvaluateRequest(
        owner_id=rng.read(32), record_id=rng.read(16), guess_id=rng.read(16), blinded_element=blinded
    )
    await call.unary(f"{OWNERS}/Evaluate", request, owner_pb2.EvaluateResponse, SECONDS, signed=False)


async def _fetch(call: SignedCaller, certificate: bytes) -> None:
    request = safe_pb2.FetchStreamRequest(certificate=certificate)
    async for _ in call.stream_down(f"{SAFES}/FetchStream", request, safe_pb2.FetchStreamResponse, SECONDS):
        pass


async def _registered(call: SignedCaller, cluster: LocalCluster) -> bytes:
    value = seeded("1 MiB").read(CHUNK_BYTES)
    batch = deal(cluster.roster, WALLET, [value], label="envelope speed", k=2)
    opening, blob = batch.opening(cluster.roster.safes[0].safe_id)

    async def rest() -> AsyncIterator[safe_pb2.RegisterStreamRequest]:
        for start in range(0, len(blob), CHUNK_BYTES):
            yield safe_pb2.RegisterStreamRequest(chunk=blob[start : start + CHUNK_BYTES])

    first = safe_pb2.RegisterStreamRequest(opening=opening)
    answer = await call.stream_up(
        f"{SAFES}/RegisterStream", first, rest(), safe_pb2.RegisterStreamResponse, SECONDS
    )
    return bytes(answer.result.registration.certificates[0])


async def _costs(cluster: LocalCluster, address: str) -> None:
    entry = cluster.roster.safes[0]
    direct = pinned_channel(entry.endpoint, entry.tls_certificate, entry.name)
    by_terminal = grpc.aio.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])
    calls = {
        "bare": _caller(direct, entry),
        "in an envelope": _sealed(direct, entry),
        "by a terminal": _sealed(by_terminal, entry),
    }
    certificate = await _registered(calls["bare"], cluster)
    await _by_turns("Evaluate", {name: partial(_evaluate, call) for name, call in calls.items()}, TURNS)
    ways: dict[str, Way] = {name: partial(_fetch, call, certificate) for name, call in calls.items()}
    await _by_turns("FetchStream of 1 MiB", ways, TURNS // 3)
    await direct.close()
    await by_terminal.close()


async def _half_open(safe: SafeProcess) -> None:
    entry = safe.home.entry
    channel = pinned_channel(safe.endpoint, entry.tls_certificate, entry.name)
    honest, before = _sealed(channel, entry), safe.rss_mb()
    await _begin(honest)
    started, times, failed = time.perf_counter(), [], 0
    strangers = [asyncio.create_task(_stranger(safe, HALF_OPEN // STRANGERS)) for _ in range(STRANGERS)]
    while not all(stranger.done() for stranger in strangers):
        try:
            times.append(await seconds(partial(_begin, honest)))
        except Exception as error:  # noqa: BLE001 - what an honest caller would see
            failed += 1
            print(f"an honest call failed: {error}")
    took = time.perf_counter() - started
    endings = sorted({ending for stranger in strangers for ending in await stranger})
    await _begin(honest)
    await channel.close()
    print(f"Half-open envelopes          {HALF_OPEN:,} in {took:.0f} s, which ended as {', '.join(endings)}")
    print(
        f"  honest calls meanwhile     {len(times)} answered, {failed} not; p50 "
        f"{statistics.median(times) * 1e3:.1f} ms, slowest {max(times) * 1e3:.0f} ms"
    )
    print(f"  memory of the safe         {before:.0f} MB before, {safe.peak_mb():.0f} MB at its peak")


async def _begin(call: SignedCaller) -> None:
    request = owner_pb2.BeginUnlockRequest(owner_id=bytes(32))
    await call.unary(f"{OWNERS}/BeginUnlock", request, owner_pb2.BeginUnlockResponse, SECONDS, signed=False)


async def _stranger(safe: SafeProcess, count: int) -> set[str]:
    """Open so many calls and say nothing, always as many at once as one connection may have."""
    entry = safe.home.entry
    channel = pinned_channel(safe.endpoint, entry.tls_certificate, entry.name)
    endings, room = set(), asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        try:
            endings.add((await call_to_carry(channel, 120).code()).name)
        finally:
            room.release()

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            await room.acquire()
            group.create_task(one())
    await channel.close()
    return endings


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        cluster = LocalCluster.started(Path(folder) / "cluster", 3, 2)
        try:
            with carrying(Path(folder), cluster.roster_file) as terminal:
                asyncio.run(_costs(cluster, terminal.address))
        finally:
            cluster.close()
        with running(make_safes(Path(folder) / "one", 1, 1)[0]) as safe:
            asyncio.run(_half_open(safe))


if __name__ == "__main__":
    main()
