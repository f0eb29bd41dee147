"""Between messages and the wallet's own types, strictly and without asking anyone.

Amounts are read digit by digit and days as ISO 8601, nothing else: Python alone would also take
"1_000", "١٢" and "20261231". The limits of a field are `Value`'s to check.
"""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar

from kura.wallet.v1 import wallet_pb2 as pb
from trust.certificate import Certificate
from trust.digest import DigestFields
from trust.ids import SafeId
from trust.refusals import Malformed
from trust.roster import Roster
from trust.value_fields import ValueFields
from wallet_client.network.failures import SafeFailure, explain
from wallet_client.operations.backup import BackedUp
from wallet_client.receipts.receipt import ReceiptState
from wallet_client.receipts.shelf import ReceiptSummary
from wallet_client.storage.keyring import KeyEntry
from wallet_client.storage.store import WalletStore
from wallet_client.storage.values import ValueSummary
from wallet_client.values.errors import ValueRefused

PART_ENTRIES: Final = 500
"""Most entries in one message of a list."""

_Entry = TypeVar("_Entry")
_AMOUNT = re.compile(r"[0-9]{1,28}(?:\.[0-9]{1,28})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AMOUNTS: Final = ("unit_price", "quantity", "total_amount", "remaining_amount")
_DAYS: Final = ("valid_from", "valid_until")
_TEXTS: Final = ("item_class", "name", "place", "remarks", "file_name")
_KEY_KINDS: Final = {"shared": pb.KEY_KIND_SHARED, "pair": pb.KEY_KIND_PAIR, "root": pb.KEY_KIND_ROOT}
_STATES: Final = {"registered": pb.BACKUP_STATE_REGISTERED, "safe": pb.BACKUP_STATE_SAFE}


def read_fields(message: pb.ValueFields, *, held_since: int | None = None) -> dict[str, Any]:
    """What `Value` and `Value.with_fields` take; every field, those not stated at their default.

    Args:
        message: As it came.
        held_since: What it is unless stated; now by default.

    Raises:
        ValueRefused: An amount or a day is not written as it must be.
    """
    fields: dict[str, Any] = {name: getattr(message, name) for name in _TEXTS}
    fields |= {name: _read_amount(name, getattr(message, name)) for name in _AMOUNTS}
    fields |= {name: _read_day(name, getattr(message, name)) for name in _DAYS}
    fields["currency"] = message.currency or None
    fields["held_since"] = message.held_since or (int(time.time()) if held_since is None else held_since)
    fields["media_type"] = message.media_type or "application/octet-stream"
    return fields


def read_request_day(name: str, text: str) -> date | None:
    """A day that a request names; None where it names none.

    Raises:
        Malformed: It is no day.
    """
    try:
        return _read_day(name, text)
    except ValueRefused:
        raise Malformed(name) from None


class ValidityWindow(NamedTuple):
    """Bounds of the first and the last day of validity, as the conditions of a list give them.

    Args:
        starts: First and last day on which validity may begin; None for any, stated or not.
        expires: First and last day on which it may end; None for any, stated or not.
    """

    starts: tuple[date, date] | None
    expires: tuple[date, date] | None

    def holds(self, fields: ValueFields) -> bool:
        """Whether a value's validity is within; a day that is not stated is within no bounds."""
        return _within(fields.valid_from, self.starts) and _within(fields.valid_until, self.expires)


def read_validity(request: pb.ListValuesRequest | pb.ListReceiptsRequest) -> ValidityWindow:
    """The bounds that a list's request gives.

    Raises:
        Malformed: A bound is no day.
    """
    return ValidityWindow(_bounds(request, "starts"), _bounds(request, "expires"))


def _bounds(request: pb.ListValuesRequest | pb.ListReceiptsRequest, what: str) -> tuple[date, date] | None:
    first, last = (
        read_request_day(name, getattr(request, name)) for name in (f"{what}_from", f"{what}_until")
    )
    return None if first is last is None else (first or date.min, last or date.max)


def _within(day: date | None, bounds: tuple[date, date] | None) -> bool:
    return bounds is None or (day is not None and bounds[0] <= day <= bounds[1])


def _read_amount(name: str, text: str) -> Decimal | None:
    if not text:
        return None
    if not _AMOUNT.fullmatch(text):
        raise ValueRefused(name, "must be digits such as 1600 or 21.50")
    return Decimal(text)


def _read_day(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueRefused(name, "must be a day such as 2026-12-31")


def write_fields(fields: ValueFields) -> pb.ValueFields:
    """The fields of a value, a summary or a receipt."""
    return pb.ValueFields(
        **{name: getattr(fields, name) for name in _TEXTS},
        **{name: _text(getattr(fields, name)) for name in (*_AMOUNTS, *_DAYS, "currency")},
        held_since=fields.held_since,
        media_type=fields.media_type,
    )


def _text(value: Decimal | date | str | None) -> str:
    return "" if value is None else str(value)


def write_value(summary: ValueSummary, states: Mapping[str, str]) -> pb.StoredValue:
    """A value as lists show it.

    Args:
        summary: Its index entry.
        states: The state of every receipt by its id.
    """
    word = states.get(summary.receipt_id or "")
    return pb.StoredValue(
        value_id=summary.id,
        fields=write_fields(summary),
        payload_bytes=summary.payload_bytes,
        size_bytes=summary.size_bytes,
        state=_STATES[word] if word else pb.BACKUP_STATE_NOT_BACKED_UP,
        receipt_id=summary.receipt_id or "",
    )


def write_key(entry: KeyEntry, states: Mapping[str, str]) -> pb.Key:
    """A key as lists show it; `states` as in `write_value`."""
    word = states.get(entry.receipt_id or "")
    return pb.Key(
        key_id=entry.id,
        name=entry.name,
        kind=_KEY_KINDS[entry.kind],
        commitment=entry.key_id,
        public_key=entry.public,
        algorithm=entry.algorithm,
        held_since=entry.held_since,
        is_here=entry.is_here,
        state=_STATES[word] if word else pb.BACKUP_STATE_NOT_BACKED_UP,
        receipt_id=entry.receipt_id or "",
    )


def receipt_states(store: WalletStore) -> dict[str, str]:
    """The state of every receipt by its id."""
    return {entry.id: entry.state for entry in store.receipts.entries()}


def write_receipt(receipt_id: str, summary: ReceiptSummary, roster: Roster) -> pb.Receipt:
    """A receipt as lists show it."""
    state = summary.state
    return pb.Receipt(
        receipt_id=receipt_id,
        value_id=summary.value_ids[0] if len(summary.value_ids) == 1 else "",
        fields=write_fields(summary.fields),
        kind=summary.kind,
        members=[
            pb.ReceiptMember(
                value_id=one.value_id, fields=write_fields(one.fields), size_bytes=one.size_bytes
            )
            for one in summary.members
        ],
        size_bytes=summary.size_bytes,
        policy=summary.policy_name,
        created_at=summary.created_at,
        state=_STATES[state.word],
        may_still_be_lost=state.may_still_be_lost,
        holding_safes=_names(state.holding, roster),
        missing_safes=_names((one for one in state.placed if one not in state.holding), roster),
    )


def write_certificate(document: bytes, certificate: Certificate, roster: Roster) -> pb.Certificate:
    """A certificate, field by field and as its exact bytes."""
    return pb.Certificate(
        safe=safe_name(certificate.safe_id, roster),
        safe_id=certificate.safe_id,
        piece_class=certificate.kind,
        digest_mode=certificate.digest.mode,
        digest=certificate.digest.content,
        x=certificate.x_hash,
        y=certificate.counter,
        item_id=certificate.item_id,
        generation=certificate.generation,
        index=certificate.index,
        document=document,
    )


def write_digest(fields: DigestFields) -> pb.DigestFields:
    """What a digest says of one value."""
    return pb.DigestFields(**{name: getattr(fields, name) for name in DigestFields.__struct_fields__})


def write_backed_up(entry: BackedUp) -> pb.BackedUpValue:
    """One value's outcome of a backup."""
    return pb.BackedUpValue(
        value_id=entry.value_id,
        receipt_id=entry.receipt_id,
        state=write_state(entry.state),
        may_still_be_lost=entry.state.may_still_be_lost,
        already=entry.already,
    )


def write_state(state: ReceiptState) -> pb.BackupState.ValueType:
    """Where a receipt stands."""
    return _STATES[state.word]


def write_failures(failed: Mapping[str, SafeFailure]) -> list[pb.FailedSafe]:
    """Safes that failed, by name, each with what happened and what helps."""
    return [pb.FailedSafe(safe=name, problem=explain(error)) for name, error in sorted(failed.items())]


def in_parts(entries: Sequence[_Entry]) -> Iterator[Sequence[_Entry]]:
    """A list in parts that fit into a message whatever their fields hold."""
    return (entries[start : start + PART_ENTRIES] for start in range(0, len(entries), PART_ENTRIES))


def safe_name(safe_id: SafeId, roster: Roster) -> str:
    """A safe's name; its id for one that has left the roster."""
    return next((one.name for one in roster.safes if one.safe_id == safe_id), safe_id.hex())


def _names(safe_ids: Iterable[SafeId], roster: Roster) -> list[str]:
    return [safe_name(safe_id, roster) for safe_id in safe_ids]
