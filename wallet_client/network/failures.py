"""What can go wrong with one safe, as one family, and how it is told to people."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, TypeAlias, TypeGuard

from rpc_edge.errors import CallFailed, CarrierFailed
from trust.errors import TrustError
from trust.refusals import Refusal, RequestStale, SafeUnreachable, StorageFull
from trust.wallet_refusals import (
    CertificateUnknown,
    NotYourItem,
    PieceConflict,
    QuotaExceeded,
    RosterUnknown,
    StoredPieceDamaged,
)


@dataclass(eq=False)
class SafeMisbehaved(Exception):
    """A safe answered, and the answer is wrong."""

    clause: ClassVar[str] = "its answer is wrong"

    def __str__(self) -> str:
        """The clause that follows the safe's name."""
        return self.clause


@dataclass(eq=False)
class WrongPiece(SafeMisbehaved):
    """The piece is not the one that was registered."""

    clause = "it returned a wrong piece"


@dataclass(eq=False)
class WrongKeyShare(SafeMisbehaved):
    """The key share is not the one that was registered."""

    clause = "it returned a wrong key share"


@dataclass(eq=False)
class WrongCertificate(SafeMisbehaved):
    """The certificate is for something else, or is not signed with the safe's key."""

    clause = "it certified something else than it was sent"


@dataclass(eq=False)
class WrongReply(SafeMisbehaved):
    """The reply does not fit the request."""

    clause = "its reply does not fit the request"


@dataclass(eq=False)
class NotRegisteredThere(SafeMisbehaved):
    """The safe was to keep a piece and has not taken it yet; the outbox holds it."""

    clause = "it has not taken its piece yet"


@dataclass(eq=False)
class OtherRecord(SafeMisbehaved):
    """The safe names another record of the owner than the others do."""

    clause = "it has another record of the owner than the others, or none"


@dataclass(eq=False)
class WrongEvaluation(SafeMisbehaved):
    """The PIN was evaluated under another share than the one the safe is committed to."""

    clause = "it evaluated with another key share than its own"


@dataclass(eq=False)
class WrongOwnerPart(SafeMisbehaved):
    """The released part is not what the record says."""

    clause = "it released another part than the record's"


@dataclass(eq=False)
class NotInRoster(SafeMisbehaved):
    """The safe kept a piece under an earlier roster and has left."""

    clause = "it is not in the roster any more"


@dataclass(eq=False)
class TooSlow(Exception):
    """Others had brought enough, and this one had still not answered.

    Args:
        seconds: How long it was waited for after the others.
    """

    seconds: float

    def __str__(self) -> str:
        """The clause that follows the safe's name."""
        return f"still no answer {self.seconds:g} s after the others"


@dataclass(eq=False)
class NotGathered(Exception):
    """By the gateway's word nothing came of this safe.

    Args:
        gateway: The gateway's name.
        problem: Its word, or why there is none.
    """

    gateway: str
    problem: str

    def __str__(self) -> str:
        """The clause that follows the safe's name."""
        return f"{self.gateway} got nothing from it: {self.problem.rstrip('.')}"


@dataclass(eq=False)
class NotAsSealed(Exception):
    """What the gateway gave in this safe's name is not what the safe sealed, or not all of it.

    The safe signs the first frame; whether it or the gateway spoilt a later one, nobody can tell.

    Args:
        gateway: The gateway's name.
    """

    gateway: str

    def __str__(self) -> str:
        """The clause that follows the safe's name."""
        return f"what {self.gateway} gave as its is not what it sealed, or not all of it"


SafeFailure: TypeAlias = (
    CallFailed | Refusal | TrustError | SafeMisbehaved | TooSlow | NotGathered | NotAsSealed
)
"""Counts against one safe and disturbs no other."""

_FAMILY = (CallFailed, Refusal, TrustError, SafeMisbehaved, TooSlow, NotGathered, NotAsSealed)

_ADVICE: tuple[tuple[type[Exception], str], ...] = (
    (StoredPieceDamaged, "tell its operator: it needs repair"),
    (CertificateUnknown, "it has lost or deleted the piece; back up again to restore it there"),
    (PieceConflict, "another copy of this wallet registered it: go on with one copy only"),
    (OtherRecord, "renew the record once you are in: kura owner change-pin"),
    (NotRegisteredThere, "run `kura resume` when it is back"),
    (NotInRoster, "its piece counts as lost; the other safes serve"),
    (SafeMisbehaved, "do not trust it; tell the roster's operators"),
    (TrustError, "do not trust it; tell the roster's operators"),
    (StorageFull, "tell its operator"),
    (QuotaExceeded, "delete what you do not need there, or ask its operator for more"),
    (RequestStale, "set this machine's clock"),
    (RosterUnknown, "its operator must install the newest roster"),
    (NotYourItem, "use the wallet that registered it"),
    (NotAsSealed, "go by another safe, or without --via"),
    (CarrierFailed, "go by another: --via, --terminal"),
    (CallFailed, "its operator must bring it back"),
)


def is_failure_of_safe(error: Exception) -> TypeGuard[SafeFailure]:
    """Whether an exception is a SafeFailure and no defect of the wallet."""
    return isinstance(error, _FAMILY)


_TIME = re.compile(r"_ms (\d{12,14})\b")


def _as_people_read_it(found: re.Match[str]) -> str:
    """Refusals tell times as milliseconds since 1970-01-01 UTC."""
    return f" {datetime.fromtimestamp(int(found[1]) // 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def explain(failure: Exception) -> str:
    """What happened, and what helps, in one line without the safe's name."""
    if isinstance(failure, SafeUnreachable):
        return f"the gateway or terminal does not reach it: {failure.problem}"
    advice = next((text for kind, text in _ADVICE if isinstance(failure, kind)), "")
    happened = _TIME.sub(_as_people_read_it, str(failure)).rstrip(".")
    return f"{happened} ({advice})" if advice else happened
