"""BeginUnlock, Evaluate, Unlock: what anyone may ask who knows a name.

Every call does the same work in the same order, whoever is asked about: read, decide, make a decoy. What is
refused is refused before anything is looked up (the form of the request) or alike (everything else).
"""

from __future__ import annotations

import asyncio
from functools import partial

from kura.safe.v1 import owner_pb2 as pb
from safe_node.decisions.decoy import Decoy, decoy_tag, make_decoy
from safe_node.decisions.evaluating import Evaluated, evaluate_guess
from safe_node.decisions.guessing import FIRST_DECOY, plan_guess, target_now
from safe_node.decisions.unlocking import plan_unlock, seal_part
from safe_node.handlers.owner_converters import (
    read_attempt,
    read_claim,
    read_owner_id,
    read_record_id,
    write_evaluated,
)
from safe_node.handlers.safe import Safe
from safe_node.owners import Target
from trust.ids import OwnerId


async def begin_unlock(safe: Safe, request: pb.BeginUnlockRequest) -> pb.BeginUnlockResponse:
    """Show the record that may be tried now, or a decoy.

    Raises:
        Malformed: The request cannot be read.
    """
    owner_id = read_owner_id(request)
    record_id = read_record_id(request) if request.record_id else None
    state = await safe.store.owners.guesses_at(owner_id)
    target = target_now(state, record_id, _decoy(safe, owner_id).record_id, safe.now_ms())
    decoy = await asyncio.to_thread(_decoy(safe, owner_id, target).record)
    return pb.BeginUnlockResponse(record=decoy if target.record is None else target.record.record)


async def evaluate(safe: Safe, request: pb.EvaluateRequest) -> pb.EvaluateResponse:
    """Spend a guess, durably, and only then evaluate it.

    Raises:
        Malformed: The request cannot be read.
    """
    attempt, element = read_attempt(request, safe.now_ms())
    first = _decoy(safe, attempt.owner_id).record_id
    target = (await safe.store.owners.guess(attempt, partial(plan_guess, first_decoy=first))).target

    def work() -> Evaluated:
        decoy = _decoy(safe, attempt.owner_id, target)
        return evaluate_guess(target.record, decoy, safe.membership.safe_id, element, safe.rng)

    return write_evaluated(await asyncio.to_thread(work))


async def unlock(safe: Safe, request: pb.UnlockRequest) -> pb.UnlockResponse:
    """Give a guess back, durably, and only then release the part.

    Raises:
        Malformed: The request cannot be read.
        UnlockRefused: Whatever the reason.
    """
    claim = read_claim(request)
    safe_id = safe.membership.safe_id
    tag = decoy_tag(safe.membership.decoy_secret, claim.owner_id, safe_id)
    plan = partial(plan_unlock, safe_id=safe_id, decoy_tag=tag)
    decided = await safe.store.owners.unlock(claim, plan)
    return pb.UnlockResponse(sealed_part=seal_part(decided.record, claim, safe_id))


def _decoy(safe: Safe, owner_id: OwnerId, target: Target = FIRST_DECOY) -> Decoy:
    membership = safe.membership
    return make_decoy(membership.decoy_secret, owner_id, membership.newest, waiting=target.waiting)
