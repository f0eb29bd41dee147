"""A wallet that was tampered with, cut off, mixed up or written by a newer Kura: refused, never changed."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pysqlite3
import pytest

from support.wallet_samples import files_of, new_wallet, small_value
from wallet_client.errors import WalletError
from wallet_client.storage.errors import WalletDamaged, WalletTooNew, WrongPassphrase
from wallet_client.storage.keyfile import (
    KeyFile,
    NoPassphrase,
    Passphrase,
    new_key_file,
    open_key_file,
    read_key_file,
)
from wallet_client.storage.records import Records
from wallet_client.storage.schema import SCHEMA_VERSION
from wallet_client.storage.secret import Secret
from wallet_client.storage.store import WalletStore
from wallet_client.values.errors import UnknownValue


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A closed wallet with two values."""
    with new_wallet(tmp_path / "home") as store:
        store.values.add(small_value("first", payload=b"1" * 3000))
        store.values.add(small_value("second", payload=b"2" * 3000))
    return tmp_path / "home"


def _sql(home: Path, *statements: str) -> None:
    database = pysqlite3.connect(home / "wallet.db")
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _key_changed(home: Path, **fields: object) -> None:
    path = home / "wallet.key"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def _other_wallets_key(home: Path) -> None:
    new_wallet(home.parent / "other").close()
    shutil.copy(home.parent / "other" / "wallet.key", home / "wallet.key")


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        pytest.param(lambda home: (home / "wallet.key").unlink(), "key is missing", id="no key file"),
        pytest.param(lambda home: _write(home / "wallet.key", b""), "not readable", id="empty key file"),
        pytest.param(
            lambda home: _write(home / "wallet.key", b"\xff" * 9), "not readable", id="noise for a key"
        ),
        pytest.param(
            lambda home: _write(home / "wallet.key", b"[" * 9000), "not readable", id="nested key file"
        ),
        pytest.param(
            lambda home: _key_changed(home, key="AAAA" * 11), "was changed|not readable", id="another key"
        ),
        pytest.param(lambda home: _key_changed(home, extra=1), "not readable", id="unknown field in the key"),
        pytest.param(_other_wallets_key, "does not open|missing", id="another wallet's key file"),
        pytest.param(lambda home: _write(home / "wallet.db", b""), "no database", id="emptied database"),
        pytest.param(lambda home: _write(home / "wallet.db", b"x" * 8192), "no database", id="noise"),
        pytest.param(
            lambda home: _sql(home, "PRAGMA application_id = 5"),
            "no wallet's database",
            id="another program's",
        ),
        pytest.param(
            lambda home: _write(home / "wallet.db", (home / "wallet.db").read_bytes()[:4096]),
            "malformed|missing",
            id="database cut off after a page",
        ),
        pytest.param(lambda home: _sql(home, "DROP TABLE records"), "table is missing", id="a table dropped"),
        pytest.param(
            lambda home: _sql(home, "DELETE FROM records WHERE kind = 'setting'"),
            "settings",
            id="settings dropped",
        ),
        pytest.param(
            lambda home: _sql(home, "UPDATE records SET head = zeroblob(99) WHERE kind = 'setting'"),
            "setting does not open",
            id="settings overwritten",
        ),
        pytest.param(
            lambda home: _sql(home, "UPDATE records SET head = x'00' WHERE kind = 'setting'"),
            "setting does not open",
            id="settings shorter than a tag",
        ),
    ],
)
def test_a_damaged_wallet_is_refused_and_left_as_it_is(
    home: Path, damage: Callable[[Path], None], what: str
) -> None:
    """Byte for byte."""
    damage(home)
    before = files_of(home)
    with pytest.raises(WalletDamaged, match=what):
        WalletStore.open(home, NoPassphrase())
    assert files_of(home) == before


