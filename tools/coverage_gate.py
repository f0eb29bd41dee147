"""Judge the coverage data of the last test run: every package against the share it promises.

coverage.py knows one threshold for everything; this project promises all branches of the mathematics
and the documents, and nine tenths of the rest. Prints one line a package, and what is missing where a
package falls short.

    python -m tools.coverage_gate
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping

import coverage
from coverage.exceptions import NoDataError

THRESHOLDS_PERCENT: Mapping[str, float] = {
    "threshold": 100.0,
    "trust": 100.0,
    "durable": 90.0,
    "rpc_edge": 90.0,
    "safe_node": 90.0,
    "auth_service": 90.0,
    "wallet_client": 90.0,
    "tools": 90.0,
}
"""Share of lines and branches together that the suite must reach, by package."""


def percent_covered(measured: coverage.Coverage, package: str) -> tuple[float, str]:
    """Return the covered share of one package in percent, and coverage.py's table of what is missing."""
    table = io.StringIO()
    try:
        share = measured.report(include=[f"{package}/*"], file=table)
    except NoDataError:
        return 0.0, f"no data for {package}/\n"
    return share, table.getvalue()


def judge(measured: coverage.Coverage, thresholds: Mapping[str, float]) -> int:
    """Print a line for every package; returns 0 when all reach their threshold, else 1."""
    short = False
    for package, threshold in thresholds.items():
        share, missing = percent_covered(measured, package)
        print(f"coverage {package:14} {share:5.1f}% (at least {threshold:g}%)")
        if share < threshold:
            short = True
            print(missing, file=sys.stderr)
    return int(short)


def main() -> int:
    """Judge the data file that coverage.py's configuration names; returns the exit code."""
    measured = coverage.Coverage()
    measured.load()
    return judge(measured, THRESHOLDS_PERCENT)


if __name__ == "__main__":
    raise SystemExit(main())
