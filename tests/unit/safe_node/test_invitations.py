"""Invitations are read out, typed, and good once; the database holds none that could be used."""

from pathlib import Path

import pysqlite3
import pytest

from durable.folder import StoreUnusable
from safe_node.invitations import hash_of, invite, make_code
from safe_node.store.schema import migrate
from support.safe_requests import seeded

T = 1_790_000_000_000
CODE = make_code(seeded("code"))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A safe's, that was started once."""
    path = tmp_path_factory.mktemp("data") / "safe.db"
    migrate(path)
    return path


def test_a_code_is_120_bits_in_six_groups_of_four() -> None:
    groups = CODE.split("-")
    assert [len(group) for group in groups] == [4] * 6
    assert set("".join(groups)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


@pytest.mark.parametrize(
    "typed",
    [CODE, CODE.lower(), CODE.replace("-", ""), CODE.replace("-", " "), f"  {CODE}\n"],
    ids=["as printed", "in small letters", "without hyphens", "with spaces", "with spaces around it"],
)
def test_however_it_is_typed_it_is_the_same_code(typed: str) -> None:
    assert hash_of(typed) == hash_of(CODE)


@pytest.mark.parametrize("typed", ["", "  ", "-"])
def test_nothing_is_no_code(typed: str) -> None:
    assert hash_of(typed) is None


def test_another_code_is_another() -> None:
    assert hash_of(make_code(seeded("other"))) != hash_of(CODE)
    assert hash_of(CODE + "A") != hash_of(CODE)


def test_the_database_keeps_the_hash_alone(database: Path) -> None:
    """And when it was made; whoever reads it can enrol nobody."""
    code = invite(database, 0, seeded("kept"), T)
    connection = pysqlite3.connect(str(database))
    rows = connection.execute("SELECT code_hash, made_ms, used_ms FROM invitations").fetchall()
    connection.close()
    assert rows == [(hash_of(code), T, None)]
    for path in database.parent.iterdir():
        assert code.replace("-", "").encode() not in path.read_bytes()


def broken(path: Path, how: str) -> Path:
    if how == "missing":
        return path / "safe.db"
    database = path / "safe.db"
    if how == "no database":
        database.write_bytes(b"not a database, and long enough to be read as one" * 100)
        return database
    connection = pysqlite3.connect(str(database))
    connection.execute(f"PRAGMA user_version = {1 if how == 'older' else 99}")
    connection.close()
    return database


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("missing", "not there; start the safe once"),
        ("no database", "not a database"),
        ("older", "of another version"),
        ("newer", "of another version"),
    ],
)
def test_no_invitation_goes_into_a_database_that_is(tmp_path: Path, how: str, words: str) -> None:
    """The reason says what to do."""
    with pytest.raises(StoreUnusable, match=words):
        invite(broken(tmp_path, how), 0, seeded("in vain"), T)
