"""`kura` at a terminal: it asks, it shows progress, and it asks before a value is gone for ever."""

import os
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.kura import PASSPHRASE, KuraInProcess, new_wallet, without_wallet
from support.terminal import at_terminal

LARGE_BYTES = 8 << 20


@pytest.fixture
def roster_file(cluster_of_worker: LocalCluster) -> Path:
    """A good roster."""
    return cluster_of_worker.roster_file


def test_a_new_passphrase_is_asked_for_twice_and_never_shown(roster_file: Path, tmp_path: Path) -> None:
    """After a slip both are asked for again; later once."""
    kura = without_wallet(tmp_path / "wallet")
    with at_terminal(kura.process, "wallet", "init", "--roster", roster_file) as terminal:
        for answer in (PASSPHRASE, "a slip", PASSPHRASE, PASSPHRASE):
            terminal.answer(r"(?i)(passphrase|again).*: ?", answer)
        terminal.expect("Pinned")
        assert PASSPHRASE not in terminal.shown
    assert terminal.code == 0
    with at_terminal(kura.process, "wallet", "list") as terminal:
        terminal.answer("Passphrase: ?", PASSPHRASE)
        terminal.expect("0 values")
    assert terminal.code == 0


def test_a_value_that_is_nowhere_else_is_asked_about(roster_file: Path, tmp_path: Path) -> None:
    """No keeps it and ends with 1; yes erases it."""
    kura = new_wallet(tmp_path / "wallet", roster_file)
    kura.ok("wallet", "add", "--class", "card", "--name", "only")
    for answer, code, left in (("n", 1, 1), ("y", 0, 0)):
        with at_terminal(kura.process, "wallet", "remove", "only") as terminal:
            terminal.answer("Erase for ever", answer)
        assert terminal.code == code
        assert len(kura.json("wallet", "list")["values"]) == left


def test_large_work_shows_bars(kura: KuraInProcess, tmp_path: Path) -> None:
    """At a terminal; the table of results is the same."""
    (tmp_path / "large").write_bytes(os.urandom(LARGE_BYTES))
    kura.ok("wallet", "add", tmp_path / "large")
    with at_terminal(kura.process, "backup", "--all", "--delete") as terminal:
        terminal.expect("Registering")
        terminal.expect("1 value backed up; erased")
    assert terminal.code == 0
    with at_terminal(kura.process, "recover", "--all") as terminal:
        terminal.expect("Fetching")
        terminal.expect("1 value recovered")
    assert terminal.code == 0
