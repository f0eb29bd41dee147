"""The error table is total both ways, and what a hostile server writes into a status does no harm."""

import re
from dataclasses import dataclass, fields
from pathlib import Path

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2, status_pb2

from kura.common.v1 import error_reason_pb2, refusal_pb2
from rpc_edge.error_table import SAFE_ERRORS, ErrorTable, Row
from rpc_edge.errors import UnexpectedStatus
from trust import access_refusals, owner_refusals, peer_refusals, refusals, wallet_refusals
from trust.refusals import Refusal

PROTO = Path(__file__).parents[3] / "protos" / "kura" / "common" / "v1" / "error_reason.proto"
NOT_A_SAFES = {"TOKEN_INVALID"}
MODULES = (refusals, wallet_refusals, owner_refusals, peer_refusals, access_refusals)
EVERY_REFUSAL = [
    kind
    for module in MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Refusal) and kind.__module__ == module.__name__
    if kind is not Refusal
]


def example(kind: type[Refusal]) -> Refusal:
    values = {item.name: 12_345 if item.type is int else "some.field" for item in fields(kind)}
    return kind(**values)


def as_rpc_error(
    status: grpc.Status, *, code: grpc.StatusCode | None = None, details: str | None = None
) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(
        code or status.code,
        trailing_metadata=grpc.aio.Metadata(*status.trailing_metadata),
        details=status.details if details is None else details,
    )


def documented() -> dict[str, tuple[int, str, set[str]]]:
    """Reason -> number, code and metadata keys as the comments of the proto state them."""
    pattern = re.compile(r"((?:  //[^\n]*\n)+)  ERROR_REASON_(\w+) = (\d+);")
    found = {}
    for comment, name, number in pattern.findall(PROTO.read_text()):
        text = re.sub(r"\s*//\s*", " ", comment).strip()
        keys = text.partition("Metadata:")[2]
        found[name] = (int(number), text.partition(".")[0], set(re.findall(r"`(\w+)`", keys)))
    return found


DOCUMENTED = documented()


def test_every_reason_of_a_safe_has_exactly_one_exception() -> None:
    """No reason below 100 is missing, none stands twice, and the proto's comments were all read."""
    assert len(DOCUMENTED) == len(error_reason_pb2.ErrorReason.values())
    expected = {
        number for name, (number, _, _) in DOCUMENTED.items() if 0 < number < 100 and name not in NOT_A_SAFES
    }
    assert sorted(row.reason for row in SAFE_ERRORS.rows) == sorted(expected)


def test_every_refusal_has_exactly_one_reason() -> None:
    assert {row.exception for row in SAFE_ERRORS.rows} == set(EVERY_REFUSAL)


@pytest.mark.parametrize("row", SAFE_ERRORS.rows, ids=lambda row: row.exception.__name__)
def test_code_and_metadata_are_those_the_proto_documents(row: Row) -> None:
    name = error_reason_pb2.ErrorReason.Name(row.reason).removeprefix("ERROR_REASON_")
    _, code, keys = DOCUMENTED[name]
    assert (row.code.name, {item.name for item in fields(row.exception)}) == (code, keys)


@pytest.mark.parametrize("kind", EVERY_REFUSAL, ids=lambda kind: kind.__name__)
def test_a_refusal_crosses_the_wire_as_a_status(kind: type[Refusal]) -> None:
    """Type and typed fields come back; the text is the fixed sentence."""
    error = example(kind)
    status = SAFE_ERRORS.to_status(error)
    back = SAFE_ERRORS.from_status(as_rpc_error(status))
    assert type(back) is kind
    assert vars(back) == vars(error)
    assert status.details == kind.sentence


@pytest.mark.parametrize("kind", EVERY_REFUSAL, ids=lambda kind: kind.__name__)
def test_a_refusal_crosses_the_wire_as_an_entry(kind: type[Refusal]) -> None:
    error = example(kind)
    message = refusal_pb2.Refusal.FromString(SAFE_ERRORS.to_refusal(error).SerializeToString())
    back = SAFE_ERRORS.from_refusal(message)
    assert type(back) is kind
    assert vars(back) == vars(error)
    assert message.message == kind.sentence


def test_error_info_is_what_the_proto_promises() -> None:
    """Domain "kura" and the reason without its prefix, for clients in other languages."""
    ((_, value),) = SAFE_ERRORS.to_status(refusals.RequestStale(7)).trailing_metadata
    info = error_details_pb2.ErrorInfo()
    assert status_pb2.Status.FromString(value).details[0].Unpack(info)
    assert (info.domain, info.reason, dict(info.metadata)) == (
        "kura",
        "REQUEST_STALE",
        {"server_time_ms": "7"},
    )


def forged(
    *infos: error_details_pb2.ErrorInfo | bytes, code: int = 3, message: str = "text"
) -> grpc.aio.AioRpcError:
    status = status_pb2.Status(code=code, message=message)
    for info in infos:
        packed = status.details.add()
        if isinstance(info, bytes):
            packed.CopyFrom(Any(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=info))
        else:
            packed.Pack(info)
    metadata = grpc.aio.Metadata(("grpc-status-details-bin", status.SerializeToString()))
    return grpc.aio.AioRpcError(grpc.StatusCode.INVALID_ARGUMENT, trailing_metadata=metadata, details="text")


