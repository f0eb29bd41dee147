"""The cluster itself: what can be done to it.

Everything is found again from its folder (folder.py), so any process may call any method at any time.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from threshold.randomness import SystemRandomness
from tools.local_cluster import ceremony, processes
from tools.local_cluster.errors import (
    ClusterDiffers,
    ClusterMissing,
    SafeNotHealthy,
    SafeNotStopped,
    UnknownSafe,
)
from tools.local_cluster.folder import AUTHORITY, ClusterFolder, write_whole
from tools.local_cluster.processes import ProcessRecord
from trust.authority import AuthorityDescription, read_authority, read_description
from trust.roster import Roster, SafeEntry, verify_chain
from trust.roster_file import read_roster

if TYPE_CHECKING:
    from tools.local_cluster.health import Server

START_SECONDS = 20.0
"""How long to wait for the next safe to become healthy; they start side by side."""

STOP_SECONDS = 15.0
KILL_SECONDS = 5.0
DEFAULT_SAFES = 5


@dataclass(frozen=True, slots=True)
class SafeStatus:
    """One safe, or the authority, as it stands.

    Args:
        name: Its name in the roster.
        id: Its id, 32 hexadecimal digits; of the authority its identity, 64 of them.
        endpoint: "host:port".
        state: "running" (healthy), "stopped", or "unhealthy" (a process that does not answer).
    """

    name: str
    id: str
    endpoint: str
    state: str


class Cluster:
    """The cluster in a folder.

    Args:
        directory: The folder; `up` makes it.
        environment: What safes get; by default this process's, without what is the wallet's business.
        start: Starts a program; tests have a cheaper way.
    """

    def __init__(
        self,
        directory: Path,
        environment: Mapping[str, str] | None = None,
        start: Callable[[Sequence[str], Path, Mapping[str, str]], ProcessRecord] = processes.start,
    ) -> None:
        self.directory = directory.resolve()
        self._folder = ClusterFolder(self.directory)
        self._environment = _without_secrets(os.environ) if environment is None else environment
        self._start_program = start

    @property
    def roster_file(self) -> Path:
        """The roster, for `kura wallet init --roster`."""
        return self._folder.roster_file

    @cached_property
    def roster(self) -> Roster:
        """The roster, verified.

        Raises:
            ClusterMissing: There is none.
            RosterRefused: It was changed.
        """
        if not self.roster_file.exists():
            raise ClusterMissing(str(self.directory))
        return verify_chain(read_roster(self.roster_file.read_bytes()))

    @property
    def authority_file(self) -> Path:
        """The authority's description, for `kura authority register --authority`."""
        return self._folder.authority_file

    @property
    def authority(self) -> AuthorityDescription | None:
        """The authority, if the cluster has one.

        Raises:
            AuthorityRefused: Its description was changed.
        """
        if not self.authority_file.exists():
            return None
        return read_description(read_authority(self.authority_file.read_bytes()))

    def up(
        self, safes: int | None = None, threshold: int | None = None, *, with_authority: bool = False
    ) -> list[SafeStatus]:
        """Make the cluster where there is none yet, and start every safe that is not running.

        Args:
            safes: How many, 1 to 255; 5 for a new cluster unless said.
            threshold: How many of them bring a value back; for a new cluster more than half unless said.
            with_authority: Make an authority as well, where there is none; one that is there starts anyway.

        Raises:
            ShapeImpossible: No roster can be like that.
            ClusterDiffers: The folder holds a cluster of another shape.
            SafeNotMade: A safe's keys could not be made.
            SafeNotHealthy: A safe did not start; those that this call started were stopped.
        """
        if not self.roster_file.exists():
            count = DEFAULT_SAFES if safes is None else safes
            ceremony.check_shape(count, count // 2 + 1 if threshold is None else threshold)
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._folder.changing():
            if self.roster_file.exists():
                self._check_shape(safes, threshold)
                self._start_all(self.roster.safes)
            else:
                self._make(count, count // 2 + 1 if threshold is None else threshold)
            if with_authority or self.authority is not None:
                self._up_authority()
        return self.status()

    def status(self) -> list[SafeStatus]:
        """Every safe, in the roster's order, and then the authority, if there is one."""
        from tools.local_cluster.health import serving

        authority = self.authority
        described = () if authority is None else (authority,)
        alive = [entry for entry in (*self.roster.safes, *described) if self._is_running(entry.name)]
        healthy = serving(alive) if alive else {}
        states = {name: "running" if good else "unhealthy" for name, good in healthy.items()}
        return [
            SafeStatus(name, identity.hex(), endpoint, states.get(name, "stopped"))
            for name, identity, endpoint in (
                *((entry.name, bytes(entry.safe_id), entry.endpoint) for entry in self.roster.safes),
                *((one.name, bytes(one.identity_key), one.endpoint) for one in described),
            )
        ]

    def down(self) -> list[str]:
        """Stop everything; what does not stop in time is killed. Gives the names of those that ran."""
        with self._folder.changing():
            names = (*(entry.name for entry in self.roster.safes), AUTHORITY)
            running = [name for name in names if self._is_running(name)]
            self._end_all(running)
            return running

    def kill(self, name: str) -> None:
        """End a safe with SIGKILL, as a crash does."""
        self._end(self._known(name), signal.SIGKILL, KILL_SECONDS)

    def stop(self, name: str) -> None:
        """Let a safe finish what it is doing and end (SIGTERM).

        Raises:
            SafeNotStopped: It did not end in time.
        """
        self._end(self._known(name), signal.SIGTERM, STOP_SECONDS)

    def start(self, name: str, program: Sequence[str] = ("-m", "safe_node")) -> None:
        """Start a safe that is not running, and wait until it is healthy.

        Args:
            name: The safe.
            program: What Python shall run with `--config FILE`; tests put a lying safe here.

        Raises:
            SafeNotHealthy: It did not start.
        """
        with self._folder.changing():
            if name == AUTHORITY and self.authority is not None:
                self._up_authority()
            else:
                self._start_all([self._entry(name)], program)

    def wipe(self, name: str) -> None:
        """Stop a safe, erase its database, and start it with the identity it had."""
        self.stop(name)
        shutil.rmtree(self._folder.data(name), ignore_errors=True)
        self.start(name)

    def _make(self, safes: int, threshold: int) -> None:
        """The ports stay reserved until the safes listen, so nobody takes one in between."""
        with ceremony.free_ports(2 * safes) as ports:
            entries = ceremony.make_safes(self.directory, ceremony.in_pairs(ports), self._environment)
            now, rng = int(time.time()), SystemRandomness()
            roster = ceremony.make_roster(self.directory, entries, threshold, now, rng)
            for entry in entries:
                self._folder.install_roster(entry.name, roster)
            write_whole(self.roster_file, roster)
            self._start_all(entries)

    def _up_authority(self) -> None:
        if self.authority is None:
            with ceremony.free_ports(1) as ports:
                ceremony.make_authority(self._folder.of(AUTHORITY), ports[0], self._environment)
        authority = self.authority
        if authority is not None:
            self._start_all([authority], ("-m", "auth_service"))

    def _check_shape(self, safes: int | None, threshold: int | None) -> None:
        found = (len(self.roster.safes), self.roster.threshold)
        asked = (found[0] if safes is None else safes, found[1] if threshold is None else threshold)
        if asked != found:
            raise ClusterDiffers(_shape(*asked), _shape(*found))

    def _start_all(self, entries: "Sequence[Server]", program: Sequence[str] = ("-m", "safe_node")) -> None:
        started: list[str] = []
        try:
            for entry in entries:
                if not self._is_running(entry.name):
                    self._spawn(entry.name, program)
                    started.append(entry.name)
            self._await_healthy(entries)
        except BaseException:
            self._end_all(started)
            raise

    def _spawn(self, name: str, program: Sequence[str]) -> None:
        command = [sys.executable, *program, "--config", str(self._folder.config_file(name))]
        record = self._start_program(command, self._folder.log(name), self._environment)
        processes.remember(self._folder.process_file(name), record)

    def _await_healthy(self, entries: "Sequence[Server]") -> None:
        from tools.local_cluster.health import wait_until_serving

        for entry in entries:
            deadline = time.monotonic() + START_SECONDS
            problem = wait_until_serving(entry, deadline, partial(self._is_running, entry.name))
            if problem is not None:
                raise SafeNotHealthy(entry.name, problem, self._folder.log_tail(entry.name))

    def _end_all(self, names: Sequence[str]) -> None:
        """All at once: each gets its signal before any is waited for."""
        for name in names:
            processes.send(self._folder.process_file(name), signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for name in names:
            if not processes.has_ended(self._folder.process_file(name), max(0, deadline - time.monotonic())):
                self._end(name, signal.SIGKILL, KILL_SECONDS)

    def _end(self, name: str, number: signal.Signals, seconds: float) -> None:
        processes.send(self._folder.process_file(name), number)
        if not processes.has_ended(self._folder.process_file(name), seconds):
            raise SafeNotStopped(name, seconds)

    def _is_running(self, name: str) -> bool:
        return processes.is_running(self._folder.process_file(name))

    def _known(self, name: str) -> str:
        return AUTHORITY if name == AUTHORITY and self.authority is not None else self._entry(name).name

    def _entry(self, name: str) -> SafeEntry:
        for entry in self.roster.safes:
            if name in (entry.name, entry.safe_id.hex()):
                return entry
        raise UnknownSafe(name, tuple(entry.name for entry in self.roster.safes))


def _shape(safes: int, threshold: int) -> str:
    return f"{safes} safes with a threshold of {threshold}"


def _without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """KURA_PASSPHRASE above all."""
    return {name: text for name, text in environment.items() if not name.startswith("KURA_")}
