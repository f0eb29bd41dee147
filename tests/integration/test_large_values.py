"""The edges of what a value may be: nothing, 64 MiB, one byte more, and names that would fool a terminal."""

import asyncio
import json
import random
import subprocess
import sys
import unicodedata
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.faults import (
    assert_no_strays,
    blamed,
    database_of,
    fresh_wallet,
    key_of,
    receipt_ids_of,
    receipts_of,
    settled,
    wait_until,
)
from support.kura import KuraInProcess
from support.measured_kura import peak_mib
from support.safe_databases import staged_blocks
from trust.ids import WalletKey
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.recover import recover
from wallet_client.policies.presets import policy_names
from wallet_client.receipts.receipt import state_of
from wallet_client.values.value import PAYLOAD_MAX_BYTES, Value
from wallet_client.wallet import Wallet

pytestmark = pytest.mark.no_cover

MIB = 1 << 20
WALLET_MIB_AT_MOST = 4 * 64
SAFE_MIB_AT_MOST = 256e6 / MIB
COMMAND_SECONDS = 100
STREAMED = Value(item_class="file", name="streamed", payload=random.Random(4).randbytes(12 * MIB))
CHUNKS_OF_OTHERS = 4 * 9
"""After so many reports the fifth safe has got a chunk too."""

NAMES = (
    "many scripts: 忠臣蔵 昼の部 🎭 Ὀδύσσεια",
    "two ways to write one letter: caf\u00e9 cafe\u0301",
    "line breaks and NUL: line\nbreak\ttab\r\x00nul",
    "escape sequences: \x1b[2J\x1b]0;owned\x07",
    "turned around: \u202egnp.exe\u2066 \u200b",
    "a\u0301" * 500,
)
SHOWING = ("wallet list", "backup --all", "receipts", "recover --all", "receipts verify")


@pytest.fixture
async def wallet(cluster: LocalCluster, tmp_path: Path) -> AsyncIterator[Wallet]:
    """A fresh one."""
    async with fresh_wallet(cluster, tmp_path / "wallet") as wallet:
        yield wallet


async def there_and_back(wallet: Wallet, value: Value, policy: str = "threshold") -> None:
    """Back up, erase, recover, compare."""
    value_id = wallet.store.values.add(value)
    await back_up(wallet, [value_id], policy)
    await drop_backed_up(wallet, [value_id], accept_fewer=False)
    await recover(wallet, receipt_ids_of(wallet))
    assert wallet.store.values.get(value_id) == value


@pytest.mark.parametrize("policy", policy_names())
async def test_no_bytes_at_all(policy: str, wallet: Wallet) -> None:
    """A value that is all in its fields works under every policy."""
    await there_and_back(wallet, Value(item_class="coupon", name="n"), policy)


SIZES = {
    "the last that Shamir divides": 65_536 - 200,
    "the first that is dispersed": 65_536,
    "the last pieces in a message": 3 * (MIB - 100),
    "the first pieces in a stream": 3 * (MIB + 100),
}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
async def test_sizes_at_which_something_changes(size: int, wallet: Wallet) -> None:
    """Shamir or dispersal, message or stream: the value does not notice."""
    await there_and_back(
        wallet, Value(item_class="file", name="n", payload=random.Random(size).randbytes(size))
    )


async def test_any_name_comes_back_and_is_shown_escaped(wallet: Wallet, tmp_path: Path) -> None:
    """JSON gives it exactly; what is meant for eyes has no character that steers a terminal."""
    kura = KuraInProcess(tmp_path / "wallet")
    for name in NAMES:
        value = Value(item_class="coupon", name=name, place=name, remarks=name, file_name=name)
        await there_and_back(wallet, value)
    listed = await asyncio.to_thread(kura.json, "wallet", "list")
    assert [one["name"] for one in listed["values"]] == list(NAMES)
    for words in SHOWING:
        done = await asyncio.to_thread(kura.ok, *words.split())
        steering = {one for one in done.output + done.messages if unicodedata.category(one)[0] == "C"}
        assert steering <= {"\n"}


def test_one_byte_too_many_is_refused(cluster: LocalCluster, kura: KuraInProcess, tmp_path: Path) -> None:
    """Exit code 1 before it is read, and nothing is added."""
    with (tmp_path / "large").open("wb") as file:
        file.truncate(PAYLOAD_MAX_BYTES + 1)
    done = kura("wallet", "add", tmp_path / "large")
    assert (done.code, done.output) == (1, "")
    assert "at most 67108864" in done.messages
    assert kura.json("wallet", "list")["values"] == []


