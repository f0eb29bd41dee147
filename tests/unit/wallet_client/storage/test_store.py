"""A wallet is made once, opened by its passphrase alone, and changed in whole steps."""

import asyncio
import stat
import threading
from pathlib import Path

import pytest

from support.wallet_samples import FINGERPRINT, ROSTER, SEED, files_of, new_wallet, small_value
from wallet_client.storage.errors import (
    PassphraseNeeded,
    PassphraseRefused,
    PassphraseUnused,
    StorageFailed,
    WalletExists,
    WalletMissing,
    WrongPassphrase,
)
from wallet_client.storage.keyfile import NoPassphrase, Passphrase
from wallet_client.storage.store import WalletStore, wallet_protection
from wallet_client.values.errors import UnknownValue

RIGHT = Passphrase(b"correct horse")


def test_a_new_wallet_has_what_it_was_made_with(tmp_path: Path) -> None:
    """And has it still after it was closed and opened again."""
    home = tmp_path / "home"
    new_wallet(home, unlock=RIGHT, capacity_bytes=65_536).close()
    with WalletStore.open(home, RIGHT) as store:
        settings = store.settings.get()
        assert (settings.roster, settings.roster_version) == (ROSTER, 1)
        assert (settings.genesis_fingerprint, settings.capacity_bytes) == (FINGERPRINT, 65_536)
        assert store.signing_seed() == SEED
        assert store.usage() == (65_536, 0, 65_536)
        assert store.values.summaries() == []


def test_settings_change_one_by_one(tmp_path: Path) -> None:
    """The pinned fingerprint never does."""
    with new_wallet(tmp_path) as store:
        store.settings.set_capacity(5)
        store.settings.set_roster(b"the next", 2)
    with WalletStore.open(tmp_path, NoPassphrase()) as store:
        settings = store.settings.get()
        assert (settings.capacity_bytes, settings.roster, settings.roster_version) == (5, b"the next", 2)
        assert settings.genesis_fingerprint == FINGERPRINT


def test_only_the_owner_may_look_into_the_folder(tmp_path: Path) -> None:
    """Folder 0700, every file 0600, the log included."""
    home = tmp_path / "deep" / "home"
    with new_wallet(home) as store:
        store.values.add(small_value())
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()}
    assert {"wallet.db", "wallet.db-wal", "wallet.key", "lock"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_a_second_wallet_in_one_folder_is_refused_and_the_first_stays(tmp_path: Path) -> None:
    """Not a byte changes."""
    new_wallet(tmp_path).close()
    before = files_of(tmp_path)
    with pytest.raises(WalletExists):
        new_wallet(tmp_path)
    assert files_of(tmp_path) == before


def test_what_a_crash_in_the_making_left_is_no_wallet_and_no_obstacle(tmp_path: Path) -> None:
    """The database gets its name last."""
    new_wallet(tmp_path).close()
    (tmp_path / "wallet.db").rename(tmp_path / "wallet.db.new")
    (tmp_path / "wallet.db.new-wal").write_bytes(b"stale")
    with pytest.raises(WalletMissing):
        WalletStore.open(tmp_path, NoPassphrase())
    with new_wallet(tmp_path) as store:
        assert store.signing_seed() == SEED


@pytest.mark.parametrize("home", ["", "nowhere"])
def test_a_folder_without_a_wallet_says_so_and_stays_empty(tmp_path: Path, home: str) -> None:
    """Opening never makes anything."""
    with pytest.raises(WalletMissing):
        WalletStore.open(tmp_path / home, NoPassphrase())
    with pytest.raises(WalletMissing):
        wallet_protection(tmp_path / home)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error_with_its_reason(tmp_path: Path) -> None:
    """Here a file stands in the way."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageFailed, match=r"not a directory|file exists"):
        new_wallet(tmp_path / "file")


def test_a_wrong_passphrase_opens_nothing_and_changes_nothing(tmp_path: Path) -> None:
    """Not even when a log waits to be replayed."""
    store = new_wallet(tmp_path, unlock=RIGHT)
    store.values.add(small_value())
    before = files_of(tmp_path)
    assert before["wallet.db-wal"]
    for wrong in (Passphrase(b"correct horsf"), Passphrase(b"correct horse ")):
        with pytest.raises(WrongPassphrase):
            WalletStore.open(tmp_path, wrong)
    assert files_of(tmp_path) == before
    store.close()


def test_the_kind_of_lock_must_be_the_right_one(tmp_path: Path) -> None:
    """Who gives a passphrase believes to be protected, and who gives none is asked."""
    new_wallet(tmp_path / "a", unlock=RIGHT).close()
    new_wallet(tmp_path / "b").close()
    assert (wallet_protection(tmp_path / "a"), wallet_protection(tmp_path / "b")) == ("argon2id", "none")
    with pytest.raises(PassphraseNeeded):
        WalletStore.open(tmp_path / "a", NoPassphrase())
    with pytest.raises(PassphraseUnused):
        WalletStore.open(tmp_path / "b", RIGHT)


@pytest.mark.parametrize("content", [b"", bytes(4097)])
def test_a_passphrase_has_1_to_4096_bytes(content: bytes) -> None:
    """An empty one would protect nothing."""
    with pytest.raises(PassphraseRefused):
        Passphrase(content)


def test_a_transaction_happens_whole_or_not_at_all(tmp_path: Path) -> None:
    """Across all tables."""
    with new_wallet(tmp_path) as store:
        kept = store.values.add(small_value("kept"))

        def half() -> None:
            with store.transaction():
                store.values.add(small_value("new"))
                store.values.remove(kept)
                store.journal.put("o", "backup", b"", step="begun")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            half()
        assert [one.id for one in store.values.summaries()] == [kept]
        assert store.values.get(kept).name == "kept"
        assert store.journal.entries() == []
        assert store.usage().used == store.values.summary(kept).size_bytes


def test_an_inner_transaction_is_undone_alone(tmp_path: Path) -> None:
    """What stands around it stays."""
    with new_wallet(tmp_path) as store:

        def inner() -> None:
            with store.transaction():
                store.values.add(small_value("inner"))
                store.values.find("nothing")

        with store.transaction():
            outer = store.values.add(small_value("outer"))
            with pytest.raises(UnknownValue):
                inner()
        assert [one.id for one in store.values.summaries()] == [outer]


async def test_many_threads_may_use_one_store(tmp_path: Path) -> None:
    """As asyncio.to_thread does: nothing is lost and no transaction mixes with another."""
    with new_wallet(tmp_path) as store:

        def work(number: int) -> None:
            with store.transaction():
                first = store.values.add(small_value(f"first {number}"))
                store.values.add(small_value(f"second {number}"))
                store.values.remove(first)

        await asyncio.gather(*(asyncio.to_thread(work, number) for number in range(24)))
        assert sorted(one.name for one in store.values.summaries()) == sorted(
            f"second {n}" for n in range(24)
        )


def test_a_reader_of_another_thread_never_sees_half_a_transaction(tmp_path: Path) -> None:
    """It waits until the transaction ends."""
    with new_wallet(tmp_path) as store:
        inside, seen = threading.Event(), []

        def read() -> None:
            inside.wait()
            seen.append(len(store.values.summaries()))

        reader = threading.Thread(target=read)
        reader.start()
        with store.transaction():
            store.values.add(small_value("1"))
            inside.set()
            store.values.add(small_value("2"))
        reader.join()
        assert seen == [2]
