"""Why a server refuses whoever calls: one exception for each reason.

What concerns items stands in wallet_refusals, owners in owner_refusals, other safes in peer_refusals, and
an authority's accounts in authority_refusals. All cross the wire both ways by one table
(rpc_edge/error_table.py): the server raises them, the caller gets the same type back. Fields are typed and
public; the sentence is fixed and holds no content.
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
class TlsTooOld(Refusal):
    """The connection is not TLS 1.3."""

    sentence = "The connection is not TLS 1.3."


@dataclass(eq=False)
class Malformed(Refusal):
    """The request cannot be read."""

    sentence = "The request is malformed."
    field: str


@dataclass(eq=False)
class StorageFull(Refusal):
    """No room on the safe's disk, or beyond its configured size."""

    sentence = "The server's storage is full. Nothing was written."


@dataclass(eq=False)
class CallTooLarge(Refusal):
    """Too much in one call."""

    sentence = "The call is too large."
    field: str
    limit: int


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
