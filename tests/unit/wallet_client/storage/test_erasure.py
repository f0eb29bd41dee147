"""What was removed is gone: not one byte of it, nor of the secret it lay under, is left in the folder.

SQLite's secure_delete alone would not do: it leaves fragments of old cells when it moves rows
between pages. The secret of each row version lies in a slot that never moves and is overwritten.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pysqlite3
import pytest

from support.wallet_samples import everything_in, new_wallet, small_value
from wallet_client.storage import records
from wallet_client.storage.errors import TracesRemain
from wallet_client.storage.secret import Secret
from wallet_client.storage.store import WalletStore
from wallet_client.values.value import Value

WINDOW_BYTES = 12
"""Twelve bytes are found by chance in a megabyte once in 10^22 searches."""


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every row secret drawn, as an attacker would like to know them."""
    drawn: list[bytes] = []

    def draw() -> bytes:
        drawn.append(random.Random(len(drawn)).randbytes(32))
        return drawn[-1]

    monkeypatch.setattr(records, "new_row_secret", draw)
    return drawn


@pytest.fixture
def store(tmp_path: Path, secrets: list[bytes]) -> Iterator[WalletStore]:
    """A wallet without a passphrase: whoever has the folder has the master key."""
    with new_wallet(tmp_path) as opened:
        yield opened


def _sealed(store: WalletStore) -> list[bytes]:
    """All ciphertexts in the database, as they stand there now."""
    database = store.values._records.database
    heads = database.rows("SELECT head FROM records WHERE kind = 'value'")
    chunks = database.rows("SELECT data FROM chunks")
    return [row[0] for row in (*heads, *chunks)]


