"""`python -m benchmarks`: prints the figures, each with its ceiling of the same run.

Examples:
  python -m benchmarks                      everything but the largest case, in a few minutes
  python -m benchmarks --only single        one group
  python -m benchmarks --quick --json       fewer turns, as one JSON document
  python -m benchmarks --detail threshold   every primitive by itself; `safe`: one safe; `envelope`
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from importlib import import_module

from benchmarks.cases import CASES
from benchmarks.conditions import conditions
from benchmarks.figure import Figure, markdown, table
from benchmarks.workbench import Workbench
from rpc_edge.process_memory import keep_freed_memory


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; gives the exit code."""
    options = _parser().parse_args(arguments)
    if options.detail:
        import_module(f"benchmarks.{options.detail}_speed").main()
        return 0
    keep_freed_memory()  # as the command line does
    about = conditions()
    figures = asyncio.run(_measure(options))
    about["load at the end"] = conditions()["load"]
    if options.json:
        document = {"conditions": about, "figures": [figure.to_dict() for figure in figures]}
        print(json.dumps(document, indent=2))
    else:
        print(markdown(figures) if options.markdown else table(figures))
        print()
        print("\n".join(f"{name:<16}{text}" for name, text in about.items()))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=CASES, metavar="NAME", help=", ".join(CASES))
    parser.add_argument("--quick", action="store_true", help="fewer turns: for trying, not for quoting")
    parser.add_argument("--full", action="store_true", help="a safe with 1,000,000 pieces as well")
    parser.add_argument(
        "--detail", choices=("threshold", "safe", "envelope"), help="parts by themselves, no targets"
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print one JSON document")
    shape.add_argument("--markdown", action="store_true", help="print the table of docs/PERFORMANCE.md")
    return parser


async def _measure(options: argparse.Namespace) -> list[Figure]:
    figures: list[Figure] = []
    async with Workbench(quick=options.quick, full=options.full) as bench:
        for name in options.only or CASES:
            started = time.perf_counter()
            print(f"{name} ...", end="", file=sys.stderr, flush=True)
            figures += await CASES[name](bench)
            print(f" {time.perf_counter() - started:.0f} s", file=sys.stderr)
    return figures


if __name__ == "__main__":
    sys.exit(main())
