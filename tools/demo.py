"""`make demo`: a wallet backs up to five safes, two of them die, its values are erased, and all come back.

It types nothing but `kura`: every line after a `$` is the command that ran, as a process of its own,
and the figures are those of this run. Everything happens in a temporary folder. However it ends
(done, failed, Ctrl-C, SIGTERM), no process stays and the folder goes.
"""

import base64
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tools.local_cluster.cluster import Cluster
from tools.local_cluster.errors import ClusterMissing

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
LIST_FILE = EXAMPLES / "figure-19.json"
SAFES = 5
KILLED = ("safe-2", "safe-5")
COMMAND_SECONDS = 60
INTERRUPT_SECONDS = 20


@dataclass(eq=False)
class DemoFailed(Exception):
    """A step did not go as it must.

    Args:
        step: What was being done.
        reason: What was seen.
    """

    step: str
    reason: str

    def __str__(self) -> str:
        """Name the step and the reason."""
        return f"{self.step}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command printed, and how long it took, start of Python included."""

    output: str
    warnings: str
    seconds: float


class Kura:
    """The command line, driven as a person drives it.

    Args:
        folder: Where the demo lives; the commands run in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: text for name, text in os.environ.items() if not name.startswith("KURA_")}
        self._environment = kept | {
            "KURA_HOME": str(folder / "wallet"),
            "KURA_PASSPHRASE": secrets.token_urlsafe(16),
        }

    def __call__(self, *arguments: str, output: bool = True) -> Outcome:
        """Run a command and show it, with what it prints."""
        print(f"\n   $ kura {' '.join(arguments)}", flush=True)
        outcome = self.quietly(*arguments)
        for line in (outcome.output + outcome.warnings).splitlines() if output else ():
            print(f"     {line}")
        return outcome

    def quietly(self, *arguments: str) -> Outcome:
        """Run a command.

        Raises:
            DemoFailed: It did not end with 0; quotes what it said.
        """
        start = time.perf_counter()
        # A process group of its own: Ctrl-C reaches the demo alone, which passes it on once.
        with subprocess.Popen(
            [sys.executable, "-m", "wallet_client.cli", *arguments],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        ) as child:
            try:
                output, messages = child.communicate(timeout=COMMAND_SECONDS)
            except BaseException:
                _interrupt(child)
                raise
        if child.returncode != 0:
            raise DemoFailed(
                f"kura {' '.join(arguments)}", messages.strip() or f"exit code {child.returncode}"
            )
        return Outcome(output, messages, time.perf_counter() - start)


def _interrupt(child: "subprocess.Popen[str]") -> None:
    """Let a command clean up behind itself; only then use force."""
    child.send_signal(signal.SIGINT)
    try:
        child.wait(INTERRUPT_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def main() -> int:
    """Tell the story; gives the exit code."""
    signal.signal(signal.SIGTERM, _stop)
    start = time.perf_counter()
    try:
        with _temporary_folder() as folder:
            count = tell(Kura(folder))
    except DemoFailed as failure:
        print(f"\nThe demo failed. {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Nothing is left running.", file=sys.stderr)
        return 130
    seconds = time.perf_counter() - start
    print(f"\nDone in {seconds:.1f} s: {count} values came back whole from the three safes that were left.")
    print("Nothing is left running, and the demo's folder is gone.")
    return 0


def tell(kura: Kura) -> int:
    """The story, step by step; gives the number of values it was told with.

    Raises:
        DemoFailed: A step did not go as it must.
    """
    _step(1, "Five safes start: five processes, each with its own keys, certificate, database and port")
    up = kura("cluster", "up", "--dir", "safes", "--safes", str(SAFES))
    _figure(f"keys made, roster signed, all healthy after {up.seconds:.1f} s")

    _step(2, "A wallet is made; it pins the fingerprint of the signed list of safes")
    kura("wallet", "init", "--roster", "safes/roster.json")

    _step(3, "It takes in three Apple Wallet passes and the four values of figure 19")
    _take_in(kura)
    before = _exported(kura, "before.json")

    _step(4, "Everything is sealed, divided so that any 3 of 5 pieces suffice, and registered")
    backed_up = kura("backup", "--all")
    _figure(f"{len(before)} values sealed, divided, and durable at all five after {backed_up.seconds:.1f} s")

    _step(5, "Each safe has signed a certificate for its piece; all of them are checked offline")
    receipts = json.loads(kura.quietly("receipts", "--json").output)["receipts"]
    kura("receipts", "show", receipts[0]["id"])
    kura("receipts", "verify")

    _step(6, "Disaster: two safes are killed, and the wallet's values are erased")
    for name in KILLED:
        kura("cluster", "kill", name, "--dir", "safes", output=name == KILLED[-1])
    kura("wallet", "remove", *(value["id"] for one in receipts for value in one["values"]))
    _expect(not _exported(kura, "erased.json"), "erasing", "values are left in the wallet")

    _step(7, "The three safes that are left bring everything back")
    recovered = kura("recover", "--all")
    _figure(f"{len(before)} values fetched, checked, combined and opened in {recovered.seconds:.1f} s")

    _step(8, "Every byte and every field is compared with the originals")
    _expect(_exported(kura, "after.json") == before, "comparing", "a value differs from what was backed up")
    size = _compare_with_files(before)
    _figure(f"{len(before)} values with all their fields and {size} bytes of content: no difference")
    return len(before)


def _take_in(kura: Kura) -> None:
    shutil.copytree(EXAMPLES, kura.folder / "examples")
    kura("wallet", "add", *(f"examples/{path.name}" for path in _passes()))
    kura("wallet", "import", f"examples/{LIST_FILE.name}")


def _passes() -> list[Path]:
    return sorted(EXAMPLES.glob("*.pkpass"))


def _exported(kura: Kura, name: str) -> list[dict[str, Any]]:
    """All fields and bytes of every value; numbers exact, bytes as base64."""
    kura.quietly("wallet", "export", "--all", "--fields", "--out", name)
    values: list[dict[str, Any]] = json.loads((kura.folder / name).read_bytes(), parse_float=Decimal)[
        "values"
    ]
    return sorted(values, key=repr)


def _compare_with_files(values: list[dict[str, Any]]) -> int:
    """What the wallet held, and so what came back, is what the files hold; gives the bytes compared."""
    payloads = [base64.b64decode(value["payload"]) for value in values]
    for path in _passes():
        _expect(path.read_bytes() in payloads, "comparing", f"no value has the bytes of {path.name}")
    listed = json.loads(LIST_FILE.read_text("utf-8"), parse_float=Decimal)
    for original in listed["values"]:
        expected = original | {"currency": listed["currency"]}
        _expect(
            any(expected.items() <= value.items() for value in values),
            "comparing",
            f"{expected} is not there",
        )
    return sum(map(len, payloads))


def _expect(holds: bool, step: str, reason: str) -> None:
    if not holds:
        raise DemoFailed(step, reason)


def _step(number: int, text: str) -> None:
    print(f"\n{number}. {text}.", flush=True)


def _figure(text: str) -> None:
    print(f"\n   => {text}", flush=True)


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
