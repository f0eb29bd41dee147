"""One process at a time works in a wallet, and a dead one holds nobody up."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wallet_client.storage.errors import StorageFailed, WalletBusy, WalletMissing
from wallet_client.storage.lock import HomeLock

HOLD = """
import sys
from pathlib import Path
from wallet_client.storage.lock import HomeLock
with HomeLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _another_process(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock until its input ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder


def test_another_process_waits_and_is_told_when_it_waited_in_vain(tmp_path: Path) -> None:
    """With how long it waited; afterwards the way is free."""
    with _another_process(tmp_path):
        with pytest.raises(WalletBusy) as busy:
            HomeLock(tmp_path, wait_seconds=0.05).acquire()
        assert busy.value.waited_seconds == 0.05
    with HomeLock(tmp_path, wait_seconds=0):
        assert (tmp_path / "lock").exists()


def test_who_waits_gets_it_when_the_other_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the time; the other ends while this one waits for the first time."""
    with _another_process(tmp_path) as holder:

        def end_the_other(_: float) -> None:
            holder.communicate("")

        monkeypatch.setattr(time, "sleep", end_the_other)
        with HomeLock(tmp_path, wait_seconds=30):
            assert holder.returncode == 0


def test_a_killed_process_leaves_no_lock_behind(tmp_path: Path) -> None:
    """The operating system lets go for it."""
    with _another_process(tmp_path) as holder:
        holder.kill()
        holder.wait()
        with HomeLock(tmp_path, wait_seconds=0):
            assert (tmp_path / "lock").exists()


def test_one_process_shares_it_until_the_last_lets_go(tmp_path: Path) -> None:
    """Several operations of one program overlap; others stay out until all have ended."""
    first, second = HomeLock(tmp_path), HomeLock(tmp_path / "." / ".." / tmp_path.name)
    first.acquire()
    thread = threading.Thread(target=second.acquire)
    thread.start()
    thread.join()
    first.release()
    assert _is_held(tmp_path)
    second.release()
    assert not _is_held(tmp_path)


def _is_held(home: Path) -> bool:
    """Asked from another process: this one would share."""
    ask = HOLD.replace("HomeLock(Path(sys.argv[1]))", "HomeLock(Path(sys.argv[1]), wait_seconds=0)")
    command = [sys.executable, "-c", ask, str(home)]
    return b"WalletBusy" in subprocess.run(command, input=b"", capture_output=True, check=False).stderr


def test_a_thread_does_not_wait_for_ever_behind_a_waiting_thread(tmp_path: Path) -> None:
    """Each has its own time."""
    with _another_process(tmp_path):
        patient = threading.Thread(target=_acquire_in_vain, args=(HomeLock(tmp_path, wait_seconds=0.2),))
        patient.start()
        _acquire_in_vain(HomeLock(tmp_path, wait_seconds=0.01))
        patient.join()


def _acquire_in_vain(lock: HomeLock) -> None:
    with pytest.raises(WalletBusy):
        lock.acquire()


def test_a_folder_that_is_not_there_has_no_lock(tmp_path: Path) -> None:
    """It is not made, either."""
    with pytest.raises(WalletMissing):
        HomeLock(tmp_path / "none").acquire()
    assert not (tmp_path / "none").exists()


def test_a_lock_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    """Here a folder stands in its place."""
    (tmp_path / "lock").mkdir()
    with pytest.raises(StorageFailed, match="directory"):
        HomeLock(tmp_path).acquire()
