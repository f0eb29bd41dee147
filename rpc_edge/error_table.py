"""One table between the refusals we raise and what crosses the wire, read in both directions.

A refusal of a whole call travels as a gRPC status whose details hold one google.rpc.ErrorInfo: domain
"kura", the reason's name without its prefix, and the exception's fields as metadata. A refusal of one entry
of a batch travels as kura.common.v1.Refusal with the same content. Fields are text, whole numbers, or one
mapping of text to text, which takes all keys that no other field takes.

What comes from the other side is not trusted: anything that is not exactly what this table would have
written becomes UnexpectedStatus.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, TypeAlias, get_type_hints

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from kura.common.v1 import error_reason_pb2, refusal_pb2
from rpc_edge.errors import UnexpectedStatus
from trust import access_refusals, owner_refusals, peer_refusals, refusals, wallet_refusals
from trust.refusals import Refusal

DOMAIN = "kura"
_PREFIX = "ERROR_REASON_"
DETAILS_KEY = "grpc-status-details-bin"
_MAX_DETAILS_BYTES = 16 * 1024
_MAX_ENTRIES = 300
_MAX_TEXT = 512
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}")

Reason: TypeAlias = "error_reason_pb2.ErrorReason.ValueType"


@dataclass(frozen=True, slots=True)
class Row:
    """One refusal: its exception, its gRPC status code, its reason."""

    exception: type[Refusal]
    code: grpc.StatusCode
    reason: Reason


class ErrorTable:
    """Rows, each exception and each reason once.

    Raises:
        ValueError: An exception or reason stands twice, or a field has a type that cannot travel.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows: Final = tuple(rows)
        self._by_exception = {row.exception: row for row in self.rows}
        self._by_reason: dict[int, Row] = {row.reason: row for row in self.rows}
        if not len(self.rows) == len(self._by_exception) == len(self._by_reason):
            raise ValueError("an exception or a reason stands twice in the error table")
        self._codecs = {row.exception: _Codec(row.exception) for row in self.rows}

    def extended(self, rows: Iterable[Row]) -> ErrorTable:
        """A table with further rows, for a service with reasons of its own."""
        return ErrorTable((*self.rows, *rows))

    def covers(self, error: BaseException) -> bool:
        """Whether there is a row for exactly this exception's type."""
        return type(error) in self._by_exception

    def reason_name(self, error: Refusal) -> str:
        """The reason as it travels in ErrorInfo, for example "REQUEST_REPLAYED"."""
        return _name(self._by_exception[type(error)].reason)

    def to_status(self, error: Refusal) -> grpc.Status:
        """The status that ends a call with this refusal.

        Raises:
            KeyError: The table does not cover it.
        """
        row = self._by_exception[type(error)]
        info = error_details_pb2.ErrorInfo(
            reason=_name(row.reason), domain=DOMAIN, metadata=self._codecs[row.exception].write(error)
        )
        status = status_pb2.Status(code=row.code.value[0], message=error.sentence)
        status.details.add().Pack(info)
        return rpc_status.to_status(status)

    def to_refusal(self, error: Refusal) -> refusal_pb2.Refusal:
        """The message that stands for one entry's result.

        Raises:
            KeyError: The table does not cover it.
        """
        row = self._by_exception[type(error)]
        return refusal_pb2.Refusal(
            code=row.code.value[0],
            reason=row.reason,
            message=error.sentence,
            metadata=self._codecs[row.exception].write(error),
        )

    def from_status(self, error: grpc.aio.AioRpcError) -> Refusal | UnexpectedStatus:
        """The exception that the server raised, or UnexpectedStatus for all that is no row's work."""
        info = _error_info(error)
        if info is None or info.domain != DOMAIN:
            return UnexpectedStatus(error.code().name)
        reason = error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name.get(_PREFIX + info.reason)
        number = reason.number if reason is not None else 0
        return self._read(error.code().value[0], error.code().name, number, info.metadata)

    def from_refusal(self, message: refusal_pb2.Refusal) -> Refusal | UnexpectedStatus:
        """The exception that stands for one entry, or UnexpectedStatus for all that is no row's work."""
        name = _CODE_NAMES.get(message.code, "UNKNOWN")
        return self._read(message.code, name, message.reason, message.metadata)

    def _read(
        self, code: int, code_name: str, reason: int, metadata: Mapping[str, str]
    ) -> Refusal | UnexpectedStatus:
        row = self._by_reason.get(reason)
        if row is None or row.code.value[0] != code or len(metadata) > _MAX_ENTRIES:
            return UnexpectedStatus(code_name)
        error = self._codecs[row.exception].read(metadata)
        return UnexpectedStatus(code_name) if error is None else error


