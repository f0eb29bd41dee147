"""Wallets in this process, and ways to hurt their safes: hang, die; and to wait until something is so."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import cast

import grpc

from support.cluster import LocalCluster
from support.safe_databases import PieceName, count_strays, pieces_of
from tools.local_cluster import processes
from trust.ids import SafeId, WalletKey
from wallet_client.network.failures import SafeFailure, TooSlow
from wallet_client.operations.resume import resume
from wallet_client.receipts.receipt import Receipt, ReceiptId
from wallet_client.receipts.shelf import get_receipt
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.wallet import PATIENCE_SECONDS, Wallet, create_wallet

WAIT_SECONDS = 30.0
SHORT_PATIENCE_SECONDS = 2.0
"""For tests in which a safe hangs: long for an honest safe on a busy machine, short for the test."""


@asynccontextmanager
async def fresh_wallet(
    cluster: LocalCluster,
    home: Path,
    *,
    capacity_bytes: int | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> AsyncIterator[Wallet]:
    """A new wallet that believes the cluster, open."""
    await create_wallet(home, NoPassphrase(), cluster.roster_file.read_bytes(), capacity_bytes)
    async with reopened(home, patience_seconds=patience_seconds) as wallet:
        yield wallet


@asynccontextmanager
async def reopened(home: Path, *, patience_seconds: float = PATIENCE_SECONDS) -> AsyncIterator[Wallet]:
    """The wallet in a folder, open."""
    async with await Wallet.open(home, NoPassphrase(), patience_seconds=patience_seconds) as wallet:
        yield wallet


def key_of(wallet: Wallet) -> WalletKey:
    """The key under which safes know it."""
    return WalletKey(wallet.keys.signing.public)


def receipts_of(wallet: Wallet) -> list[Receipt]:
    """All its receipts."""
    return [get_receipt(wallet.store, receipt_id) for receipt_id in receipt_ids_of(wallet)]


def receipt_ids_of(wallet: Wallet) -> list[ReceiptId]:
    """Their ids."""
    return [ReceiptId(entry.id) for entry in wallet.store.receipts.entries()]


def database_of(cluster: LocalCluster, name: str) -> Path:
    """One safe's database."""
    return cluster.folder(name) / "data" / "safe.db"


def stored(cluster: LocalCluster, wallet: Wallet) -> dict[str, set[PieceName]]:
    """What every safe keeps for a wallet."""
    return {name: pieces_of(database_of(cluster, name), key_of(wallet)) for name in cluster.names}


def promised(cluster: LocalCluster, wallet: Wallet) -> dict[str, set[PieceName]]:
    """What every safe certified, by the wallet's receipts."""
    found: dict[str, set[PieceName]] = {name: set() for name in cluster.names}
    for receipt in receipts_of(wallet):
        for signed in receipt.certificates:
            one = signed.read()
            name = wallet.roster.safe(one.safe_id).name
            found[name].add(PieceName(one.item_id, one.generation, one.index))
    return found


def assert_no_strays(cluster: LocalCluster, wallet: Wallet) -> None:
    """Every safe keeps exactly what the wallet has certificates for, and no parts of anything else."""
    assert stored(cluster, wallet) == promised(cluster, wallet)
    for name in cluster.names:
        wait_until(lambda name=name: count_strays(database_of(cluster, name)) == 0)  # type: ignore[misc]


async def settled(wallet: Wallet) -> int:
    """Resume until nothing is owed any more; how many receipts there are.

    A channel finds a safe that came back within a second, so once may be too early.
    """
    async with asyncio.timeout(WAIT_SECONDS):
        while owed := (await resume(wallet)).still_owed:
            for safe in wallet.roster.safes:
                if safe.name in owed:
                    await _found(wallet, safe.safe_id)
    assert wallet.store.journal.entries() == []
    return len(wallet.store.receipts.entries())


async def reached(wallet: Wallet, safe_id: SafeId) -> None:
    """Wait until the channel has found a safe that came back."""
    async with asyncio.timeout(WAIT_SECONDS):
        await _found(wallet, safe_id)


async def _found(wallet: Wallet, safe_id: SafeId) -> None:
    await cast(grpc.aio.Channel, wallet.links.to(safe_id)._channel).channel_ready()


def state_of_wallet(wallet: Wallet) -> list[object]:
    """Everything that an operation may change, to be compared."""
    store = wallet.store
    return [
        store.values.summaries(),
        [(entry, store.receipts.get(entry.id)) for entry in store.receipts.entries()],
        [(entry, store.deletions.get(entry.id)) for entry in store.deletions.entries()],
        store.journal.entries(),
        store.outbox.entries(),
    ]


def blamed(failed: Mapping[str, SafeFailure]) -> set[str]:
    """The safes that failed; on a busy machine an honest one may also be told slow."""
    return {name for name, failure in failed.items() if not isinstance(failure, TooSlow)}


@contextmanager
def hanging(cluster: LocalCluster, *names: str) -> Iterator[None]:
    """Safes whose connections stand and whose processes do nothing (SIGSTOP)."""
    signal_safes(cluster, names, signal.SIGSTOP)
    try:
        yield
    finally:
        signal_safes(cluster, names, signal.SIGCONT)


def signal_safes(cluster: LocalCluster, names: tuple[str, ...], number: signal.Signals) -> None:
    """Send a signal and wait for nothing."""
    for name in names:
        processes.send(cluster.folder(name) / "process.json", number)


def wait_until(holds: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    """Look again and again; it is the condition that is waited for, not time.

    Not so often that looking takes the time of the process that is waited for.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so after {seconds:g} s"
        time.sleep(0.02)


def kinds(failed: Mapping[str, SafeFailure]) -> dict[str, type[SafeFailure]]:
    """What kind of failure each safe had."""
    return {name: type(failure) for name, failure in failed.items()}
