"""What safes learn together: below a policy's line nothing, one safe more and everything.

For every policy, every subset of the five safes hands all it stores to an attacker who knows the
protocol (support.attacker). Whoever is below the line gets nothing; that the same program succeeds
above it shows that it would have found something.
"""

import asyncio
import random
from collections.abc import Callable, Iterator, Set
from itertools import chain, combinations
from pathlib import Path

import pytest

from support.attacker import attack
from support.cluster import LocalCluster
from support.faults import database_of, fresh_wallet, key_of
from trust.ids import WalletKey
from wallet_client.operations.backup import back_up
from wallet_client.values.value import Value

NAMES = tuple(f"safe-{number}" for number in range(1, 6))
SUBSETS = [frozenset(one) for one in chain.from_iterable(combinations(NAMES, size) for size in range(6))]
SIZES = {"small": 1_000, "dispersed": 100_000, "streamed": 4 << 20}
"""Divided by Shamir, dispersed (above 64 KiB), and streamed (pieces above 1 MiB)."""


def secret_of(policy: str) -> str:
    """Words that stand in name and content of whatever is backed up under a policy, and nowhere else."""
    return f"for the owner's eyes under {policy} only"


def values_of(policy: str) -> list[Value]:
    """One of each size."""
    return [
        Value(
            item_class="file",
            name=f"{kind}, {secret_of(policy)}",
            payload=secret_of(policy).encode() + random.Random(kind).randbytes(size),
        )
        for kind, size in sorted(SIZES.items())
    ]


LINES: dict[str, Callable[[Set[str]], bool]] = {
    "threshold": lambda safes: len(safes) >= 3,
    "apart": lambda safes: bool(safes & set(NAMES[:3])) and bool(safes & set(NAMES[3:])),
    "sealed": lambda safes: False,
    "plain": lambda safes: "safe-1" in safes,
}
"""Which safes together can read what is backed up under a policy."""


@pytest.fixture(scope="module")
def backed_up(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[LocalCluster, dict[str, WalletKey]]]:
    """Five safes of their own, and under each policy a wallet that backed up all values."""
    cluster = LocalCluster.started(tmp_path_factory.mktemp("coalition"))
    try:
        homes = tmp_path_factory.mktemp("homes")
        yield cluster, {policy: asyncio.run(_back_up(cluster, homes / policy, policy)) for policy in LINES}
    finally:
        cluster.close()


async def _back_up(cluster: LocalCluster, home: Path, policy: str) -> WalletKey:
    async with fresh_wallet(cluster, home) as wallet:
        report = await back_up(wallet, [wallet.store.values.add(one) for one in values_of(policy)], policy)
        assert {entry.state.word for entry in report.entries} == {"safe"}
        return key_of(wallet)


def label(safes: Set[str]) -> str:
    """Numbers of the safes."""
    return "+".join(sorted(name.removeprefix("safe-") for name in safes)) or "nobody"


@pytest.mark.parametrize("safes", SUBSETS, ids=label)
@pytest.mark.parametrize("policy", LINES)
def test_a_coalition_reads_everything_or_nothing(
    policy: str, safes: frozenset[str], backed_up: tuple[LocalCluster, dict[str, WalletKey]]
) -> None:
    """Nothing below the policy's line; all three values, whole, above it."""
    cluster, wallets = backed_up
    read = attack([database_of(cluster, name) for name in sorted(safes)], wallets[policy])
    assert sorted(read, key=lambda one: one.name) == (values_of(policy) if LINES[policy](safes) else [])


@pytest.mark.parametrize("policy", LINES)
def test_no_safe_keeps_a_readable_word_unless_it_may_read_all(
    policy: str, backed_up: tuple[LocalCluster, dict[str, WalletKey]]
) -> None:
    """Neither content nor name stands in the files of any safe that cannot open the value by itself."""
    cluster, _ = backed_up
    word = secret_of(policy).encode()
    folders = {name: database_of(cluster, name).parent for name in NAMES}
    telling = {
        name for name in NAMES if any(word in path.read_bytes() for path in sorted(folders[name].iterdir()))
    }
    assert telling == {name for name in NAMES if LINES[policy]({name})}