def malformed_info(
    domain: str = "kura", reason: str = "MALFORMED", **metadata: str
) -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(domain=domain, reason=reason, metadata=metadata)


def with_metadata(*pairs: tuple[str, bytes]) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(
        grpc.StatusCode.INVALID_ARGUMENT, trailing_metadata=grpc.aio.Metadata(*pairs), details="text"
    )


DETAILS = "grpc-status-details-bin"
HOSTILE = {
    "no metadata at all": grpc.aio.AioRpcError(grpc.StatusCode.INVALID_ARGUMENT, details="text"),
    "no details": with_metadata(),
    "details that are no protobuf": with_metadata((DETAILS, b"\xff\xff\xff")),
    "details twice": with_metadata((DETAILS, b""), (DETAILS, b"")),
    "details of a megabyte": with_metadata((DETAILS, bytes(1_000_000))),
    "another code than the status": forged(malformed_info(field="x"), code=5),
    "a code that does not exist": forged(malformed_info(field="x"), code=77),
    "another text than the status": forged(malformed_info(field="x"), message="other"),
    "no info inside": forged(),
    "two infos": forged(malformed_info(field="x"), malformed_info(field="x")),
    "an info that is no protobuf": forged(b"\xff\xff\xff"),
    "another domain": forged(malformed_info(domain="evil", field="x")),
    "an unknown reason": forged(malformed_info(reason="NEW_REASON", field="x")),
    "a reason of another service": forged(malformed_info(reason="WALLET_FULL")),
    "the reason zero": forged(malformed_info(reason="UNSPECIFIED")),
    "a reason that goes with another code": forged(malformed_info(reason="REQUEST_UNSIGNED")),
    "a missing field": forged(malformed_info()),
    "a field too many": forged(malformed_info(field="x", more="y")),
    "a field too long": forged(malformed_info(field="x" * 600)),
    "control characters": forged(malformed_info(field="\x1b[2J")),
}


@pytest.mark.parametrize("error", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_status_is_an_unexpected_status(error: grpc.aio.AioRpcError) -> None:
    back = SAFE_ERRORS.from_status(error)
    assert isinstance(back, UnexpectedStatus)
    assert back.code == "INVALID_ARGUMENT"


@pytest.mark.parametrize("number", ["", "07", "+7", "7.0", "1e3", "٧", "9" * 40, "-0"])
def test_numbers_are_read_strictly(number: str) -> None:
    message = refusal_pb2.Refusal(
        code=16, reason=error_reason_pb2.ERROR_REASON_REQUEST_STALE, metadata={"server_time_ms": number}
    )
    assert isinstance(SAFE_ERRORS.from_refusal(message), UnexpectedStatus)


@pytest.mark.parametrize(("code", "reason"), [(3, 9999), (99, 20), (0, 0)])
def test_a_hostile_entry_is_an_unexpected_status(code: int, reason: int) -> None:
    """An open enum may hold any number."""
    message = refusal_pb2.Refusal.FromString(b"\x08" + bytes([code]) + b"\x10" + _varint(reason))
    assert isinstance(SAFE_ERRORS.from_refusal(message), UnexpectedStatus)


def _varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + _varint(number >> 7)


@dataclass(eq=False)
class Spread(Refusal):
    sentence = "Too few safes answered."
    failures: dict[str, str]


SPREAD = Row(Spread, grpc.StatusCode.UNAVAILABLE, error_reason_pb2.ERROR_REASON_TOO_FEW_SAFES)


def test_a_service_adds_its_own_rows() -> None:
    """A mapping takes the keys that no other field takes; the rows before still work."""
    table = SAFE_ERRORS.extended([SPREAD])
    error = Spread({"safe-1": "nothing listens there", "safe-2": "no answer within 5 s"})
    back = table.from_status(as_rpc_error(table.to_status(error)))
    assert isinstance(back, Spread)
    assert back.failures == error.failures
    assert not SAFE_ERRORS.covers(error)
    assert isinstance(SAFE_ERRORS.from_status(as_rpc_error(table.to_status(error))), UnexpectedStatus)
    assert isinstance(
        table.from_status(as_rpc_error(table.to_status(refusals.ShuttingDown()))), refusals.ShuttingDown
    )


def test_what_is_sent_can_always_be_read() -> None:
    """A field of any length is cut to what the reader accepts."""
    back = SAFE_ERRORS.from_status(as_rpc_error(SAFE_ERRORS.to_status(refusals.Malformed("x" * 5000))))
    assert isinstance(back, refusals.Malformed)
    assert back.field == "x" * 512


@pytest.mark.parametrize("twice", [SAFE_ERRORS.rows[0], Row(Spread, SPREAD.code, SAFE_ERRORS.rows[0].reason)])
def test_nothing_stands_twice(twice: Row) -> None:
    with pytest.raises(ValueError, match="twice"):
        SAFE_ERRORS.extended([twice])


@dataclass(eq=False)
class Untold(Refusal):
    amount: float


def test_a_field_that_cannot_travel_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="cannot travel"):
        ErrorTable([Row(Untold, SPREAD.code, SPREAD.reason)])
