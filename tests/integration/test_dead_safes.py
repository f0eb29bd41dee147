"""Any two of five safes may die: every sample comes back byte for byte and field for field."""

import asyncio
import shutil
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.faults import blamed, fresh_wallet, receipt_ids_of, reopened
from support.kura import EXAMPLES
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.recover import recover
from wallet_client.values.figures import read_values
from wallet_client.values.taking_in import take_in
from wallet_client.values.value import Value, ValueId

pytestmark = pytest.mark.no_cover

NOW = 1_700_000_000
NAMES = tuple(f"safe-{number}" for number in range(1, 6))
PASSES = sorted(EXAMPLES.glob("*.pkpass"))


@dataclass(frozen=True)
class Erased:
    """The folder of a wallet whose values were backed up and erased, and what they were."""

    home: Path
    values: dict[ValueId, Value]


@pytest.fixture(scope="module")
def erased(cluster_of_worker: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Erased:
    """The three passes and the four values of figure 19, backed up once for all tests."""
    cluster_of_worker.heal()
    home = tmp_path_factory.mktemp("erased") / "wallet"
    samples = [take_in(path, now=NOW) for path in PASSES] + read_values(EXAMPLES / "figure-19.json", now=NOW)
    return Erased(home, asyncio.run(_backed_up_and_erased(cluster_of_worker, home, samples)))


async def _backed_up_and_erased(
    cluster: LocalCluster, home: Path, samples: list[Value]
) -> dict[ValueId, Value]:
    async with fresh_wallet(cluster, home) as wallet:
        values = {wallet.store.values.add(value): value for value in samples}
        report = await back_up(wallet, list(values), "threshold")
        assert {entry.state.word for entry in report.entries} == {"safe"}
        await drop_backed_up(wallet, list(values), accept_fewer=False)
        assert wallet.store.values.summaries() == []
    return values


@pytest.mark.parametrize("dead", list(combinations(NAMES, 2)), ids=" and ".join)
async def test_every_sample_comes_back_without(
    dead: tuple[str, str], cluster: LocalCluster, erased: Erased, tmp_path: Path
) -> None:
    """Both were killed with SIGKILL; they are named, and nothing is missing."""
    shutil.copytree(erased.home, tmp_path / "wallet")
    cluster.kill(*dead)
    async with reopened(tmp_path / "wallet") as wallet:
        report = await recover(wallet, receipt_ids_of(wallet))
        back = {value_id: wallet.store.values.get(value_id) for value_id in report.recovered}
    assert back == erased.values
    assert blamed(report.failed) == set(dead)
    passes = [back[value_id].payload for value_id, value in erased.values.items() if value.file_name]
    assert passes == [path.read_bytes() for path in PASSES]
