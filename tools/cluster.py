"""A local cluster of safes, for trying Kura out: `python tools/cluster.py up --dir DIR --safes 5`.

The same as `kura cluster`, for whoever has this tree and no `kura` on the path. Prints what it did;
`--json` prints one document instead. Exit codes: 0 done, 1 failed with a reason, 2 wrong usage.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec

from tools.local_cluster.cluster import DEFAULT_SAFES, Cluster, SafeStatus
from tools.local_cluster.errors import ClusterError
from trust.errors import TrustError

_EXAMPLES = """examples:
  python tools/cluster.py up --dir /tmp/c --safes 5
  python tools/cluster.py status --dir /tmp/c
  python tools/cluster.py kill safe-2 --dir /tmp/c
  python tools/cluster.py down --dir /tmp/c
"""
_ONE_SAFE = {
    "kill": ("SIGKILL a safe, as a crash does", Cluster.kill),
    "stop": ("SIGTERM a safe and wait for its end", Cluster.stop),
    "start": ("start a safe again and wait until it is healthy", Cluster.start),
    "wipe": ("stop a safe, erase its database, start it with its identity", Cluster.wipe),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; gives the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(Cluster(options.dir), options)
    except (ClusterError, TrustError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        print(getattr(error, "hint", ""), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


def table(safes: Sequence[SafeStatus]) -> str:
    """The safes as aligned lines."""
    width = max(len(safe.name) for safe in safes)
    return "\n".join(f"{safe.name:<{width}}  {safe.state:<9}  {safe.endpoint}  {safe.id}" for safe in safes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cluster.py",
        description="Runs a cluster of safes on this machine.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = _command(commands, "up", "start the safes, wait until each is healthy", _up)
    up.add_argument("--safes", type=int, help=f"how many ({DEFAULT_SAFES} for a new cluster)")
    up.add_argument("--threshold", type=int, help="how many bring a value back (more than half)")
    up.add_argument("--with-authority", action="store_true", help="start an authority as well")
    _command(commands, "status", "show every safe", _status)
    _command(commands, "down", "stop all safes", _down)
    for name, (summary, action) in _ONE_SAFE.items():
        _command(commands, name, summary, _on_one(action)).add_argument("safe", metavar="SAFE")
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    run: Callable[[Cluster, argparse.Namespace], None],
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=summary)
    parser.add_argument("--dir", type=Path, required=True, help="the cluster's folder")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)
    return parser


def _up(cluster: Cluster, options: argparse.Namespace) -> None:
    _show(cluster.up(options.safes, options.threshold, with_authority=options.with_authority), options)
    print(f"Roster: {cluster.roster_file}", file=sys.stderr)


def _status(cluster: Cluster, options: argparse.Namespace) -> None:
    _show(cluster.status(), options)


def _down(cluster: Cluster, options: argparse.Namespace) -> None:
    cluster.down()
    _show(cluster.status(), options)


def _on_one(action: Callable[[Cluster, str], None]) -> Callable[[Cluster, argparse.Namespace], None]:
    def run(cluster: Cluster, options: argparse.Namespace) -> None:
        action(cluster, options.safe)
        _show(cluster.status(), options)

    return run


def _show(safes: Sequence[SafeStatus], options: argparse.Namespace) -> None:
    if options.json:
        print(msgspec.json.encode({"safes": [asdict(safe) for safe in safes]}).decode())
    else:
        print(table(safes))


if __name__ == "__main__":
    sys.exit(main())
