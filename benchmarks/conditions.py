"""What a figure depends on besides the code: the machine and the versions."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("grpcio", "protobuf", "cryptography", "pysodium", "numpy", "pyeclib", "msgspec", "pysqlite3")


def conditions() -> dict[str, str]:
    """By name, as they are now."""
    import pysqlite3

    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return {
        "when": datetime.now(UTC).isoformat(timespec="minutes"),
        "CPU": f"{os.cpu_count()} x {_first('/proc/cpuinfo', 'model name')}",
        "memory": f"{int(_first('/proc/meminfo', 'MemTotal').split()[0]) / 1024**2:.0f} GiB",
        "system": f"{platform.platform()}, {platform.python_implementation()} {platform.python_version()}",
        "packages": f"{packages}, SQLite {pysqlite3.sqlite_version}",
        "load": " ".join(f"{average:.2f}" for average in os.getloadavg()),
    }


def _first(path: str, name: str) -> str:
    lines = Path(path).read_text("utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "unknown")
