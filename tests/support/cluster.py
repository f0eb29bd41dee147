"""Five real safes for tests: processes, TLS, databases, and hooks that make them die, forget or lie.

One cluster serves all tests of a worker process; a test gets it with every safe honest and healthy
(`cluster`), and a wallet of its own (`kura`), so tests share no items. A conftest that imports
`cluster_of_worker`, `cluster` and `kura` from here offers them as fixtures.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tools.local_cluster.cluster import Cluster
from trust.roster import Roster

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
COMMAND_SECONDS = 90
PASSPHRASE = "correct horse battery staple"


def environment(**more: str) -> dict[str, str]:
    """This process's environment with our packages on the path and no wallet chosen, and `more`."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("KURA_", "_KURA_"))}
    paths = (ROOT, ROOT / "protos" / "gen", ROOT / "tests")
    return kept | {"PYTHONPATH": os.pathsep.join(map(str, paths))} | more


class LocalCluster:
    """Safes that a test may hurt; make it with `started`.

    Args:
        directory: The cluster's folder.
    """

    def __init__(self, directory: Path) -> None:
        self._cluster = Cluster(directory, environment())
        self._liars: set[str] = set()

    @classmethod
    def started(cls, directory: Path, safes: int = 5, threshold: int = 3) -> "LocalCluster":
        """A new cluster, every safe healthy."""
        cluster = cls(directory)
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
            self._cluster.wipe(name)

    def replace_with_liar(self, name: str, lie: str, **options: object) -> None:
        """Go on as a safe with the same keys and database that lies.

        Args:
            name: The safe.
            lie: One of support.lying_safe.LIES.
            options: More of its options, such as seconds=2.
        """
        self._cluster.stop(name)
        more = [text for option, value in options.items() for text in (f"--{option}", str(value))]
        self._liars.add(name)
        self._cluster.start(name, ("-m", "support.lying_safe", "--lie", lie, *more))

    def folder(self, name: str) -> Path:
        """One safe's folder: safe.toml, keys, data, log."""
        return self.directory / name

    def heal(self) -> None:
        """Every safe honest and healthy; what each keeps stays."""
        self.stop(*self._liars)
        self._liars.clear()
        self._cluster.up()

    def close(self) -> None:
        """Leave nothing running."""
        self._cluster.down()


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended."""

    code: int
    output: str
    messages: str

    @property
    def data(self) -> Any:
        """The one JSON document that it printed."""
        return json.loads(self.output)

    @property
    def ids(self) -> list[str]:
        """Ids of the first list of values, else of receipts, that it printed as JSON."""
        document = self.data
        return [one["id"] for one in document.get("values") or document["receipts"]]


@dataclass(frozen=True, slots=True)
class KuraCommand:
    """`kura` as a process of its own, with one wallet's folder.

    Args:
        home: The wallet's folder.
        more: Environment variables for every run.
    """

    home: Path
    more: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str | Path, typed: str | None = None) -> Finished:
        """Run to the end, however it ends.

        Args:
            arguments: The command line after `kura`.
            typed: What stands on standard input, which is never a terminal.
        """
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment,
            input=typed or "",
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def ok(self, *arguments: str | Path) -> Finished:
        """Run, and insist on exit code 0."""
        done = self(*arguments)
        assert done.code == 0, f"kura {' '.join(map(str, arguments))}: {done.messages}"
        return done

    def json(self, *arguments: str | Path) -> Any:
        """Run with --json, insist on exit code 0, and give the document."""
        return self.ok(*arguments, "--json").data

    def command(self, *arguments: str | Path) -> list[str]:
        """The whole command line, for tests that start it themselves."""
        return [sys.executable, "-m", "wallet_client.cli", *map(str, arguments)]

    @property
    def environment(self) -> dict[str, str]:
        """What it runs with."""
        return environment(KURA_HOME=str(self.home), **self.more)


def without_wallet(home: Path, **more: str) -> KuraCommand:
    """`kura` with a folder in which no wallet was made."""
    return KuraCommand(home, more)


def new_wallet(home: Path, roster_file: Path, *options: str) -> KuraCommand:
    """`kura` with a fresh wallet without a passphrase, which saves 0.2 s a command."""
    kura = KuraCommand(home)
    kura.ok("wallet", "init", "--roster", roster_file, "--no-passphrase", *options)
    return kura


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
def kura(cluster: LocalCluster, tmp_path: Path) -> KuraCommand:
    """`kura` with a fresh wallet that believes the cluster."""
    return new_wallet(tmp_path / "wallet", cluster.roster_file)
