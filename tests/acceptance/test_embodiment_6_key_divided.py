"""The sixth embodiment: the decoding key is divided, and a part of it is coupled with what it opens.

The source gives no steps of its own: those of the second embodiment, with the key divided by the means 134
before (3-4), partial key group A coupled with the sealed value by the means 136 before (1-9), and on the way
back decoupled by 137 and combined by 135. The default policy, `threshold`, divides both; policies from files
make the source's own cases.
"""

import asyncio
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.faults import reopened
from support.forked import KuraForked
from support.kura import KuraInProcess
from support.steps import Readers, add_policy, add_ticket, certificates_of, exported, kept_at
from wallet_client.operations.keys import forget_key

ALL_SAFES = tuple(f"safe-{x}" for x in range(1, 6))
TWO_PARTS = """
    name = "two-parts"
    value = {k = 1, at = ["safe-2"]}
    key = {k = 2, at = ["safe-2", "safe-4"]}
"""
THREE_PARTS = """
    name = "three-parts"
    value = {k = 1, at = ["safe-1"]}
    key = {k = 3, at = ["safe-1", "safe-3", "safe-5"]}
"""
PART_IN_THE_WALLET = """
    name = "part-in-the-wallet"
    value = {k = 1, at = ["safe-2"]}
    key = {k = 2, at = ["safe-2", "wallet"]}
"""
BOTH_DIVIDED = """
    name = "both-divided"
    value = {k = 2, at = ["safe-1", "safe-2"]}
    key = {k = 2, at = ["safe-1", "safe-2"]}
"""
KEY_KEPT_AND_DIVIDED = """
    name = "kept-too"
    value = {k = 1, at = ["safe-2"]}
    key = {mode = "kept-and-shared", k = 2, at = ["safe-2", "safe-4"]}
"""


def test_a_part_of_the_key_goes_with_the_value_and_the_rest_elsewhere(
    kura: KuraForked, here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Group A beside the value at one safe, group B at the other: neither reads it, both bring it back."""
    policy = add_policy(here, tmp_path, TWO_PARTS)
    add_ticket(here)
    before = exported(here, tmp_path / "before.json")

    (receipt,) = kura.json("backup", "Rashomon", "--policy", policy, "--delete")["receipts"]

    certificates = certificates_of(here, receipt["id"])
    assert [one["safe"] for one in certificates] == ["safe-2", "safe-4"]
    item_id = certificates[0]["item_id"]
    assert kept_at(cluster, "safe-2", item_id) == [(1, True, True)]
    assert kept_at(cluster, "safe-4", item_id) == [(2, False, True)]
    readers = Readers.of(cluster, here)
    assert readers.read("safe-2") == readers.read("safe-4") == []
    assert readers.read("safe-2", "safe-4") == ["Rashomon"]
    kura.ok("recover", receipt["id"])
    assert exported(here, tmp_path / "after.json") == before


def test_the_key_may_have_three_parts_or_more(
    here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Two of three show nothing; each of the three safes has its certificate."""
    policy = add_policy(here, tmp_path, THREE_PARTS)
    add_ticket(here)
    here.ok("backup", "Rashomon", "--policy", policy, "--delete")
    holders = [one["safe"] for one in certificates_of(here, "Rashomon")]
    assert holders == ["safe-1", "safe-3", "safe-5"]
    readers = Readers.of(cluster, here)
    assert readers.read("safe-1", "safe-3") == readers.read("safe-1", "safe-5") == []
    assert readers.read(*holders) == ["Rashomon"]
    assert len(here.json("recover", "Rashomon")["values"]) == 1


def test_a_part_of_the_key_may_stay_in_the_wallet(
    here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Only the required parts are deposited: all safes read nothing, the wallet's part brings it back."""
    policy = add_policy(here, tmp_path, PART_IN_THE_WALLET)
    add_ticket(here)
    here.ok("backup", "Rashomon", "--policy", policy, "--delete")
    assert [one["safe"] for one in certificates_of(here, "Rashomon")] == ["safe-2"]
    assert Readers.of(cluster, here).read(*ALL_SAFES) == []
    assert len(here.json("recover", "Rashomon")["values"]) == 1


@pytest.mark.parametrize("policy", ["threshold", "both-divided"])
def test_the_value_may_be_divided_like_the_key(
    policy: str, here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """One part of each, coupled, at every safe: fewer than the policy's number of safes read nothing."""
    if policy == "both-divided":
        add_policy(here, tmp_path, BOTH_DIVIDED)
    add_ticket(here)
    here.ok("backup", "Rashomon", "--policy", policy, "--delete")
    certificates = certificates_of(here, "Rashomon")
    holders, needed = [one["safe"] for one in certificates], 3 if policy == "threshold" else 2
    kept = [kept_at(cluster, name, certificates[0]["item_id"]) for name in holders]
    assert kept == [[(x, True, True)] for x in range(1, len(holders) + 1)]
    readers = Readers.of(cluster, here)
    assert readers.read(*holders[: needed - 1]) == []
    assert readers.read(*holders[:needed]) == ["Rashomon"]
    assert len(here.json("recover", "Rashomon")["values"]) == 1


def test_a_recovery_restores_the_key_as_well_as_the_value(
    here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """The wallet's key was divided among the safes and is lost here: value and key come back together."""
    policy = add_policy(here, tmp_path, KEY_KEPT_AND_DIVIDED)
    add_ticket(here)
    here.ok("backup", "Rashomon", "--policy", policy, "--delete")

    async def lose_the_key() -> bytes:
        async with reopened(here.home) as wallet:
            (key,) = wallet.store.keyring.entries()
            secret = wallet.store.keyring.secret(key.id).reveal()
            await forget_key(wallet, key.id, lose=True)
            assert not any(entry.is_here for entry in wallet.store.keyring.entries())
            return secret

    async def found_key() -> bytes:
        async with reopened(here.home) as wallet:
            (key,) = (entry for entry in wallet.store.keyring.entries() if entry.is_here)
            return wallet.store.keyring.secret(key.id).reveal()

    lost = asyncio.run(lose_the_key())
    assert len(here.json("recover", "Rashomon")["values"]) == 1
    assert asyncio.run(found_key()) == lost


def test_several_coupled_values_may_take_the_place_of_the_one(
    here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """As in the fifth embodiment, beside a part of the key: one item, and all of them come back."""
    policy = add_policy(here, tmp_path, TWO_PARTS + '    coupling = "couple-then-seal"')
    add_ticket(here)
    add_ticket(here, name="Ran")
    here.ok("backup", "--all", "--policy", policy, "--delete")
    (receipt,) = here.json("receipts")["receipts"]
    item_id = certificates_of(here, receipt["id"])[0]["item_id"]
    assert kept_at(cluster, "safe-2", item_id) == [(1, True, True)]
    assert sorted(one["name"] for one in here.json("recover", "--all")["values"]) == ["Ran", "Rashomon"]
