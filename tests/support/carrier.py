"""`kura terminal` as a process of its own, and what can be found in what it carried and remembers."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.cluster import LocalCluster
from support.kura import environment

SECONDS = 30


@dataclass(frozen=True)
class CarrierProcess:
    """A running terminal.

    Args:
        address: What a wallet is told.
        record: Where it writes what it carries.
    """

    process: subprocess.Popen[str]
    address: str
    record: Path

    def memory(self) -> Iterator[bytes]:
        """What it has in memory now, piece by piece."""
        return memory_of(self.process.pid)

    def terminate(self) -> int:
        """SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)


def memory_of(pid: int) -> Iterator[bytes]:
    """What a child process has in memory now, piece by piece."""
    of = Path(f"/proc/{pid}")
    with (of / "mem").open("rb", buffering=0) as memory:
        for line in (of / "maps").read_text().splitlines():
            span = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if span and "[v" not in line:
                first, end = (int(at, 16) for at in span.groups())
                memory.seek(first)
                yield memory.read(end - first)


@contextmanager
def carrying(folder: Path, roster_file: Path) -> Iterator[CarrierProcess]:
    """Start a terminal on a Unix socket, wait until it carries, and leave nothing running."""
    socket, record = folder / "terminal.sock", folder / "carried.bin"
    command = [sys.executable, "-m", "wallet_client.cli", "terminal", "--json"]
    command += ["--listen", f"unix:{socket}", "--roster", str(roster_file), "--record", str(record)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        try:
            assert process.stdout is not None
            yield CarrierProcess(process, json.loads(process.stdout.readline())["address"], record)
        finally:
            if process.poll() is None:
                process.kill()


def found_in(content: Iterable[bytes], terms: Mapping[str, Iterable[bytes]]) -> set[str]:
    """The kinds of terms of which one is somewhere in what is given, piece by piece."""
    pieces = list(content)
    return {kind for kind, ones in terms.items() if any(one in piece for one in ones for piece in pieces)}


def what_safes_keep(cluster: LocalCluster) -> dict[str, list[bytes]]:
    """Every value share, key share and owner's share in the databases of a cluster, by kind."""
    return what_these_keep(cluster, cluster.names)


def what_these_keep(cluster: LocalCluster, names: Iterable[str]) -> dict[str, list[bytes]]:
    """The same of some safes."""
    kept: dict[str, list[bytes]] = {}
    for name in names:
        database = sqlite3.connect(f"file:{cluster.folder(name) / 'data' / 'safe.db'}?mode=ro", uri=True)
        try:
            for kind, query in _KEPT.items():
                kept.setdefault(kind, []).extend(one[-32:] for (one,) in database.execute(query))
        finally:
            database.close()
    return kept


_KEPT = {
    "value share": "SELECT content FROM pieces WHERE content IS NOT NULL",
    "key share": "SELECT share FROM key_shares",
    "share of r": "SELECT unlock_share FROM owner_records",
    "share of the OPRF key": "SELECT oprf_share FROM owner_records",
    "sealed secrets": "SELECT sealed FROM owner_records",
}
