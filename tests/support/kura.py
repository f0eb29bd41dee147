"""`kura` for tests: as a call in this process, or as a process of its own.

Both take a command line, leave nothing of this process's own settings to the command, and tell how it ended.
A call costs a fiftieth of a process, whose start alone takes most of a second; so a test calls, unless the
process is what it is about: signals, pipes and their ends, terminals, what an interpreter loads. Where any
process will do, support.forked has one for a little more than a call.
"""

import io
import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from wallet_client.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
COMMAND_SECONDS = 90
PASSPHRASE = "correct horse battery staple"

_FOLLOWED_BY = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
"""By these coverage.py follows children."""
_put_aside: dict[str, str] = {}


def follow_no_children() -> None:
    """From now on coverage.py follows those children alone that are started to be measured."""
    for name in _FOLLOWED_BY:
        if name in os.environ:
            _put_aside[name] = os.environ.pop(name)


def environment(*, measured: bool = False, **more: str) -> dict[str, str]:
    """This process's environment with our packages on the path and no wallet chosen, and `more`.

    Args:
        measured: Let coverage.py follow a process that runs in it, at the price of another second for its
            start: for the few that run what no test can call.
        more: Further variables.
    """
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("KURA_", "_KURA_"))}
    if measured:
        kept |= _put_aside
    paths = (ROOT, ROOT / "protos" / "gen", ROOT / "tests")
    return kept | {"PYTHONPATH": os.pathsep.join(map(str, paths))} | more


class Finished(NamedTuple):
    """How a command ended."""

    code: int
    output: str
    messages: str

    @property
    def data(self) -> Any:
        """The one JSON document that it printed."""
        return json.loads(self.output)

    @property
    def ids(self) -> list[str]:
        """Ids of the first list of values, else of receipts, that it printed as JSON."""
        document = self.data
        return [one["id"] for one in document.get("values") or document["receipts"]]


@dataclass(frozen=True)
class Kura(ABC):
    """The command with one wallet's folder.

    Args:
        home: The wallet's folder.
        more: Environment variables for every run.
    """

    home: Path
    more: Mapping[str, str] = field(default_factory=dict)

    @abstractmethod
    def __call__(self, *arguments: str | Path, typed: str | bytes = "") -> Finished:
        """Run to the end, however it ends.

        Args:
            arguments: The command line after `kura`.
            typed: What stands on standard input, which is never a terminal.
        """

    def ok(self, *arguments: str | Path, typed: str | bytes = "") -> Finished:
        """Run, and insist on exit code 0."""
        done = self(*arguments, typed=typed)
        assert done.code == 0, f"kura {' '.join(map(str, arguments))}: {done.messages}"
        return done

    def json(self, *arguments: str | Path, typed: str | bytes = "") -> Any:
        """Run with --json, insist on exit code 0, and give the document."""
        return self.ok(*arguments, "--json", typed=typed).data

    @property
    def _own(self) -> dict[str, str]:
        return {"KURA_HOME": str(self.home), **self.more}


@dataclass(frozen=True)
class KuraCommand(Kura):
    """`kura` as a process of its own."""

    def __call__(self, *arguments: str | Path, typed: str | bytes = "") -> Finished:
        """As Kura."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment,
            input=bytes_of(typed),
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())

    def command(self, *arguments: str | Path) -> list[str]:
        """The whole command line, for tests that start it themselves."""
        return [sys.executable, "-m", "wallet_client.cli", *map(str, arguments)]

    @property
    def environment(self) -> dict[str, str]:
        """What it runs with."""
        return environment() | self._own


@dataclass(frozen=True)
class KuraInProcess(Kura):
    """`kura` in this process; where an event loop runs, in a thread beside it."""

    def __call__(self, *arguments: str | Path, typed: str | bytes = "") -> Finished:
        """As Kura."""
        output, messages = _stream(), _stream()
        with _variables(self._own), standard_input(typed), redirect_stdout(output), redirect_stderr(messages):
            code = main(list(map(str, arguments)))
        return Finished(code, _text(output), _text(messages))

    @property
    def process(self) -> KuraCommand:
        """The same wallet's command as a process."""
        return KuraCommand(self.home, self.more)


def bytes_of(typed: str | bytes) -> bytes:
    """What a test types, as a stream has it."""
    return typed.encode() if isinstance(typed, str) else typed


def _stream(content: str | bytes = "") -> io.TextIOWrapper:
    """Text over bytes, as the streams of a process are: the command sets their error handling."""
    return io.TextIOWrapper(io.BytesIO(bytes_of(content)), "utf-8")


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()


@contextmanager
def _variables(own: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in before:
        if name.startswith(("KURA_", "_KURA_")):
            del os.environ[name]
    os.environ.update(own)
    try:
        yield
    finally:
        for name in own:
            os.environ.pop(name, None)
        os.environ.update(before)


@contextmanager
def standard_input(content: str | bytes) -> Iterator[None]:
    """Have what runs in this process read this."""
    before = sys.stdin
    sys.stdin = _stream(content)
    try:
        yield
    finally:
        sys.stdin = before


def without_wallet(home: Path, **more: str) -> KuraInProcess:
    """`kura` with a folder in which no wallet was made."""
    return KuraInProcess(home, more)


def new_wallet(home: Path, roster_file: Path, *options: str) -> KuraInProcess:
    """`kura` with a fresh wallet without a passphrase, which saves 0.2 s a command."""
    kura = KuraInProcess(home)
    kura.ok("wallet", "init", "--roster", roster_file, "--no-passphrase", *options)
    return kura
