"""Bars are for people at a terminal with enough to wait for."""

import io

import pytest

from wallet_client.cli.progress import WORTH_WATCHING_BYTES, Bars


class Terminal(io.StringIO):
    """Standard error that somebody looks at."""

    def isatty(self) -> bool:
        return True


def run(expected_bytes: int) -> None:
    with Bars(expected_bytes) as bars:
        bars("register", 0, 0)
        bars("register", 50, 100)
        bars("fetch", 100, 100)


def test_large_work_at_a_terminal_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every stage by its word."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    run(WORTH_WATCHING_BYTES)
    assert "Registering" in terminal.getvalue()
    assert "Fetching" in terminal.getvalue()


@pytest.mark.parametrize(
    ("stream", "size"),
    [
        pytest.param(Terminal(), WORTH_WATCHING_BYTES - 1, id="little work"),
        pytest.param(io.StringIO(), WORTH_WATCHING_BYTES, id="no terminal"),
    ],
)
def test_otherwise_nothing_is_shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, size: int) -> None:
    """Not a byte."""
    monkeypatch.setattr("sys.stderr", stream)
    run(size)
    assert stream.getvalue() == ""
