"""A real authority as a process: keys, `python -m auth_service`, TLS, a database on disk; cheap hashes."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from auth_service.identity import NewAuthority, create_authority
from support.kura import environment
from threshold.randomness import SystemRandomness
from tools.local_cluster.ceremony import free_ports


@dataclass
class AuthorityProcess:
    """One authority that runs.

    Args:
        folder: authority.toml, authority.json, identity.key, keys, data.
    """

    folder: Path
    process: subprocess.Popen[str]

    @property
    def file(self) -> Path:
        """What owners are given."""
        return self.folder / "authority.json"

    @property
    def config(self) -> Path:
        return self.folder / "authority.toml"

    def restart(self) -> None:
        """As an operator does after a rotation."""
        self.stop()
        self.process = _started(self.config)

    def stop(self) -> None:
        """SIGTERM, and wait."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def authority_process(folder: Path, *, measured: bool = False) -> Iterator[AuthorityProcess]:
    """Make one and start it."""
    with free_ports(1) as (port,):
        at = f"127.0.0.1:{port}"
        new = NewAuthority("authority", at, at, 30, 30)
        create_authority(folder, new, SystemRandomness(), datetime.now(UTC))
        config = folder / "authority.toml"
        text = config.read_text().replace("65536", "64").replace("lanes = 4", "lanes = 1")
        config.write_text(text.replace("calls_per_minute = 120", "calls_per_minute = 0"))
        one = AuthorityProcess(folder, _started(config, measured=measured))
    try:
        yield one
    finally:
        one.stop()


def _started(config: Path, *, measured: bool = False) -> "subprocess.Popen[str]":
    with (config.parent / "log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "auth_service", "--config", str(config)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(measured=measured),
        )
    assert process.stdout is not None
    line = process.stdout.readline()  # the process ends or says that it is ready
    assert line, (config.parent / "log").read_text()
    assert json.loads(line)["event"] == "ready"
    return process
