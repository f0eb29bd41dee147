"""AuthService: each call to its handler. Who may call what stands in rights.py."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import grpc

from auth_service.handlers import accounts, asserting, devices
from auth_service.handlers.authority import Authority
from auth_service.handlers.sealed import answer_sealed, open_path
from kura.auth.v1 import auth_pb2 as pb
from kura.auth.v1 import auth_pb2_grpc
from rpc_edge.bounds import shapes_of
from rpc_edge.edge import Context
from trust import authority_calls as calls

SHAPES = shapes_of(pb.DESCRIPTOR.services_by_name["AuthService"])
"""Where its requests can repeat something."""


class AuthServicer(auth_pb2_grpc.AuthServiceServicer):
    """The authority's public face; rights and effects are told in auth.proto."""

    def __init__(self, authority: Authority) -> None:
        """Serve this authority."""
        self._authority = authority

    async def Describe(self, request: pb.DescribeRequest, context: Context) -> pb.DescribeResponse:
        """Public."""
        return pb.DescribeResponse(authority=self._authority.identity.signed.to_bytes())

    async def OpenPath(self, request: pb.OpenPathRequest, context: Context) -> pb.OpenPathResponse:
        """Public."""
        return open_path(self._authority, request)

    async def Register(self, request: pb.RegisterRequest, context: Context) -> pb.RegisterResponse:
        """Anyone."""
        run = accounts.register
        answer = await answer_sealed(self._authority, "Register", request.question, calls.Credentials, run)
        return pb.RegisterResponse(answer=answer)

    async def Login(self, request: pb.LoginRequest, context: Context) -> pb.LoginResponse:
        """Anyone."""
        run = accounts.log_in
        answer = await answer_sealed(self._authority, "Login", request.question, calls.Credentials, run)
        return pb.LoginResponse(answer=answer)

    async def ChallengeDevice(
        self, request: pb.ChallengeDeviceRequest, context: Context
    ) -> pb.ChallengeDeviceResponse:
        """Anyone."""
        run = devices.challenge_device
        answer = await answer_sealed(
            self._authority, "ChallengeDevice", request.question, calls.ChallengeQuestion, run
        )
        return pb.ChallengeDeviceResponse(answer=answer)

    async def LoginWithDevice(
        self, request: pb.LoginWithDeviceRequest, context: Context
    ) -> pb.LoginWithDeviceResponse:
        """Anyone."""
        run = devices.login_with_device
        answer = await answer_sealed(
            self._authority, "LoginWithDevice", request.question, calls.DeviceLogin, run
        )
        return pb.LoginWithDeviceResponse(answer=answer)

    async def Logout(self, request: pb.LogoutRequest, context: Context) -> pb.LogoutResponse:
        """Anyone."""
        run = accounts.log_out
        answer = await answer_sealed(self._authority, "Logout", request.question, calls.InSession, run)
        return pb.LogoutResponse(answer=answer)

    async def ChangePassword(
        self, request: pb.ChangePasswordRequest, context: Context
    ) -> pb.ChangePasswordResponse:
        """Anyone."""
        run = accounts.change_password
        answer = await answer_sealed(
            self._authority, "ChangePassword", request.question, calls.PasswordChange, run
        )
        return pb.ChangePasswordResponse(answer=answer)

    async def AddDevice(self, request: pb.AddDeviceRequest, context: Context) -> pb.AddDeviceResponse:
        """Session."""
        run = devices.add_device
        answer = await answer_sealed(self._authority, "AddDevice", request.question, calls.NewDevice, run)
        return pb.AddDeviceResponse(answer=answer)

    async def ListDevices(self, request: pb.ListDevicesRequest, context: Context) -> pb.ListDevicesResponse:
        """Session."""
        run = devices.list_devices
        answer = await answer_sealed(self._authority, "ListDevices", request.question, calls.InSession, run)
        return pb.ListDevicesResponse(answer=answer)

    async def RemoveDevice(
        self, request: pb.RemoveDeviceRequest, context: Context
    ) -> pb.RemoveDeviceResponse:
        """Session."""
        run = devices.remove_device
        answer = await answer_sealed(
            self._authority, "RemoveDevice", request.question, calls.DeviceRemoval, run
        )
        return pb.RemoveDeviceResponse(answer=answer)

    async def Assert(self, request: pb.AssertRequest, context: Context) -> pb.AssertResponse:
        """Session."""
        run = asserting.assert_
        answer = await answer_sealed(self._authority, "Assert", request.question, calls.AssertionWish, run)
        return pb.AssertResponse(answer=answer)

    async def ListEvents(self, request: pb.ListEventsRequest, context: Context) -> pb.ListEventsResponse:
        """Session."""
        run = accounts.list_events
        answer = await answer_sealed(self._authority, "ListEvents", request.question, calls.InSession, run)
        return pb.ListEventsResponse(answer=answer)


def auth_service_of(authority: Authority) -> Callable[[grpc.aio.Server], None]:
    """What puts this authority's service on a server."""
    return partial(auth_pb2_grpc.add_AuthServiceServicer_to_server, AuthServicer(authority))