def test_an_emptied_database_does_not_cost_the_log(tmp_path: Path) -> None:
    """SQLite would take it for new and delete the log, which may hold all there is."""
    store = new_wallet(tmp_path / "home")
    store.values.add(small_value("only in the log"))
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "home", copy)
    store.close()
    assert (copy / "wallet.db-wal").stat().st_size > 0
    whole = (copy / "wallet.db").read_bytes()
    (copy / "wallet.db").write_bytes(b"")
    before = files_of(copy)
    with pytest.raises(WalletDamaged):
        WalletStore.open(copy, NoPassphrase())
    assert files_of(copy) == before
    (copy / "wallet.db").write_bytes(whole)
    with WalletStore.open(copy, NoPassphrase()) as mended:
        assert [one.name for one in mended.values.summaries()] == ["only in the log"]


def test_a_log_without_its_database_is_damage_not_absence(home: Path) -> None:
    """So that nobody makes a new wallet over it by mistake."""
    (home / "wallet.db").unlink()
    (home / "wallet.db-wal").write_bytes(b"something")
    with pytest.raises(WalletDamaged, match=r"wallet\.db is missing"):
        WalletStore.open(home, NoPassphrase())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            "UPDATE records SET (head, head_slot) = (SELECT head, head_slot FROM records o"
            " WHERE o.kind = 'value' AND o.id != records.id) WHERE kind = 'value'",
            id="two heads swapped with their secrets",
        ),
        pytest.param(
            "UPDATE records SET head = CAST('x' || substr(head, 2) AS BLOB) WHERE kind = 'value'",
            id="a byte of the head changed",
        ),
        pytest.param("UPDATE slots SET secret = zeroblob(32)", id="secrets erased"),
        pytest.param(
            "UPDATE records SET kind = 'value', name = zeroblob(16) WHERE kind = 'secret'", id="kind changed"
        ),
    ],
)
def test_a_row_opens_only_where_it_was_put(home: Path, change: str) -> None:
    """Listing refuses; the change itself stays for inspection."""
    store = WalletStore.open(home, NoPassphrase())
    _sql(home, change)
    with pytest.raises(WalletDamaged, match="a value does not open"):
        store.values.summaries()
    store.close()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("DELETE FROM chunks", id="all parts missing"),
        pytest.param("DELETE FROM chunks WHERE part = 0", id="the first part missing"),
        pytest.param("DELETE FROM chunks WHERE part = 1", id="a middle part missing"),
        pytest.param("DELETE FROM chunks WHERE part = 2", id="the last part missing"),
        pytest.param("UPDATE chunks SET part = 2 - part + 100", id="parts in another order"),
        pytest.param(
            "UPDATE chunks SET data = CAST('x' || substr(data, 2) AS BLOB) WHERE part = 1",
            id="a byte changed",
        ),
        pytest.param("UPDATE chunks SET data = substr(data, 1, 9) WHERE part = 2", id="shorter than a tag"),
        pytest.param("INSERT INTO chunks SELECT slot, 3, data FROM chunks WHERE part = 0", id="a part twice"),
    ],
)
def test_a_large_value_with_damaged_parts_is_refused(tmp_path: Path, change: str) -> None:
    """Missing, swapped, repeated, cut off or changed: each is noticed."""
    with new_wallet(tmp_path) as store:
        value_id = store.values.add(small_value(payload=bytes(2 * 1024 * 1024 + 5)))
    _sql(
        tmp_path,
        "DELETE FROM chunks WHERE slot IN (SELECT body_slot FROM records WHERE kind = 'secret')",
        change,
    )
    with WalletStore.open(tmp_path, NoPassphrase()) as store, pytest.raises(WalletDamaged, match="content"):
        store.values.get(value_id)


