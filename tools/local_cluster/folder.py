"""What is where in a cluster's folder, and the lock that a command holds while it changes the cluster.

DIR/roster.json     the genesis, signed by all operators
DIR/safe-1/         one safe: safe.toml, keys, data, operator.key, log, process.json
DIR/authority/      the authority, where there is one: authority.toml, authority.json, keys, data, log
DIR/lock            held while a command changes the cluster
"""

import fcntl
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.local_cluster.errors import ClusterBusy, ClusterMissing

LOCK_SECONDS = 30.0
LOG_TAIL_LINES = 15
AUTHORITY = "authority"
"""What the authority is called, and its folder."""


@dataclass(frozen=True, slots=True)
class ClusterFolder:
    """The folder of a cluster.

    Args:
        path: Absolute; need not exist yet.
    """

    path: Path

    @property
    def roster_file(self) -> Path:
        """The roster, for `kura wallet init --roster`."""
        return self.path / "roster.json"

    @property
    def authority_file(self) -> Path:
        """The authority's description, for `kura authority register --authority`."""
        return self.of(AUTHORITY) / "authority.json"

    def of(self, name: str) -> Path:
        """The folder of one safe, or of the authority."""
        return self.path / name

    def process_file(self, name: str) -> Path:
        """Which process it is, as `processes` writes it."""
        return self.of(name) / "process.json"

    def config_file(self, name: str) -> Path:
        """Its settings."""
        return self.of(name) / ("authority.toml" if name == AUTHORITY else "safe.toml")

    def log(self, name: str) -> Path:
        """What it says."""
        return self.of(name) / "log"

    def data(self, name: str) -> Path:
        """Where its database is."""
        return self.of(name) / self._config(name)["data_dir"]

    def install_roster(self, name: str, roster: bytes) -> None:
        """Give a safe the roster."""
        write_whole(self.of(name) / self._config(name)["roster"], roster)

    def log_tail(self, name: str) -> str:
        """The last 15 lines that it said, indented."""
        log = self.log(name)
        lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
        return "\n".join(f"  {line}" for line in lines[-LOG_TAIL_LINES:]) or "  (empty)"

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock.

        Raises:
            ClusterMissing: There is no such folder.
            ClusterBusy: Another command has held it for 30 seconds.
        """
        if not self.path.exists():
            raise ClusterMissing(str(self.path))
        with (self.path / "lock").open("w") as stream:
            deadline = time.monotonic() + LOCK_SECONDS
            while not _try_lock(stream.fileno()):
                if time.monotonic() > deadline:
                    raise ClusterBusy(str(self.path))
                time.sleep(0.05)
            yield

    def _config(self, name: str) -> dict[str, str]:
        return tomllib.loads(self.config_file(name).read_text("utf-8"))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that nobody sees half-written."""
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    beside.replace(path)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
