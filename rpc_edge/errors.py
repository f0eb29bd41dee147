"""Why a call brought no answer: what a client meets besides the refusals of trust.

`str()` of each is a clause that follows a safe's name: "safe-3: its certificate expired on 2026-01-01".
Nothing here knows gRPC, so callers tell the causes apart without importing it.
"""

from dataclasses import dataclass, fields
from typing import ClassVar


@dataclass(eq=False)
class CallFailed(Exception):
    """Base of all. `clause` is a format string over the fields."""

    clause: ClassVar[str] = "the call failed"
    retry_may_help: ClassVar[bool] = False
    """Whether the same call to the same server may succeed later without anybody mending anything."""

    def __str__(self) -> str:
        """The clause with the fields in it."""
        return self.clause.format(**{item.name: getattr(self, item.name) for item in fields(self)})


@dataclass(eq=False)
class NothingListens(CallFailed):
    """The connection was refused: the machine is up, the server is not."""

    clause = "nothing listens there"
    retry_may_help = True


@dataclass(eq=False)
class AddressUnknown(CallFailed):
    """The host's name does not resolve."""

    clause = "its address cannot be found"
    retry_may_help = True


@dataclass(eq=False)
class Unreachable(CallFailed):
    """No route, no network, or a failure that has no better name."""

    clause = "it cannot be reached"
    retry_may_help = True


@dataclass(eq=False)
class NoAnswer(CallFailed):
    """Nothing came in time.

    Args:
        seconds: How long the caller waited.
    """

    clause = "no answer within {seconds:g} s"
    retry_may_help = True
    seconds: float


@dataclass(eq=False)
class ConnectionLost(CallFailed):
    """The connection ended during the call; whether the server acted on it is unknown."""

    clause = "the connection was lost"
    retry_may_help = True


@dataclass(eq=False)
class CertificateExpired(CallFailed):
    """The server presents the certificate of the roster, which is past its date.

    Args:
        day: Its last day, ISO 8601, UTC.
    """

    clause = "its certificate expired on {day}"
    day: str


@dataclass(eq=False)
class CertificateNotYetValid(CallFailed):
    """The server presents the certificate of the roster, which begins later; or this clock is wrong.

    Args:
        day: Its first day, ISO 8601, UTC.
    """

    clause = "its certificate is valid only from {day} on"
    day: str


@dataclass(eq=False)
class OtherCertificate(CallFailed):
    """Somebody else answers at the address, or the safe changed its certificate without a roster version."""

    clause = "it presents another certificate than the roster's"


@dataclass(eq=False)
class CertificateUnfit(CallFailed):
    """The roster's certificate cannot be pinned.

    Args:
        problem: What is wrong with it, in words.
    """

    clause = "its certificate in the roster cannot be used: {problem}"
    problem: str


@dataclass(eq=False)
class NotTls13(CallFailed):
    """It speaks no TLS, or an older one."""

    clause = "it does not speak TLS 1.3"


@dataclass(eq=False)
class NotASafe(CallFailed):
    """It speaks TLS, but not gRPC."""

    clause = "what answers there is no safe"


@dataclass(eq=False)
class AnswerMalformed(CallFailed):
    """The answer is no message of the expected type."""

    clause = "its answer cannot be read"


@dataclass(eq=False)
class UnexpectedStatus(CallFailed):
    """A status without a reason this program knows.

    Args:
        code: Name of the gRPC status code, such as "UNIMPLEMENTED".
    """

    clause = "it answered with the unexpected status {code}"
    code: str


@dataclass(eq=False)
class CarrierFailed(CallFailed):
    """Who carries the call cannot be reached; of the safe itself nothing is known.

    Args:
        carrier: Its name, such as "safe-1" or "the terminal".
        problem: The clause of what went wrong with it.
    """

    clause = "{carrier} carries nothing to it: {problem}"
    retry_may_help = True
    carrier: str
    problem: str


@dataclass(eq=False)
class ReplyBroken(CallFailed):
    """What came back does not open, or stops before its end; somebody on the way changed it or cut it off."""

    clause = "what came back is not what it sealed"
    retry_may_help = True
