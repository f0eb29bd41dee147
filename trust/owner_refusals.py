"""Why a safe refuses what concerns an owner, beside what every server says (trust/refusals.py)."""

from dataclasses import dataclass

from trust.refusals import Refusal


@dataclass(eq=False)
class UnlockRefused(Refusal):
    """Unknown, wrong, locked or too early: one reply."""

    sentence = "The record does not open: the name or the PIN is another, or no guess is taken now."


@dataclass(eq=False)
class RecordInvalid(Refusal):
    """A part does not fit its record."""

    sentence = "The part of the owner's record does not hold."
    field: str


@dataclass(eq=False)
class OwnerExists(Refusal):
    """Somebody enrolled under this name before."""

    sentence = "The name has a record already. Choose another name, or recover."


@dataclass(eq=False)
class OwnerForgotten(Refusal):
    """The key is of an owner who had themselves forgotten."""

    sentence = "The owner of this key was forgotten here. Enrol with another key."


@dataclass(eq=False)
class OwnerUnknown(Refusal):
    """No record under the caller's key; one reply for none at all and for another's."""

    sentence = "This safe keeps no record of the owner under this key."


@dataclass(eq=False)
class NotTheOwner(Refusal):
    """Signed by another key than the owner's."""

    sentence = "Only the owner may do this."


@dataclass(eq=False)
class NotAnOwnersWallet(Refusal):
    """No owner authorised the caller."""

    sentence = "The wallet acts for no owner at this safe."


@dataclass(eq=False)
class InvitationNeeded(Refusal):
    """The operator asks for one."""

    sentence = "This safe's operator asks for an invitation."


@dataclass(eq=False)
class InvitationInvalid(Refusal):
    """Unknown or used."""

    sentence = "The invitation is unknown, or was used before."


@dataclass(eq=False)
class RecordUnknown(Refusal):
    """Nothing to put in force."""

    sentence = "No such record of the owner is staged at this safe."


@dataclass(eq=False)
class RecordInForce(Refusal):
    """It cannot be dropped."""

    sentence = "The record is in force."


@dataclass(eq=False)
class RearmedLately(Refusal):
    """Once a day is enough."""

    sentence = "A wallet gave the guesses back less than 24 hours ago."
    again_at_ms: int


@dataclass(eq=False)
class WalletRevoked(Refusal):
    """It acts for nobody any more."""

    sentence = "The owner revoked this wallet."


@dataclass(eq=False)
class TooManyRevocations(Refusal):
    """The owner revoked as many wallets as may be that never were theirs here."""

    sentence = "The owner revoked too many wallets of which this safe never heard."
    limit: int


@dataclass(eq=False)
class WalletHasOwner(Refusal):
    """A wallet has one owner for good."""

    sentence = "The wallet belongs to another owner."
