"""What can be wrong with a document, and whose it is.

Every error names the document and the field or party at fault; none carries content.
"""

from dataclasses import dataclass

from trust.ids import SafeId


@dataclass(eq=False)
class TrustError(Exception):
    """A document is not what it must be.

    Args:
        document: Its type's name, such as "manifest".
    """

    document: str


@dataclass(eq=False)
class DocumentMalformed(TrustError):
    """Bytes that are no canonical encoding of the document, or whose fields contradict each other.

    Args:
        field: Path of the field at fault, or "" for the whole.
        problem: What is wrong with it, in words without content.
    """

    field: str
    problem: str

    def __str__(self) -> str:
        """Name the document, the field and the problem."""
        where = f" at {self.field}" if self.field else ""
        return f"The {self.document} is malformed{where}: {self.problem}."


@dataclass(eq=False)
class SignatureInvalid(TrustError):
    """The signature does not fit the document and the key, or the key is none to trust."""

    def __str__(self) -> str:
        """Name the document."""
        return f"The signature of the {self.document} does not hold."


@dataclass(eq=False)
class PieceRootMismatch(TrustError):
    """A piece's bytes do not have the root that was signed.

    Args:
        block: Number of the first 64 KiB block at fault, or None when only the whole is known to be wrong.
    """

    block: int | None = None

    def __str__(self) -> str:
        """Say where the bytes differ."""
        where = "" if self.block is None else f" from block {self.block} on"
        return f"The piece differs from what was signed{where}."


@dataclass(eq=False)
class CertificateMismatch(TrustError):
    """A certificate certifies something else than what was registered.

    Args:
        safe_id: The safe that issued it.
        field: The field that differs.
    """

    safe_id: SafeId
    field: str

    def __str__(self) -> str:
        """Name the field."""
        return f"The certificate differs from what was registered in its {self.field}."


@dataclass(eq=False)
class RosterRefused(TrustError):
    """A roster that must not be used.

    Args:
        problem: Why, in words for the person who holds it.
    """

    problem: str

    def __str__(self) -> str:
        """Give the problem."""
        return f"The roster is refused: {self.problem}."


@dataclass(eq=False)
class AlgorithmRefused(TrustError):
    """A key-generation algorithm from outside that must not be used.

    Args:
        problem: Why, in words for the person who holds its file.
    """

    problem: str

    def __str__(self) -> str:
        """Give the problem."""
        return f"The key algorithm is refused: {self.problem}."


@dataclass(eq=False)
class EnvelopeBroken(TrustError):
    """A frame of an envelope does not open: changed, cut, out of its place, or sealed for somebody else."""

    document: str = "envelope"

    def __str__(self) -> str:
        """Say no more: why it does not open is nobody's to know."""
        return "The envelope does not open."


@dataclass(eq=False)
class AuthorityRefused(TrustError):
    """What an authority says of itself, or under its name, must not be used.

    Args:
        problem: Why, in words for the person who holds it.
    """

    problem: str

    def __str__(self) -> str:
        """Give the problem."""
        return f"The authority is refused: {self.problem}."


@dataclass(eq=False)
class AssertionRefused(TrustError):
    """An assertion that proves nothing here and now.

    Args:
        problem: Why, for the log of whoever judged it; who showed it is told nothing.
    """

    problem: str

    def __str__(self) -> str:
        """Give the problem."""
        return f"The assertion is refused: {self.problem}."


@dataclass(eq=False)
class AccessPolicyRefused(TrustError):
    """An access policy that is not the one in question.

    Args:
        problem: Why.
    """

    problem: str

    def __str__(self) -> str:
        """Give the problem."""
        return f"The access policy is refused: {self.problem}."


@dataclass(eq=False)
class DeviceProofInvalid(TrustError):
    """What a device should have signed, and did not."""

    document: str = "device proof"

    def __str__(self) -> str:
        """Give the sentence."""
        return "The device did not sign this."
