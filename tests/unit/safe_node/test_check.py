"""The operator's check calls sound what wallets would get back, and nothing else."""

from pathlib import Path

import pysqlite3
import pytest

from durable import sqlite
from safe_node.check import CheckReport, check_database
from support.safe_requests import deal
from support.store_bench import ROSTER, WALLET, batch_of, sqlite_bench

LARGE = deal(ROSTER, WALLET, [bytes(100_000)], label="large")


def checked(folder: Path) -> CheckReport:
    return check_database(folder, lambda done, total: None)


async def filled(folder: Path) -> None:
    async with sqlite_bench(folder) as bench:
        await bench.certificates(batch_of("small"))
        await bench.upload(LARGE)


async def test_a_sound_database_is_called_sound(tmp_path: Path) -> None:
    await filled(tmp_path)
    assert checked(tmp_path) == CheckReport(2, (), "ok")


DAMAGE = {
    "a counter that is not the certificate's": "UPDATE pieces SET counter = 99",
    "a hash that is not the certificate's": "UPDATE pieces SET x_hash = zeroblob(32)",
    "a certificate that does not parse": "UPDATE pieces SET certificate = zeroblob(40)",
    "a key share that is not its checksum's": "UPDATE key_shares SET share = zeroblob(32)",
}


@pytest.mark.parametrize("statement", DAMAGE.values(), ids=DAMAGE)
async def test_what_no_wallet_would_get_back_is_called_damaged(tmp_path: Path, statement: str) -> None:
    await filled(tmp_path)
    connection = pysqlite3.connect(str(tmp_path / "safe.db"))
    connection.execute(statement)
    connection.commit()
    connection.close()
    report = checked(tmp_path)
    assert (len(report.damaged), report.sound) == (2, False)


async def test_what_is_deleted_meanwhile_is_not_called_damaged(tmp_path: Path) -> None:
    """The second piece goes while the first is being hashed."""
    await filled(tmp_path)

    def delete_the_rest(done: int, total: int) -> None:
        connection = pysqlite3.connect(str(tmp_path / "safe.db"))
        connection.execute("DELETE FROM pieces WHERE id > 1")
        connection.commit()
        connection.close()

    assert check_database(tmp_path, delete_the_rest).damaged == ()


def test_without_a_database_nothing_is_made(tmp_path: Path) -> None:
    """A check of the wrong folder leaves it as it was."""
    with pytest.raises(sqlite.Error, match="unable to open"):
        checked(tmp_path)
    assert not list(tmp_path.iterdir())
