"""What can go wrong between a wallet and its safes, and what the person does next."""

from collections.abc import Mapping
from dataclasses import dataclass

from wallet_client.errors import WalletError
from wallet_client.network.failures import SafeFailure, explain


@dataclass(eq=False)
class TooFewSafes(WalletError):
    """Not enough safes answered well.

    Args:
        doing: What was tried, such as "backed up".
        good: How many safes answered well.
        needed: How many had to.
        failed: What went wrong, by the safe's name.
    """

    doing: str
    good: int
    needed: int
    failed: Mapping[str, SafeFailure]
    hint = "Bring the safes back and run the same command again."

    def __str__(self) -> str:
        """List every safe and its reason."""
        lines = [f"Nothing was {self.doing}: {self.good} of the {self.needed} safes needed answered well."]
        lines += [f"  {name}: {explain(failure)}" for name, failure in sorted(self.failed.items())]
        return "\n".join(lines)


@dataclass(eq=False)
class NotSafeYet(WalletError):
    """Deleting now would leave the value at fewer safes than its policy names.

    Args:
        may_still_be_lost: How many more safes may be lost as it stands.
        missing: Names of the safes that do not hold it yet.
    """

    may_still_be_lost: int
    missing: tuple[str, ...]
    hint = "Run `kura resume` when they are back, or repeat with --accept-fewer."

    def __str__(self) -> str:
        """Give the number in view of which the person decides."""
        lost = self.may_still_be_lost
        rest = f"only {lost} more safe(s) may be lost" if lost >= 0 else "the safes could not bring it back"
        missing = ", ".join(self.missing)
        return f"The value was not deleted from the wallet: {missing} did not take it yet, and {rest}."


@dataclass(eq=False)
class PiecesWaitHere(NotSafeYet):
    """As NotSafeYet, where even accepting fewer would not help: the wallet itself still has enough pieces."""

    hint = (
        "Run `kura resume` when they are back: the pieces that wait for them here would bring the value back."
    )


@dataclass(eq=False)
class KeyNotInWallet(WalletError):
    """The receipt's policy keeps the key in the wallet, and it is not there."""

    hint = "Recover the key first."

    def __str__(self) -> str:
        """Say what is missing."""
        return "The key of this item is not in the wallet."
