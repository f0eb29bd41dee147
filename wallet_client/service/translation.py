"""How the wallet's own errors become refusals of the service.

The wallet's errors are for people: sentences with paths, names and hints. What crosses the wire is a
Refusal with typed public fields, so one table (rpc_edge.error_table) turns all of them into statuses and
back. `refusal_of` is the only step between the two; an error it does not know is a defect and leaves
the process as INTERNAL with an incident id.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import singledispatch
from itertools import islice

from rpc_edge.edge import Call, RawRequest
from trust.errors import RosterRefused, TrustError
from trust.refusals import Refusal
from wallet_client import errors
from wallet_client.conditions.errors import ConditionInvalid, ConditionNameRefused
from wallet_client.network.failures import explain
from wallet_client.operations.errors import (
    KeyLost,
    KeyNotInWallet,
    KeyNotSafe,
    KeyUnderItself,
    NotSafeYet,
    TooFewSafes,
)
from wallet_client.operations.room import RoomShort
from wallet_client.policies.errors import (
    PolicyBuiltIn,
    PolicyFileInvalid,
    PolicyInUse,
    PolicyUnfit,
    UnknownPolicy,
)
from wallet_client.service import errors as service
from wallet_client.storage import errors as storage_errors
from wallet_client.triggers.errors import TriggerInvalid, TriggerNotOnRequest
from wallet_client.values import errors as values_errors

_SAFES_NAMED = 40
_REASON_CHARACTERS = 160
"""Together below the 16 KiB of metadata that a status may have."""


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
    return service.UnknownName(error.kind, _printable(error.text))


@refusal_of.register
def _(error: UnknownPolicy) -> Refusal:
    return service.UnknownName("policy", _printable(error.name))


@refusal_of.register
def _(error: storage_errors.WalletFull) -> Refusal:
    return service.NoRoom(error.needed, error.free, {})


@refusal_of.register
def _(error: RoomShort) -> Refusal:
    figures = {
        "selected_bytes": sum(one.size_bytes for one in error.selected),
        "safe_bytes": sum(one.size_bytes for one in error.already_safe),
        "left_values": sum(len(one.left) for one in error.moved),
    }
    return service.NoRoom(error.needed, error.free, {name: str(one) for name, one in figures.items()})


@refusal_of.register
def _(error: TooFewSafes) -> Refusal:
    named = islice(sorted(error.failed.items()), _SAFES_NAMED)
    reasons = {name: explain(failure)[:_REASON_CHARACTERS] for name, failure in named}
    return service.SafesMissing(error.good, error.needed, reasons)


@refusal_of.register
def _(error: storage_errors.WalletBusy) -> Refusal:
    return service.ChangedElsewhere()


@refusal_of.register
def _(error: NotSafeYet) -> Refusal:
    return service.DropRefused(error.may_still_be_lost, ",".join(error.missing))


@refusal_of.register
def _(error: values_errors.ValueRefused) -> Refusal:
    return service.ValueUnfit(error.field, error.reason)


@refusal_of.register
def _(error: PolicyUnfit) -> Refusal:
    return service.PolicyImpossible(error.name, error.problem)


@refusal_of.register
def _(error: errors.AlreadyKept) -> Refusal:
    return service.NameTaken(error.kind, _printable(error.text))


@refusal_of.register
def _(error: PolicyFileInvalid) -> Refusal:
    return service.PolicyRefused(error.line, _printable(error.problem), _printable(error.allowed))


@refusal_of.register
def _(error: PolicyBuiltIn) -> Refusal:
    return service.PolicyStays(error.name)


@refusal_of.register
def _(error: PolicyInUse) -> Refusal:
    return service.PolicyNeeded(error.name, error.receipts)


@refusal_of.register
def _(error: ConditionInvalid) -> Refusal:
    allowed = ", ".join(error.allowed)
    return service.ConditionRefused(error.line, error.column, _printable(error.reason), _printable(allowed))


@refusal_of.register
def _(error: storage_errors.KeyNameRefused) -> Refusal:
    return service.NameUnfit("key", _printable(error.name))


@refusal_of.register
def _(error: ConditionNameRefused) -> Refusal:
    return service.NameUnfit("condition", _printable(error.name))


@refusal_of.register
def _(error: TriggerInvalid) -> Refusal:
    return service.TriggerRefused(_printable(error.text), _printable(error.reason))


@refusal_of.register
def _(error: TriggerNotOnRequest) -> Refusal:
    return service.TriggerNotAsked(_printable(error.name))


@refusal_of.register
def _(error: storage_errors.DeviceFull) -> Refusal:
    return service.DeviceIsFull()


@refusal_of.register
def _(error: KeyNotInWallet | KeyLost | storage_errors.KeyAway) -> Refusal:
    return service.KeyElsewhere(error.name)


@refusal_of.register
def _(error: KeyUnderItself) -> Refusal:
    return service.KeyCircle(error.name, error.policy)


@refusal_of.register
def _(error: KeyNotSafe) -> Refusal:
    return service.KeyStays(error.name, error.problem)


@refusal_of.register
def _(error: storage_errors.TracesRemain) -> Refusal:
    return service.TracesStay()


@refusal_of.register(storage_errors.StorageFailed)
@refusal_of.register(storage_errors.WalletDamaged)
@refusal_of.register(values_errors.ValueDamaged)
@refusal_of.register(storage_errors.WalletMissing)
@refusal_of.register(TrustError)
def _(error: Exception) -> Refusal:
    return service.WalletUnusable(_printable(str(error)))


@refusal_of.register
def _(error: RosterRefused) -> Refusal:
    return service.RosterUnfit(error.problem)


def _printable(text: str) -> str:
    """Text that passes a terminal unharmed: whoever reads a status refuses any other."""
    return text if text.isprintable() else text.encode("unicode_escape", "surrogatepass").decode("ascii")
