"""Fixtures of the acceptance tests: the worker's cluster, and a wallet for each test.

`kura` is the command as a process of its own, `here` the same wallet's command in this process, for the steps
to which a process of their own adds nothing.
"""

import asyncio
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.forked import KuraForked
from support.kura import KuraInProcess
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.wallet import create_wallet


@pytest.fixture
def kura(cluster: LocalCluster, tmp_path: Path) -> KuraForked:
    """`kura` with a fresh wallet, made here, that believes the cluster."""
    home = tmp_path / "wallet"
    asyncio.run(create_wallet(home, NoPassphrase(), cluster.roster_file.read_bytes(), None))
    return KuraForked(home)


@pytest.fixture
def here(kura: KuraForked) -> KuraInProcess:
    """The test's wallet, driven from this process."""
    return KuraInProcess(kura.home)
