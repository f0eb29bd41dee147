"""Where the passphrase comes from: `--no-passphrase`, `--passphrase-file`, KURA_PASSPHRASE, or the person.

The first of these that is there is used. A person is asked only at a terminal; a script that gives
nothing gets an error and never waits.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from wallet_client.errors import WalletError
from wallet_client.storage.errors import PassphraseNeeded
from wallet_client.storage.keyfile import NoPassphrase, Passphrase, Unlock
from wallet_client.storage.store import wallet_protection
from wallet_client.values.shown import shown

VARIABLE = "KURA_PASSPHRASE"
_MOST_BYTES = 16_384


@dataclass(eq=False)
class PassphraseFileUnreadable(WalletError):
    """The file named by --passphrase-file is none to read.

    Args:
        path: The file.
        reason: Why.
    """

    path: Path
    reason: str
    hint = "Name a file that holds the passphrase and nothing else."

    def __str__(self) -> str:
        """Name the file and the reason."""
        return f"The passphrase file {shown(str(self.path))} cannot be used: {self.reason}."


@dataclass(eq=False)
class PassphraseMissing(WalletError):
    """A wallet is to be made, and nobody says what shall lock it."""

    hint = (
        "Set KURA_PASSPHRASE or name a file with --passphrase-file; --no-passphrase makes an unlocked wallet."
    )

    def __str__(self) -> str:
        """Say so."""
        return "No passphrase was given for the new wallet, and there is no terminal to ask at."


def passphrase_of(home: Path, file: Path | None, no_passphrase: bool) -> Unlock:
    """What opens the wallet in a folder.

    Raises:
        WalletMissing, WalletDamaged: There is no wallet to open.
        PassphraseNeeded: It is locked, no passphrase was given, and there is no terminal.
        PassphraseFileUnreadable: The file cannot be used.
    """
    if no_passphrase:
        return NoPassphrase()
    given = _given(file)
    if given is not None:
        return given
    if wallet_protection(home) == "none":
        return NoPassphrase()
    if not sys.stdin.isatty():
        raise PassphraseNeeded
    return _asked("Passphrase")


def new_passphrase(file: Path | None, no_passphrase: bool) -> Unlock:
    """What shall open a new wallet; asked twice at a terminal.

    Raises:
        PassphraseMissing: None was given, and there is no terminal.
        PassphraseFileUnreadable: The file cannot be used.
    """
    if no_passphrase:
        return NoPassphrase()
    given = _given(file)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise PassphraseMissing
    return _asked("Passphrase for the new wallet", again="The same again")


def _given(file: Path | None) -> Passphrase | None:
    if file is not None:
        return Passphrase(_content(file))
    if VARIABLE in os.environ:
        return Passphrase(os.environb[VARIABLE.encode()])
    return None


def _content(file: Path) -> bytes:
    """The file's bytes without the line end that editors add."""
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES)
    except OSError as error:
        raise PassphraseFileUnreadable(file, (error.strerror or "it cannot be read").lower()) from error
    return content.removesuffix(b"\n").removesuffix(b"\r")


def _asked(question: str, again: str | None = None) -> Passphrase:
    text: str = click.prompt(question, hide_input=True, confirmation_prompt=again or False, err=True)
    return Passphrase(text.encode())
