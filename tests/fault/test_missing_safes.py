"""Safes that are away or hang while a value is backed up: what the wallet says, keeps and does later."""

from pathlib import Path

import pytest

from rpc_edge.errors import CallFailed, ConnectionLost, NoAnswer, NothingListens
from support.cluster import LocalCluster
from support.faults import (
    SHORT_PATIENCE_SECONDS,
    assert_no_strays,
    fresh_wallet,
    hanging,
    kinds,
    promised,
    receipt_ids_of,
    receipts_of,
    reopened,
    settled,
    state_of_wallet,
    stored,
)
from support.kura import KuraInProcess
from support.wallet_samples import FULL_VALUE
from wallet_client.network.failures import explain
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.errors import NotSafeYet, TooFewSafes
from wallet_client.operations.recover import recover
from wallet_client.operations.resume import resume
from wallet_client.receipts.receipt import state_of

DEAD = ("safe-1", "safe-3", "safe-5")


def test_three_dead_safes_stop_a_backup(kura: KuraInProcess, cluster: LocalCluster) -> None:
    """Exit code 1, each dead safe named, the value still there; when they are back nothing stray is left."""
    (value,) = kura.json("wallet", "add", "--class", "coupon", "--name", "coffee")["values"]
    cluster.kill(*DEAD)
    done = kura("backup", "--all", "--delete")
    assert (done.code, done.output) == (1, "")
    assert "2 of the 4 safes needed answered well" in done.messages
    assert all(f"{name}: nothing listens there" in done.messages for name in DEAD)
    assert "safe-2" not in done.messages
    listed = kura.json("wallet", "list")
    assert [one["id"] for one in listed["values"]] == [value["id"]]
    assert listed["receipts"] == []


async def test_a_withdrawn_backup_leaves_nothing_at_any_safe(cluster: LocalCluster, tmp_path: Path) -> None:
    """The safes that took it hear at once that it is withdrawn; those that were away hear it by `resume`."""
    async with fresh_wallet(cluster, tmp_path / "wallet") as wallet:
        value_id = wallet.store.values.add(FULL_VALUE)
        cluster.kill(*DEAD)
        with pytest.raises(TooFewSafes) as refused:
            await back_up(wallet, [value_id], "threshold")
        failed = refused.value.failed
        assert set(kinds(failed)) == set(DEAD)
        # A connection that was open a moment ago can be seen to break before the next is refused.
        assert set(kinds(failed).values()) <= {NothingListens, ConnectionLost}
        assert not any(stored(cluster, wallet).values())
        assert wallet.store.values.get(value_id) == FULL_VALUE
        cluster.start(*DEAD)
        assert await settled(wallet) == 0
        assert_no_strays(cluster, wallet)
        await back_up(wallet, [value_id], "threshold")
        assert state_of(receipts_of(wallet)[0]).word == "safe"


