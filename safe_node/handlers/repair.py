"""Repair: have a round of repair soon, and tell how the last one went."""

from __future__ import annotations

from kura.safe.v1 import safe_pb2 as pb
from safe_node.handlers.safe import Safe


def repair(safe: Safe, request: pb.RepairRequest) -> pb.RepairResponse:
    """Ask for a round unless only a look is wanted; nothing is waited for."""
    desk, roster = safe.desk, safe.membership.newest
    if not request.only_look:
        desk.ask()
    return pb.RepairResponse(
        running=desk.is_running,
        rounds=desk.rounds,
        repaired_pieces=desk.repaired,
        lacking_pieces=desk.last.lacking,
        beyond_repair_pieces=desk.last.beyond_repair,
        silent_safes=sorted(roster.safe(peer).name for peer in desk.last.silent),
        suspected_safes=sorted(roster.safe(peer).name for peer in desk.last.suspected),
    )
