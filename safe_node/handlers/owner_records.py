"""Enroll, StageRecord, CommitRecord, DropRecord: the parts of an owner's records."""

from __future__ import annotations

import asyncio
from functools import partial

from kura.safe.v1 import owner_pb2 as pb
from safe_node.decisions.enrolment import admit_record, plan_commit, plan_drop, plan_enrolment, plan_staging
from safe_node.handlers.owner_converters import read_owner_id, read_record_id, read_version
from safe_node.handlers.safe import Safe
from safe_node.invitations import hash_of
from safe_node.owners import AdmittedRecord
from trust.ids import WalletKey


async def enroll(safe: Safe, caller: WalletKey, request: pb.EnrollRequest) -> pb.EnrollResponse:
    """Keep a new owner's part.

    Raises:
        Malformed, RecordInvalid, NotTheOwner, OwnerExists, InvitationNeeded, InvitationInvalid
    """
    came = await _admitted(safe, caller, request.version)
    plan = partial(plan_enrolment, invitation_needed=safe.invitation_needed)
    invitation = hash_of(request.invitation) if safe.invitation_needed else None
    await safe.store.owners.enroll(came, invitation, safe.now_ms(), plan)
    return pb.EnrollResponse()


async def stage_record(
    safe: Safe, caller: WalletKey, request: pb.StageRecordRequest
) -> pb.StageRecordResponse:
    """Keep a part of a record to come; one that was staged before is erased.

    Raises:
        Malformed, RecordInvalid, NotTheOwner, OwnerUnknown
    """
    came = await _admitted(safe, caller, request.version)
    await safe.store.owners.change(came.owner_id, partial(plan_staging, came=came))
    return pb.StageRecordResponse()


async def commit_record(
    safe: Safe, caller: WalletKey, request: pb.CommitRecordRequest
) -> pb.CommitRecordResponse:
    """Put the staged record in force.

    Raises:
        Malformed, OwnerUnknown, RecordUnknown
    """
    plan = partial(plan_commit, caller=caller, record_id=read_record_id(request))
    await safe.store.owners.change(read_owner_id(request), plan)
    return pb.CommitRecordResponse()


async def drop_record(safe: Safe, caller: WalletKey, request: pb.DropRecordRequest) -> pb.DropRecordResponse:
    """Erase a record that is not in force; the answer comes after the bytes are gone.

    Raises:
        Malformed, OwnerUnknown, RecordInForce
    """
    plan = partial(plan_drop, caller=caller, record_id=read_record_id(request))
    await safe.store.owners.change(read_owner_id(request), plan)
    return pb.DropRecordResponse()


async def _admitted(safe: Safe, caller: WalletKey, version: pb.RecordVersion) -> AdmittedRecord:
    """Held against its commitments in a thread: there may be 255 of each kind."""
    return await asyncio.to_thread(admit_record, read_version(version), caller, safe.membership)
