"""A killed process, a full disk: what was committed is there, and nothing half."""

import errno
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.wallet_samples import new_wallet, small_value
from wallet_client.storage.database import Database
from wallet_client.storage.errors import DeviceFull, StorageFailed, WalletBusy
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.schema import SCHEMA_VERSION
from wallet_client.storage.store import WalletStore

DIE_IN_THE_MIDDLE = """
import os, signal, sys
from pathlib import Path
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.store import WalletStore
from wallet_client.values.value import Value
store = WalletStore.open(Path(sys.argv[1]), NoPassphrase())
store.values.add(Value(item_class="a", name="committed"))
with store.transaction():
    for number in range(20):
        store.values.add(Value(item_class="a", name="lost", payload=os.urandom(500_000)))
    store.values.remove(store.values.find("kept"))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_in_the_middle_of_a_transaction_undoes_it(tmp_path: Path) -> None:
    """Ten megabytes of it had reached the log already."""
    with new_wallet(tmp_path) as store:
        kept = store.values.add(small_value("kept", payload=b"k"))
    died = subprocess.run([sys.executable, "-c", DIE_IN_THE_MIDDLE, str(tmp_path)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert (tmp_path / "wallet.db-wal").stat().st_size > 0
    with WalletStore.open(tmp_path, NoPassphrase()) as store:
        assert [one.name for one in store.values.summaries()] == ["kept", "committed"]
        assert store.values.get(kept).payload == b"k"
        assert store.usage().used == sum(one.size_bytes for one in store.values.summaries())
        assert (tmp_path / "wallet.db-wal").stat().st_size == 0


def test_a_full_disk_refuses_the_change_and_keeps_the_rest(tmp_path: Path) -> None:
    """SQLite's own page limit stands for the disk's; the person is told to free space."""
    with new_wallet(tmp_path) as store:
        store.values.add(small_value("kept"))
        database = store.values._records.database
        pages = database.row("PRAGMA page_count")[0]
        database.row(f"PRAGMA max_page_count = {pages + 50}")
        with pytest.raises(DeviceFull) as full:
            store.values.add(small_value("too much", payload=random.Random(1).randbytes(1_000_000)))
        assert "Free space" in full.value.hint
        assert [one.name for one in store.values.summaries()] == ["kept"]
        store.values.add(small_value("small enough"))
    with WalletStore.open(tmp_path, NoPassphrase()) as store:
        assert [one.name for one in store.values.summaries()] == ["kept", "small enough"]


LIMITED = """
import resource, signal, sys
from pathlib import Path
from wallet_client.storage.errors import StorageFailed
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.store import WalletStore
from wallet_client.values.value import Value
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = WalletStore.open(Path(sys.argv[1]), NoPassphrase())
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
try:
    store.values.add(Value(item_class="a", name="lost", payload=bytes(1_000_000)))
except StorageFailed as error:
    print(type(error).__name__, [one.name for one in store.values.summaries()])
"""


def test_a_device_that_refuses_to_write_is_told_with_its_reason(tmp_path: Path) -> None:
    """A real refusal by the operating system, through a limit on the size of files."""
    with new_wallet(tmp_path) as store:
        store.values.add(small_value("kept"))
    said = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() in {"StorageFailed ['kept']", "DeviceFull ['kept']"}
    with WalletStore.open(tmp_path, NoPassphrase()) as store:
        assert [one.name for one in store.values.summaries()] == ["kept"]


def test_a_writer_in_another_process_makes_this_one_wait_and_then_say_so(tmp_path: Path) -> None:
    """Nothing is changed."""
    with new_wallet(tmp_path) as one, WalletStore.open(tmp_path, NoPassphrase()) as other:
        other.values._records.database.execute("PRAGMA busy_timeout = 1")
        with one.transaction():
            one.values.add(small_value("first"))
            with pytest.raises(WalletBusy):
                other.values.add(small_value("second"))
        assert [entry.name for entry in other.values.summaries()] == ["first"]


def test_a_folder_that_may_only_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write everywhere, so the file is opened read-only instead."""
    with new_wallet(tmp_path) as store:
        store.values._records.database.execute("PRAGMA query_only = ON")
        with pytest.raises(StorageFailed, match="may only be read"):
            store.values.add(small_value())


def test_a_disk_that_is_full_already_makes_no_wallet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key file's own write meets it first."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DeviceFull):
        new_wallet(tmp_path)
    monkeypatch.undo()
    with new_wallet(tmp_path) as store:
        assert store.values.summaries() == []


def test_a_migration_that_fails_leaves_the_wallet_closed_and_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next opening tries again."""
    with new_wallet(tmp_path) as store:
        store.values.add(small_value("kept"))

    def fail(_: Database) -> None:
        raise DeviceFull

    monkeypatch.setattr("wallet_client.storage.store.migrate", fail)
    with pytest.raises(DeviceFull):
        WalletStore.open(tmp_path, NoPassphrase())
    monkeypatch.undo()
    with WalletStore.open(tmp_path, NoPassphrase()) as store:
        assert [one.name for one in store.values.summaries()] == ["kept"]


def test_a_migration_cut_off_before_its_last_line_is_done_again(tmp_path: Path) -> None:
    """The tables are there, their version not yet written."""
    with new_wallet(tmp_path) as store:
        store.values.add(small_value("kept"))
        store.values._records.database.execute("PRAGMA user_version = 0")
    with WalletStore.open(tmp_path, NoPassphrase()) as store:
        assert [one.name for one in store.values.summaries()] == ["kept"]
        assert store.values._records.database.row("PRAGMA user_version")[0] == SCHEMA_VERSION
