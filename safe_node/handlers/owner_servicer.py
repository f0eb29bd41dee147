"""OwnerService: each call to its handler. Who may call what stands in rights.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial

import grpc

from kura.safe.v1 import owner_pb2 as pb
from kura.safe.v1 import owner_pb2_grpc
from rpc_edge.bounds import shapes_of
from rpc_edge.edge import Context
from safe_node.handlers import owner_account, owner_deletion, owner_records, owner_unlock
from safe_node.handlers.owner_catalogue import catalogue
from safe_node.handlers.rights import caller
from safe_node.handlers.safe import Safe

OWNER_SERVICE = "kura.safe.v1.OwnerService"
OWNER_SHAPES = shapes_of(pb.DESCRIPTOR.services_by_name["OwnerService"])
"""Where its requests can repeat something."""


class OwnerServicer(owner_pb2_grpc.OwnerServiceServicer):
    """The safe's public face to owners; rights and effects are told in owner.proto."""

    def __init__(self, safe: Safe) -> None:
        """Serve this safe."""
        self._safe = safe

    async def BeginUnlock(self, request: pb.BeginUnlockRequest, context: Context) -> pb.BeginUnlockResponse:
        """Open to all."""
        return await owner_unlock.begin_unlock(self._safe, request)

    async def Evaluate(self, request: pb.EvaluateRequest, context: Context) -> pb.EvaluateResponse:
        """Open to all."""
        return await owner_unlock.evaluate(self._safe, request)

    async def Unlock(self, request: pb.UnlockRequest, context: Context) -> pb.UnlockResponse:
        """Open to all."""
        return await owner_unlock.unlock(self._safe, request)

    async def Enroll(self, request: pb.EnrollRequest, context: Context) -> pb.EnrollResponse:
        """Signed by the owner key of the record."""
        return await owner_records.enroll(self._safe, caller().key, request)

    async def StageRecord(self, request: pb.StageRecordRequest, context: Context) -> pb.StageRecordResponse:
        """Signed by the owner key of the record."""
        return await owner_records.stage_record(self._safe, caller().key, request)

    async def CommitRecord(
        self, request: pb.CommitRecordRequest, context: Context
    ) -> pb.CommitRecordResponse:
        """Signed by the owner."""
        return await owner_records.commit_record(self._safe, caller().key, request)

    async def DropRecord(self, request: pb.DropRecordRequest, context: Context) -> pb.DropRecordResponse:
        """Signed by the owner."""
        return await owner_records.drop_record(self._safe, caller().key, request)

    async def Rearm(self, request: pb.RearmRequest, context: Context) -> pb.RearmResponse:
        """Signed by the owner, or a wallet of theirs."""
        return await owner_account.rearm(self._safe, caller())

    async def Veto(self, request: pb.VetoRequest, context: Context) -> pb.VetoResponse:
        """Signed by the owner."""
        return await owner_account.veto(self._safe, caller().key, request)

    async def OwnerStatus(self, request: pb.OwnerStatusRequest, context: Context) -> pb.OwnerStatusResponse:
        """Signed by the owner, or a wallet of theirs."""
        return await owner_account.owner_status(self._safe, caller())

    async def AuthoriseWallet(
        self, request: pb.AuthoriseWalletRequest, context: Context
    ) -> pb.AuthoriseWalletResponse:
        """Signed by the wallet."""
        return await owner_account.authorise_wallet(self._safe, caller().key, request)

    async def ListWallets(self, request: pb.ListWalletsRequest, context: Context) -> pb.ListWalletsResponse:
        """Signed by the owner, or a wallet of theirs."""
        return await owner_account.list_wallets(self._safe, caller())

    async def RevokeWallet(
        self, request: pb.RevokeWalletRequest, context: Context
    ) -> pb.RevokeWalletResponse:
        """Signed by the owner, or a wallet of theirs."""
        return await owner_account.revoke_wallet(self._safe, caller(), request)

    async def Catalogue(
        self, request: pb.CatalogueRequest, context: Context
    ) -> AsyncIterator[pb.CatalogueResponse]:
        """Signed by the owner, or a wallet of theirs."""
        async for entry in catalogue(self._safe, owner_account.account_of(caller())):
            yield entry

    async def Undelete(self, request: pb.UndeleteRequest, context: Context) -> pb.UndeleteResponse:
        """Signed by the owner, or a wallet of theirs."""
        return await owner_deletion.undelete(self._safe, caller(), request)

    async def ForgetOwner(self, request: pb.ForgetOwnerRequest, context: Context) -> pb.ForgetOwnerResponse:
        """Signed by the owner, or any wallet that brings the owner's word."""
        return await owner_deletion.forget_owner(self._safe, request)


def owner_service_of(safe: Safe) -> Callable[[grpc.aio.Server], None]:
    """What puts this safe's service on a server."""
    return partial(owner_pb2_grpc.add_OwnerServiceServicer_to_server, OwnerServicer(safe))
