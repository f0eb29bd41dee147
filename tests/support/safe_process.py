"""Real safes as real processes: keys, signed roster, `python -m safe_node`, TLS, a database on disk."""

import json
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rpc_edge.client import SignedCaller
from rpc_edge.tls import pinned_channel
from safe_node.identity import NewSafe, create_safe
from support.empty_database import put_empty_database
from support.kura import environment
from support.safe_requests import seeded
from threshold.randomness import SystemRandomness
from trust.decoys import assemble_roster
from trust.documents import SigningKey
from trust.roster import Roster, SafeEntry, SignedRoster, sign_roster
from trust.roster_file import write_roster

START_SECONDS = 30.0


@dataclass(frozen=True)
class SafeHome:
    """One safe's folder, with a roster in it, ready to start."""

    folder: Path
    entry: SafeEntry
    roster: Roster

    @property
    def config(self) -> Path:
        """Its settings."""
        return self.folder / "safe.toml"

    @property
    def database(self) -> Path:
        """Its database, once it was started."""
        return self.folder / "data" / "safe.db"

    def set_limits(self, **limits: int) -> None:
        """Write other limits into its settings."""
        text = self.config.read_text()
        head, _, tail = text.partition("[limits]")
        log = tail[tail.index("[log]") :]
        lines = "".join(f"{name} = {value}\n" for name, value in limits.items())
        self.config.write_text(f"{head}[limits]\n{lines}\n{log}")


def make_safes(folder: Path, count: int, threshold: int = 1) -> list[SafeHome]:
    """Hold a key ceremony: `count` safes in folders of their own, with the roster all operators signed."""
    now = datetime.now(UTC)
    entries, operators = [], []
    for number in range(1, count + 1):
        at, peers_at, anywhere = f"127.0.0.1:{number}", f"127.0.0.1:{1000 + number}", "127.0.0.1:0"
        new = NewSafe(f"safe-{number}", f"Operator {number}", at, anywhere, 30, peers_at, anywhere)
        home = folder / new.name
        entries.append(create_safe(home, new, seeded(f"safe {number}"), now))
        operators.append(SigningKey(bytes.fromhex((home / "operator.key").read_text())))
    roster = assemble_roster(entries, threshold, int(now.timestamp()), seeded("decoy secret"))
    chain = [SignedRoster(roster, tuple(sign_roster(roster, key) for key in operators))]
    homes = [SafeHome(folder / entry.name, entry, roster) for entry in entries]
    for made in homes:
        (made.folder / "roster.json").write_bytes(write_roster(chain))
        put_empty_database(made.database.parent)
    return homes


@dataclass
class SafeProcess:
    """A running safe; what it wrote to stderr is in `log` once it ended."""

    home: SafeHome
    process: subprocess.Popen[str]
    port: int
    log: list[dict[str, Any]] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def rss_mb(self) -> float:
        """Memory it holds now, MB."""
        return self._status("VmRSS")

    def peak_mb(self) -> float:
        """Most memory it ever held, MB."""
        return self._status("VmHWM")

    def _status(self, name: str) -> float:
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith(name)).split()[1]) / 1024

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(START_SECONDS)


@contextmanager
def running(
    home: SafeHome, module: Sequence[str] = ("safe_node",), *, measured: bool = False
) -> Iterator[SafeProcess]:
    """Start a safe, wait until it is ready, and leave nothing running.

    Args:
        home: Its folder.
        module: What `python -m` runs, with arguments that go before --config.
        measured: Let coverage.py follow it.
    """
    log = home.folder / "stderr.log"
    with log.open("w") as errors:
        process = start(home, module, errors, measured=measured)
        try:
            safe = SafeProcess(home, process, _ready_port(process))
            yield safe
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(START_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            if process.stdout is not None:
                process.stdout.close()
    safe.log.extend(json.loads(line) for line in log.read_text().splitlines() if line.startswith("{"))


def start(
    home: SafeHome,
    module: Sequence[str] = ("safe_node",),
    errors: Any = subprocess.PIPE,
    *,
    measured: bool = False,
) -> subprocess.Popen[str]:
    """Start a safe and wait for nothing; arguments as `running` has them."""
    command = [sys.executable, "-m", *module, "--config", str(home.config)]
    env = environment(measured=measured)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=env)


def _ready_port(process: subprocess.Popen[str]) -> int:
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    assert process.stdout is not None
    threading.Thread(target=lambda out=process.stdout: lines.put(out.readline()), daemon=True).start()
    line = lines.get(timeout=START_SECONDS)
    if not line:
        raise AssertionError(f"the safe ended with {process.wait()} before it was ready")
    return int(json.loads(line)["port"])


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class SafeClient:
    """A wallet's calls to one safe; an async context manager that closes its channel."""

    def __init__(self, safe: SafeProcess, wallet: SigningKey) -> None:
        entry = safe.home.entry
        self._channel = pinned_channel(safe.endpoint, entry.tls_certificate, entry.name)
        self.channel = self._channel
        self.call = SignedCaller(self._channel, entry.safe_id, wallet, now_ms, SystemRandomness())

    async def __aenter__(self) -> SignedCaller:
        return self.call

    async def __aexit__(self, *_: object) -> None:
        await self._channel.close()


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the operator's command to its end; coverage.py follows it."""
    return subprocess.run(
        [sys.executable, "-m", "safe_node", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(measured=True),
    )
