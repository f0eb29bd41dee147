"""What a process that dies leaves behind, at every step of one run.

The run is watched. At each step the wallet's folder and its safes are copied as they are just then, which is
what the next process would find had this one been killed there. Where neither the disk nor a safe changed
since a step before, that step's copy stands for both.
"""

import asyncio
import copy
import hashlib
import pickle
import shutil
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.commits import Commits
from support.memory_safes import MemorySafes, Steps, opened
from wallet_client.wallet import Wallet

Operation = Callable[[Wallet, MemorySafes], Awaitable[object]]

_WITHOUT = shutil.ignore_patterns("*-shm")
"""SQLite's index of its log, which it makes anew for whoever comes after a crash."""


@dataclass(frozen=True)
class Wreck:
    """What is left.

    Args:
        step: At which the process died.
        home: The wallet's folder.
        safes: The safes, with nobody watching them.
    """

    step: str
    home: Path
    safes: MemorySafes


@dataclass
class _Wrecks(Steps):
    """Counts steps as Steps does, and keeps the wrecks that differ."""

    home: Path = Path()
    safes: MemorySafes = field(default_factory=MemorySafes.of)
    left: dict[bytes, Wreck] = field(default_factory=dict)

    def __call__(self, name: str) -> None:
        """One step."""
        super().__call__(name)
        state = _digest(self.home, self.safes)
        if state not in self.left:
            step = f"{name} (step {len(self.taken)})"
            home = self.home.with_name(f"{self.home.name} {len(self.taken)}")
            self.left[state] = Wreck(step, shutil.copytree(self.home, home, ignore=_WITHOUT), self._safes())

    def _safes(self) -> MemorySafes:
        safes = copy.deepcopy(self.safes, {id(self): self})
        safes.calm_down()
        return safes


@dataclass
class _WrecksOfCommits(Commits, _Wrecks):
    """The same at the steps of Commits."""


def _digest(home: Path, safes: MemorySafes) -> bytes:
    """Equal where disk and safes are."""
    digest = hashlib.sha256()
    for path in sorted(home.iterdir()):
        if not path.name.endswith("-shm"):
            content = path.read_bytes()
            digest.update(f"{path.name} {len(content)} ".encode() + content)
    kept = [(safe.pieces, safe.tombstones, safe.counter) for safe in safes]
    owners = [
        (one.owners, one.guesses, one.authorised, one.revoked, one.used_invitations)
        for one in safes.owners.values()
    ]
    digest.update(pickle.dumps((kept, owners)))
    return digest.digest()


class _RightHere(ThreadPoolExecutor):
    """Runs at once and in the loop's thread what goes into one: nothing moves while a wreck is copied."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """As Executor.submit."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001  # whoever asked for the result gets it
            future.set_exception(error)
        return future


async def wrecks_of(
    operation: Operation,
    home: Path,
    safes: MemorySafes,
    seed: str = "operation",
    passes_over: Collection[str] | None = None,
) -> list[Wreck]:
    """Run an operation to its end; the wrecks of all its steps, the last of them after its end.

    Args:
        operation: What is run.
        home: The wallet's folder; copies of it are put beside it.
        safes: Its safes.
        seed: Of the wallet's randomness.
        passes_over: Where it is given, steps are those of Commits, without these.
    """
    asyncio.get_running_loop().set_default_executor(_RightHere())
    if passes_over is None:
        wrecks = _Wrecks(home=home, safes=safes)
    else:
        wrecks = _WrecksOfCommits(home=home, safes=safes, passes_over=passes_over)
    async with opened(home, safes, seed=seed) as wallet:
        wrecks.watch(wallet, safes)
        await operation(wallet, safes)
        wrecks("the end")
    assert len(wrecks.taken) > 4
    return list(wrecks.left.values())
