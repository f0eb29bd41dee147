"""Every policy at real safes: all of it comes back, nobody below the line reads it, and `explain` says so.

Presets, and a pairwise walk over what a policy can say; four sizes; all safes up, n-k lying, n-k down.
Everything is backed up once (support.policy_walk), and what the safes stored is handed to an attacker.
"""

import asyncio
import random
from itertools import chain, combinations
from pathlib import Path

import pytest

from support.attacker import Loots, glimpse, loot_of, plunder, read_manifest_of
from support.cluster import LocalCluster
from support.faults import database_of, fresh_wallet, key_of
from support.memory_safes import roster_of
from support.policy_matrix import NAMES, pairwise_policies
from support.policy_walk import DEAD, LIARS, Walk, walk
from support.safe_databases import StoredBytes, stored_bytes
from trust.ids import WalletKey
from wallet_client.operations.backup import back_up, plan_key, register_items
from wallet_client.operations.policies import add_policy
from wallet_client.operations.progress import silent
from wallet_client.operations.settle import changing
from wallet_client.policies.explain import Explanation, explain
from wallet_client.policies.policy import Policy
from wallet_client.policies.presets import DEFAULT_POLICY, policy_named, policy_names
from wallet_client.values.value import Value, encode_value, stored_size

PRESETS = [policy_named(name, roster_of(5, 3)) for name in policy_names()]
POLICIES = [*PRESETS, *pairwise_policies()]
SUBSETS = list(chain.from_iterable(combinations(NAMES, size) for size in range(len(NAMES) + 1)))
MISSING = {"all up": (), "n-k lying": LIARS, "n-k down": DEAD}

pytestmark = pytest.mark.timeout(300)
"""The first test waits for the whole walk, on however busy a machine."""

every_policy = pytest.mark.parametrize(
    "policy", POLICIES, ids=lambda one: one.name if one in PRESETS else one.summary
)


