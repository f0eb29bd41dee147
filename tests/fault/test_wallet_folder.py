"""A wrong passphrase or a damaged wallet: the command ends with 1 and leaves every byte as it was."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.faults import assert_no_strays, fresh_wallet, receipt_ids_of, reopened, settled
from support.kura import KuraInProcess
from support.wallet_samples import files_of, new_wallet, small_value
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.recover import recover
from wallet_client.storage.errors import WalletDamaged
from wallet_client.storage.keyfile import Passphrase

COMMANDS = (
    "wallet list",
    "wallet add --class coupon --name n",
    "wallet remove A",
    "backup --all",
    "receipts",
    "recover --all",
    "resume",
    "roster show",
)


def _change(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def _flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def _settings_overwritten(home: Path) -> None:
    database = sqlite3.connect(home / "wallet.db")
    database.execute("UPDATE records SET head = zeroblob(99) WHERE kind = 'setting'")
    database.commit()
    database.close()


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "key file cut": (lambda home: _change(home / "wallet.key", lambda it: it[:-10]), "wallet.key"),
    "key file changed": (lambda home: _change(home / "wallet.key", _flip), "wallet.key"),
    "key file gone": (lambda home: (home / "wallet.key").unlink(), "wallet.key is missing"),
    "database emptied": (lambda home: _change(home / "wallet.db", lambda _: b""), "no database"),
    "database cut": (
        lambda home: _change(home / "wallet.db", lambda it: it[:4_096]),
        "The wallet is damaged",
    ),
    "database another file": (
        lambda home: _change(home / "wallet.db", lambda _: b"x" * 9_999),
        "no database",
    ),
    "settings overwritten": (_settings_overwritten, "does not open"),
}
"""What is done to the wallet, and what the command says of it."""


@pytest.fixture
def kura(tmp_path: Path) -> KuraInProcess:
    """The command, for a wallet with a value."""
    with new_wallet(tmp_path / "wallet") as store:
        store.values.add(small_value())
    return KuraInProcess(tmp_path / "wallet")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_wallet_is_refused_and_not_overwritten(how: str, command: str, kura: KuraInProcess) -> None:
    """With a sentence that names the part; not a byte changes, so a copy can still be put back."""
    damage, sentence = DAMAGE[how]
    damage(kura.home)
    before = files_of(kura.home)
    said = kura(*command.split(), "--no-passphrase")
    assert (said.code, said.output) == (1, "")
    assert sentence in said.messages
    assert "Traceback" not in said.messages
    assert files_of(kura.home) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_passphrase_is_refused_and_changes_nothing(command: str, tmp_path: Path) -> None:
    """And neither passphrase is in what is said."""
    with new_wallet(tmp_path / "wallet", unlock=Passphrase(b"right horse")) as store:
        store.values.add(small_value())
    before = files_of(tmp_path / "wallet")
    said = KuraInProcess(tmp_path / "wallet", {"KURA_PASSPHRASE": "wrong horse"})(*command.split())
    assert (said.code, said.output) == (1, "")
    assert "The passphrase does not open this wallet" in said.messages
    assert "horse" not in said.messages
    assert files_of(tmp_path / "wallet") == before


async def test_one_value_that_no_longer_opens_stops_no_other(cluster: LocalCluster, tmp_path: Path) -> None:
    """Its backup fails and is withdrawn by whatever runs next; the other value goes to the safes and back."""
    bad, good = (small_value(name, payload=bytes(5_000)) for name in ("bad", "good"))
    async with fresh_wallet(cluster, tmp_path / "wallet") as wallet:
        bad_id, good_id = (wallet.store.values.add(one) for one in (bad, good))
    _first_payload_overwritten(tmp_path / "wallet", 5_000)
    async with reopened(tmp_path / "wallet") as wallet:
        with pytest.raises(WalletDamaged, match=bad_id):
            await back_up(wallet, [bad_id], "threshold")
        await back_up(wallet, [good_id], "threshold")
        await drop_backed_up(wallet, [good_id], accept_fewer=False)
        await recover(wallet, receipt_ids_of(wallet))
        assert wallet.store.values.get(good_id) == good
        assert await settled(wallet) == 1
        assert_no_strays(cluster, wallet)


def _first_payload_overwritten(home: Path, size: int) -> None:
    database = sqlite3.connect(home / "wallet.db")
    first = "SELECT min(slot) FROM chunks WHERE length(data) > ?"
    database.execute(f"UPDATE chunks SET data = zeroblob(length(data)) WHERE slot = ({first})", (size,))  # noqa: S608
    database.commit()
    database.close()
