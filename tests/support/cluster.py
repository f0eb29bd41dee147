"""Five real safes for tests: processes, TLS, databases, and hooks that make them die, forget or lie.

One cluster serves all tests of a worker process; a test gets it with every safe honest and healthy
(`cluster`), and a wallet of its own (`kura`), so tests share no items. tests/conftest.py offers both.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from safe_node.identity import NewSafe, create_safe
from support import forked
from support.empty_database import put_empty_database
from support.kura import KuraInProcess, environment, new_wallet
from threshold.randomness import SystemRandomness
from tools.local_cluster import processes
from tools.local_cluster.ceremony import free_ports, in_pairs
from tools.local_cluster.cluster import Cluster
from trust.roster import Roster

__all__ = ["LocalCluster", "cluster", "cluster_of_worker", "environment", "kura"]


TLS_DAYS = 30
DATA = "data"


@contextmanager
def with_keys(directory: Path, safes: int) -> Iterator[None]:
    """A folder in which the keys of a new cluster's safes are made, and nothing else.

    Inside the block their ports are theirs: it is where to call `kura cluster up`.
    """
    now = datetime.now(UTC)
    with free_ports(2 * safes) as ports:
        for number, pair in enumerate(in_pairs(ports), 1):
            name, (at, peers_at) = f"safe-{number}", (f"127.0.0.1:{port}" for port in pair)
            new = NewSafe(name, f"Operator {number}", at, at, TLS_DAYS, peers_at, peers_at)
            create_safe(directory / name, new, SystemRandomness(), now)
            repair_when_asked(directory / name / "safe.toml")
        yield


def repair_when_asked(config: Path) -> None:
    """A test that wipes or hurts a safe wants it as it is, until it asks for a repair."""
    usual = "every_seconds = 300"
    text = config.read_text()
    assert usual in text
    config.write_text(text.replace(usual, "every_seconds = 0"))


class LocalCluster:
    """Safes that a test may hurt; make it with `started`.

    Args:
        directory: The cluster's folder.
    """

    def __init__(self, directory: Path) -> None:
        self._cluster = Cluster(directory, environment(), forked.start)
        self._liars: set[str] = set()

    @classmethod
    def started(cls, directory: Path, safes: int = 5, threshold: int = 3) -> "LocalCluster":
        """A new cluster, every safe healthy; keys and tables are made in this process, which is faster."""
        cluster = cls(directory)
        with with_keys(directory, safes):
            for number in range(1, safes + 1):
                put_empty_database(directory / f"safe-{number}" / DATA)
            cluster._cluster.up(safes, threshold)
        return cluster

    @property
    def directory(self) -> Path:
        """DIR of `kura cluster`."""
        return self._cluster.directory

    @property
    def roster_file(self) -> Path:
        """What `kura wallet init --roster` takes."""
        return self._cluster.roster_file

    @property
    def roster(self) -> Roster:
        """The same, read and verified."""
        return self._cluster.roster

    @property
    def names(self) -> tuple[str, ...]:
        """safe-1 to safe-n."""
        return tuple(safe.name for safe in self.roster.safes)

    def states(self) -> dict[str, str]:
        """`running`, `stopped` or `unhealthy`, by name."""
        return {safe.name: safe.state for safe in self._cluster.status()}

    def kill(self, *names: str) -> None:
        """SIGKILL."""
        for name in names:
            self._cluster.kill(name)

    def stop(self, *names: str) -> None:
        """SIGTERM, and wait."""
        for name in names:
            self._cluster.stop(name)

    def start(self, *names: str) -> None:
        """Start again as an honest safe, and wait until healthy."""
        for name in names:
            self._liars.discard(name)
            self._cluster.start(name)

    def wipe(self, *names: str) -> None:
        """Lose the database, keep the identity."""
        for name in names:
            self.stop(name)
            shutil.rmtree(self.folder(name) / DATA)
            put_empty_database(self.folder(name) / DATA)
            self.start(name)

    def replace_with_liar(self, name: str, lie: str, **options: object) -> None:
        """Go on as a safe with the same keys and database that lies.

        Args:
            name: The safe.
            lie: One of support.lying_safe.LIES.
            options: More of its options, such as seconds=2.
        """
        self.replace(name, "support.lying_safe", lie=lie, **options)

    def replace(self, name: str, module: str, **options: object) -> None:
        """Go on as another program with the same keys and database, until it is healed.

        Args:
            name: The safe.
            module: What `python -m` runs with --config.
            options: More of its options.
        """
        self._cluster.stop(name)
        more = [text for option, value in options.items() for text in (f"--{option}", str(value))]
        self._liars.add(name)
        self._cluster.start(name, ("-m", module, *more))

    def folder(self, name: str) -> Path:
        """One safe's folder: safe.toml, keys, data, log."""
        return self.directory / name

    def heal(self) -> None:
        """Every safe honest and healthy; what each keeps stays."""
        alive = (processes.is_running(self.folder(name) / "process.json") for name in self.names)
        if not self._liars and all(alive):
            return
        self.stop(*self._liars)
        self._liars.clear()
        self._cluster.up()

    def close(self) -> None:
        """Leave nothing running."""
        self._cluster.down()


@pytest.fixture(scope="session")
def cluster_of_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Five safes, 3 bring back, as long as the worker lives."""
    cluster = LocalCluster.started(tmp_path_factory.mktemp("cluster"))
    try:
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def cluster(cluster_of_worker: LocalCluster) -> LocalCluster:
    """The worker's cluster, every safe honest and healthy."""
    cluster_of_worker.heal()
    return cluster_of_worker


@pytest.fixture
def kura(cluster: LocalCluster, tmp_path: Path) -> KuraInProcess:
    """`kura` with a fresh wallet that believes the cluster."""
    return new_wallet(tmp_path / "wallet", cluster.roster_file)
