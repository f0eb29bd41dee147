"""How every failure of a safe is told to people, and which exceptions count as one."""

import inspect

import pytest

from rpc_edge import errors as call_errors
from rpc_edge.errors import (
    AnswerMalformed,
    CallFailed,
    CertificateExpired,
    NoAnswer,
    NothingListens,
    UnexpectedStatus,
)
from trust import errors as trust_errors
from trust import owner_refusals, peer_refusals, refusals, wallet_refusals
from trust.errors import SignatureInvalid
from trust.ids import SafeId
from trust.owner_refusals import RearmedLately
from trust.refusals import Refusal, RequestStale, SafeUnreachable, ShuttingDown, StorageFull
from trust.wallet_refusals import (
    CertificateUnknown,
    ItemDeleted,
    NotYourItem,
    QuotaExceeded,
    RosterUnknown,
    StoredPieceDamaged,
)
from wallet_client.network import failures
from wallet_client.network.failures import (
    NotInRoster,
    NotRegisteredThere,
    SafeMisbehaved,
    TooSlow,
    WrongCertificate,
    WrongKeyShare,
    WrongPiece,
    WrongReply,
    explain,
    is_failure_of_safe,
)
from wallet_client.receipts.errors import UnknownReceipt

MODULES = (
    failures,
    call_errors,
    trust_errors,
    refusals,
    wallet_refusals,
    owner_refusals,
    peer_refusals,
)
FIELDS = {
    "seconds": 5.0,
    "day": "2026-01-01",
    "safe_id": SafeId(bytes(16)),
    "document": "manifest",
    "field": "name",
    "problem": "it is odd",
    "code": "ABORTED",
    "reason": "odd",
    "incident": "1f",
}


def every_failure() -> list[Exception]:
    """One of each exception that may count against a safe."""
    found = []
    for module in MODULES:
        for kind in vars(module).values():
            if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__ == module.__name__:
                names = list(inspect.signature(kind).parameters)
                found.append(kind(*(FIELDS.get(name, 1) for name in names)))
    return found


@pytest.mark.parametrize("failure", every_failure(), ids=lambda failure: type(failure).__name__)
def test_every_failure_is_one_line_for_people(failure: Exception) -> None:
    """Something, on one line, without a class name, a traceback or a placeholder."""
    text = explain(failure)
    assert text
    assert text.isprintable()
    assert "\n" not in text
    assert type(failure).__name__ not in text
    assert "{" not in text
    assert is_failure_of_safe(failure)


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (NothingListens(), "nothing listens there (its operator must bring it back)"),
        (NoAnswer(5.0), "no answer within 5 s (its operator must bring it back)"),
        (
            CertificateExpired("2026-01-01"),
            "its certificate expired on 2026-01-01 (its operator must bring it back)",
        ),
        (AnswerMalformed(), "its answer cannot be read (its operator must bring it back)"),
        (
            UnexpectedStatus("ABORTED"),
            "it answered with the unexpected status ABORTED (its operator must bring it back)",
        ),
        (WrongPiece(), "it returned a wrong piece (do not trust it; tell the roster's operators)"),
        (WrongKeyShare(), "it returned a wrong key share (do not trust it; tell the roster's operators)"),
        (
            WrongCertificate(),
            "it certified something else than it was sent (do not trust it; tell the roster's operators)",
        ),
        (WrongReply(), "its reply does not fit the request (do not trust it; tell the roster's operators)"),
        (
            SignatureInvalid("deletion receipt"),
            "The signature of the deletion receipt does not hold"
            " (do not trust it; tell the roster's operators)",
        ),
        (NotRegisteredThere(), "it has not taken its piece yet (run `kura resume` when it is back)"),
        (
            NotInRoster(),
            "it is not in the roster any more (its piece counts as lost; the other safes serve)",
        ),
        (TooSlow(1.0), "still no answer 1 s after the others"),
        (
            StoredPieceDamaged(),
            "The stored piece is damaged. The safe needs repair (tell its operator: it needs repair)",
        ),
        (
            CertificateUnknown(),
            "No piece is kept under this certificate"
            " (it has lost or deleted the piece; back up again to restore it there)",
        ),
        (StorageFull(), "The server's storage is full. Nothing was written (tell its operator)"),
        (NotYourItem(), "The item belongs to another wallet (use the wallet that registered it)"),
        (ItemDeleted(), "This generation of the item was deleted"),
        (
            SafeUnreachable("nothing listens there"),
            "the gateway or terminal does not reach it: nothing listens there",
        ),
        (ShuttingDown(), "The server is stopping. Try again later"),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_what_happened_and_what_helps(failure: Exception, text: str) -> None:
    """Word for word."""
    assert explain(failure) == text


@pytest.mark.parametrize(
    ("failure", "advice"),
    [
        (RequestStale(1), "set this machine's clock"),
        (RosterUnknown(2), "its operator must install the newest roster"),
        (QuotaExceeded(1, 2, 3), "delete what you do not need there, or ask its operator for more"),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_refusals_with_figures_say_what_helps(failure: Refusal, advice: str) -> None:
    """The figures stand in the sentence."""
    assert explain(failure).endswith(f"({advice})")


@pytest.mark.parametrize(
    "error", [ValueError("x"), OSError("disk"), TimeoutError(), UnknownReceipt("r-1"), KeyError("x")]
)
def test_a_defect_or_the_wallets_own_trouble_is_no_failure_of_a_safe(error: Exception) -> None:
    """It must not be blamed on one."""
    assert not is_failure_of_safe(error)


@pytest.mark.parametrize("kind", [CallFailed, Refusal, SafeMisbehaved])
def test_the_families_themselves_are_told(kind: type[Exception]) -> None:
    """A kind that is added later has a sentence too."""
    assert explain(kind())


def test_a_time_is_told_as_people_read_it() -> None:
    """Refusals have it in milliseconds."""
    assert explain(RearmedLately(1_795_000_000_000)).endswith("(again_at 2026-11-18 11:06:40 UTC)")
