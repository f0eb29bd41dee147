"""One process at a time works in a wallet: `flock` on the file `lock` in its folder.

The operating system releases it when the process dies, whatever kills it. Within a process it
is counted: tasks and threads of one program may hold it together, and the last lets it go.
"""

import fcntl
import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from wallet_client.storage.errors import StorageFailed, WalletBusy, WalletMissing

LOCK_NAME: Final = "lock"
WAIT_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.02


class _Held:
    """The one lock this process has on one folder, and how many share it."""

    def __init__(self, path: Path) -> None:
        self.guard = threading.Lock()
        self._path = path
        self._descriptor = -1
        self._holders = 0

    def enter(self, deadline: float) -> bool:
        if self._holders == 0 and not self._lock(deadline):
            return False
        self._holders += 1
        return True

    def leave(self) -> None:
        self._holders -= 1
        if self._holders == 0:
            os.close(self._descriptor)

    def _lock(self, deadline: float) -> bool:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while not _try_lock(self._descriptor):
            if time.monotonic() >= deadline:
                os.close(self._descriptor)
                return False
            time.sleep(_POLL_SECONDS)
        return True


_REGISTRY: dict[Path, _Held] = {}
_REGISTRY_GUARD = threading.Lock()


class HomeLock:
    """The lock on a wallet's folder; enter it around whatever changes the wallet.

    Entering blocks: from a coroutine, use `asyncio.to_thread(lock.acquire)`.

    Args:
        home: The wallet's folder.
        wait_seconds: How long to wait for another process.
    """

    def __init__(self, home: Path, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._path = home.resolve() / LOCK_NAME
        self._wait_seconds = wait_seconds

    def acquire(self) -> None:
        """Take it, or share it with who holds it in this process.

        Raises:
            WalletBusy: Another process holds it and kept it for the whole time.
            WalletMissing: The folder is not there.
            StorageFailed: The lock file cannot be opened.
        """
        deadline = time.monotonic() + self._wait_seconds
        held = self._held()
        if not held.guard.acquire(timeout=max(0.0, self._wait_seconds)):
            raise WalletBusy(self._wait_seconds)
        try:
            if not held.enter(deadline):
                raise WalletBusy(self._wait_seconds)
        except FileNotFoundError as error:
            raise WalletMissing(self._path.parent) from error
        except OSError as error:
            raise StorageFailed(error.strerror or "the lock cannot be opened") from error
        finally:
            held.guard.release()

    def release(self) -> None:
        """Give back one `acquire`; any thread may."""
        held = self._held()
        with held.guard:
            held.leave()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _held(self) -> _Held:
        with _REGISTRY_GUARD:
            return _REGISTRY.setdefault(self._path, _Held(self._path))


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
