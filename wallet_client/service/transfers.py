"""The calls that talk to safes: backup, recover, resume."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from kura.wallet.v1 import wallet_pb2 as pb
from trust.refusals import Malformed
from wallet_client.errors import WalletError
from wallet_client.operations.backup import BackupReport, back_up, drop_backed_up
from wallet_client.operations.progress import Progress
from wallet_client.operations.recover_in_room import RoomyRecovery, recover_in_room, recover_suspended
from wallet_client.operations.resume import resume
from wallet_client.policies.presets import DEFAULT_POLICY
from wallet_client.service.conditions import selected_today
from wallet_client.service.converters import write_backed_up, write_failures
from wallet_client.service.room import read_ways, write_moved, write_shortage
from wallet_client.service.served import Served
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet


async def back_up_values(served: Served, request: pb.BackupRequest) -> AsyncIterator[pb.BackupResponse]:
    """Progress, the result, and then the error about dropping, if there is one."""
    if bool(request.value_ids) == request.by_conditions:
        raise Malformed("value_ids")
    policy_name = request.policy or DEFAULT_POLICY

    async def operation(progress: Progress) -> tuple[BackupReport, WalletError | None]:
        drops = served.wallet.policy(policy_name).drop_after_backup
        value_ids = await _chosen(served, request)
        report = await _register(served, value_ids, policy_name, progress)
        if not (request.drop_values if request.HasField("drop_values") else drops):
            return report, None
        return report, await _drop(served, value_ids, report.fresh, accept_fewer=request.accept_fewer)

    async for step in served.operations.steps(operation):
        if isinstance(step, pb.Progress):
            yield pb.BackupResponse(progress=step)
            continue
        report, problem = step
        yield pb.BackupResponse(result=_backup_result(report))
        if problem is not None:
            raise problem


async def _chosen(served: Served, request: pb.BackupRequest) -> Sequence[ValueId]:
    """The values that are named, or that the conditions select."""
    if request.by_conditions:
        return await selected_today(served.wallet)
    return tuple(dict.fromkeys(ValueId(one) for one in request.value_ids))


async def _register(
    served: Served, value_ids: Sequence[ValueId], policy_name: str, progress: Progress
) -> BackupReport:
    """One value joins those of other calls; several are a batch already."""
    if len(value_ids) == 1:
        return await served.desk.back_up(value_ids[0], policy_name, progress)
    return await back_up(served.wallet, value_ids, policy_name, progress)


async def _drop(
    served: Served, value_ids: Sequence[ValueId], fresh: set[ValueId], *, accept_fewer: bool
) -> WalletError | None:
    try:
        await drop_backed_up(served.wallet, value_ids, accept_fewer=accept_fewer, fresh=fresh)
    except WalletError as error:
        return error
    return None


def _backup_result(report: BackupReport) -> pb.BackupResult:
    return pb.BackupResult(
        values=[write_backed_up(entry) for entry in report.entries],
        failed_safes=write_failures(report.failed),
    )


async def recover_values(served: Served, request: pb.RecoverRequest) -> AsyncIterator[pb.RecoverResponse]:
    """Progress, the result, and then the error about room, if there is too little."""
    _check_recovery(request)

    async def operation(progress: Progress) -> RoomyRecovery:
        return await _recover(served.wallet, request, progress)

    async for step in served.operations.steps(operation):
        if isinstance(step, pb.Progress):
            yield pb.RecoverResponse(progress=step)
            continue
        yield pb.RecoverResponse(result=_recovery_result(step))
        if step.shortage is not None:
            raise step.shortage


def _check_recovery(request: pb.RecoverRequest) -> None:
    """Receipts or values are named, or all that is suspended goes on as it was asked for."""
    if bool(request.receipt_ids or request.value_ids) == request.suspended:
        raise Malformed("receipt_ids")
    if request.suspended and request.HasField("delete_receipts"):
        raise Malformed("delete_receipts")


async def _recover(wallet: Wallet, request: pb.RecoverRequest, progress: Progress) -> RoomyRecovery:
    ways = await read_ways(wallet, request.room, progress)
    if request.suspended:
        return await recover_suspended(wallet, ways=ways, progress=progress)
    return await recover_in_room(
        wallet,
        await asyncio.to_thread(_asked_for, wallet, request),
        delete_receipts=request.delete_receipts if request.HasField("delete_receipts") else None,
        ways=ways,
        progress=progress,
    )


def _asked_for(wallet: Wallet, request: pb.RecoverRequest) -> list[ValueId]:
    """The values of the receipts that are named, and those that are named themselves.

    Raises:
        UnknownReceipt: There is no receipt of that id.
    """
    kept = wallet.store.receipts
    ids = [value_id for receipt_id in request.receipt_ids for value_id in kept.entry(receipt_id).value_ids]
    return [ValueId(value_id) for value_id in (*ids, *request.value_ids)]


def _recovery_result(recovery: RoomyRecovery) -> pb.RecoverResult:
    report, shortage = recovery.report, recovery.shortage
    return pb.RecoverResult(
        recovered_value_ids=report.recovered,
        already_value_ids=report.already,
        failed_safes=write_failures(report.failed),
        forgotten_value_ids=report.forgotten,
        suspended_value_ids=recovery.suspended,
        shortage=None if shortage is None else write_shortage(shortage),
        moved=write_moved(recovery.moved),
        left=[pb.ItemLeft(receipt_id=one, problem=str(error)) for one, error in recovery.left.items()],
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
        older_generations=report.older,
        root_changing=report.root_changing,
    )
