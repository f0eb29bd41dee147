"""`kura` in a process that tells the most memory it ever held.

    python -m support.measured_kura FILE ARGUMENT...

The figure, VmHWM in MiB, is written into FILE when the command has ended.
"""

import sys
from pathlib import Path

from wallet_client.cli.main import main


def peak_mib(pid: int | str = "self") -> float:
    """The most memory that a process held so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    code = main(sys.argv[2:])
    Path(sys.argv[1]).write_text(f"{peak_mib()}")
    raise SystemExit(code)
