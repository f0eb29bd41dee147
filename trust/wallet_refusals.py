"""Why a safe refuses what a wallet wants of an item or grants a gateway; the rest is in trust/refusals.py."""

from dataclasses import dataclass

from trust.refusals import Refusal


@dataclass(eq=False)
class NotYourItem(Refusal):
    """Another wallet key registered it."""

    sentence = "The item belongs to another wallet."


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
class QuotaExceeded(Refusal):
    """The wallet's share of this safe is used up."""

    sentence = "The wallet would exceed its bytes at this safe."
    limit_bytes: int
    used_bytes: int
    needed_bytes: int


@dataclass(eq=False)
class PieceNeedsStream(Refusal):
    """Too large for a unary call."""

    sentence = "The piece is too large for one message. Use the streaming call."


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
