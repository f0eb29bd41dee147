"""`make demo`: what Kura does, in four acts, told by the commands themselves.

It types nothing but `kura`: every line after a `$` is the command that ran, as a process of its own,
and the figures are those of this run. Everything happens in a temporary folder. However it ends
(done, failed, Ctrl-C, SIGTERM), no process stays and the folder goes.
"""

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.demo.backup_act import tell_backup
from tools.demo.gateway_act import tell_gateway
from tools.demo.kura import DemoFailed, Kura
from tools.demo.owner_act import tell_owner
from tools.demo.repair_act import tell_repair
from tools.local_cluster.cluster import Cluster
from tools.local_cluster.errors import ClusterMissing


def main() -> int:
    """Tell the story; gives the exit code."""
    signal.signal(signal.SIGTERM, _stop)
    start = time.perf_counter()
    try:
        with _temporary_folder() as folder:
            kura = Kura(folder)
            count = tell_backup(kura)
            tell_repair(kura)
            tell_gateway(kura, *tell_owner(kura))
    except DemoFailed as failure:
        print(f"\nThe demo failed. {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Nothing is left running.", file=sys.stderr)
        return 130
    seconds = time.perf_counter() - start
    print(
        f"\nDone in {seconds:.1f} s: {count} values came back whole from three safes: by receipt, by PIN, "
        "and by PIN and device through one safe alone."
    )
    print("Nothing is left running, and the demo's folder is gone.")
    return 0


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A folder that goes at the end, after every safe in it was stopped."""
    folder = Path(tempfile.mkdtemp(prefix="kura-demo-"))
    try:
        yield folder
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        _leave_nothing(Cluster(folder / "safes"))
        shutil.rmtree(folder)


def _leave_nothing(cluster: Cluster) -> None:
    try:
        cluster.down()
    except ClusterMissing:
        return  # safes start only once the roster is there


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
