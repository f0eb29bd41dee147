"""The calls that talk to safes: backup, recover, resume."""

from collections.abc import AsyncIterator, Sequence

from kura.wallet.v1 import wallet_pb2 as pb
from trust.refusals import Malformed
from wallet_client.errors import WalletError
from wallet_client.operations.backup import BackupReport, back_up, drop_backed_up
from wallet_client.operations.progress import Progress
from wallet_client.operations.recover import RecoveryReport, recover
from wallet_client.operations.resume import resume
from wallet_client.policies.presets import DEFAULT_POLICY
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.service.converters import write_backed_up, write_failures
from wallet_client.service.served import Served
from wallet_client.values.value import ValueId


async def back_up_values(served: Served, request: pb.BackupRequest) -> AsyncIterator[pb.BackupResponse]:
    """Progress, the result, and then the error about dropping, if there is one."""
    value_ids = tuple(dict.fromkeys(ValueId(one) for one in request.value_ids))
    if not value_ids:
        raise Malformed("value_ids")
    policy_name = request.policy or DEFAULT_POLICY

    async def operation(progress: Progress) -> tuple[BackupReport, WalletError | None]:
        report = await _register(served, value_ids, policy_name, progress)
        if not request.drop_values:
            return report, None
        return report, await _drop(served, value_ids, accept_fewer=request.accept_fewer)

    async for step in served.operations.steps(operation):
        if isinstance(step, pb.Progress):
            yield pb.BackupResponse(progress=step)
            continue
        report, problem = step
        yield pb.BackupResponse(result=_backup_result(report))
        if problem is not None:
            raise problem


async def _register(
    served: Served, value_ids: Sequence[ValueId], policy_name: str, progress: Progress
) -> BackupReport:
    """One value joins those of other calls; several are a batch already."""
    if len(value_ids) == 1:
        return await served.desk.back_up(value_ids[0], policy_name, progress)
    return await back_up(served.wallet, value_ids, policy_name, progress)


async def _drop(served: Served, value_ids: Sequence[ValueId], *, accept_fewer: bool) -> WalletError | None:
    try:
        await drop_backed_up(served.wallet, value_ids, accept_fewer=accept_fewer)
    except WalletError as error:
        return error
    return None


def _backup_result(report: BackupReport) -> pb.BackupResult:
    return pb.BackupResult(
        values=[write_backed_up(entry) for entry in report.entries],
        failed_safes=write_failures(report.failed),
    )


async def recover_values(served: Served, request: pb.RecoverRequest) -> AsyncIterator[pb.RecoverResponse]:
    """Progress, then the result."""
    receipt_ids = tuple(dict.fromkeys(ReceiptId(one) for one in request.receipt_ids))
    if not receipt_ids:
        raise Malformed("receipt_ids")

    async def operation(progress: Progress) -> RecoveryReport:
        return await recover(
            served.wallet, receipt_ids, delete_receipts=request.delete_receipts, progress=progress
        )

    async for step in served.operations.steps(operation):
        if isinstance(step, pb.Progress):
            yield pb.RecoverResponse(progress=step)
        else:
            yield pb.RecoverResponse(result=_recovery_result(step))


def _recovery_result(report: RecoveryReport) -> pb.RecoverResult:
    return pb.RecoverResult(
        recovered_value_ids=report.recovered,
        already_value_ids=report.already,
        failed_safes=write_failures(report.failed),
    )


async def resume_all(served: Served) -> pb.ResumeResponse:
    """All that is open."""
    report = await served.operations.run(resume(served.wallet))
    return pb.ResumeResponse(
        finished=report.finished,
        withdrawn=report.withdrawn,
        delivered=report.delivered,
        still_waiting=report.still_owed,
        failed_safes=write_failures(report.failed),
    )
