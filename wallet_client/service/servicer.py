"""WalletService: each call to the function that does it."""

from collections.abc import AsyncIterator
from typing import Final

from kura.wallet.v1 import wallet_pb2 as pb
from kura.wallet.v1 import wallet_pb2_grpc
from rpc_edge.edge import Context
from wallet_client.service import (
    about,
    conditions,
    deletions,
    keys,
    policies,
    receipts,
    room,
    transfers,
    triggers,
    values,
)
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

    async def ListDeletions(
        self, request: pb.ListDeletionsRequest, context: Context
    ) -> AsyncIterator[pb.ListDeletionsResponse]:
        """What is no more, in parts."""
        async for part in deletions.list_deletions(self._served, request):
            yield part

    async def ListPolicies(
        self, request: pb.ListPoliciesRequest, context: Context
    ) -> pb.ListPoliciesResponse:
        """Ways of backing up."""
        return await policies.list_policies(self._served)

    async def GetPolicy(self, request: pb.GetPolicyRequest, context: Context) -> pb.GetPolicyResponse:
        """One way."""
        return await policies.get_policy(self._served, request)

    async def ExplainPolicy(
        self, request: pb.ExplainPolicyRequest, context: Context
    ) -> pb.ExplainPolicyResponse:
        """What one comes to."""
        return await policies.explain_policy(self._served, request)

    async def AddPolicy(self, request: pb.AddPolicyRequest, context: Context) -> pb.AddPolicyResponse:
        """A new way."""
        return await policies.add_one(self._served, request)

    async def RemovePolicy(
        self, request: pb.RemovePolicyRequest, context: Context
    ) -> pb.RemovePolicyResponse:
        """Forget one."""
        return await policies.remove_one(self._served, request)

    async def ListConditions(
        self, request: pb.ListConditionsRequest, context: Context
    ) -> pb.ListConditionsResponse:
        """What is to be backed up by itself."""
        return await conditions.list_conditions(self._served)

    async def AddCondition(
        self, request: pb.AddConditionRequest, context: Context
    ) -> pb.AddConditionResponse:
        """A new condition."""
        return await conditions.add_condition(self._served, request)

    async def EditCondition(
        self, request: pb.EditConditionRequest, context: Context
    ) -> pb.EditConditionResponse:
        """Other words."""
        return await conditions.edit_condition(self._served, request)

    async def RemoveCondition(
        self, request: pb.RemoveConditionRequest, context: Context
    ) -> pb.RemoveConditionResponse:
        """Forget one."""
        return await conditions.remove_condition(self._served, request)

    async def SelectValues(
        self, request: pb.SelectValuesRequest, context: Context
    ) -> AsyncIterator[pb.SelectValuesResponse]:
        """What conditions say of values, in parts."""
        async for part in conditions.select_values(self._served, request):
            yield part

    async def FindRoom(self, request: pb.FindRoomRequest, context: Context) -> pb.FindRoomResponse:
        """What would help."""
        return await room.find_room(self._served, request)

    async def ListTriggers(
        self, request: pb.ListTriggersRequest, context: Context
    ) -> pb.ListTriggersResponse:
        """What starts by itself."""
        return await triggers.list_triggers(self._served)

    async def AddTrigger(self, request: pb.AddTriggerRequest, context: Context) -> pb.AddTriggerResponse:
        """A new trigger."""
        return await triggers.add_trigger(self._served, request)

    async def RemoveTrigger(
        self, request: pb.RemoveTriggerRequest, context: Context
    ) -> pb.RemoveTriggerResponse:
        """Forget one."""
        return await triggers.remove_trigger(self._served, request)

    async def RunTriggers(self, request: pb.RunTriggersRequest, context: Context) -> pb.RunTriggersResponse:
        """Run what is due."""
        return await triggers.run_triggers(self._served, request)

    async def GiveUpRecoveries(
        self, request: pb.GiveUpRecoveriesRequest, context: Context
    ) -> pb.GiveUpRecoveriesResponse:
        """Wait no longer."""
        return await triggers.give_up_recoveries(self._served, request)

    async def ListKeys(self, request: pb.ListKeysRequest, context: Context) -> pb.ListKeysResponse:
        """Keys, here and away."""
        return await keys.list_keys(self._served)

    async def NewKey(self, request: pb.NewKeyRequest, context: Context) -> pb.NewKeyResponse:
        """Make one."""
        return await keys.new_key(self._served, request)

    async def BackupKey(self, request: pb.BackupKeyRequest, context: Context) -> pb.BackupKeyResponse:
        """Register one at the safes."""
        return await keys.back_up_one_key(self._served, request)

    async def RecoverKey(self, request: pb.RecoverKeyRequest, context: Context) -> pb.RecoverKeyResponse:
        """Bring one back."""
        return await keys.recover_one_key(self._served, request)

    async def ForgetKey(self, request: pb.ForgetKeyRequest, context: Context) -> pb.ForgetKeyResponse:
        """Erase one."""
        return await keys.forget_one_key(self._served, request)

    async def Resume(self, request: pb.ResumeRequest, context: Context) -> pb.ResumeResponse:
        """Finish what is open."""
        return await transfers.resume_all(self._served)
