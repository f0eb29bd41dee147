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

    sentence = "The request's time is too far from the safe's clock. Set the clock and try again."
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
class StoredPieceDamaged(Refusal):
    """What is stored has another hash than was certified."""

    sentence = "The stored piece is damaged. The safe needs repair."


@dataclass(eq=False)
class ItemDeleted(Refusal):
    """A tombstone stands."""

    sentence = "This generation of the item was deleted."


@dataclass(eq=False)
class PieceConflict(Refusal):
    """Something else is registered in this place."""

    sentence = "Another piece is registered for the same item, generation and index."


@dataclass(eq=False)
class StorageFull(Refusal):
    """No room on the safe's disk, or beyond its configured size."""

    sentence = "The safe's storage is full. Nothing was written."


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
class ShuttingDown(Refusal):
    """The server is stopping."""

    sentence = "The server is stopping. Try again later."


@dataclass(eq=False)
class Busy(Refusal):
    """Too many writes wait for the safe's disk."""

    sentence = "The safe has more to write than it can keep up with. Try again later."


@dataclass(eq=False)
class InternalError(Refusal):
    """A defect or an I/O error; the log knows more under the incident's id."""

    sentence = "The server failed. Nothing was changed."
    incident: str
