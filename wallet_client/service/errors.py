"""What the wallet service refuses, and how the wallet's own errors become such refusals.

The wallet's errors are for people: sentences with paths, names and hints. What crosses the wire is a
Refusal with typed public fields, so one table (rpc_edge.error_table) turns all of them into statuses and
back. `refusal_of` is the only step between the two; an error it does not know is a defect and leaves
the process as INTERNAL with an incident id.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import singledispatch
from itertools import islice
from typing import Final

import grpc

from kura.common.v1 import error_reason_pb2
from rpc_edge.edge import Call, RawRequest
from rpc_edge.error_table import SAFE_ERRORS, Row
from trust.errors import RosterRefused, TrustError
from trust.refusals import Refusal
from wallet_client import errors
from wallet_client.network.failures import explain
from wallet_client.operations.errors import KeyNotInWallet, NotSafeYet, TooFewSafes
from wallet_client.policies.errors import PolicyUnfit, UnknownPolicy

_SAFES_NAMED = 40
_REASON_CHARACTERS = 160
"""Together below the 16 KiB of metadata that a status may have."""


@dataclass(eq=False)
class TokenInvalid(Refusal):
    """No token, more than one, or another one."""

    sentence = "The token of the wallet service is missing or wrong."


@dataclass(eq=False)
class UnknownName(Refusal):
    """The wallet has nothing of that name; `kind` is "value", "receipt" or "policy"."""

    sentence = "The wallet keeps nothing under that name."
    kind: str
    name: str


@dataclass(eq=False)
class NoRoom(Refusal):
    """The wallet's capacity does not suffice."""

    sentence = "The wallet is full. Nothing was changed."
    needed_bytes: int
    free_bytes: int


@dataclass(eq=False)
class SafesMissing(Refusal):
    """Too few safes answered well; `failed` names up to 40 of the others, each with its reason."""

    sentence = "Too few safes answered well. Bring them back and call again."
    safes_good: int
    safes_needed: int
    failed: dict[str, str]


@dataclass(eq=False)
class ChangedElsewhere(Refusal):
    """Another process holds the wallet's lock."""

    sentence = "Another process is changing the wallet. Call again later."


@dataclass(eq=False)
class RosterUnfit(Refusal):
    """The wallet's roster must not be used."""

    sentence = "The wallet's roster is refused. No safe was contacted."
    problem: str


@dataclass(eq=False)
class DropRefused(Refusal):
    """Too few safes have the value for it to leave the wallet; `missing_safes` are names with commas."""

    sentence = "The value was not dropped: not all of its safes have it yet."
    may_still_be_lost: int
    missing_safes: str


@dataclass(eq=False)
class ValueUnfit(Refusal):
    """A field is over its limit, or is not written as it must be."""

    sentence = "The value cannot be taken in."
    field: str
    problem: str


@dataclass(eq=False)
class WalletUnusable(Refusal):
    """The wallet's files are damaged, missing, or out of reach."""

    sentence = "The wallet's files cannot be used. Nothing was overwritten."
    problem: str


@dataclass(eq=False)
class PolicyImpossible(Refusal):
    """The roster has too few safes for the policy."""

    sentence = "The wallet's roster cannot carry the policy."
    policy: str
    problem: str


@dataclass(eq=False)
class DeviceIsFull(Refusal):
    """No space is left under the wallet."""

    sentence = "The device under the wallet is full. Nothing was changed."


@dataclass(eq=False)
class KeyElsewhere(Refusal):
    """The policy keeps the item's key in the wallet, and it is not there."""

    sentence = "The key of this item is not in the wallet."


@dataclass(eq=False)
class TracesStay(Refusal):
    """The change stands; what it erased is not overwritten yet."""

    sentence = "The change was made, but traces remain until the next one. Do not repeat the call."


@dataclass(eq=False)
class PayloadNeedsStream(Refusal):
    """Too large for one message."""

    sentence = "The payload is too large for one message. Use the streaming call."
    limit_bytes: int


_Code = grpc.StatusCode
_pb = error_reason_pb2

