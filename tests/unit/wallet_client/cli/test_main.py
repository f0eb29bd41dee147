"""Ctrl-C while the program loads ends it as Ctrl-C does, and without a traceback."""

import signal
import subprocess
import sys
from typing import Any

import pytest

from support.kura import environment
from wallet_client.cli.main import main

SCRIPT = """
import builtins, os, signal, sys
from wallet_client.cli.main import main

load = builtins.__import__
def interrupted(name, *rest):
    if name == "click":
        os.kill(os.getpid(), signal.SIGINT)
    return load(name, *rest)
builtins.__import__ = interrupted
sys.exit(main(["--version"]))
"""


def test_ctrl_c_while_loading_prints_nothing() -> None:
    """The shell sees that the program was interrupted."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_IGN], ids=["usual", "ignored"])
def test_what_the_caller_had_set_stays(handler: Any) -> None:
    """A job in the background that Ctrl-C does not reach stays out of its reach."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        assert main(["--version"]) == 0
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)
