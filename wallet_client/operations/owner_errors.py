"""What can go wrong with an owner's record, and what the person does next."""

from collections.abc import Mapping
from dataclasses import dataclass

from trust.access_policy import PIN_ALONE, Factor
from trust.ids import SafeId
from trust.roster import Roster
from wallet_client.errors import WalletError
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.errors import TooFewSafes
from wallet_client.owners.access import way_text


@dataclass(eq=False)
class OwnerOutOfReach(TooFewSafes):
    """Not enough safes that agree on the owner's record answered well.

    Args:
        spent: A guess may have been spent at those that answered.
    """

    spent: bool = False

    @classmethod
    def of(
        cls, roster: Roster, failed: Mapping[SafeId, SafeFailure], *, good: int, needed: int, spent: bool
    ) -> "OwnerOutOfReach":
        """The error, its safes by name."""
        return cls("unlocked", good, needed, names_of(roster, failed), spent)

    def __str__(self) -> str:
        """List every safe and its reason, and whether it cost a guess."""
        cost = "A guess may have been spent." if self.spent else "No guess was spent."
        return f"{TooFewSafes.__str__(self)}\n{cost}"


_WRONG_PINS = (
    "After four wrong PINs a safe waits before it takes the next, up to a day; after the last it takes none"
    " until a wallet of the owner's runs `kura owner rearm`, or 30 days have passed."
)
_OLDER_COPY = (
    "An older copy of a device's file is refused until it has signed more often than the other one: use the"
    " newest, or say the same again, once for each time that the other was used since."
)


@dataclass(eq=False)
class OwnerNotUnlocked(WalletError):
    """Nobody can tell which: the safes answer alike. A wallet of the owner's knows by what it opens.

    Args:
        way: By which factors it was tried.
        opens_by: The policy in force, where an owner's wallet asked for a way that it lacks; else empty.
    """

    way: tuple[Factor, ...] = PIN_ALONE
    opens_by: str = ""

    def __str__(self) -> str:
        """Name what was tried."""
        if self.opens_by:
            return f"The record opens by {self.opens_by}, and not by {way_text(self.way)}: say --with."
        if self.way == PIN_ALONE:
            return "The name or the PIN is another, or the safes take no guess now."
        return (
            f"The name is another, or the record does not open by {way_text(self.way)}, or one of them is not"
            " the owner's, or the safes take no guess now."
        )

    @property
    def hint(self) -> str:  # type: ignore[override]  # it depends on what was tried
        """What to look at, in the order in which it helps."""
        if self.opens_by:
            return "Say the same with the factors of one way, as in --with pin,device --device file:PATH."
        said = ["Check both." if self.way == PIN_ALONE else "Check each."]
        if self.way == PIN_ALONE:
            said.append("Where the record asks for more than a PIN, say by what: --with pin,device.")
        if "device" in self.way:
            said.append(_OLDER_COPY)
        if "pin" in self.way:
            said.append(_WRONG_PINS)
        return " ".join(said)


@dataclass(eq=False)
class NothingToTryWith(WalletError):
    """A record is to be made, and nothing is at hand with which it could be tried before it counts.

    Args:
        ways: How it could be opened.
    """

    ways: str

    sentence = "The new record would open by {ways}, and none of these ways can be tried now."
    hint = "Nothing was changed. Bring what one of them needs: --device file:PATH, --authority FILE."


@dataclass(eq=False)
class OwnerRecordBroken(WalletError):
    """k safes agree on a record that does not hold: they are not to be trusted."""

    sentence = "The safes agree on a record that does not hold."
    hint = "Do not try again with your PIN: tell the roster's operators."


@dataclass(eq=False)
class OwnerNameTaken(WalletError):
    """Somebody enrolled under this name before.

    Args:
        safes: Names of the safes that say so.
    """

    safes: tuple[str, ...]

    def __str__(self) -> str:
        """Name the safes."""
        return f"The name has an owner already, at {', '.join(self.safes)}."

    hint = "If it is you: kura owner recover NAME --roster FILE. Else choose another name."


