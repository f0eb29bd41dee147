"""Every error of the wallet that a call can meet leaves as a refusal that the table carries both ways."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import status_pb2

import rpc_edge  # noqa: F401  # isort: split
from kura.common.v1 import error_reason_pb2
from rpc_edge.errors import NoAnswer, NothingListens
from trust.errors import DocumentMalformed, RosterRefused
from trust.refusals import Refusal
from wallet_client import errors as wallet
from wallet_client.conditions.errors import ConditionInvalid, ConditionNameRefused
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.errors import (
    KeyLost,
    KeyNotInWallet,
    KeyNotSafe,
    KeyPiecesWaitHere,
    KeyUnderItself,
    NotSafeYet,
    TooFewSafes,
)
from wallet_client.operations.put_away import PutAway
from wallet_client.operations.room import Candidate, RoomShort
from wallet_client.policies.errors import (
    PolicyBuiltIn,
    PolicyFileInvalid,
    PolicyInUse,
    PolicyUnfit,
    UnknownPolicy,
)
from wallet_client.receipts import errors as receipts_errors
from wallet_client.service import errors as service
from wallet_client.service.errors import WALLET_ERRORS
from wallet_client.service.translation import refusal_of
from wallet_client.storage import errors as storage_errors
from wallet_client.triggers.errors import TriggerInvalid, TriggerNotOnRequest, UnknownTrigger
from wallet_client.values import errors as values_errors
from wallet_client.values.value import ValueId

NOT_FROM_CALLS = {
    "WalletError": "the base",
    "NotKept": "the base",
    "ImportRefused": "files are the command line's",
    "WalletExists": "only `init` makes wallets",
    "WrongPassphrase": "the wallet is open",
    "PassphraseNeeded": "the wallet is open",
    "PassphraseUnused": "the wallet is open",
    "PassphraseRefused": "the wallet is open",
    "WalletTooNew": "the wallet is open",
    "Ambiguous": "calls name whole ids",
    "UnknownGateway": "it is chosen when the wallet is opened",
}
"""Errors of these modules for which there is no reason, each with the reason why."""

MODULES = (wallet, values_errors, storage_errors, receipts_errors)

VALUE = ValueId("v-a")
FAILED: dict[str, SafeFailure] = {"safe-2": NoAnswer(5.0), "safe-1": NothingListens()}
REFUSALS: list[tuple[Exception, Refusal]] = [
    (values_errors.UnknownValue("v-x"), service.UnknownName("value", "v-x")),
    (receipts_errors.UnknownReceipt("r\n"), service.UnknownName("receipt", "r\\n")),
    (receipts_errors.UnknownDeletion("e"), service.UnknownName("deletion", "e")),
    (storage_errors.UnknownOperation("o"), service.UnknownName("operation", "o")),
    (storage_errors.UnknownDelivery("d"), service.UnknownName("delivery", "d")),
    (storage_errors.UnknownKey("k"), service.UnknownName("key", "k")),
    (storage_errors.UnknownCondition("c"), service.UnknownName("condition", "c")),
    (storage_errors.UnknownSecret("s"), service.UnknownName("secret", "s")),
    (storage_errors.UnknownAlgorithm("a/1"), service.UnknownName("algorithm", "a/1")),
    (storage_errors.PolicyNotKept("p"), service.UnknownName("policy", "p")),
    (storage_errors.SecondRoot("key", "root"), service.NameTaken("key", "root")),
    (storage_errors.KeyNameRefused("k-1"), service.NameUnfit("key", "k-1")),
    (UnknownPolicy("none", ("plain",)), service.UnknownName("policy", "none")),
    (storage_errors.WalletFull(7, 3), service.NoRoom(7, 3, {})),
    (
        RoomShort(
            7,
            3,
            (Candidate(VALUE, "A", 5, True, "size > 1 B"), Candidate(VALUE, "B", 6, False, "size > 1 B")),
            (PutAway(left=(VALUE,)), PutAway()),
        ),
        service.NoRoom(7, 3, {"selected_bytes": "11", "safe_bytes": "5", "left_values": "1"}),
    ),
    (TriggerInvalid("'at 25:00'", "is none"), service.TriggerRefused("'at 25:00'", "is none")),
    (TriggerNotOnRequest("nightly"), service.TriggerNotAsked("nightly")),
    (UnknownTrigger("t"), service.UnknownName("trigger", "t")),
    (
        TooFewSafes("backed up", 2, 4, FAILED),
        service.SafesMissing(
            2,
            4,
            {
                "safe-1": "nothing listens there (its operator must bring it back)",
                "safe-2": "no answer within 5 s (its operator must bring it back)",
            },
        ),
    ),
    (storage_errors.WalletBusy(30.0), service.ChangedElsewhere()),
    (RosterRefused("roster", "it was rolled back"), service.RosterUnfit("it was rolled back")),
    (NotSafeYet(1, ("safe-4", "safe-5")), service.DropRefused(1, "safe-4,safe-5")),
    (values_errors.ValueRefused("class", "is odd"), service.ValueUnfit("class", "is odd")),
    (PolicyUnfit("apart", "it needs 2 safes"), service.PolicyImpossible("apart", "it needs 2 safes")),
    (storage_errors.DeviceFull(), service.DeviceIsFull()),
    (KeyNotInWallet("main"), service.KeyElsewhere("main")),
    (storage_errors.KeyAway("main"), service.KeyElsewhere("main")),
    (KeyLost("main"), service.KeyElsewhere("main")),
    (KeyUnderItself("main", "sealed"), service.KeyCircle("main", "sealed")),
    (KeyNotSafe("main", "it is backed up nowhere"), service.KeyStays("main", "it is backed up nowhere")),
    (KeyPiecesWaitHere("main", "safe-1 waits"), service.KeyStays("main", "safe-1 waits")),
    (wallet.AlreadyKept("condition", "old"), service.NameTaken("condition", "old")),
    (PolicyFileInvalid("p", 7, "it is\nodd", "other"), service.PolicyRefused(7, "it is\\nodd", "other")),
    (PolicyBuiltIn("plain"), service.PolicyStays("plain")),
    (PolicyInUse("office", 2), service.PolicyNeeded("office", 2)),
    (
        ConditionInvalid("`<` does not fit there", 1, 4, "a <", ("is", "=")),
        service.ConditionRefused(1, 4, "`<` does not fit there", "is, ="),
    ),
    (ConditionNameRefused("Old"), service.NameUnfit("condition", "Old")),
    (storage_errors.TracesRemain(), service.TracesStay()),
    (
        storage_errors.StorageFailed("no permission"),
        service.WalletUnusable("The wallet's files could not be used: no permission."),
    ),
    (storage_errors.WalletDamaged("a row"), service.WalletUnusable("The wallet is damaged: a row.")),
    (values_errors.ValueDamaged("it is"), service.WalletUnusable("The value is damaged: it is.")),
    (storage_errors.WalletMissing(Path("/x")), service.WalletUnusable("There is no wallet in /x.")),
    (
        DocumentMalformed("receipt", "leaf", "is short"),
        service.WalletUnusable("The receipt is malformed at leaf: is short."),
    ),
]


def as_client(error: Refusal) -> grpc.aio.AioRpcError:
    """The error a client sees."""
    status: Any = WALLET_ERRORS.to_status(error)
    metadata = grpc.aio.Metadata(*status.trailing_metadata)
    return grpc.aio.AioRpcError(status.code, grpc.aio.Metadata(), metadata, status.details)


def own_refusals() -> Iterator[type[Refusal]]:
    """Every refusal that the service defines."""
    for kind in vars(service).values():
        if inspect.isclass(kind) and issubclass(kind, Refusal) and kind.__module__ == service.__name__:
            yield kind


@pytest.mark.parametrize(("error", "refusal"), REFUSALS, ids=lambda one: type(one).__name__)
def test_an_error_becomes_a_refusal_that_a_client_reads_back(error: Exception, refusal: Refusal) -> None:
    """Type and fields are the same on both sides; text is one printable line."""
    made = refusal_of(error)
    assert (type(made), vars(made)) == (type(refusal), vars(refusal))
    read = WALLET_ERRORS.from_status(as_client(refusal))
    assert (type(read), vars(read)) == (type(refusal), vars(refusal))


def test_every_error_of_the_wallet_has_a_refusal_or_cannot_come_from_a_call() -> None:
    """An error added tomorrow must be decided about."""
    kinds = {
        name: kind
        for module in MODULES
        for name, kind in vars(module).items()
        if inspect.isclass(kind) and issubclass(kind, wallet.WalletError)
    }
    covered = {type(error).__name__ for error, _ in REFUSALS}
    assert kinds.keys() - covered == NOT_FROM_CALLS.keys()
    for name in NOT_FROM_CALLS:
        assert refusal_of.dispatch(kinds[name]) in {
            refusal_of.dispatch(object),
            refusal_of.dispatch(wallet.NotKept),
        }


def test_every_reason_of_the_wallet_service_is_used_once() -> None:
    """From 100 to 139, and TOKEN_INVALID; those from 140 on are an authority's."""
    reasons = {row.reason: row.exception for row in WALLET_ERRORS.rows}
    own = {number for number in error_reason_pb2.ErrorReason.values() if 100 <= number < 140}
    assert own | {error_reason_pb2.ERROR_REASON_TOKEN_INVALID} == {
        reason for reason, kind in reasons.items() if kind in set(own_refusals())
    }


