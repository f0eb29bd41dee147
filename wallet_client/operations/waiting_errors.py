"""What can come of a recovery that waits for the owner's waiting period, and what the person does next."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from trust.ids import SafeId
from wallet_client.errors import WalletError

if TYPE_CHECKING:
    from wallet_client.operations.unlock_claim import Claim


@dataclass(eq=False)
class RecoveryWaits(WalletError):
    """The owner's waiting period runs; what is needed to go on afterwards is in `claim`.

    Args:
        until: When k safes give their parts, whole seconds since 1970, by their clocks.
        claim: Secret: Claim; None once it was taken in.
        safes: At which it began.
    """

    until: int
    claim: "Claim | None" = field(default=None, repr=False)
    safes: tuple[SafeId, ...] = ()

    def __str__(self) -> str:
        """Say when to come back."""
        at = datetime.fromtimestamp(self.until, UTC)
        return (
            f"The owner's waiting period runs: the safes give their parts from {at:%Y-%m-%d %H:%M:%S} UTC on."
        )

    hint = (
        "Say the same command again then; it asks for nothing more. Meanwhile any wallet of the owner's sees"
        " this in `kura owner status`, and may end it: `kura owner veto`."
    )


@dataclass(eq=False)
class RecoveryEnded(WalletError):
    """It waited, and the safes give nothing for it any more."""

    sentence = "The recovery that waited has ended: it was vetoed, or the owner's record was changed."
    hint = "Nothing was brought back. Say the same command again to begin anew."


@dataclass(eq=False)
class AnotherWaits(WalletError):
    """A wallet comes back as one owner, and the recovery of one waits in it."""

    sentence = "In this wallet the recovery of another name waits."
    hint = "Say that name. For this one take another wallet: kura --home DIR owner recover NAME --roster FILE"


@dataclass(eq=False)
class VetoSpent(WalletError):
    """Safes take one veto in 30 days.

    Args:
        next_at: When they take another, whole seconds since 1970.
    """

    next_at: int

    def __str__(self) -> str:
        """Say until when."""
        at = datetime.fromtimestamp(self.next_at, UTC)
        return f"A veto was taken less than 30 days ago; the next one is on {at:%Y-%m-%d %H:%M:%S} UTC."

    hint = (
        "Nothing was ended. Change the record now, which needs no veto and ends all that waits:"
        " `kura owner change-pin`, `kura owner policy` or `kura owner factor remove`."
    )
