"""Backups cut short: each ends, after `resume`, with exactly one receipt or none, and no stray pieces.

A wallet is killed at exact points (support.dying_wallet), or in the middle of its calls because a safe
hangs (SIGSTOP), or told to stop (SIGINT), or meets another wallet process at the same work.
"""

import json
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.dying_wallet import die
from support.faults import (
    assert_no_strays,
    blamed,
    database_of,
    fresh_wallet,
    hanging,
    receipt_ids_of,
    receipts_of,
    reopened,
    settled,
    signal_safes,
    stored,
    wait_until,
)
from support.kura import KuraCommand
from support.safe_databases import pieces_of
from trust.documents import SigningKey
from trust.ids import WalletKey
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.recover import recover
from wallet_client.operations.resume import resume
from wallet_client.receipts.deletion import generations_of, verify_deletion
from wallet_client.receipts.shelf import all_deletions
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.store import WalletStore
from wallet_client.values.value import Value, ValueId
from wallet_client.wallet import Wallet, pinned_signing_keys

pytestmark = pytest.mark.no_cover

END_SECONDS = 60
NAMES = tuple(f"safe-{number}" for number in range(1, 6))
SMALL = Value(item_class="coupon", name="small", payload=b"one coffee")
STREAMED = Value(item_class="file", name="streamed", payload=random.Random(3).randbytes(12 << 20))
"""Its five pieces have 4 MiB and travel in nine chunks each."""


@pytest.fixture
async def home(cluster: LocalCluster, tmp_path: Path) -> Path:
    """The folder of a fresh wallet."""
    async with fresh_wallet(cluster, tmp_path / "wallet"):
        return tmp_path / "wallet"


@pytest.fixture
def kura(home: Path) -> KuraCommand:
    """The command for that wallet."""
    return KuraCommand(home)


def add(home: Path, *values: Value) -> list[ValueId]:
    """Put values into the wallet."""
    with WalletStore.open(home, NoPassphrase()) as store:
        return [store.values.add(value) for value in values]


async def assert_whole(cluster: LocalCluster, wallet: Wallet, *values: Value) -> None:
    """One receipt for each value, at all five safes; no more at any safe; the values come back from there."""
    assert await settled(wallet) == len(values)
    assert_no_strays(cluster, wallet)
    assert {len(pieces) for pieces in stored(cluster, wallet).values()} == {len(values)}
    kept = [summary.id for summary in wallet.store.values.summaries()]
    await drop_backed_up(wallet, kept, accept_fewer=False)
    report = await recover(wallet, receipt_ids_of(wallet))
    assert blamed(report.failed) == set()
    assert {wallet.store.values.get(one) for one in kept} == set(values)


@pytest.mark.parametrize("number", [1, 3, 5])
async def test_killed_when_so_many_safes_had_certified(
    number: int, home: Path, cluster: LocalCluster
) -> None:
    """`resume` finishes the backup with the same pieces: one receipt, at all five safes."""
    add(home, SMALL)
    die(home, number, "backup")
    async with reopened(home) as wallet:
        assert receipts_of(wallet) == []
        report = await resume(wallet)
        assert (report.finished, report.withdrawn) == (1, 0)
        await assert_whole(cluster, wallet, SMALL)


@pytest.mark.parametrize("number", [1, 25, *random.Random(20_261).sample(range(2, 25), 2)])
async def test_killed_in_the_middle_of_the_streams(number: int, home: Path, cluster: LocalCluster) -> None:
    """Half an upload at a safe is nothing; `resume` makes the same chunks again from the plan."""
    add(home, STREAMED)
    die(home, number, "backup")
    async with reopened(home) as wallet:
        assert receipts_of(wallet) == []
        assert (await resume(wallet)).finished == 1
        await assert_whole(cluster, wallet, STREAMED)


@pytest.mark.parametrize("policy", ["apart", "sealed", "plain"])
async def test_killed_under_another_policy(policy: str, home: Path, cluster: LocalCluster) -> None:
    """The journal knows the policy; also a key that stays in the wallet is the same again."""
    add(home, SMALL)
    die(home, 1, "backup", policy)
    async with reopened(home) as wallet:
        assert (await resume(wallet)).finished == 1
        assert await settled(wallet) == 1
        assert_no_strays(cluster, wallet)
        (receipt,) = receipts_of(wallet)
        assert receipt.policy_name == policy
        (value_id,) = receipt.value_ids
        await drop_backed_up(wallet, [value_id], accept_fewer=False)
        await recover(wallet, [receipt.receipt_id])
        assert wallet.store.values.get(value_id) == SMALL


