"""What can be wrong with an owner's name or PIN.

A name's error says which character is at fault. A PIN's error says only where it stands: a character would
be a part of the PIN. Neither holds the text, and neither is chained to an exception that does.
"""

from dataclasses import dataclass

from trust.precis import Flaw
from wallet_client.errors import WalletError


@dataclass(eq=False)
class OwnerNameRefused(WalletError):
    """A text that is no owner's name.

    Args:
        flaw: What is wrong.
        position: Where: 1 is the first character of the name after mapping; None for the name as a whole.
        character: Which, such as "U+2163"; None for the name as a whole.
    """

    flaw: Flaw
    position: int | None = None
    character: str | None = None
    hint = "Use letters, digits and ASCII punctuation without spaces, 255 bytes of UTF-8 at most."

    def __str__(self) -> str:
        """Name the character and its place."""
        which = f", {self.character}," if self.character else ""
        return f"The owner's name {self.flaw.value}{which}{_place(self.position)}."


@dataclass(eq=False)
class PinRefused(WalletError):
    """A text that is no PIN.

    Args:
        flaw: What is wrong.
        position: Where: 1 is the first character of the PIN after mapping; None for the PIN as a whole.
    """

    flaw: Flaw
    position: int | None = None
    hint = "Use 4 to 1,000 characters; spaces and symbols count, control and invisible characters do not go."

    def __str__(self) -> str:
        """Say the place and never the character."""
        return f"The PIN {self.flaw.value}{_place(self.position)}."


@dataclass(eq=False)
class PinNeeded(WalletError):
    """A record is to be made that a PIN opens, and none is at hand: it was opened without."""

    sentence = "A way into the record has a PIN, and it was opened without one."
    hint = "Say the same again with --new-pin, which asks for the PIN from now on; or open it with the PIN."


@dataclass(eq=False)
class FactorMissing(WalletError):
    """The record is to be opened by a factor that was not brought.

    Args:
        factor: Which.
    """

    factor: str

    sentence = "To open it with {factor}, say which."
    hint = "A device is named by --device file:PATH, an authority by --authority FILE the first time."


@dataclass(eq=False)
class DeviceFailed(WalletError):
    """A device did not do what it was asked.

    Args:
        device: How it was named.
        problem: Why.
    """

    device: str
    problem: str

    sentence = "The device {device} cannot be used: {problem}."
    hint = "Nothing was sent. Mend that, or open the record another way: --with."


def _place(position: int | None) -> str:
    return f" at place {position}" if position else ""
