"""Why a safe refuses: one exception for each reason a wallet may meet.

They cross the wire both ways by one table (rpc_edge/error_table.py): the safe raises them, the wallet
gets the same type back. Fields are typed and public; the sentence is fixed and holds no content.
"""

from dataclasses import dataclass, fields
from typing import ClassVar


@dataclass(eq=False)
class Refusal(Exception):
    """Base of all. `sentence` is what people read; programs look at the type and its fields."""

    sentence: ClassVar[str] = "The request was refused."

    def __str__(self) -> str:
        """The fixed sentence, with the public fields behind it."""
        details = ", ".join(f"{item.name} {getattr(self, item.name)}" for item in fields(self))
        return f"{self.sentence} ({details})" if details else self.sentence


@dataclass(eq=False)
class RequestUnsigned(Refusal):
    """No proof came with a call that needs one."""

    sentence = "The request is not signed."


@dataclass(eq=False)
class RequestSignatureInvalid(Refusal):
    """The proof is for another method, safe, body or key."""

    sentence = "The request's signature does not hold."


@dataclass(eq=False)
class RequestStale(Refusal):
    """Too old, from the future, or older than the safe's process."""

    sentence = "The request's time is too far from the server's clock. Set the clock and try again."
    server_time_ms: int


@dataclass(eq=False)
class RequestReplayed(Refusal):
    """Seen before."""

    sentence = "This very request was made before."


@dataclass(eq=False)
class NotYourItem(Refusal):
    """Another wallet key registered it."""

    sentence = "The item belongs to another wallet."


@dataclass(eq=False)
class TlsTooOld(Refusal):
    """The connection is not TLS 1.3."""

    sentence = "The connection is not TLS 1.3."


@dataclass(eq=False)
class Malformed(Refusal):
    """The request cannot be read."""

    sentence = "The request is malformed."
    field: str


@dataclass(eq=False)
class ManifestInvalid(Refusal):
    """The manifest or its leaves do not hold."""

    sentence = "The manifest does not hold."
    field: str


@dataclass(eq=False)
class PieceMismatch(Refusal):
    """A value share is not the one its manifest names."""

    sentence = "A piece is not the one its manifest names."
    field: str


@dataclass(eq=False)
class DigestMismatch(Refusal):
    """The digest of an unsealed value is not what the value says of itself."""

    sentence = "The digest is not that of the value."
    field: str


@dataclass(eq=False)
class KeyShareMismatch(Refusal):
    """A key share does not lie on the committed polynomial."""

    sentence = "A key share does not fit the manifest's commitments."
    field: str


@dataclass(eq=False)
class RosterUnknown(Refusal):
    """The manifest was made under another roster."""

    sentence = "The manifest was made under a roster that this safe does not know."
    roster_version: int


@dataclass(eq=False)
class NotPlacedHere(Refusal):
    """The manifest places the piece elsewhere."""

    sentence = "The manifest does not place this piece at this safe."


@dataclass(eq=False)
class CertificateUnknown(Refusal):
    """Unknown, changed, another safe's or deleted: one reply."""

    sentence = "No piece is kept under this certificate."


@dataclass(eq=False)
class NotAPeer(Refusal):
    """The certificate on the other side is no other safe's of the newest roster."""

    sentence = "The certificate is no other safe's of the roster."


@dataclass(eq=False)
class RepairSessionInvalid(Refusal):
    """A repair session is not signed, not fresh, or not for who asks."""

    sentence = "The repair session does not hold."
    field: str


@dataclass(eq=False)
class PieceUnknown(Refusal):
    """Never kept, another's or deleted: one reply."""

    sentence = "The safe keeps no such piece."


@dataclass(eq=False)
class HelperSilent(Refusal):
    """A helper got nothing from another one."""

    sentence = "Another helper of the repair gave nothing."
    helper: str


@dataclass(eq=False)
class StoredPieceDamaged(Refusal):
    """What is stored has another hash than was certified."""

    sentence = "The stored piece is damaged. The safe needs repair."


@dataclass(eq=False)
class ItemDeleted(Refusal):
    """A tombstone stands."""

    sentence = "This generation of the item was deleted."


@dataclass(eq=False)
class TombstoneRevived(Refusal):
    """The owner took this very tombstone back."""

    sentence = "The owner took this deletion back."


@dataclass(eq=False)
class ErasedAlready(Refusal):
    """Too late to take a deletion back."""

    sentence = "The pieces are erased: the time in which the deletion could be taken back is over."


@dataclass(eq=False)
class PieceConflict(Refusal):
    """Something else is registered in this place."""

    sentence = "Another piece is registered for the same item, generation and index."


@dataclass(eq=False)
class StorageFull(Refusal):
    """No room on the safe's disk, or beyond its configured size."""

    sentence = "The server's storage is full. Nothing was written."


@dataclass(eq=False)
class QuotaExceeded(Refusal):
    """The wallet's share of this safe is used up."""

    sentence = "The wallet would exceed its bytes at this safe."
    limit_bytes: int
    used_bytes: int
    needed_bytes: int


@dataclass(eq=False)
class CallTooLarge(Refusal):
    """Too much in one call."""

    sentence = "The call is too large."
    field: str
    limit: int


@dataclass(eq=False)
class PieceNeedsStream(Refusal):
    """Too large for a unary call."""

    sentence = "The piece is too large for one message. Use the streaming call."


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
class WalletHasOwner(Refusal):
    """A wallet has one owner for good."""

    sentence = "The wallet belongs to another owner."


@dataclass(eq=False)
class EnvelopeRefused(Refusal):
    """It was sealed for somebody else, or is not whole; one reply for all of it."""

    sentence = "The envelope does not open."


@dataclass(eq=False)
class SafeUnknown(Refusal):
    """Nothing is carried to strangers."""

    sentence = "The roster of who was to carry the envelope has no such safe."


@dataclass(eq=False)
class SafeUnreachable(Refusal):
    """Whoever carries the envelope got no answer; whether the safe acted on it is unknown."""

    sentence = "The safe cannot be reached from where the envelope was to be carried on."
    problem: str


@dataclass(eq=False)
class GrantInvalid(Refusal):
    """It is another's, for another gateway or list, or not signed by the wallet it names."""

    sentence = "The grant does not hold."
    field: str


@dataclass(eq=False)
class GrantExpired(Refusal):
    """Too old, or from the future."""

    sentence = "The grant does not hold at this time. Set the clock and try again."
    server_time_ms: int


@dataclass(eq=False)
class ShuttingDown(Refusal):
    """The server is stopping."""

    sentence = "The server is stopping. Try again later."


@dataclass(eq=False)
class Busy(Refusal):
    """Too many writes wait for the safe's disk."""

    sentence = "The server has more to do than it can keep up with. Try again later."


@dataclass(eq=False)
class InternalError(Refusal):
    """A defect or an I/O error; the log knows more under the incident's id."""

    sentence = "The server failed. Nothing was changed."
    incident: str