@dataclass(eq=False)
class WalletHasOwnerAlready(WalletError):
    """A wallet acts for one owner.

    Args:
        name: The owner's.
    """

    name: str
    sentence = "This wallet acts for the owner {name} already."
    hint = (
        "If that was interrupted: kura resume. For another owner make another wallet:"
        " kura --home DIR wallet init"
    )


@dataclass(eq=False)
class WalletHasAnotherRoot(WalletError):
    """A wallet has one root, and an owner's wallet the owner's."""

    sentence = "This wallet has a root of its own: keys come from it that would be lost."
    hint = "Come back into another wallet: kura --home DIR owner recover NAME --roster FILE"


@dataclass(eq=False)
class WalletWithoutOwner(WalletError):
    """The command needs an owner."""

    sentence = "This wallet acts for no owner."
    hint = "Enrol one: kura owner enroll NAME. Or come back as one: kura owner recover NAME --roster FILE"


@dataclass(eq=False)
class AnotherRoot(WalletError):
    """An item is a root that was replaced, or that a wallet had before it acted for the owner."""

    sentence = "This item is a root, and not the owner's of now."
    hint = "Nothing of the owner's needs it."


@dataclass(eq=False)
class RecordBehind(WalletError):
    """A record was opened that lacks a root to which items are bound: to go on would lose that root."""

    sentence = "The record that opened lacks a root to which items of this wallet are bound."
    hint = (
        "A change of the root may be under way: say the same again when all safes answer. If another wallet"
        " ended one, come back into a new wallet: kura --home DIR owner recover NAME --roster FILE"
    )


@dataclass(eq=False)
class UnknownWallet(WalletError):
    """No wallet of the owner's, or more than one, begins so.

    Args:
        prefix: What was said.
    """

    prefix: str
    sentence = "No single wallet of the owner's begins with {prefix}."
    hint = "`kura owner wallets` shows them all."


@dataclass(eq=False)
class OwnWallet(WalletError):
    """A wallet does not end its own right: the command could not be repeated from it."""

    sentence = "That is this wallet itself."
    hint = "Revoke it from another wallet of the owner's."


@dataclass(eq=False)
class OtherOwner(WalletError):
    """The name that was said is not the one of the wallet's owner.

    Args:
        name: The owner's.
    """

    name: str
    sentence = "This wallet acts for {name}, not for the owner that was named."
    hint = "Nothing was changed. `kura owner status` shows the name."


@dataclass(eq=False)
class NotDeleted(WalletError):
    """Older generations of the item were deleted, and the newest stands.

    Args:
        receipt_id: Its receipt.
    """

    receipt_id: str
    sentence = "{receipt_id} was not deleted: the receipt of a newer generation is in the wallet."
    hint = (
        "To have an older one back: `kura recover ITEM --delete-receipt`, then `kura undelete ITEM "
        "--generation N`."
    )


@dataclass(eq=False)
class DeletedByRevoked(WalletError):
    """The safes give an item out no more, since a wallet deleted it that is revoked now: a thief's, maybe."""

    sentence = "A wallet that is revoked now deleted it; `kura undelete` takes that back until it is erased."


@dataclass(eq=False)
class DeletionCarriedOut(WalletError):
    """Too late.

    Args:
        receipt_id: The receipt that the item had.
    """

    receipt_id: str
    sentence = "{receipt_id} is gone: the safes have erased it."
    hint = "A deletion can be taken back until the time that `kura receipts deleted` shows."


def names_of(roster: Roster, failed: Mapping[SafeId, SafeFailure]) -> dict[str, SafeFailure]:
    """What went wrong, by the safes' names."""
    names = {safe.safe_id: safe.name for safe in roster.safes}
    return {names.get(safe_id, safe_id.hex()): failure for safe_id, failure in failed.items()}
