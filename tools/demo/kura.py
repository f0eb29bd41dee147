"""`kura` as a person types it, and how the demo tells what it does."""

import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

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
        home: The wallet's folder, below it.
        passphrase: Secret: of the wallet.
    """

    def __init__(self, folder: Path, home: str = "wallet", passphrase: str | None = None) -> None:
        self.folder = folder
        self.home = folder / home
        self.passphrase = passphrase or secrets.token_urlsafe(16)
        kept = {name: text for name, text in os.environ.items() if not name.startswith("KURA_")}
        self._environment = kept | {"KURA_HOME": str(self.home), "KURA_PASSPHRASE": self.passphrase}

    def __call__(self, *arguments: str, output: bool = True, typed: str = "") -> Outcome:
        """Run a command and show it, with what it prints.

        Args:
            arguments: The command line after `kura`.
            output: Whether what it prints is shown.
            typed: Secret: its standard input.
        """
        print(f"\n   $ kura {shlex.join(arguments)}", flush=True)
        outcome = self.quietly(*arguments, typed=typed)
        for line in (outcome.output + outcome.warnings).splitlines() if output else ():
            print(f"     {line}")
        return outcome

    def quietly(self, *arguments: str, typed: str = "") -> Outcome:
        """Run a command.

        Raises:
            DemoFailed: It did not end with 0; quotes what it said.
        """
        code, outcome = self.attempt(*arguments, typed=typed)
        if code != 0:
            raise DemoFailed(f"kura {' '.join(arguments)}", outcome.warnings.strip() or f"exit code {code}")
        return outcome

    def attempt(self, *arguments: str, typed: str = "") -> tuple[int, Outcome]:
        """Run a command, however it ends; its exit code, and what it printed."""
        start = time.perf_counter()
        # A process group of its own: Ctrl-C reaches the demo alone, which passes it on once.
        with subprocess.Popen(
            [sys.executable, "-m", "wallet_client.cli", *arguments],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        ) as child:
            try:
                output, messages = child.communicate(typed, timeout=COMMAND_SECONDS)
            except BaseException:
                _interrupt(child)
                raise
        return child.returncode, Outcome(output, messages, time.perf_counter() - start)


def _interrupt(child: "subprocess.Popen[str]") -> None:
    """Let a command clean up behind itself; only then use force."""
    child.send_signal(signal.SIGINT)
    try:
        child.wait(INTERRUPT_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def expect(holds: bool, doing: str, reason: str) -> None:
    """Stop the demo unless something holds.

    Raises:
        DemoFailed: It does not.
    """
    if not holds:
        raise DemoFailed(doing, reason)


def step(number: int, text: str) -> None:
    """Say what comes next."""
    print(f"\n{number}. {text}.", flush=True)


def figure(text: str) -> None:
    """Say what was measured."""
    print(f"\n   => {text}", flush=True)
