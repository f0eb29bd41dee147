"""`kura` at a terminal: it asks, it shows progress, and it asks before a value is gone for ever."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pytest

from support.cluster import LocalCluster
from support.kura import PASSPHRASE, KuraInProcess, new_wallet, without_wallet

SECONDS = 60
LARGE_BYTES = 8 << 20


@contextmanager
def typed(kura: KuraInProcess, *arguments: str | Path) -> Iterator[Any]:
    """A command at a pseudo-terminal; at its end it has ended."""
    program, *rest = kura.process.command(*arguments)
    child = pexpect.spawn(
        program,
        rest,
        env=kura.process.environment | {"TERM": "xterm"},
        timeout=SECONDS,
        encoding="utf-8",
        dimensions=(40, 120),
    )
    try:
        yield child
        child.expect(pexpect.EOF)
    finally:
        child.close()


@pytest.fixture
def roster_file(cluster_of_worker: LocalCluster) -> Path:
    """A good roster."""
    return cluster_of_worker.roster_file


def test_a_new_passphrase_is_asked_for_twice_and_never_shown(roster_file: Path, tmp_path: Path) -> None:
    """After a slip both are asked for again; later once."""
    kura = without_wallet(tmp_path / "wallet")
    with typed(kura, "wallet", "init", "--roster", roster_file) as terminal:
        for answer in (PASSPHRASE, "a slip", PASSPHRASE, PASSPHRASE):
            terminal.expect(r"(?i)(passphrase|again).*: ?")
            terminal.sendline(answer)
        terminal.expect("Pinned")
        assert PASSPHRASE not in terminal.before
    assert terminal.exitstatus == 0
    with typed(kura, "wallet", "list") as terminal:
        terminal.expect("Passphrase: ?")
        terminal.sendline(PASSPHRASE)
        terminal.expect("0 values")
    assert terminal.exitstatus == 0


def test_a_value_that_is_nowhere_else_is_asked_about(roster_file: Path, tmp_path: Path) -> None:
    """No keeps it and ends with 1; yes erases it."""
    kura = new_wallet(tmp_path / "wallet", roster_file)
    kura.ok("wallet", "add", "--class", "card", "--name", "only")
    for answer, code, left in (("n", 1, 1), ("y", 0, 0)):
        with typed(kura, "wallet", "remove", "only") as terminal:
            terminal.expect("Erase for ever")
            terminal.sendline(answer)
        assert terminal.exitstatus == code
        assert len(kura.json("wallet", "list")["values"]) == left


def test_large_work_shows_bars(kura: KuraInProcess, tmp_path: Path) -> None:
    """At a terminal; the table of results is the same."""
    (tmp_path / "large").write_bytes(os.urandom(LARGE_BYTES))
    kura.ok("wallet", "add", tmp_path / "large")
    with typed(kura, "backup", "--all", "--delete") as terminal:
        terminal.expect("Registering")
        terminal.expect("1 value backed up; erased")
    assert terminal.exitstatus == 0
    with typed(kura, "recover", "--all") as terminal:
        terminal.expect("Fetching")
        terminal.expect("1 value recovered")
    assert terminal.exitstatus == 0
