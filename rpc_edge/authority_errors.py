"""What an authority says: the safe's table with the reasons of accounts, sessions and devices."""

from typing import Final

import grpc

from kura.common.v1 import error_reason_pb2 as pb
from rpc_edge.error_table import SAFE_ERRORS, Row
from trust import authority_refusals as refusals

_Code = grpc.StatusCode

AUTHORITY_ERRORS: Final = SAFE_ERRORS.extended(
    Row(*row)
    for row in (
        (refusals.LoginRefused, _Code.UNAUTHENTICATED, pb.ERROR_REASON_LOGIN_REFUSED),
        (refusals.SessionInvalid, _Code.UNAUTHENTICATED, pb.ERROR_REASON_SESSION_INVALID),
        (refusals.AccountExists, _Code.ALREADY_EXISTS, pb.ERROR_REASON_ACCOUNT_EXISTS),
        (refusals.RegistrationClosed, _Code.PERMISSION_DENIED, pb.ERROR_REASON_REGISTRATION_CLOSED),
        (refusals.QuestionSealBroken, _Code.INVALID_ARGUMENT, pb.ERROR_REASON_SEAL_BROKEN),
        (refusals.PathUnknown, _Code.FAILED_PRECONDITION, pb.ERROR_REASON_PATH_UNKNOWN),
        (refusals.DeviceRefused, _Code.UNAUTHENTICATED, pb.ERROR_REASON_DEVICE_REFUSED),
        (refusals.TooManyCalls, _Code.RESOURCE_EXHAUSTED, pb.ERROR_REASON_TOO_MANY_CALLS),
    )
)