WALLET_ERRORS: Final = SAFE_ERRORS.extended(
    Row(*row)
    for row in (
        (TokenInvalid, _Code.UNAUTHENTICATED, _pb.ERROR_REASON_TOKEN_INVALID),
        (UnknownName, _Code.NOT_FOUND, _pb.ERROR_REASON_UNKNOWN_NAME),
        (NoRoom, _Code.RESOURCE_EXHAUSTED, _pb.ERROR_REASON_WALLET_FULL),
        (SafesMissing, _Code.UNAVAILABLE, _pb.ERROR_REASON_TOO_FEW_SAFES),
        (ChangedElsewhere, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_WALLET_BUSY),
        (RosterUnfit, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_ROSTER_REFUSED),
        (DropRefused, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_NOT_SAFE_YET),
        (ValueUnfit, _Code.INVALID_ARGUMENT, _pb.ERROR_REASON_VALUE_REFUSED),
        (WalletUnusable, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_WALLET_UNUSABLE),
        (PolicyImpossible, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_POLICY_UNFIT),
        (DeviceIsFull, _Code.RESOURCE_EXHAUSTED, _pb.ERROR_REASON_DEVICE_FULL),
        (KeyElsewhere, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_KEY_NOT_IN_WALLET),
        (TracesStay, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_TRACES_REMAIN),
        (PayloadNeedsStream, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_PAYLOAD_NEEDS_STREAM),
    )
)
"""What a wallet service says: the reasons common to all servers, and its own."""


@asynccontextmanager
async def wallet_errors_as_refusals(call: Call, request: RawRequest) -> AsyncIterator[RawRequest]:
    """The layer around every call that lets the wallet's errors leave as refusals."""
    try:
        yield request
    except (errors.WalletError, TrustError) as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error


@singledispatch
def refusal_of(error: Exception) -> Refusal | None:
    """What crosses the wire for an error of the wallet; None for one that no call can cause."""
    return None


@refusal_of.register
def _(error: errors.NotKept) -> Refusal:
    return UnknownName(error.kind, _printable(error.text))


@refusal_of.register
def _(error: UnknownPolicy) -> Refusal:
    return UnknownName("policy", _printable(error.name))


@refusal_of.register
def _(error: errors.WalletFull) -> Refusal:
    return NoRoom(error.needed, error.free)


@refusal_of.register
def _(error: TooFewSafes) -> Refusal:
    named = islice(sorted(error.failed.items()), _SAFES_NAMED)
    reasons = {name: explain(failure)[:_REASON_CHARACTERS] for name, failure in named}
    return SafesMissing(error.good, error.needed, reasons)


@refusal_of.register
def _(error: errors.WalletBusy) -> Refusal:
    return ChangedElsewhere()


@refusal_of.register
def _(error: NotSafeYet) -> Refusal:
    return DropRefused(error.may_still_be_lost, ",".join(error.missing))


@refusal_of.register
def _(error: errors.ValueRefused) -> Refusal:
    return ValueUnfit(error.field, error.reason)


@refusal_of.register
def _(error: PolicyUnfit) -> Refusal:
    return PolicyImpossible(error.name, error.problem)


@refusal_of.register
def _(error: errors.DeviceFull) -> Refusal:
    return DeviceIsFull()


@refusal_of.register
def _(error: KeyNotInWallet) -> Refusal:
    return KeyElsewhere()


@refusal_of.register
def _(error: errors.TracesRemain) -> Refusal:
    return TracesStay()


@refusal_of.register(errors.StorageFailed)
@refusal_of.register(errors.WalletDamaged)
@refusal_of.register(errors.ValueDamaged)
@refusal_of.register(errors.WalletMissing)
@refusal_of.register(TrustError)
def _(error: Exception) -> Refusal:
    return WalletUnusable(_printable(str(error)))


@refusal_of.register
def _(error: RosterRefused) -> Refusal:
    return RosterUnfit(error.problem)


def _printable(text: str) -> str:
    """Text that passes a terminal unharmed: whoever reads a status refuses any other."""
    return text if text.isprintable() else text.encode("unicode_escape", "surrogatepass").decode("ascii")
