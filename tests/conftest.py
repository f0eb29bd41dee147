"""For all tests: gRPC is told about TLS before any of them imports it, Ctrl-C is heard, bytecode is kept.

A test's process imports thousands of lines, and hundreds of such processes start: where the caller's
environment says that no bytecode be written, most of the suite would be compiling.
"""

import os
import signal
import sys
from collections.abc import Iterator

import coverage
import pytest

import rpc_edge  # noqa: F401

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A suite started in the background inherits an ignored SIGINT, and so would the commands it interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def unmeasured() -> Iterator[None]:
    """Nothing in the module is traced, which saves a third of its time.

    For modules that walk again and again through lines which shorter tests have gone through: what they
    prove is in what they compare.
    """
    running = coverage.Coverage.current()
    if running is None:
        yield
        return
    running.stop()
    try:
        yield
    finally:
        running.start()
