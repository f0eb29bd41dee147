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


def _place(position: int | None) -> str:
    return f" at place {position}" if position else ""
