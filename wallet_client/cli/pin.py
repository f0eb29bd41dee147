"""Where a PIN comes from: the person at the terminal, else lines of standard input; never an argument."""

import sys
from dataclasses import dataclass

import click

from wallet_client.errors import WalletError
from wallet_client.owners.names import Pin

_MOST_CHARACTERS = 8_192


@dataclass(eq=False)
class PinMissing(WalletError):
    """Standard input ended before a PIN came."""

    sentence = "No PIN was given: there is no terminal to ask at, and standard input holds too few lines."
    hint = "Write each PIN on a line of its own to standard input."


@dataclass(eq=False)
class PinsDiffer(WalletError):
    """Two lines that should hold the same PIN do not."""

    sentence = "The two PINs are not the same."
    hint = "Write the new PIN twice."


@dataclass(eq=False)
class PinUnreadable(WalletError):
    """A line of standard input is no text."""

    sentence = "The PIN cannot be read: it is not UTF-8."
    hint = "Write each PIN on a line of its own, in UTF-8, to standard input."


def ask_pin(question: str = "PIN") -> Pin:
    """The PIN of now. Secret.

    Raises:
        PinMissing, PinUnreadable: There is none to be had.
        PinRefused: It cannot be one.
    """
    if _at_terminal():
        return Pin(click.prompt(question, hide_input=True, err=True))
    return Pin(_line())


def ask_new_pin(question: str = "New PIN") -> Pin:
    """A PIN that is said twice. Secret.

    Raises:
        PinMissing, PinUnreadable, PinRefused: As above.
        PinsDiffer: The second is another.
    """
    if _at_terminal():
        return Pin(click.prompt(question, hide_input=True, confirmation_prompt="The same again", err=True))
    first, again = Pin(_line()), Pin(_line())
    if first != again:
        raise PinsDiffer
    return first


def _at_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _line() -> str:
    try:
        line = sys.stdin.readline(_MOST_CHARACTERS) if sys.stdin else ""
    except UnicodeDecodeError:
        raise PinUnreadable from None
    if not line:
        raise PinMissing
    return line.removesuffix("\n").removesuffix("\r")