async def test_three_hanging_safes_stop_a_backup_at_the_deadline(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    """Silence is given up after the patience, by name; when they wake up, nothing stray is left."""
    async with fresh_wallet(cluster, tmp_path / "wallet", patience_seconds=SHORT_PATIENCE_SECONDS) as wallet:
        value_id = wallet.store.values.add(FULL_VALUE)
        with hanging(cluster, *DEAD), pytest.raises(TooFewSafes) as refused:
            await back_up(wallet, [value_id], "threshold")
        failed = refused.value.failed
        assert kinds(failed) == dict.fromkeys(DEAD, NoAnswer)
        assert wallet.store.values.get(value_id) == FULL_VALUE
        assert await settled(wallet) == 0
        assert_no_strays(cluster, wallet)


def test_a_hanging_safe_leaves_a_value_registered(kura: KuraInProcess, cluster: LocalCluster) -> None:
    """The whole story on the command line.

    Registered after the patience; the number of safes that may still be lost is shown; `--delete` is
    refused in its view and done with `--accept-fewer`; once the safe is back `resume` delivers.
    """
    kura.ok("wallet", "add", "--class", "coupon", "--name", "coffee", "--remarks", "black")
    with hanging(cluster, "safe-2"):
        document = kura.json("backup", "--all")
        (receipt,) = document["receipts"]
        assert (receipt["state"], receipt["may_still_be_lost"]) == ("registered", 1)
        assert document["failed"].keys() == {"safe-2"}
        refused = kura("backup", "--all", "--delete")
        assert (refused.code, refused.output) == (1, "")
        assert "only 1 more safe(s) may be lost" in refused.messages
        assert "--accept-fewer" in refused.messages
        assert len(kura.json("wallet", "list")["values"]) == 1
        kura.ok("backup", "--all", "--delete", "--accept-fewer")
        assert kura.json("wallet", "list")["values"] == []
        recovered = kura.ok("recover", "--all")
        assert "Warning: safe-2: it has not taken its piece yet" in recovered.messages
        assert [one["name"] for one in kura.json("wallet", "list")["values"]] == ["coffee"]
    assert kura.json("resume")["delivered"] == 1
    assert kura.json("receipts")["receipts"][0]["state"] == "safe"


async def test_what_is_owed_to_a_safe_is_delivered_when_it_is_back(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    """A small and a streamed value, a second generation and a deletion, in order; nothing else is left."""
    large = FULL_VALUE.with_fields(name="large", payload=bytes(range(256)) * 16_384)
    async with fresh_wallet(cluster, tmp_path / "wallet") as wallet:
        small_id, large_id = (wallet.store.values.add(one) for one in (FULL_VALUE, large))
        cluster.kill("safe-2")
        await back_up(wallet, [small_id], "apart")
        report = await back_up(wallet, [small_id, large_id], "threshold")
        assert {entry.state.may_still_be_lost for entry in report.entries} == {1}
        with pytest.raises(NotSafeYet) as refused:
            await drop_backed_up(wallet, [small_id, large_id], accept_fewer=False)
        assert (refused.value.may_still_be_lost, refused.value.missing) == (1, ("safe-2",))
        owed = await resume(wallet)
        assert owed.still_owed.keys() == {"safe-2"}
        assert type(owed.failed["safe-2"]) is NothingListens
        await drop_backed_up(wallet, [small_id, large_id], accept_fewer=True)
        cluster.start("safe-2")
        assert await settled(wallet) == 2
        assert stored(cluster, wallet) == promised(cluster, wallet)
        assert_no_strays(cluster, wallet)
        cluster.kill("safe-4", "safe-5")
        await recover(wallet, receipt_ids_of(wallet))
        assert wallet.store.values.get(small_id) == FULL_VALUE
        assert wallet.store.values.get(large_id) == large


async def test_a_deletion_reaches_a_safe_that_was_away(cluster: LocalCluster, tmp_path: Path) -> None:
    """The receipt goes at once, the pieces there when it is back."""
    async with fresh_wallet(cluster, tmp_path / "wallet") as wallet:
        value_id = wallet.store.values.add(FULL_VALUE)
        await back_up(wallet, [value_id], "threshold")
        cluster.kill("safe-2")
        await recover(wallet, receipt_ids_of(wallet), delete_receipts=True)
        assert receipt_ids_of(wallet) == []
        assert {name for name, pieces in stored(cluster, wallet).items() if pieces} == {"safe-2"}
        cluster.start("safe-2")
        assert await settled(wallet) == 0
        assert_no_strays(cluster, wallet)


async def test_three_dead_safes_stop_a_recovery_and_change_nothing(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    """Each is named; with one of them back the same call works."""
    async with fresh_wallet(cluster, tmp_path / "wallet") as wallet:
        value_id = wallet.store.values.add(FULL_VALUE)
        await back_up(wallet, [value_id], "threshold")
        await drop_backed_up(wallet, [value_id], accept_fewer=False)
        cluster.kill(*DEAD)
        before = state_of_wallet(wallet)
        with pytest.raises(TooFewSafes) as refused:
            await recover(wallet, receipt_ids_of(wallet))
        assert set(refused.value.failed) == set(DEAD)
        assert all(isinstance(failure, CallFailed) for failure in refused.value.failed.values())
        assert state_of_wallet(wallet) == before
    cluster.start("safe-3")
    async with reopened(tmp_path / "wallet") as wallet:
        await recover(wallet, receipt_ids_of(wallet))
        assert wallet.store.values.get(value_id) == FULL_VALUE


async def test_a_wiped_safe_is_named_and_the_others_serve(cluster: LocalCluster, tmp_path: Path) -> None:
    """It lost its database and knows the certificate no more."""
    async with fresh_wallet(cluster, tmp_path / "wallet") as wallet:
        value_id = wallet.store.values.add(FULL_VALUE)
        await back_up(wallet, [value_id], "threshold")
        await drop_backed_up(wallet, [value_id], accept_fewer=False)
        cluster.wipe("safe-5")
        report = await recover(wallet, receipt_ids_of(wallet))
        assert "it has lost or deleted the piece" in explain(report.failed["safe-5"])
        assert wallet.store.values.get(value_id) == FULL_VALUE
