"""No room: at a safe, whose others go on; and in the wallet, which says how much is needed and free."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.faults import (
    assert_no_strays,
    database_of,
    fresh_wallet,
    kinds,
    receipt_ids_of,
    receipts_of,
    settled,
    state_of_wallet,
    stored,
)
from support.kura import KuraInProcess
from support.safe_process import SafeHome, command
from trust.refusals import StorageFull
from wallet_client.network.failures import explain
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.recover import recover
from wallet_client.operations.resume import resume
from wallet_client.receipts.receipt import state_of
from wallet_client.storage.errors import WalletFull
from wallet_client.values.value import Value, stored_size
from wallet_client.wallet import Wallet

MIB = 1 << 20
FULL_BYTES = 3 * MIB
"""What the database of safe-2 may grow to: a disk that is full early."""


@pytest.fixture(scope="module")
def cluster_with_a_small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Five safes of their own; safe-2 has a small disk."""
    cluster = LocalCluster.started(tmp_path_factory.mktemp("small"))
    try:
        set_disk(cluster, FULL_BYTES)
        yield cluster
    finally:
        cluster.close()


def set_disk(cluster: LocalCluster, size: int) -> None:
    """Restart safe-2 with a database that may have this many bytes; 0 is no limit."""
    cluster.stop("safe-2")
    entry = next(safe for safe in cluster.roster.safes if safe.name == "safe-2")
    SafeHome(cluster.folder("safe-2"), entry, cluster.roster).set_limits(database_bytes=size)
    cluster.start("safe-2")


@pytest.fixture
async def wallet(cluster_with_a_small_disk: LocalCluster, tmp_path: Path) -> AsyncIterator[Wallet]:
    """A fresh one."""
    async with fresh_wallet(cluster_with_a_small_disk, tmp_path / "wallet") as wallet:
        yield wallet


async def test_a_safe_whose_disk_is_full_fails_and_the_others_go_on(
    wallet: Wallet, cluster_with_a_small_disk: LocalCluster
) -> None:
    """Messages and streams: StorageFull by name, nothing half-written; given room, `resume` delivers all."""
    cluster, rng = cluster_with_a_small_disk, random.Random(5)
    sizes = [600_000] * 16 + [4 * MIB]
    values = [Value(item_class="file", name=f"{n}", payload=rng.randbytes(s)) for n, s in enumerate(sizes)]
    ids = [wallet.store.values.add(value) for value in values]

    report = await back_up(wallet, ids, "threshold")

    assert kinds(report.failed) == {"safe-2": StorageFull}
    assert "tell its operator" in explain(report.failed["safe-2"])
    words = [entry.state.word for entry in report.entries]
    assert words[-1] == "registered"
    assert 0 < words.count("safe") < len(ids)
    assert_no_strays(cluster, wallet)
    assert len(stored(cluster, wallet)["safe-2"]) == words.count("safe")
    assert database_of(cluster, "safe-2").stat().st_size <= FULL_BYTES
    assert type((await resume(wallet)).failed["safe-2"]) is StorageFull
    assert "0 damaged" in command("check", "--config", str(cluster.folder("safe-2") / "safe.toml")).stdout

    set_disk(cluster, 0)
    try:
        assert await settled(wallet) == len(ids)
        assert {state_of(receipt).word for receipt in receipts_of(wallet)} == {"safe"}
        assert_no_strays(cluster, wallet)
        await drop_backed_up(wallet, ids, accept_fewer=False)
        cluster.kill("safe-4", "safe-5")
        await recover(wallet, receipt_ids_of(wallet))
        assert [wallet.store.values.get(value_id) for value_id in ids] == values
    finally:
        cluster.heal()


async def test_a_full_wallet_recovers_nothing_and_goes_on_when_there_is_room(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    """WalletFull with needed and free before a safe is asked; nothing changed; the same call then works."""
    first, second = (Value(item_class="file", name=name, payload=bytes(3_000)) for name in ("one", "two"))
    async with fresh_wallet(cluster, tmp_path / "wallet", capacity_bytes=4_000) as wallet:
        value_id = wallet.store.values.add(first)
        await back_up(wallet, [value_id], "threshold")
        await drop_backed_up(wallet, [value_id], accept_fewer=False)
        other = wallet.store.values.add(second)
        before = state_of_wallet(wallet)
        with pytest.raises(WalletFull) as full:
            await recover(wallet, receipt_ids_of(wallet))
        assert (full.value.needed, full.value.free) == (stored_size(first), 4_000 - stored_size(second))
        assert state_of_wallet(wallet) == before

        kura = KuraInProcess(tmp_path / "wallet")
        refused = await asyncio.to_thread(kura, "recover", "--all")
        assert (refused.code, refused.output) == (1, "")
        assert f"{full.value.needed} bytes are needed and {full.value.free} are free" in refused.messages
        await asyncio.to_thread(kura.ok, "wallet", "remove", other)
        await asyncio.to_thread(kura.ok, "recover", "--all")
        assert wallet.store.values.get(value_id) == first