def _windows(content: bytes) -> list[bytes]:
    """Pieces of it, from its beginning, middle and end."""
    starts = {0, len(content) // 3, len(content) // 2, max(0, len(content) - WINDOW_BYTES)}
    return [content[start : start + WINDOW_BYTES] for start in sorted(starts)]


def _large() -> Value:
    return small_value("secret name", payload=random.Random("no row secret").randbytes(3 * 1024 * 1024 + 5))


def test_before_its_removal_a_value_is_in_the_folder_sealed(
    store: WalletStore, tmp_path: Path, secrets: list[bytes]
) -> None:
    """The twin of the next test: the search does find what is there. Nothing is there in the clear."""
    before = len(secrets)
    value = _large()
    store.values.add(value)
    found = everything_in(tmp_path)
    # A chunk runs over many pages, so its pieces are searched for, not the whole.
    assert all(
        piece in found for sealed in _sealed(store) for piece in (_windows(sealed)[0], _windows(sealed)[-1])
    )
    assert all(secret in found for secret in secrets[before:])
    assert value.payload[:WINDOW_BYTES] not in found
    assert b"secret name" not in found


@pytest.mark.parametrize("how", ["remove", "replace"])
def test_after_its_removal_nothing_of_it_is_left(
    store: WalletStore, tmp_path: Path, secrets: list[bytes], how: str
) -> None:
    """Neither ciphertext nor the secret to open it, at once and without closing the wallet."""
    store.values.add(small_value("bystander", payload=bytes(5000)))
    before = len(secrets)
    present = set(_sealed(store))
    value_id = store.values.add(_large())
    sealed, used = [one for one in _sealed(store) if one not in present], secrets[before:]
    assert (len(sealed), len(used)) == (5, 2)
    if how == "remove":
        store.values.remove(value_id)
    else:
        store.values.replace(value_id, small_value("other"))
    found = everything_in(tmp_path)
    assert [piece for one in sealed for piece in _windows(one) if piece in found] == []
    assert [piece for one in used for piece in _windows(one) if piece in found] == []
    assert (tmp_path / "wallet.db-wal").stat().st_size == 0


@pytest.mark.no_cover
def test_a_thousand_changes_leave_no_secret_of_what_is_gone(
    store: WalletStore, tmp_path: Path, secrets: list[bytes]
) -> None:
    """Rows move between pages all the time; their secrets never do. Those of what is kept are found."""
    rng = random.Random(19)
    ids = [store.values.add(_any_value(rng)) for _ in range(100)]
    for _ in range(900):
        position = rng.randrange(len(ids))
        change = rng.choice(["add", "replace", "remove", "link"])
        if change == "add" or len(ids) < 10:
            ids.append(store.values.add(_any_value(rng)))
        elif change == "replace":
            store.values.replace(ids[position], _any_value(rng))
        elif change == "link":
            store.values.link(ids[position], f"r-{rng.random()}")
        else:
            store.values.remove(ids.pop(position))
    store.purge()
    used = {row[0] for row in store.values._records.database.rows("SELECT secret FROM slots WHERE used = 1")}
    gone = [secret for secret in secrets if secret not in used]
    found = everything_in(tmp_path)
    assert len(gone) > 500
    assert all(secret in found for secret in used)
    assert [secret for secret in gone if any(piece in found for piece in _windows(secret))] == []
    assert len(store.values.summaries()) == len(ids)


def _any_value(rng: random.Random) -> Value:
    return small_value("n" * rng.randint(1, 400), payload=rng.randbytes(rng.choice([0, 30, 900, 6000])))


def test_slots_are_used_again(store: WalletStore) -> None:
    """A wallet that changes for years does not grow for ever."""
    for _ in range(50):
        store.values.remove(store.values.add(small_value()))
    assert store.values._records.database.row("SELECT count(*) FROM slots")[0] < 10


def test_a_key_and_a_receipt_are_erased_at_once_too(
    store: WalletStore, tmp_path: Path, secrets: list[bytes]
) -> None:
    """Both lead to values."""
    before = len(secrets)
    store.keys.put("k", Secret(b"x" * 32))
    store.receipts.put("r-1", b"y" * 500, state="safe")
    store.keys.delete("k")
    store.receipts.delete("r-1")
    found = everything_in(tmp_path)
    assert [secret for secret in secrets[before:] if secret in found] == []


def test_what_the_journal_forgot_is_gone_once_the_wallet_is_closed(
    tmp_path: Path, secrets: list[bytes]
) -> None:
    """Or at the next removal of a value, whichever comes first."""
    with new_wallet(tmp_path) as store:
        before = len(secrets)
        store.journal.put("o-1", "backup", b"pieces", step="begun")
        store.outbox.put("o-1", bytes(16), b"message")
        store.journal.delete("o-1")
        store.outbox.delete("o-1", bytes(16))
    found = everything_in(tmp_path)
    assert [secret for secret in secrets[before:] if secret in found] == []


def test_many_removals_in_one_transaction_are_purged_once(
    store: WalletStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its commit."""
    ids = [store.values.add(small_value()) for _ in range(20)]
    database, purges = store.values._records.database, []
    monkeypatch.setattr(database, "purge_if_free", lambda: purges.append("purge"))
    with store.transaction():
        for value_id in ids:
            store.values.remove(value_id)
        assert purges == []
    assert purges == ["purge"]


def test_a_reader_in_the_way_is_told_and_the_next_opening_finishes(
    tmp_path: Path, secrets: list[bytes]
) -> None:
    """The removal stands; the person is not told that nothing is left while something is."""
    with new_wallet(tmp_path) as store:
        before = len(secrets)
        value_id = store.values.add(small_value("held"))
        store.values._records.database.execute("PRAGMA busy_timeout = 1")
        reader = pysqlite3.connect(tmp_path / "wallet.db")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM records").fetchone()
        store.values.remove(value_id)
        assert store.traces_remain
        with pytest.raises(TracesRemain):
            store.purge()
        assert store.values.summaries() == []
        reader.close()
        store.values.add(small_value("next"))
        assert not store.traces_remain
        found = everything_in(tmp_path)
    assert [secret for secret in secrets[before : before + 2] if secret in found] == []
