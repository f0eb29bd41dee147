"""What the cases work on: five real safes, five bare servers, fresh wallets, all in one folder that goes."""

import shutil
import tempfile
from contextlib import AsyncExitStack
from functools import cached_property
from pathlib import Path
from typing import Self

import msgspec

from benchmarks.bare.client import BareSafes
from tools.local_cluster.cluster import Cluster
from tools.local_cluster.processes import ProcessRecord
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.wallet import Wallet, create_wallet


class Workbench:
    """An async context manager; what is asked for first is started first, and all of it ends with it.

    Args:
        quick: Fewer turns and smaller work: for trying a change, not for quoting.
        full: The largest case as well.
    """

    def __init__(self, *, quick: bool = False, full: bool = False) -> None:
        self.quick = quick
        self.full = full
        self._stack = AsyncExitStack()
        self._bare: BareSafes | None = None
        self._wallets = 0

    async def __aenter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="kura-bench-"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def turns(self, usual: int) -> int:
        """How many turns to take."""
        return max(2, usual // 5) if self.quick else usual

    @cached_property
    def cluster(self) -> Cluster:
        """Five safes of which three bring a value back, running."""
        return self.new_cluster("safes", 5, 3)

    def new_cluster(self, name: str, safes: int, threshold: int) -> Cluster:
        """A cluster of its own, running."""
        cluster = Cluster(self.folder / name)
        self._stack.callback(cluster.down)
        cluster.up(safes, threshold)
        return cluster

    async def bare(self) -> BareSafes:
        """Five bare servers, running."""
        if self._bare is None:
            self._bare = await self._stack.enter_async_context(BareSafes(self.folder / "bare"))
        return self._bare

    async def new_home(self, cluster: Cluster | None = None) -> Path:
        """The folder of a new, empty wallet without a passphrase."""
        self._wallets += 1
        home = self.folder / f"wallet-{self._wallets}"
        roster = (cluster or self.cluster).roster_file.read_bytes()
        await create_wallet(home, NoPassphrase(), roster, None)
        return home

    async def new_wallet(self, cluster: Cluster | None = None) -> Wallet:
        """A new, empty wallet, open until the end."""
        wallet = await Wallet.open(await self.new_home(cluster), NoPassphrase())
        return await self._stack.enter_async_context(wallet)


def safe_pids(cluster: Cluster) -> list[int]:
    """The process of every safe."""
    files = (cluster.directory / safe.name / "process.json" for safe in cluster.roster.safes)
    return [msgspec.json.decode(file.read_bytes(), type=ProcessRecord).pid for file in files]