def measured(kura: KuraInProcess, figures: Path, *words: str | Path) -> float:
    """Run a command to its good end; the most memory it held, MiB."""
    command = [sys.executable, "-m", "support.measured_kura", str(figures), *map(str, words)]
    subprocess.run(
        command, env=kura.process.environment, check=True, stdout=subprocess.DEVNULL, timeout=COMMAND_SECONDS
    )
    return float(figures.read_text())


def test_64_mib_within_four_times_its_size(
    cluster: LocalCluster, kura: KuraInProcess, tmp_path: Path
) -> None:
    """The largest value there is, there and back: the wallet stays under 256 MiB, every safe under 256 MB.

    One safe is away at first, so that its piece goes through the outbox too.
    """
    content = random.Random(64).randbytes(PAYLOAD_MAX_BYTES)
    (tmp_path / "large").write_bytes(content)
    run = partial(measured, kura, tmp_path / "figure")
    wallets = {"add": run("wallet", "add", tmp_path / "large")}
    cluster.kill("safe-2")
    wallets["backup"] = run("backup", "--all", "--delete", "--accept-fewer")
    cluster.start("safe-2")
    wallets["resume"] = run("resume")
    assert kura.json("receipts")["receipts"][0]["state"] == "safe"
    wallets["recover"] = run("recover", "--all")
    wallets["export"] = run("wallet", "export", "large", "--out", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content
    records = [json.loads((cluster.folder(name) / "process.json").read_bytes()) for name in cluster.names]
    safes = {name: peak_mib(one["pid"]) for name, one in zip(cluster.names, records, strict=True)}
    assert {name: one for name, one in wallets.items() if one >= WALLET_MIB_AT_MOST} == {}
    assert {name: one for name, one in safes.items() if one >= SAFE_MIB_AT_MOST} == {}


class KilledMidStream:
    """A progress that kills a safe (SIGKILL) once it has staged a part; all streams wait meanwhile."""

    def __init__(self, cluster: LocalCluster, name: str, key: WalletKey) -> None:
        self._cluster, self._name, self._key = cluster, name, key
        self._reports, self._killed = 0, False

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Hear of another chunk."""
        self._reports += 1
        if not self._killed and (stage == "fetch" or self._staged() or self._reports > CHUNKS_OF_OTHERS):
            self._killed = True
            if stage == "register":
                wait_until(self._staged)
            self._cluster.kill(self._name)

    def _staged(self) -> bool:
        return staged_blocks(database_of(self._cluster, self._name), self._key) > 0


async def test_a_safe_killed_in_the_middle_of_a_backup(wallet: Wallet, cluster: LocalCluster) -> None:
    """Registered at the others; back again it keeps no half piece, and `resume` brings it a whole one."""
    value_id = wallet.store.values.add(STREAMED)
    progress = KilledMidStream(cluster, "safe-4", key_of(wallet))

    report = await back_up(wallet, [value_id], "threshold", progress)

    assert blamed(report.failed) == {"safe-4"}
    assert report.entries[0].state.word == "registered"
    cluster.start("safe-4")
    assert_no_strays(cluster, wallet)
    assert await settled(wallet) == 1
    assert_no_strays(cluster, wallet)
    (receipt,) = receipts_of(wallet)
    assert state_of(receipt).word == "safe"
    await drop_backed_up(wallet, [value_id], accept_fewer=False)
    cluster.kill("safe-1", "safe-2")
    await recover(wallet, [receipt.receipt_id])
    assert wallet.store.values.get(value_id) == STREAMED


async def test_a_safe_killed_in_the_middle_of_a_recovery(wallet: Wallet, cluster: LocalCluster) -> None:
    """The others' pieces are enough; nothing of the half piece stays."""
    value_id = wallet.store.values.add(STREAMED)
    await back_up(wallet, [value_id], "threshold")
    await drop_backed_up(wallet, [value_id], accept_fewer=False)
    progress = KilledMidStream(cluster, "safe-4", key_of(wallet))

    report = await recover(wallet, receipt_ids_of(wallet), progress=progress)

    assert blamed(report.failed) <= {"safe-4"}
    assert wallet.store.values.get(value_id) == STREAMED
