"""For all tests: gRPC is told about TLS before any of them imports it, Ctrl-C is heard, bytecode is kept, and
what they write stays in memory where there is room.

A test's process imports thousands of lines, and hundreds of such processes start: where the caller's
environment says that no bytecode be written, most of the suite would be compiling.
"""

import gc
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

import rpc_edge  # noqa: F401
from support.cluster import cluster, cluster_of_worker, kura
from support.kura import follow_no_children

__all__ = ["cluster", "cluster_of_worker", "kura"]
"""One cluster for all tests of a worker, and a wallet for each that asks for one."""

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

_IN_MEMORY, _NEEDED_BYTES = Path("/dev/shm"), 8 << 30
if os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _NEEDED_BYTES:
    # Safes and wallets wait for the disk at every step, 6 ms where it was measured: a third of the time of
    # tests that do little else. What a disk keeps when the power fails is nothing that a test could see.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_IN_MEMORY))

# A suite started in the background inherits an ignored SIGINT, and so would the commands it interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _children_are_not_measured() -> None:
    """Unless a test asks for it: half of the suite's processes would take twice as long."""
    follow_no_children()


_WALKED_AGAIN = {"acceptance", "fault", "property"}
"""Folders whose tests repeat lines of shorter ones: what they prove is in what they compare."""


_LONG = {"test_cluster_demo", "test_grpc_doc", "test_a_small_wallet_lives_long", "test_reseed"}
"""Modules that take longest; they start first, so that no worker is left alone with one at the end."""


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make coverage` leaves those out, which it would double; put the long ones first."""
    for item in items:
        if _WALKED_AGAIN & set(item.path.parts):
            item.add_marker(pytest.mark.no_cover)
    items.sort(key=lambda item: item.path.stem not in _LONG)


def pytest_collection_finish() -> None:
    """Thousands of collected tests live to the end: no full collection of garbage need walk them."""
    gc.collect()
    gc.freeze()
