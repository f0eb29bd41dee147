"""What the log of a server costs its start."""

import subprocess
import sys

from support.kura import environment

PROGRAM = """
import sys
import rpc_edge.logs
print("rich" in sys.modules, "structlog" in sys.modules)
import rich.console
"""


def test_a_server_does_not_load_rich_and_who_shows_progress_still_can() -> None:
    """structlog alone would load it: a seventh of a safe's start, and 4 MB."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True"]