async def test_killed_between_batches(home: Path, cluster: LocalCluster) -> None:
    """Each dispersed value is a batch: what had begun is finished, the rest comes with the next backup."""
    values = [Value(item_class="file", name=f"{number}", payload=bytes(100_000)) for number in range(4)]
    add(home, *values)
    die(home, 7, "backup")
    async with reopened(home) as wallet:
        assert 1 <= (await resume(wallet)).finished <= 2
        await back_up(wallet, [summary.id for summary in wallet.store.values.summaries()], "threshold")
        await assert_whole(cluster, wallet, *values)


@pytest.mark.parametrize("number", [1, 3, 5])
async def test_killed_before_a_value_was_removed_leaves_nothing(
    number: int, home: Path, cluster: LocalCluster
) -> None:
    """The pieces cannot be made again, so `resume` takes them back everywhere: no receipt, no piece."""
    (value_id,) = add(home, SMALL)
    die(home, number, "backup")
    with WalletStore.open(home, NoPassphrase()) as store:
        store.values.remove(value_id)
    async with reopened(home) as wallet:
        report = await resume(wallet)
        assert (report.finished, report.withdrawn) == (0, 1)
        assert await settled(wallet) == 0
        assert not any(stored(cluster, wallet).values())
        assert_no_strays(cluster, wallet)


@pytest.mark.parametrize("number", [1, 3, 5])
async def test_killed_in_a_backup_under_a_new_policy_leaves_one_generation(
    number: int, home: Path, cluster: LocalCluster
) -> None:
    """The old generation goes once the new one stands: one receipt, and no piece of the old anywhere."""
    (value_id,) = add(home, SMALL)
    async with reopened(home) as wallet:
        await back_up(wallet, [value_id], "plain")
    die(home, number, "backup")
    async with reopened(home) as wallet:
        assert [receipt.policy_name for receipt in receipts_of(wallet)] == ["plain"]
        assert (await resume(wallet)).finished == 1
        await assert_whole(cluster, wallet, SMALL)
        (receipt,) = receipts_of(wallet)
        assert (receipt.policy_name, receipt.read_leaf().generation) == ("threshold", 2)


async def test_killed_in_a_recovery_changes_nothing(home: Path, cluster: LocalCluster) -> None:
    """Nothing was written yet; the same command works."""
    (value_id,) = add(home, SMALL)
    async with reopened(home) as wallet:
        await back_up(wallet, [value_id], "threshold")
        await drop_backed_up(wallet, [value_id], accept_fewer=False)
    die(home, 3, "recover")
    async with reopened(home) as wallet:
        assert wallet.store.values.summaries() == []
        await recover(wallet, receipt_ids_of(wallet))
        assert wallet.store.values.get(value_id) == SMALL
        await assert_whole(cluster, wallet, SMALL)


async def test_killed_before_a_deletion_was_decided_keeps_the_receipt(
    home: Path, cluster: LocalCluster
) -> None:
    """The value is back, and all its pieces are where they were."""
    (value_id,) = add(home, SMALL)
    async with reopened(home) as wallet:
        await back_up(wallet, [value_id], "threshold")
        await drop_backed_up(wallet, [value_id], accept_fewer=False)
    die(home, 1, "delete")
    async with reopened(home) as wallet:
        assert list(all_deletions(wallet.store)) == []
        assert wallet.store.values.get(value_id) == SMALL
        await assert_whole(cluster, wallet, SMALL)


@pytest.mark.parametrize("number", [2, 6])
async def test_killed_in_a_deletion_still_gets_every_safes_word(
    number: int, home: Path, cluster: LocalCluster
) -> None:
    """After the first or the last safe had erased: `resume` asks again, and every receipt is kept."""
    (value_id,) = add(home, SMALL)
    async with reopened(home) as wallet:
        await back_up(wallet, [value_id], "threshold")
    die(home, number, "delete")
    async with reopened(home) as wallet:
        assert await settled(wallet) == 0
        assert_no_strays(cluster, wallet)
        (deletion,) = all_deletions(wallet.store)
        (gone,) = generations_of(deletion)
        assert (len(gone.erased_at), gone.owed_to) == (5, ())
        assert list(verify_deletion(deletion, pinned_signing_keys(wallet.store))) == []
        assert wallet.store.values.get(value_id) == SMALL


