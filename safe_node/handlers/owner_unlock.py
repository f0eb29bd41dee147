"""BeginUnlock, Evaluate, Unlock: what anyone may ask who knows a name.

Every call does the same work in the same order, whoever is asked about: read, decide, make a decoy. What is
refused is refused before anything is looked up (the form of the request) or alike (everything else).
"""

from __future__ import annotations

import asyncio
from functools import partial

from kura.safe.v1 import owner_pb2 as pb
from safe_node.decisions.decoy import Decoy, decoy_tag, first_decoy_id, make_decoy
from safe_node.decisions.evaluating import Evaluated, evaluate_guess
from safe_node.decisions.factors import judge_factors
from safe_node.decisions.guessing import plan_guess, target_now
from safe_node.decisions.unlocking import plan_unlock, seal_part
from safe_node.guesses import Attempt, Evidence, Proven, Target
from safe_node.handlers.owner_converters import (
    read_attempt,
    read_claim,
    read_evidence,
    read_owner_id,
    read_record_id,
    read_way,
    write_evaluated,
)
from safe_node.handlers.rights import account_if_signed
from safe_node.handlers.safe import Safe
from trust.access_policy import PIN_ALONE, Way
from trust.ids import OwnerId


async def begin_unlock(safe: Safe, request: pb.BeginUnlockRequest) -> pb.BeginUnlockResponse:
    """Show the record that may be tried now, or a decoy.

    Raises:
        Malformed: The request cannot be read.
    """
    owner_id, way = read_owner_id(request), read_way(request.factors)
    record_id = read_record_id(request) if request.record_id else None
    state = await safe.store.owners.guesses_at(owner_id, way)
    first = first_decoy_id(safe.membership.decoy_secret, owner_id)
    target = target_now(state, record_id, first, safe.now_ms(), way)
    challenge = safe.challenge(owner_id)
    decoy = await asyncio.to_thread(_decoy(safe, owner_id, way, target).record)
    return pb.BeginUnlockResponse(
        record=decoy if target.part is None else target.part.record,
        challenge=challenge.challenge,
        challenge_signature=challenge.signature,
    )


async def evaluate(safe: Safe, request: pb.EvaluateRequest) -> pb.EvaluateResponse:
    """Look at the other factors, spend a guess, durably, and only then evaluate it.

    Raises:
        Malformed: The request cannot be read.
    """
    attempt, element = read_attempt(request, safe.now_ms())
    proven = await _proven(safe, attempt, read_evidence(request))
    first = first_decoy_id(safe.membership.decoy_secret, attempt.owner_id)
    plan = partial(plan_guess, first_decoy=first, proven=proven, memory=safe.factors)
    target = (await safe.store.owners.guess(attempt, plan)).target

    def work() -> Evaluated:
        decoy = _decoy(safe, attempt.owner_id, attempt.way, target)
        return evaluate_guess(target.part, decoy, safe.membership.safe_id, element, safe.rng)

    return write_evaluated(await asyncio.to_thread(work))


async def unlock(safe: Safe, request: pb.UnlockRequest) -> pb.UnlockResponse:
    """Give a guess back, durably, and only then release the part, or say when it will be.

    Raises:
        Malformed: The request cannot be read.
        UnlockRefused: Whatever the reason.
    """
    claim = read_claim(request)
    safe_id = safe.membership.safe_id
    tag = decoy_tag(safe.membership.decoy_secret, claim.owner_id, safe_id)
    plan = partial(
        plan_unlock, safe_id=safe_id, decoy_tag=tag, now_ms=safe.now_ms(), account=account_if_signed()
    )
    decided = await safe.store.owners.unlock(claim, plan)
    if decided.release_ms:
        return pb.UnlockResponse(release_at_ms=decided.release_ms)
    return pb.UnlockResponse(sealed_part=seal_part(decided.part, claim, safe_id))


async def _proven(safe: Safe, attempt: Attempt, evidence: Evidence) -> Proven | None:
    """By a device and an authority; in a thread, for the curves that they sign with."""
    if attempt.way == PIN_ALONE:
        return None
    state = await safe.store.owners.guesses_at(attempt.owner_id, attempt.way)
    return await asyncio.to_thread(
        judge_factors, state.owner, attempt, evidence, safe.membership, safe.factors
    )


def _decoy(safe: Safe, owner_id: OwnerId, way: Way, target: Target) -> Decoy:
    secret, roster = safe.membership.decoy_secret, safe.membership.newest
    return make_decoy(secret, owner_id, roster, waiting=target.waiting, way=way, names=target.names)
