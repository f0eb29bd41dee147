"""For all tests: gRPC is told about TLS before any of them imports it, Ctrl-C is heard, bytecode is kept.

A test's process imports thousands of lines, and hundreds of such processes start: where the caller's
environment says that no bytecode be written, most of the suite would be compiling.
"""

import gc
import os
import signal
import sys

import pytest

import rpc_edge  # noqa: F401
from support.kura import follow_no_children

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

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
