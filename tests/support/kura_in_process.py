"""`kura` in this process: as the command, without a second for its start."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from wallet_client.cli.main import main


class Said(NamedTuple):
    """How a command ended."""

    code: int
    output: str
    messages: str


@dataclass(frozen=True)
class KuraInProcess:
    """The command for one wallet's folder; not for tests with a running event loop.

    Args:
        home: The wallet's folder.
        capture: The test's capsys.
    """

    home: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str | Path) -> Said:
        """Run one command line."""
        self.capture.readouterr()
        code = main(["--home", str(self.home), *map(str, words)])
        return Said(code, *self.capture.readouterr())

    def ok(self, *words: str | Path) -> Said:
        """Run, and insist on exit code 0."""
        said = self(*words)
        assert said.code == 0, f"kura {' '.join(map(str, words))}: {said.messages}"
        return said

    def json(self, *words: str | Path) -> Any:
        """Run with --json, insist on exit code 0, and give the document."""
        return json.loads(self.ok(*words, "--json").output)