class _Codec:
    """Writes one exception's fields as text and reads them back."""

    def __init__(self, exception: type[Refusal]) -> None:
        hints = get_type_hints(exception)
        self._exception = exception
        self._types: dict[str, Any] = {item.name: hints[item.name] for item in fields(exception)}
        self._spread = [name for name, kind in self._types.items() if kind == dict[str, str]]
        plain = [name for name, kind in self._types.items() if kind in (str, int)]
        if len(plain) + len(self._spread) != len(self._types) or len(self._spread) > 1:
            raise ValueError(f"{exception.__name__} has fields that cannot travel")

    def write(self, error: Refusal) -> dict[str, str]:
        metadata = {name: str(getattr(error, name)) for name in self._types if name not in self._spread}
        for name in self._spread:
            metadata |= getattr(error, name)
        return {key: value[:_MAX_TEXT] for key, value in metadata.items()}

    def read(self, metadata: Mapping[str, str]) -> Refusal | None:
        """None unless every field is there, in its type, and nothing else is."""
        rest = dict(metadata)
        values: dict[str, Any] = {}
        for name, kind in self._types.items():
            if name not in self._spread:
                values[name] = _READERS[kind](rest.pop(name, None))
        if None in values.values() or any(_text(item) is None for pair in rest.items() for item in pair):
            return None
        if self._spread:
            values[self._spread[0]] = rest
        elif rest:
            return None
        return self._exception(**values)


def _text(value: str | None) -> str | None:
    """Text that a terminal can show: bounded, without control characters."""
    return value if value is not None and len(value) <= _MAX_TEXT and value.isprintable() else None


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and _NUMBER.fullmatch(value) else None


_READERS: Final[dict[type, Callable[[str | None], str | int | None]]] = {str: _text, int: _number}
_CODE_NAMES: Final[dict[int, str]] = {code.value[0]: code.name for code in grpc.StatusCode}


def _name(reason: Reason) -> str:
    return error_reason_pb2.ErrorReason.Name(reason).removeprefix(_PREFIX)


def _error_info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo | None:
    """The one ErrorInfo of a status; None when it is missing, contradicts the status, or is too much."""
    details = [value for key, value in error.trailing_metadata() or () if key == DETAILS_KEY]
    if len(details) != 1 or len(details[0]) > _MAX_DETAILS_BYTES:
        return None
    info = error_details_pb2.ErrorInfo()
    try:
        # AioRpcError has all that from_call reads, but does not derive from the type it names.
        status = rpc_status.from_call(error)  # type: ignore[arg-type]
        if status is None or len(status.details) != 1 or not status.details[0].Unpack(info):
            return None
    except (ValueError, DecodeError):
        return None
    return info


def _rows(*rows: tuple[type[Refusal], grpc.StatusCode, Reason]) -> tuple[Row, ...]:
    return tuple(Row(*row) for row in rows)


_Code = grpc.StatusCode
_pb = error_reason_pb2

