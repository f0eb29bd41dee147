"""A command at a pseudo-terminal.

It is started as any other subprocess. pexpect's own way, a fork, copies the locks of a test process in which
gRPC runs its threads, and now and then the child never gets to its program.
"""

import io
import os
import pty
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pexpect
from pexpect import fdpexpect

from support.kura import KuraCommand

SECONDS = 60


@dataclass
class Terminal:
    """What a person sees and types.

    Args:
        screen: Expects what is printed.
        process: The command.
    """

    screen: Any
    process: "subprocess.Popen[bytes]"

    def answer(self, question: str, text: str) -> None:
        """Wait for a question, a regular expression, and type."""
        self.screen.expect(question)
        self.screen.sendline(text)

    def expect(self, pattern: str) -> None:
        """Wait until this is printed."""
        self.screen.expect(pattern)

    @property
    def shown(self) -> str:
        """All that was printed so far, what was typed included where it was echoed."""
        return str(self.screen.logfile_read.getvalue())

    @property
    def code(self) -> int:
        """The exit code of a command that has ended."""
        return self.process.wait(0)


@contextmanager
def at_terminal(kura: KuraCommand, *arguments: str | Path) -> Iterator[Terminal]:
    """Start a command; at the end it has ended."""
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (40, 120))
    with subprocess.Popen(
        kura.command(*arguments),
        env=kura.environment | {"TERM": "xterm"},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    ) as process:
        os.close(its)
        screen = fdpexpect.fdspawn(ours, timeout=SECONDS, encoding="utf-8")
        screen.logfile_read = io.StringIO()
        try:
            yield Terminal(screen, process)
            screen.expect(pexpect.EOF)
            process.wait(SECONDS)
        finally:
            process.kill()
            screen.close()
