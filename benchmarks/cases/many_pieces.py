"""A safe that keeps many pieces: fetching, starting, idle memory.

Two safes run side by side, one with 1,000 pieces and one with 100,000 (1,000,000 with --full), and are
asked by turns. All but 1,000 of the many are copies made inside the database under names and counters of
their own; half of the 1,000 were registered before them and half after, so the index is searched as a
real one would be.
"""

import random
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bare.wire import write_identity
from benchmarks.cases.small_values import POLICY, fill
from benchmarks.figure import Figure, at_most, at_most_times
from benchmarks.processes import Started, resident_mb, start
from benchmarks.timing import seconds
from benchmarks.workbench import Workbench
from tools.local_cluster.cluster import Cluster
from wallet_client.operations.backup import back_up
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import get_receipt
from wallet_client.wallet import Wallet

FEW = 1_000
MANY = 100_000
FULL = 1_000_000
START_SECONDS = 2.0
IDLE_MB = 60.0
TIMES_FEW = 2.0
_EXPECTED_BYTES = 2_048

Fetch = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class SafeFigures:
    """Of the safe with many pieces and of a bare server: seconds to start, idle MB."""

    seconds: float
    idle_mb: float


async def many_pieces(bench: Workbench) -> list[Figure]:
    """Fetch, start and memory, with 100,000 pieces and on request with a million."""
    few = bench.new_cluster("few", 1, 1)
    fetch_few = _fetches(few, await _filled(bench, few, FEW))
    bare = await bench.bare()
    key = (await bare.put(bytes(1024)))[0]
    figures = []
    for count in (MANY, FULL) if bench.full else (MANY,):
        many = bench.new_cluster(f"many-{count}", 1, 1)
        figures += await _with(bench, many, count, fetch_few, lambda: bare.servers[0].get(key))
    return figures


async def _with(
    bench: Workbench, many: Cluster, count: int, fetch_few: Fetch, get_bare: Fetch
) -> list[Figure]:
    wallet = await _filled(bench, many, FEW // 2)
    many.down()
    grow(many.directory / "safe-1" / "data" / "safe.db", count - FEW)
    safe, measured = _started(["safe_node", "--config", str(many.directory / "safe-1" / "safe.toml")])
    try:
        bare = _bare_start(bench.folder / f"start-{count}")
        await _back_up(wallet, FEW - FEW // 2)
        medians = await _medians(bench.turns(300), _fetches(many, wallet), fetch_few, get_bare)
    finally:
        safe.end()
    at = f"with {count:,} pieces"
    at_many, at_few, at_bare = (1e3 * median for median in medians)
    return [
        Figure(f"fetch of 1 KiB with {FEW:,} pieces", at_few, "ms p50", at_bare, "get", "", None),
        at_most_times(f"fetch of 1 KiB {at}", at_many, "ms p50", TIMES_FEW, f"{FEW:,} pieces", at_few),
        at_most(f"start of a safe {at}", measured.seconds, "s", START_SECONDS, ("server", bare.seconds)),
        at_most(f"idle memory of a safe {at}", measured.idle_mb, "MB", IDLE_MB, ("server", bare.idle_mb)),
    ]


async def _filled(bench: Workbench, cluster: Cluster, count: int) -> Wallet:
    wallet = await bench.new_wallet(cluster)
    await _back_up(wallet, count)
    return wallet


async def _back_up(wallet: Wallet, count: int) -> None:
    report = await back_up(wallet, fill(wallet, count), POLICY)
    if report.failed:
        raise RuntimeError(f"the pieces could not be registered: {report.failed}")


def _fetches(cluster: Cluster, wallet: Wallet) -> Fetch:
    """Fetches one piece after the other, in an order of its own."""
    link = wallet.links.to(cluster.roster.safes[0].safe_id)
    receipts = [get_receipt(wallet.store, ReceiptId(entry.id)) for entry in wallet.store.receipts.entries()]
    certificates = [receipt.certificates[0].certificate for receipt in receipts]
    order = random.Random(1)

    async def fetch() -> None:
        (answer,) = await link.fetch([order.choice(certificates)], _EXPECTED_BYTES)
        if isinstance(answer, Exception):
            raise answer

    return fetch


async def _medians(turns: int, *works: Fetch) -> list[float]:
    """Median seconds of each, asked by turns."""
    for work in works:
        await work()
    times = [[await seconds(work) for work in works] for _ in range(turns)]
    return [sorted(column)[turns // 2] for column in zip(*times, strict=True)]


def _started(module: list[str]) -> tuple[Started, SafeFigures]:
    started = time.perf_counter()
    process = start([sys.executable, "-m", *module])
    return process, SafeFigures(time.perf_counter() - started, resident_mb(process.process.pid))


def _bare_start(folder: Path) -> SafeFigures:
    write_identity(folder)
    process, measured = _started(["benchmarks.bare.server", str(folder)])
    process.end()
    return measured


def grow(database: Path, more: int) -> None:
    """Copy one stored piece `more` times under other names: for figures, not for use."""
    import pysqlite3

    connection: Any = pysqlite3.connect(str(database), isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    columns = [row[1] for row in connection.execute("PRAGMA table_info(pieces)")]
    first = connection.execute("SELECT next_counter FROM safe").fetchone()[0]
    changed = {
        "id": "NULL",
        "counter": f"{first} + n",
        "x_hash": "randomblob(32)",
        "item_id": "randomblob(16)",
    }
    connection.execute(
        f"""WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?)
        INSERT INTO pieces ({", ".join(columns)})
        SELECT {", ".join(changed.get(column, column) for column in columns)}
        FROM numbers, (SELECT * FROM pieces LIMIT 1)""",  # noqa: S608  names from the database itself
        (more,),
    )
    connection.execute("UPDATE safe SET next_counter = next_counter + ?", (more,))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
