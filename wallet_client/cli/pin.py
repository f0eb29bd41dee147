"""Where a PIN or a password comes from: the person at the terminal, else lines of standard input.

Neither is ever an argument.
"""

import sys
from dataclasses import dataclass

import click

from wallet_client.errors import WalletError
from wallet_client.owners.names import Pin

_MOST_CHARACTERS = 8_192


@dataclass(eq=False)
class PinMissing(WalletError):
    """Standard input ended before one came.

    Args:
        what: "PIN" or "password".
    """

    what: str = "PIN"
    sentence = "No {what} was given: there is no terminal to ask at, and standard input holds too few lines."
    hint = "Write each on a line of its own to standard input."


@dataclass(eq=False)
class PinsDiffer(WalletError):
    """Two lines that should hold the same do not.

    Args:
        what: "PIN" or "password".
    """

    what: str = "PIN"
    sentence = "The two {what}s are not the same."
    hint = "Write the new one twice."


@dataclass(eq=False)
class PinUnreadable(WalletError):
    """A line of standard input is no text.

    Args:
        what: "PIN" or "password".
    """

    what: str = "PIN"
    sentence = "The {what} cannot be read: it is not UTF-8."
    hint = "Write each on a line of its own, in UTF-8, to standard input."


def ask_pin(question: str = "PIN") -> Pin:
    """The PIN of now. Secret.

    Raises:
        PinMissing, PinUnreadable: There is none to be had.
        PinRefused: It cannot be one.
    """
    return Pin(ask_secret(question))


def ask_new_pin(question: str = "New PIN") -> Pin:
    """A PIN that is said twice. Secret.

    Raises:
        PinMissing, PinUnreadable, PinRefused: As above.
        PinsDiffer: The second is another.
    """
    return Pin(ask_new_secret(question))


def ask_secret(question: str, what: str = "PIN") -> str:
    """What the person types, or the next line of standard input. Secret.

    Raises:
        PinMissing, PinUnreadable: There is none to be had.
    """
    if _at_terminal():
        typed: str = click.prompt(question, hide_input=True, err=True)
        return typed
    return _line(what)


def ask_new_secret(question: str, what: str = "PIN") -> str:
    """What is said twice. Secret.

    Raises:
        PinMissing, PinUnreadable: There is none to be had.
        PinsDiffer: The second is another.
    """
    if _at_terminal():
        typed: str = click.prompt(question, hide_input=True, confirmation_prompt="The same again", err=True)
        return typed
    first, again = _line(what), _line(what)
    if first != again:
        raise PinsDiffer(what)
    return first


def _at_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _line(what: str) -> str:
    try:
        line = sys.stdin.readline(_MOST_CHARACTERS) if sys.stdin else ""
    except UnicodeDecodeError:
        raise PinUnreadable(what) from None
    if not line:
        raise PinMissing(what)
    return line.removesuffix("\n").removesuffix("\r")