@pytest.fixture(scope="module")
def walked(cluster_of_worker: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """Everything backed up, attacked and recovered."""
    cluster_of_worker.heal()
    return asyncio.run(walk(cluster_of_worker, tmp_path_factory.mktemp("walk"), POLICIES))


def explained(walked: Walk, policy: Policy) -> Explanation:
    """What is said of the policy's smallest value."""
    one = walked.walked[policy.name]
    return explain(policy, walked.roster, stored_size(one.values[one.alone]))


@pytest.mark.parametrize("state", MISSING)
@every_policy
def test_all_comes_back_as_long_as_enough_safes_are_good(policy: Policy, state: str, walked: Walk) -> None:
    """Byte for byte, all values or none; and always when no more are missing than was said."""
    one = walked.walked[policy.name]
    ids = {safe.safe_id for safe in walked.roster.safes if safe.name in MISSING[state]}
    expected = {
        value_id
        for value_id, receipt in one.receipts.items()
        if receipt.arrangement.may_still_be_lost(set(receipt.arrangement.safes) - ids) >= 0
    }
    assert one.came_back[state] == expected
    explanation = explained(walked, policy)
    if len(set(MISSING[state]) & set(explanation.safes)) <= explanation.may_be_lost:
        assert expected == one.values.keys()


@every_policy
def test_what_is_said_of_coalitions_is_what_trying_all_of_them_shows(policy: Policy, walked: Walk) -> None:
    """All 32 groups of safes read everything or nothing; the smallest that read are as large as is said."""
    explanation = explained(walked, policy)
    everything = walked.walked[policy.name].names(small_only=True)
    reading = []
    for safes in SUBSETS:
        found = walked.read(policy.name, safes, small_only=True)
        assert found in ([], everything)
        if found:
            reading.append(safes)
    assert min(map(len, reading), default=None) == (
        None if explanation.readers is None else len(explanation.readers)
    )
    assert explanation.readers in (None, *reading)
    assert tuple(safes[0] for safes in reading if len(safes) == 1) == explanation.read_alone


@every_policy
def test_below_the_line_nothing_is_read_and_with_one_safe_more_everything(
    policy: Policy, walked: Walk
) -> None:
    """Large values as well; where no group of safes is enough, the twin has what the wallet keeps."""
    explanation = explained(walked, policy)
    everything = walked.walked[policy.name].names()
    readers, has_wallet = explanation.readers, False
    if readers is None:
        assert walked.read(policy.name, NAMES) == []
        readers, has_wallet = explanation.readers_with_wallet, True
    assert readers is not None
    assert walked.read(policy.name, readers, has_wallet=has_wallet) == everything
    for safe in readers:
        fewer = tuple(name for name in readers if name != safe)
        assert walked.read(policy.name, fewer, has_wallet=has_wallet) == []


@every_policy
def test_a_value_takes_exactly_the_bytes_that_are_said(policy: Policy, walked: Walk) -> None:
    """Blobs and key shares in the databases of all safes."""
    one = walked.walked[policy.name]
    stored = _stored(walked, policy, "alone")
    explanation = explained(walked, policy)
    assert sum(stored) == explanation.stored_bytes
    assert explanation.stored_bytes < explanation.rough_bytes
    if not policy.is_coupled:
        large = next(value for value in one.values.values() if value.name.startswith("streamed"))
        assert (
            sum(_stored(walked, policy, "streamed"))
            == explain(policy, walked.roster, stored_size(large)).stored_bytes
        )


def _stored(walked: Walk, policy: Policy, kind: str) -> StoredBytes:
    one = walked.walked[policy.name]
    value_id = next(value_id for value_id, value in one.values.items() if value.name.startswith(kind))
    found = [stored_bytes(database, one.item_of(value_id)) for database in walked.databases]
    return StoredBytes(sum(each.blobs for each in found), sum(each.key_shares for each in found))


@pytest.mark.parametrize("kind", ["dispersed", "streamed"])
def test_compact_stores_little_more_than_n_of_k_parts(kind: str, walked: Walk) -> None:
    """At most 1.02 n/k times the value: all blobs, blinding and padding, without the 32-byte key shares."""
    policy = policy_named("compact", walked.roster)
    value = next(value for value in walked.walked["compact"].values.values() if value.name.startswith(kind))
    blobs = _stored(walked, policy, kind).blobs
    assert stored_size(value) * 5 / 3 < blobs <= 1.02 * stored_size(value) * 5 / 3


def test_the_databases_grow_by_no_more_than_the_rough_figures_say(walked: Walk) -> None:
    """Of all policies and values together; beside them a page for each table and index of every safe."""
    said = [
        explain(one.policy, walked.roster, stored_size(value))
        for one in walked.walked.values()
        for value in one.values.values()
    ]
    slack = len(walked.databases) * 12 * 16_384
    assert sum(one.stored_bytes for one in said) < walked.growth_bytes
    assert walked.growth_bytes < sum(one.rough_bytes for one in said) + slack


VALUE = Value(item_class="file", name="n", payload=random.Random(0).randbytes(70_000))


@pytest.mark.parametrize("policy", ["sealed", "sealed-pair", "divided"])
async def test_a_kept_key_that_is_backed_up_gives_the_value_to_those_who_read_the_key(
    policy: str, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Three safes have the key then; with fewer, or without the safes that have the value, nothing."""
    async with fresh_wallet(cluster, tmp_path / "wallet") as wallet:
        await back_up(wallet, [wallet.store.values.add(VALUE)], policy)
        assert plunder([_loot(cluster, name, key_of(wallet)) for name in NAMES]) == []
        (entry,) = wallet.store.keyring.entries()
        async with changing(wallet):
            item = plan_key(wallet, entry.id)
            await register_items(wallet, [item], wallet.policy(DEFAULT_POLICY), silent)
        loots = {name: _loot(cluster, name, key_of(wallet)) for name in NAMES}
    for safes in SUBSETS:
        has_value = policy == "divided" or "safe-1" in safes
        found = plunder([loots[name] for name in safes])
        assert found == ([VALUE] if len(safes) >= 3 and has_value else [])


COMPACT_APART = """
name = "compact-apart"
value = { scheme = "compact", k = 2, n = 3 }
key = { k = 1, at = "elsewhere" }
"""


async def test_compact_shares_show_a_part_to_whoever_has_the_key(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    """Which is said; without the key, or with it alone, nothing shows."""
    async with fresh_wallet(cluster, tmp_path / "wallet") as wallet:
        policy = add_policy(wallet.store, COMPACT_APART, "compact.toml", wallet.roster)
        await back_up(wallet, [wallet.store.values.add(VALUE)], policy.name)
        loots = {name: _loot(cluster, name, key_of(wallet)) for name in NAMES}
        explanation = explain(policy, wallet.roster, stored_size(VALUE))
    assert (explanation.part_readers, len(explanation.readers or ())) == (("safe-1", "safe-4"), 3)
    (part,) = glimpse([loots["safe-1"], loots["safe-4"]])
    assert len(part) > 30_000
    assert encode_value(VALUE).startswith(part)
    assert glimpse([loots["safe-1"], loots["safe-2"], loots["safe-3"]]) == []
    assert glimpse([loots["safe-4"], loots["safe-5"]]) == []


def _loot(cluster: LocalCluster, name: str, wallet: WalletKey) -> Loots:
    loots = loot_of(database_of(cluster, name))
    return {key: loot for key, loot in loots.items() if read_manifest_of(key).wallet_key == wallet}