def test_an_error_that_no_call_can_cause_has_no_refusal() -> None:
    """It is a defect, and leaves with an incident id."""
    assert refusal_of(storage_errors.WrongPassphrase()) is None


def test_a_roster_full_of_dead_safes_fits_into_a_status() -> None:
    """255 safes with the longest names and reasons: forty are named, and the client can still read it."""
    failed = {f"{number:03}-{'x' * 59}": SlowestOfAll(5.0) for number in range(255)}
    refusal = refusal_of(TooFewSafes("recovered", 0, 128, failed))
    assert isinstance(refusal, service.SafesMissing)
    assert len(refusal.failed) == 40
    read = WALLET_ERRORS.from_status(as_client(refusal))
    assert isinstance(read, service.SafesMissing)
    (details,) = [value for _, value in WALLET_ERRORS.to_status(refusal).trailing_metadata or ()]
    assert isinstance(details, bytes)
    assert len(status_pb2.Status.FromString(details).details) == 1
    assert len(details) * 4 // 3 < 16 * 1024  # as base64, where a proxy needs it so


class SlowestOfAll(NoAnswer):
    """Has the longest reason one can think of."""

    clause = "no answer" + " at all" * 40


def test_names_of_safes_cannot_hide_the_other_fields() -> None:
    """A safe may be called `safes-good`, but no roster allows an underscore."""
    refusal = service.SafesMissing(1, 3, {"safes-good": "7"})
    read = WALLET_ERRORS.from_status(as_client(refusal))
    assert isinstance(read, service.SafesMissing)
    assert (read.safes_good, read.failed) == (1, {"safes-good": "7"})