def key_in(home: Path) -> WalletKey:
    """Under which the safes know the wallet in a folder."""
    with WalletStore.open(home, NoPassphrase()) as store:
        return WalletKey(SigningKey(store.signing_seed().reveal()).public)


@contextmanager
def backing_up(kura: KuraCommand, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`kura backup --all` under way."""
    process = subprocess.Popen(
        kura.command("backup", "--all", *words),
        env=kura.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until_only_waiting_for(cluster: LocalCluster, names: set[str], home: Path, key: WalletKey) -> None:
    """Until all other safes have their piece; or, where all hang, until the journal says it began."""
    if names == set(NAMES):
        wait_until(lambda: _journal_entries(home) == 1)
    for name in set(NAMES) - names:
        wait_until(lambda name=name: len(pieces_of(database_of(cluster, name), key)) == 1)  # type: ignore[misc]


def _journal_entries(home: Path) -> int:
    with WalletStore.open(home, NoPassphrase()) as store:
        return len(store.journal.entries())


def seeded_names(size: int) -> list[str]:
    """So many of the safes."""
    return sorted(random.Random(f"20261 {size}").sample(NAMES, size))


@pytest.mark.parametrize(
    ("value", "hang"),
    [*((SMALL, size) for size in range(1, 6)), (STREAMED, 1), (STREAMED, 4)],
    ids=lambda one: f"{one} hang" if isinstance(one, int) else one.name,
)
async def test_the_command_is_killed_while_safes_hang(
    value: Value, hang: int, kura: KuraCommand, cluster: LocalCluster
) -> None:
    """Between pieces: some safes have theirs, the others find the request when they wake up."""
    add(kura.home, value)
    key = key_in(kura.home)
    names = seeded_names(hang)
    with hanging(cluster, *names), backing_up(kura) as process:
        wait_until_only_waiting_for(cluster, set(names), kura.home, key)
        process.kill()
        process.wait()
    kura.ok("resume")
    async with reopened(kura.home) as wallet:
        await assert_whole(cluster, wallet, value)


@pytest.mark.parametrize(
    ("value", "then"), [(SMALL, "resume"), (STREAMED, "backup --all")], ids=["small", "streamed"]
)
async def test_ctrl_c_in_the_middle(
    then: str, value: Value, kura: KuraCommand, cluster: LocalCluster
) -> None:
    """130 and what to do; afterwards one receipt, whether by `resume` or by the same command again."""
    add(kura.home, value)
    key = key_in(kura.home)
    with hanging(cluster, "safe-3"), backing_up(kura) as process:
        wait_until_only_waiting_for(cluster, {"safe-3"}, kura.home, key)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=END_SECONDS)[1]
        assert process.returncode == 130
        assert "kura resume" in said
    kura.ok(*then.split())
    async with reopened(kura.home) as wallet:
        await assert_whole(cluster, wallet, value)


async def test_two_processes_back_up_one_value_at_once(kura: KuraCommand, cluster: LocalCluster) -> None:
    """The second waits for the wallet, and then finds the work done: one receipt, and both end with 0."""
    add(kura.home, SMALL)
    key = key_in(kura.home)
    with ExitStack() as stack:
        stack.enter_context(hanging(cluster, "safe-3"))
        both = [stack.enter_context(backing_up(kura, "--json")) for _ in range(2)]
        wait_until(lambda: all(_has_open(one, kura.home / "wallet.db") for one in both))
        wait_until_only_waiting_for(cluster, {"safe-3"}, kura.home, key)
        assert [one.poll() for one in both] == [None, None]
        signal_safes(cluster, ("safe-3",), signal.SIGCONT)
        receipts = [json.loads(one.communicate(timeout=END_SECONDS)[0])["receipts"] for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert sorted(one["already"] for (one,) in receipts) == [False, True]
    assert len({one["id"] for (one,) in receipts}) == 1
    async with reopened(kura.home) as wallet:
        await assert_whole(cluster, wallet, SMALL)


def _has_open(process: subprocess.Popen[str], path: Path) -> bool:
    """Whether a process has a file open."""
    try:
        return any(os.readlink(one) == str(path) for one in Path(f"/proc/{process.pid}/fd").iterdir())
    except FileNotFoundError:
        return False
