"""What an authority refuses with crosses both ways, and the proto documents each reason."""

from dataclasses import fields

import grpc
import pytest

from kura.common.v1 import error_reason_pb2
from rpc_edge.authority_errors import AUTHORITY_ERRORS
from rpc_edge.error_table import SAFE_ERRORS
from trust import authority_refusals
from trust.refusals import Refusal

OWN = [row for row in AUTHORITY_ERRORS.rows if row not in SAFE_ERRORS.rows]


def test_every_refusal_of_an_authority_has_a_row_and_every_reason_from_140_on() -> None:
    kinds = {
        kind
        for kind in vars(authority_refusals).values()
        if isinstance(kind, type) and issubclass(kind, Refusal) and kind is not Refusal
    }
    assert {row.exception for row in OWN} == kinds
    numbers = {number for number in error_reason_pb2.ErrorReason.values() if 140 <= number < 160}
    assert {row.reason for row in OWN} == numbers


@pytest.mark.parametrize("row", OWN, ids=lambda row: row.exception.__name__)
def test_it_comes_back_as_what_it_was(row: object) -> None:
    kind = row.exception  # type: ignore[attr-defined]
    error = kind(**{field.name: 7 for field in fields(kind)})
    status = AUTHORITY_ERRORS.to_status(error)
    call = grpc.aio.AioRpcError(
        status.code, trailing_metadata=grpc.aio.Metadata(*status.trailing_metadata), details=status.details
    )
    back = AUTHORITY_ERRORS.from_status(call)
    assert (type(back), str(back)) == (kind, str(error))
