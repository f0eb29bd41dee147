"""WalletService: each call to the function that does it."""

from collections.abc import AsyncIterator
from typing import Final

from kura.wallet.v1 import wallet_pb2 as pb
from kura.wallet.v1 import wallet_pb2_grpc
from rpc_edge.edge import Context
from wallet_client.service import about, receipts, transfers, values
from wallet_client.service.served import Served

SERVICE: Final = "kura.wallet.v1.WalletService"


class WalletServicer(wallet_pb2_grpc.WalletServiceServicer):
    """The wallet's face; effects and errors are told in wallet.proto.

    Args:
        served: What the calls work on.
    """

    def __init__(self, served: Served) -> None:
        self._served = served

    async def Describe(self, request: pb.DescribeRequest, context: Context) -> pb.DescribeResponse:
        """The wallet's state."""
        return await about.describe(self._served)

    async def ListValues(
        self, request: pb.ListValuesRequest, context: Context
    ) -> AsyncIterator[pb.ListValuesResponse]:
        """Values, in parts."""
        async for part in values.list_values(self._served, request):
            yield part

    async def GetValue(self, request: pb.GetValueRequest, context: Context) -> pb.GetValueResponse:
        """One value."""
        return await values.get_value(self._served, request)

    async def GetValueStream(
        self, request: pb.GetValueStreamRequest, context: Context
    ) -> AsyncIterator[pb.GetValueStreamResponse]:
        """One value of any size."""
        async for part in values.get_value_stream(self._served, request):
            yield part

    async def AddValues(self, request: pb.AddValuesRequest, context: Context) -> pb.AddValuesResponse:
        """New values."""
        return await values.add_values(self._served, request)

    async def AddValueStream(
        self, request_iterator: AsyncIterator[pb.AddValueStreamRequest], context: Context
    ) -> pb.AddValueStreamResponse:
        """One new value of any size."""
        return await values.add_value_stream(self._served, request_iterator)

    async def EditValue(self, request: pb.EditValueRequest, context: Context) -> pb.EditValueResponse:
        """Other fields."""
        return await values.edit_value(self._served, request)

    async def RemoveValue(self, request: pb.RemoveValueRequest, context: Context) -> pb.RemoveValueResponse:
        """Erase one value."""
        return await values.remove_value(self._served, request)

    async def Backup(self, request: pb.BackupRequest, context: Context) -> AsyncIterator[pb.BackupResponse]:
        """Register values at the safes."""
        async for step in transfers.back_up_values(self._served, request):
            yield step

    async def Recover(
        self, request: pb.RecoverRequest, context: Context
    ) -> AsyncIterator[pb.RecoverResponse]:
        """Bring values back."""
        async for step in transfers.recover_values(self._served, request):
            yield step

    async def ListReceipts(
        self, request: pb.ListReceiptsRequest, context: Context
    ) -> AsyncIterator[pb.ListReceiptsResponse]:
        """Receipts, in parts."""
        async for part in receipts.list_receipts(self._served, request):
            yield part

    async def GetReceipt(self, request: pb.GetReceiptRequest, context: Context) -> pb.GetReceiptResponse:
        """One receipt."""
        return await receipts.get_one_receipt(self._served, request)

    async def VerifyReceipts(
        self, request: pb.VerifyReceiptsRequest, context: Context
    ) -> pb.VerifyReceiptsResponse:
        """Check signatures offline."""
        return await receipts.verify_receipts(self._served, request)

    async def ListPolicies(
        self, request: pb.ListPoliciesRequest, context: Context
    ) -> pb.ListPoliciesResponse:
        """Ways of backing up."""
        return about.list_policies(self._served)

    async def Resume(self, request: pb.ResumeRequest, context: Context) -> pb.ResumeResponse:
        """Finish what is open."""
        return await transfers.resume_all(self._served)