SAFE_ERRORS: Final = ErrorTable(
    _rows(
        (refusals.RequestUnsigned, _Code.UNAUTHENTICATED, _pb.ERROR_REASON_REQUEST_UNSIGNED),
        (refusals.RequestSignatureInvalid, _Code.UNAUTHENTICATED, _pb.ERROR_REASON_REQUEST_SIGNATURE_INVALID),
        (refusals.RequestStale, _Code.UNAUTHENTICATED, _pb.ERROR_REASON_REQUEST_STALE),
        (refusals.RequestReplayed, _Code.UNAUTHENTICATED, _pb.ERROR_REASON_REQUEST_REPLAYED),
        (wallet_refusals.NotYourItem, _Code.PERMISSION_DENIED, _pb.ERROR_REASON_NOT_YOUR_ITEM),
        (refusals.TlsTooOld, _Code.UNAUTHENTICATED, _pb.ERROR_REASON_TLS_TOO_OLD),
        (refusals.Malformed, _Code.INVALID_ARGUMENT, _pb.ERROR_REASON_MALFORMED),
        (wallet_refusals.ManifestInvalid, _Code.INVALID_ARGUMENT, _pb.ERROR_REASON_MANIFEST_INVALID),
        (wallet_refusals.PieceMismatch, _Code.INVALID_ARGUMENT, _pb.ERROR_REASON_PIECE_MISMATCH),
        (wallet_refusals.DigestMismatch, _Code.INVALID_ARGUMENT, _pb.ERROR_REASON_DIGEST_MISMATCH),
        (wallet_refusals.KeyShareMismatch, _Code.INVALID_ARGUMENT, _pb.ERROR_REASON_KEY_SHARE_MISMATCH),
        (wallet_refusals.RosterUnknown, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_ROSTER_UNKNOWN),
        (wallet_refusals.NotPlacedHere, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_NOT_PLACED_HERE),
        (wallet_refusals.CertificateUnknown, _Code.NOT_FOUND, _pb.ERROR_REASON_CERTIFICATE_UNKNOWN),
        (wallet_refusals.StoredPieceDamaged, _Code.DATA_LOSS, _pb.ERROR_REASON_STORED_PIECE_DAMAGED),
        (wallet_refusals.ItemDeleted, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_ITEM_DELETED),
        (wallet_refusals.TombstoneRevived, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_TOMBSTONE_REVIVED),
        (wallet_refusals.ErasedAlready, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_ERASED_ALREADY),
        (wallet_refusals.PieceConflict, _Code.ALREADY_EXISTS, _pb.ERROR_REASON_PIECE_CONFLICT),
        (refusals.StorageFull, _Code.RESOURCE_EXHAUSTED, _pb.ERROR_REASON_STORAGE_FULL),
        (wallet_refusals.QuotaExceeded, _Code.RESOURCE_EXHAUSTED, _pb.ERROR_REASON_QUOTA_EXCEEDED),
        (refusals.CallTooLarge, _Code.RESOURCE_EXHAUSTED, _pb.ERROR_REASON_CALL_TOO_LARGE),
        (wallet_refusals.PieceNeedsStream, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_PIECE_NEEDS_STREAM),
        (owner_refusals.UnlockRefused, _Code.UNAUTHENTICATED, _pb.ERROR_REASON_UNLOCK_REFUSED),
        (owner_refusals.RecordInvalid, _Code.INVALID_ARGUMENT, _pb.ERROR_REASON_RECORD_INVALID),
        (owner_refusals.OwnerExists, _Code.ALREADY_EXISTS, _pb.ERROR_REASON_OWNER_EXISTS),
        (owner_refusals.OwnerForgotten, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_OWNER_FORGOTTEN),
        (owner_refusals.OwnerUnknown, _Code.NOT_FOUND, _pb.ERROR_REASON_OWNER_UNKNOWN),
        (owner_refusals.NotTheOwner, _Code.PERMISSION_DENIED, _pb.ERROR_REASON_NOT_THE_OWNER),
        (owner_refusals.NotAnOwnersWallet, _Code.PERMISSION_DENIED, _pb.ERROR_REASON_NOT_AN_OWNERS_WALLET),
        (owner_refusals.InvitationNeeded, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_INVITATION_NEEDED),
        (owner_refusals.InvitationInvalid, _Code.PERMISSION_DENIED, _pb.ERROR_REASON_INVITATION_INVALID),
        (owner_refusals.RecordUnknown, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_RECORD_UNKNOWN),
        (owner_refusals.RecordInForce, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_RECORD_IN_FORCE),
        (owner_refusals.RearmedLately, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_REARMED_LATELY),
        (owner_refusals.WalletRevoked, _Code.PERMISSION_DENIED, _pb.ERROR_REASON_WALLET_REVOKED),
        (
            owner_refusals.TooManyRevocations,
            _Code.RESOURCE_EXHAUSTED,
            _pb.ERROR_REASON_TOO_MANY_REVOCATIONS,
        ),
        (owner_refusals.WalletHasOwner, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_WALLET_HAS_OWNER),
        (refusals.EnvelopeRefused, _Code.INVALID_ARGUMENT, _pb.ERROR_REASON_ENVELOPE_REFUSED),
        (refusals.SafeUnknown, _Code.NOT_FOUND, _pb.ERROR_REASON_SAFE_UNKNOWN),
        (refusals.SafeUnreachable, _Code.UNAVAILABLE, _pb.ERROR_REASON_SAFE_UNREACHABLE),
        (peer_refusals.NotAPeer, _Code.UNAUTHENTICATED, _pb.ERROR_REASON_NOT_A_PEER),
        (
            peer_refusals.RepairSessionInvalid,
            _Code.PERMISSION_DENIED,
            _pb.ERROR_REASON_REPAIR_SESSION_INVALID,
        ),
        (peer_refusals.PieceUnknown, _Code.NOT_FOUND, _pb.ERROR_REASON_PIECE_UNKNOWN),
        (peer_refusals.HelperSilent, _Code.UNAVAILABLE, _pb.ERROR_REASON_HELPER_SILENT),
        (refusals.ShuttingDown, _Code.UNAVAILABLE, _pb.ERROR_REASON_SHUTTING_DOWN),
        (access_refusals.NothingWaits, _Code.NOT_FOUND, _pb.ERROR_REASON_NOTHING_WAITS),
        (access_refusals.VetoedLately, _Code.FAILED_PRECONDITION, _pb.ERROR_REASON_VETOED_LATELY),
        (refusals.Busy, _Code.UNAVAILABLE, _pb.ERROR_REASON_BUSY),
        (wallet_refusals.GrantInvalid, _Code.PERMISSION_DENIED, _pb.ERROR_REASON_GRANT_INVALID),
        (wallet_refusals.GrantExpired, _Code.PERMISSION_DENIED, _pb.ERROR_REASON_GRANT_EXPIRED),
        (refusals.InternalError, _Code.INTERNAL, _pb.ERROR_REASON_INTERNAL),
    )
)
"""What a safe says. The wallet service extends it with its own reasons, from 100 on, and TOKEN_INVALID."""
