"""`make demo` tells its story to the end, and leaves nothing however it ends."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.kura import environment
from tools.demo.__main__ import main


def command_lines() -> str:
    """Of every process of this machine that can be looked at."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return "\n".join(found)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a demo in this process makes its folder; its handlers of signals go at the end."""
    for name, text in environment(TMPDIR=str(tmp_path)).items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield tmp_path
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.timeout(420)
def test_the_demo_brings_everything_back_and_cleans_up(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, every step told, no process and no file left."""
    code = main()
    output, messages = capfd.readouterr()
    assert code == 0, messages
    assert "5 of 5" in output
    assert "every signature holds" in output
    assert "no difference" in output
    assert "byte for byte as before" in output
    assert "7 values came back whole" in output
    assert "7 values through one safe" in output
    assert "nor in its database" in output
    assert list(here.iterdir()) == []
    assert str(here) not in command_lines()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_demo_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Stopped in the middle of the second step: exit code 130, no process and no file left."""
    with subprocess.Popen(
        [sys.executable, "-m", "tools.demo"],
        env=environment(TMPDIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith("2. "):
                break
        demo.send_signal(number)
        _, messages = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert "Nothing is left running" in messages
    assert list(tmp_path.iterdir()) == []
    assert str(tmp_path) not in command_lines()
