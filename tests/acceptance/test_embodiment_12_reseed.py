"""The twelfth embodiment's second half: what was recovered is encrypted with a new key, and registered again.

The source numbers no steps here. The means 105 "generates a pair of a new encryption key and decoding key,
encrypts again the electronic value information on the electronic wallet means"; the means 161 "acquires the
registration certificate by sending this new encryption electronic value information to the electronic safe
means 164 and also acquires the registration certificate by sending a new decoding key to the other electronic
safe means 165", so that "the original condition can be recovered". Value and key are at different safes
there: the policy is `apart`. The first half, in which safes fetch from one another, is not built.
"""

import shutil
from pathlib import Path

import pytest

from support.attacker import loot_of, plunder
from support.cluster import LocalCluster
from support.dying_wallet import die
from support.faults import database_of
from support.forked import KuraForked
from support.kura import KuraInProcess
from support.owners_wallets import quick_stretch
from support.steps import add_ticket, certificates_of, exported, kept_at
from tools.demo.thief import opened_values, read_databases, wrapping_keys
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.store import WalletStore
from wallet_client.wallet import wallet_keys

__all__ = ["quick_stretch"]

VALUES, KEYS = ("safe-1", "safe-2", "safe-3"), ("safe-4", "safe-5")
"""The two sides of five safes under `apart`."""

PIN = "4711 mole"


def opened(home: Path, cluster: LocalCluster) -> set[str]:
    """Names of what opens with a wallet's keys, from copies of all safes' databases."""
    with WalletStore.open(home, NoPassphrase()) as store:
        keys, wrapping = wallet_keys(store), list(wrapping_keys(store))
    items = read_databases([database_of(cluster, name) for name in cluster.names])
    return {value.name for value in opened_values(items, keys, wrapping)}


def test_what_came_back_is_sealed_with_a_new_key_and_registered_again(
    kura: KuraForked, here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Both sides certify anew what they got, the old is gone, and the original condition is recovered."""
    title = "sealed with a new key"
    add_ticket(here, name=title)
    before = exported(here, tmp_path / "before.json")
    (receipt,) = here.json("backup", title, "--policy", "apart", "--delete")["receipts"]
    old = certificates_of(here, receipt["id"])
    loot = {name: loot_of(database_of(cluster, name)) for name in cluster.names}
    here.ok("recover", title)

    done = kura.json("reseed", receipt["id"])

    assert (done["resealed"], done["waiting"], done["ended"]) == ([receipt["id"]], 0, True)
    new = certificates_of(here, receipt["id"])
    assert [one["safe"] for one in new] == [*VALUES, *KEYS]
    assert {one["generation"] for one in new} == {2}
    assert {one["x"] for one in old}.isdisjoint(one["x"] for one in new)
    item_id = new[0]["item_id"]
    assert [kept_at(cluster, name, item_id) for name in cluster.names] == [
        [(x, x <= len(VALUES), x > len(VALUES))] for x in range(1, 6)
    ]

    def read(value_side: str, key_side: str, *, old_value: bool, old_key: bool) -> bool:
        sides = ((value_side, old_value), (key_side, old_key))
        found = plunder(
            [loot[one] if is_old else loot_of(database_of(cluster, one)) for one, is_old in sides]
        )
        return title in {value.name for value in found}

    assert read("safe-1", "safe-4", old_value=True, old_key=True)
    assert read("safe-1", "safe-4", old_value=False, old_key=False)
    assert not read("safe-1", "safe-4", old_value=False, old_key=True)
    assert not read("safe-1", "safe-4", old_value=True, old_key=False)
    here.ok("wallet", "remove", title)
    cluster.kill("safe-1", "safe-3", "safe-5")
    here.ok("recover", receipt["id"])
    assert exported(here, tmp_path / "after.json") == before


def test_what_is_not_in_the_wallet_takes_no_room_on_its_way(
    here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """A value that is "not used immediately" passes from the safes to the safes."""
    value_id = add_ticket(here)
    before = exported(here, tmp_path / "before.json")
    here.ok("backup", value_id, "--policy", "apart", "--delete")
    assert here.json("reseed")["ended"]
    assert here.json("wallet", "list")["values"] == []
    here.ok("recover", value_id)
    assert exported(here, tmp_path / "after.json") == before


def test_after_the_terminal_is_destroyed_the_owner_recovers_and_seals_everything_anew(
    kura: KuraForked, here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Whoever has the terminal, with every key on it and copies of all safes, reads nothing from then on."""
    add_ticket(here, name="after the terminal")
    kura.ok("owner", "enroll", "embodiment-12", typed=f"{PIN}\n{PIN}\n")
    here.ok("backup", "--all", "--policy", "apart", "--delete")
    stolen = Path(shutil.copytree(kura.home, tmp_path / "stolen"))
    shutil.rmtree(kura.home)
    assert "after the terminal" in opened(stolen, cluster)

    tablet = KuraForked(tmp_path / "tablet")
    roster = ("--roster", cluster.roster_file, "--no-passphrase")
    assert tablet.json("owner", "recover", "embodiment-12", *roster, typed=f"{PIN}\n")["recovered"] == 1
    assert tablet.json("reseed", "--root", typed=f"{PIN}\n")["ended"]

    assert "after the terminal" not in opened(stolen, cluster)
    assert "after the terminal" in opened(tablet.home, cluster)
    refused = KuraInProcess(stolen)("recover", "--all")
    assert (refused.code, refused.output) == (1, "")
    assert "revoked this wallet" in refused.messages


@pytest.mark.usefixtures("quick_stretch")
def test_while_a_safe_is_away_both_keys_stand_and_resume_ends_it(
    here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """The old generation goes when every safe has given the new one back."""
    value_id = add_ticket(here)
    before = exported(here, tmp_path / "before.json")
    (receipt,) = here.json("backup", value_id, "--delete")["receipts"]
    item_id = certificates_of(here, receipt["id"])[0]["item_id"]
    cluster.stop("safe-5")
    done = here.json("reseed")
    assert (done["waiting"], done["ended"], set(done["failed"])) == (1, False, {"safe-5"})
    kept = [len(kept_at(cluster, name, item_id)) for name in cluster.names]
    assert kept == [2, 2, 2, 2, 1]
    here.ok("recover", value_id)
    assert exported(here, tmp_path / "after.json") == before

    cluster.start("safe-5")
    report = here.json("resume")

    assert (report["older_generations"], report["still_owed"], report["failed"]) == (0, {}, {})
    assert [len(kept_at(cluster, name, item_id)) for name in cluster.names] == [1] * 5


def test_killed_half_way_nothing_is_lost_and_the_same_command_ends_it(
    kura: KuraForked, here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """SIGKILL when the first of two batches has its new key, and the second not."""
    for name, policy in (("one", "apart"), ("two", "threshold")):
        add_ticket(here, name=name)
        here.ok("backup", name, "--policy", policy)
    before = exported(here, tmp_path / "before.json")
    die(kura.home, 1, "reseed")
    for name in ("one", "two"):
        here.ok("wallet", "remove", name)
    here.ok("recover", "--all")
    assert exported(here, tmp_path / "killed.json") == before

    assert here.json("reseed")["ended"]

    receipts = [one["id"] for one in here.json("receipts")["receipts"]]
    for receipt in receipts:
        (item_id,) = {one["item_id"] for one in certificates_of(here, receipt)}
        assert [len(kept_at(cluster, name, item_id)) for name in cluster.names] == [1] * 5
    for name in ("one", "two"):
        here.ok("wallet", "remove", name)
    here.ok("recover", "--all")
    assert exported(here, tmp_path / "after.json") == before
