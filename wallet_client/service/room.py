"""Room over the wire: the ways that a call allows, what left, and what would help where it is short."""

import asyncio
from collections.abc import Sequence
from typing import Final

from kura.wallet.v1 import wallet_pb2 as pb
from trust.refusals import Malformed
from wallet_client.operations.progress import Progress, silent
from wallet_client.operations.put_away import PutAway
from wallet_client.operations.room import (
    Candidate,
    MakeRoom,
    RoomShort,
    by_conditions,
    by_moving,
    fits,
    local_time,
    room_short,
)
from wallet_client.operations.triggers import TriggerRunner
from wallet_client.service.converters import write_failures
from wallet_client.service.served import Served
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet

CANDIDATES_SHOWN: Final = 500
"""Of one shortage, so that no answer grows beyond what a client takes."""


async def find_room(served: Served, request: pb.FindRoomRequest) -> pb.FindRoomResponse:
    """What would help so many bytes."""
    store, needed = served.wallet.store, request.needed_bytes
    if not needed:
        raise Malformed("needed_bytes")

    def look() -> pb.FindRoomResponse:
        if fits(store, needed):
            return pb.FindRoomResponse()
        when = local_time(served.wallet.now(), None)
        return pb.FindRoomResponse(shortage=write_shortage(room_short(store, needed, when)))

    return await asyncio.to_thread(look)


async def read_ways(wallet: Wallet, room: pb.Room, progress: Progress = silent) -> list[MakeRoom]:
    """The ways to make room that a call allows, in the order in which they are tried.

    Raises:
        UnknownValue: A value that may leave is not in the wallet.
    """
    ids = [ValueId(one) for one in room.move_value_ids]
    await asyncio.to_thread(lambda: [wallet.store.values.summary(value_id) for value_id in ids])
    ways = [by_moving(wallet, ids, progress)] if ids else []
    if room.by_conditions:
        ways.append(by_conditions(wallet, progress=progress))
    return [*ways, TriggerRunner(wallet).on_shortage]


def write_moved(moved: Sequence[PutAway]) -> pb.Moved | None:
    """What left; None where nothing had to."""
    if not moved:
        return None
    return pb.Moved(
        left_value_ids=[value_id for one in moved for value_id in one.left],
        staying_value_ids=[value_id for one in moved for value_id in one.staying],
        failed_safes=write_failures({name: error for one in moved for name, error in one.failed.items()}),
    )


def write_shortage(short: RoomShort) -> pb.Shortage:
    """The whole report."""
    return pb.Shortage(
        needed_bytes=short.needed,
        free_bytes=short.free,
        selected_bytes=sum(one.size_bytes for one in short.selected),
        safe_bytes=sum(one.size_bytes for one in short.already_safe),
        candidates=map(_write_candidate, short.candidates[:CANDIDATES_SHOWN]),
    )


def _write_candidate(one: Candidate) -> pb.LeavingValue:
    return pb.LeavingValue(
        value_id=one.value_id,
        name=one.name,
        size_bytes=one.size_bytes,
        is_safe=one.is_safe,
        clause=one.clause,
    )
