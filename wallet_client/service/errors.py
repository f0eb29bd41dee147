"""What the wallet service refuses: typed public fields, and one table to statuses and back.

The wallet's own errors become these in translation.py.
"""

from dataclasses import dataclass
from typing import Final

import grpc

from kura.common.v1 import error_reason_pb2
from rpc_edge.error_table import SAFE_ERRORS, Row
from trust.refusals import Refusal


@dataclass(eq=False)
class TokenInvalid(Refusal):
    """No token, more than one, or another one."""

    sentence = "The token of the wallet service is missing or wrong."


@dataclass(eq=False)
class UnknownName(Refusal):
    """The wallet has nothing of that name; `kind` is "value", "receipt", "policy" and so on."""

    sentence = "The wallet keeps nothing under that name."
    kind: str
    name: str


@dataclass(eq=False)
class NoRoom(Refusal):
    """The wallet's capacity does not suffice; `helping` has figures where room could have been made."""

    sentence = "The wallet is full. What was to come is not in it."
    needed_bytes: int
    free_bytes: int
    helping: dict[str, str]


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
    """What is to be sealed or opened needs a key of the wallet that is away; "" where none is known."""

    sentence = "A key that this needs is not in the wallet."
    key: str


@dataclass(eq=False)
class TracesStay(Refusal):
    """The change stands; what it erased is not overwritten yet."""

    sentence = "The change was made, but traces remain until the next one. Do not repeat the call."


@dataclass(eq=False)
class PayloadNeedsStream(Refusal):
    """Too large for one message."""

    sentence = "The payload is too large for one message. Use the streaming call."
    limit_bytes: int


@dataclass(eq=False)
class NameTaken(Refusal):
    """Something else of that kind has the name."""

    sentence = "That name is taken. What has it stays as it is."
    kind: str
    name: str


@dataclass(eq=False)
class NameUnfit(Refusal):
    """Nothing of that kind can be called so."""

    sentence = "Nothing of that kind can be called so."
    kind: str
    name: str


@dataclass(eq=False)
class PolicyRefused(Refusal):
    """The text says no policy that can be used; `line` counts from 1."""

    sentence = "The policy is refused. Nothing was kept."
    line: int
    problem: str
    allowed: str


@dataclass(eq=False)
class PolicyStays(Refusal):
    """Every wallet has it."""

    sentence = "The policy is built in."
    policy: str


@dataclass(eq=False)
class PolicyNeeded(Refusal):
    """Receipts name it, and what they call their policy must stay what they were made by."""

    sentence = "The policy is in use."
    policy: str
    receipts: int


@dataclass(eq=False)
class ConditionRefused(Refusal):
    """The text says no condition; `line` and `column` count from 1."""

    sentence = "The condition is refused. Nothing was kept."
    line: int
    column: int
    problem: str
    allowed: str


@dataclass(eq=False)
class TriggerRefused(Refusal):
    """Name, phrases and start make no trigger."""

    sentence = "The trigger is refused. Nothing was kept."
    phrase: str
    problem: str


@dataclass(eq=False)
class TriggerNotAsked(Refusal):
    """It does not run on request."""

    sentence = "The trigger does not run on request."
    trigger: str


@dataclass(eq=False)
class KeyCircle(Refusal):
    """No order of recoveries would bring the key back."""

    sentence = "The key would be sealed under itself."
    key: str
    policy: str


@dataclass(eq=False)
class KeyStays(Refusal):
    """Not all its safes have it, or a certificate does not hold, or there is none."""

    sentence = "The key was not forgotten: nothing is sure to bring it back."
    key: str
    problem: str


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
        (NameTaken, _Code.ALREADY_EXISTS, _pb.ERROR_REASON_NAME_TAKEN),
        (NameUnfit, _Code.INVALID_ARGUMENT, _pb.ERROR_REASON_NAME_REFUSED),
        (PolicyRefused, _Code.INVALID_ARGUMENT, _pb.ERROR_REASON_POLICY_INVALID),
        (PolicyStays, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_POLICY_BUILT_IN),
        (PolicyNeeded, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_POLICY_IN_USE),
        (ConditionRefused, _Code.INVALID_ARGUMENT, _pb.ERROR_REASON_CONDITION_INVALID),
        (TriggerRefused, _Code.INVALID_ARGUMENT, _pb.ERROR_REASON_TRIGGER_INVALID),
        (TriggerNotAsked, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_TRIGGER_NOT_ON_REQUEST),
        (KeyCircle, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_KEY_UNDER_ITSELF),
        (KeyStays, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_KEY_NOT_SAFE),
    )
)
"""What a wallet service says: the reasons common to all servers, and its own."""