def test_a_newer_wallet_is_refused_and_left_as_it_is(home: Path) -> None:
    """This program does not know what it would break."""
    _sql(home, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = files_of(home)
    with pytest.raises(WalletTooNew) as refused:
        WalletStore.open(home, NoPassphrase())
    assert (refused.value.found, refused.value.known) == (SCHEMA_VERSION + 1, SCHEMA_VERSION)
    assert files_of(home) == before


def test_random_damage_ends_in_a_wallet_error_or_in_the_values(home: Path) -> None:
    """Three hundred seeded damages to the database: no other exception, and never another value."""
    original = (home / "wallet.db").read_bytes()
    key = (home / "wallet.key").read_bytes()
    outcomes = set()
    for seed in range(300):
        rng = random.Random(seed)
        changed = bytearray(original)
        start = rng.randrange(len(changed))
        changed[start : start + rng.choice([1, 8, 200])] = rng.randbytes(rng.choice([1, 8, 200]))
        target = home.parent / "changed"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        (target / "wallet.db").write_bytes(changed)
        (target / "wallet.key").write_bytes(key)
        outcomes.add(_what_is_read(target))
    assert {"refused", "whole"} <= outcomes <= {"refused", "whole", "fewer"}


def _what_is_read(home: Path) -> str:
    payloads = {"first": b"1" * 3000, "second": b"2" * 3000}
    try:
        with WalletStore.open(home, NoPassphrase()) as store:
            values = [store.values.get(one.id) for one in store.values.summaries()]
    except WalletError:
        return "refused"
    assert all(value.payload == payloads[value.name] for value in values)
    return "whole" if len(values) == 2 else "fewer"


class TestKeyFile:
    """What wraps the master key."""

    FILE, MASTER = new_key_file(Passphrase(b"right"))

    def test_the_right_passphrase_gives_the_master_key(self) -> None:
        """And a wrong one is told as wrong, not as damage."""
        assert open_key_file(self.FILE, Passphrase(b"right")) == self.MASTER
        with pytest.raises(WrongPassphrase):
            open_key_file(self.FILE, Passphrase(b"wrong"))

    def test_its_figures_cannot_be_lowered_unnoticed(self) -> None:
        """They are bound to the key, whatever the checksum says."""
        lowered = KeyFile(
            **{**{name: getattr(self.FILE, name) for name in KeyFile.__struct_fields__}, "passes": 1}
        )
        with pytest.raises(WrongPassphrase):
            open_key_file(lowered, Passphrase(b"right"))

    def test_figures_that_argon2_refuses_are_damage(self) -> None:
        """Not a crash."""
        impossible = KeyFile(
            **{**{name: getattr(self.FILE, name) for name in KeyFile.__struct_fields__}, "lanes": 0}
        )
        with pytest.raises(WalletDamaged, match="Argon2id"):
            open_key_file(impossible, Passphrase(b"right"))

    def test_the_file_says_how_it_was_made_and_nothing_else(self, tmp_path: Path) -> None:
        """The recommended figures of RFC 9106; a fresh salt and id for each wallet."""
        path = tmp_path / "wallet.key"
        path.write_bytes(self.FILE.to_bytes())
        said = read_key_file(path)
        assert (said.protection, said.memory_kib, said.passes, said.lanes) == ("argon2id", 65_536, 3, 4)
        other, _ = new_key_file(Passphrase(b"right"))
        assert len({said.salt, other.salt, said.wallet_id, other.wallet_id}) == 4
        assert self.MASTER.reveal() not in path.read_bytes()

    @pytest.mark.parametrize(
        "secret", [FILE, MASTER, Passphrase(b"right")], ids=["file", "key", "passphrase"]
    )
    def test_nothing_of_it_shows_itself(self, secret: object) -> None:
        """In logs, tracebacks and failed tests."""
        assert "right" not in repr(secret)
        assert repr(self.MASTER.reveal()) not in repr(secret)
        assert len(repr(secret)) < 50


def test_a_row_of_another_shape_is_damage(tmp_path: Path) -> None:
    """Sealed by the right key and yet no index entry: such as a later Kura might write."""
    with new_wallet(tmp_path) as store:
        master = Secret(read_key_file(tmp_path / "wallet.key").key)
        wallet_id = read_key_file(tmp_path / "wallet.key").wallet_id
        database = store.values._records.database
        Records(database, master, wallet_id, "value", str, UnknownValue).add("v-1", "no summary")
        with pytest.raises(WalletDamaged, match="a value does not open"):
            store.values.summaries()


def test_damage_to_the_names_of_tables_is_damage_too(home: Path) -> None:
    """SQLite then complains in bytes that are no text."""
    content = (home / "wallet.db").read_bytes()
    (home / "wallet.db").write_bytes(
        content.replace(b'CREATE TABLE "records"', b'CREATE TABLE \xff\x99records"')
    )
    with pytest.raises(WalletDamaged, match="malformed"):
        WalletStore.open(home, NoPassphrase())
