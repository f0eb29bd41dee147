"""What can go wrong between a wallet and its safes, and what the person does next."""

from collections.abc import Mapping
from dataclasses import dataclass

from wallet_client.errors import WalletError
from wallet_client.network.failures import SafeFailure, explain
from wallet_client.values.shown import shown


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
class NotKeptAnyMore(NotSafeYet):
    """As NotSafeYet, where the safes took a value once, and do not say that they still keep it."""

    hint = (
        "Another of the owner's wallets may have deleted it: `kura owner recover NAME` brings the receipts "
        "here up to date. Then back it up again, or take the deletion back with `kura undelete`."
    )

    def __str__(self) -> str:
        """Whatever the reason, the value is still here."""
        return "The value was not deleted from the wallet: the safes do not say that they still keep it."


@dataclass(eq=False)
class KeyNotInWallet(WalletError):
    """What is to be opened was sealed under a key of the wallet that is not there.

    Args:
        name: The key's; empty where the wallet has no entry of it.
    """

    name: str
    hint = "Nothing was fetched. Once the key is back, say the same command again."

    def __str__(self) -> str:
        """Name the key, and what brings it back."""
        if not self.name:
            return "The key of this item is not in the wallet, and the wallet knows nothing of it."
        name = shown(self.name)
        return f"The key {name} of this item is not in the wallet; `kura key recover {name}` brings it back."


@dataclass(eq=False)
class KeyUnderItself(WalletError):
    """A key cannot be sealed under itself, nor the root under what comes from it.

    Args:
        name: The key's.
        policy: The policy that would do so.
    """

    name: str
    policy: str
    sentence = "The key {name} would be sealed under itself by the policy {policy}."
    hint = "Back it up under another policy, such as `threshold`."


@dataclass(eq=False)
class KeyNotSafe(WalletError):
    """A key stays, since it would not come back.

    Args:
        name: The key's.
        problem: What is missing.
    """

    name: str
    problem: str
    sentence = "The key {name} was not forgotten: {problem}."
    hint = "Run `kura key backup`, or `kura resume` when its safes are back; --lose forgets it all the same."


@dataclass(eq=False)
class KeyPiecesWaitHere(KeyNotSafe):
    """As KeyNotSafe, where the wallet itself still has enough pieces: it would not even be lost."""

    hint = "Run `kura resume` when its safes are back."


@dataclass(eq=False)
class KeyLost(WalletError):
    """Nothing brings a key back.

    Args:
        name: The key's.
    """

    name: str
    sentence = "The key {name} is not in the wallet, has no receipt, and does not come from the root."
    hint = "If you have it in a file, `kura key import` takes it in again."


@dataclass(eq=False)
class AlgorithmChanged(WalletError):
    """Another description is known under the name and version of one that was brought.

    Args:
        label: Name and version.
    """

    label: str
    sentence = "The key algorithm {label} is known, and says something else than the one that was brought."
    hint = "Nothing was taken in. Its issuer must give a changed description another version."
