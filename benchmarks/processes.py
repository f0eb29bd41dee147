"""Processes of a benchmark: started, waited for by their first line, measured, ended."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
END_SECONDS = 15.0


@dataclass(frozen=True)
class Started:
    """A process that said its first line on stdout."""

    process: subprocess.Popen[str]
    first_line: str

    def end(self) -> None:
        """Terminate it and wait; kill it when it takes too long."""
        self.process.terminate()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


class ProcessFailed(Exception):
    """A process ended before it was ready, or with an error."""


def start(command: Sequence[str]) -> Started:
    """Start a process in the project's folder and wait for its first line.

    Raises:
        ProcessFailed: It ended instead.
    """
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    line = process.stdout.readline().strip() if process.stdout is not None else ""
    started = Started(process, line)
    if not line:
        started.end()
        raise ProcessFailed(f"{command} ended before it was ready")
    return started


def run(command: Sequence[str], **variables: str) -> str:
    """Run a process to its end; gives what it wrote to stdout.

    Raises:
        ProcessFailed: It failed; quotes the end of stderr.
    """
    done = subprocess.run(
        command, cwd=ROOT, env=environment() | variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ProcessFailed(f"{command} failed: {done.stderr[-2000:]}")
    return done.stdout


def environment() -> dict[str, str]:
    """This process's, with its import path, and without what is another wallet's business."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("KURA_")}
    return kept | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}


def resident_mb(pid: int) -> float:
    """Memory a process holds now, in 10^6 bytes."""
    return _status_mb(pid, "VmRSS")


def peak_mb(pid: int) -> float:
    """Most memory it ever held, in 10^6 bytes."""
    return _status_mb(pid, "VmHWM")


def _status_mb(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024 / 1e6
