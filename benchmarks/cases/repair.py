"""A safe with an empty database rebuilds what it had, from four others: many small pieces, and one large one.

The time is the safe's: from the moment it is asked until its round is over and everything is durable. Nobody
else uses the safes. Nothing without Kura does the same, so there is no ceiling.
"""

import asyncio
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from benchmarks.cases.small_values import fill
from benchmarks.figure import Figure
from benchmarks.large_wallet import ALL_SHAMIR, Outcome
from benchmarks.processes import peak_mb, run
from benchmarks.workbench import Workbench, safe_pids
from tools.local_cluster.cluster import Cluster
from wallet_client.network.messages import RepairView
from wallet_client.operations.backup import back_up
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.wallet import Wallet

PIECES = 1_000
VALUE_BYTES = 64 * 1024 * 1024
WIPED = "safe-5"
_LOOK_SECONDS = 0.02


async def repair(bench: Workbench) -> list[Figure]:
    """Each in a cluster of its own, so that nothing else is to be rebuilt."""
    one_batch = await _measured(bench, "one-batch", _one_batch)
    one_by_one = await _measured(bench, "one-by-one", _one_by_one)
    compact = await _measured(bench, "compact", _large("threshold"))
    shamir = await _measured(bench, "shamir", _large(ALL_SHAMIR))
    megabytes = VALUE_BYTES / 1e6
    return [
        _figure("repair of 1,000 pieces of 1 KiB, one batch", PIECES / one_batch[0], "pieces/s"),
        _figure("repair of 1,000 pieces of 1 KiB, 1,000 batches", PIECES / one_by_one[0], "pieces/s"),
        _figure("repair of a piece of 64 MiB compact", megabytes / compact[0], "MB/s of the value"),
        _figure("repair of a piece of 64 MiB shamir", megabytes / shamir[0], "MB/s of the value"),
        _figure("  peak of the safe that repairs it", shamir[1], "MB"),
    ]


Fill = Callable[[Workbench, Cluster, Wallet, Path], Awaitable[None]]


async def _measured(bench: Workbench, name: str, fill_up: Fill) -> tuple[float, float]:
    """Seconds of the round, and the peak memory of the safe that was wiped."""
    cluster = bench.new_cluster(f"repair-{name}", 5, 3)
    home = await bench.new_home(cluster)
    async with await Wallet.open(home, NoPassphrase()) as wallet:
        await fill_up(bench, cluster, wallet, home)
    await asyncio.to_thread(_wipe, cluster)
    async with await Wallet.open(home, NoPassphrase()) as wallet:
        link = wallet.links.to(cluster.roster.safes[-1].safe_id)
        started = time.perf_counter()
        view = await link.repair(only_look=False)
        while view.running or not view.rounds:
            await asyncio.sleep(_LOOK_SECONDS)
            view = await link.repair(only_look=True)
        seconds = time.perf_counter() - started
    _check(view)
    peak = peak_mb(safe_pids(cluster)[-1])
    await asyncio.to_thread(cluster.down)
    return seconds, peak


def _check(view: RepairView) -> None:
    if not view.repaired or view.lacking or view.suspected or view.silent:
        raise RuntimeError(f"the repair is not what was to be measured: {view}")


def _wipe(cluster: Cluster) -> None:
    """An empty database, and a safe that repairs when it is asked."""
    cluster.stop(WIPED)
    folder = cluster.directory / WIPED
    shutil.rmtree(folder / "data")
    settings = folder / "safe.toml"
    settings.write_text(settings.read_text().replace("every_seconds = 300", "every_seconds = 0"))
    cluster.start(WIPED)


async def _one_batch(bench: Workbench, cluster: Cluster, wallet: Wallet, home: Path) -> None:
    await back_up(wallet, fill(wallet, PIECES), "threshold")


async def _one_by_one(bench: Workbench, cluster: Cluster, wallet: Wallet, home: Path) -> None:
    for value_id in fill(wallet, PIECES):
        await back_up(wallet, [value_id], "threshold")


def _large(policy: str) -> Fill:
    async def fill_up(bench: Workbench, cluster: Cluster, wallet: Wallet, home: Path) -> None:
        other = await bench.new_home(cluster)
        value_id = (await _step("add", other, str(VALUE_BYTES))).name
        await _step("backup", other, policy, value_id)

    return fill_up


async def _step(step: str, home: Path, *rest: str) -> Outcome:
    command = [sys.executable, "-m", "benchmarks.large_wallet", step, str(home), *rest]
    return msgspec.json.decode(await asyncio.to_thread(run, command), type=Outcome)


def _figure(name: str, value: float, unit: str) -> Figure:
    return Figure(name, value, unit, None, "", "", None)
