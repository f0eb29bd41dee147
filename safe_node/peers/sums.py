"""What k helpers give, added up: a Shamir share, or a key share, and nobody saw another's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rpc_edge.errors import CallFailed
from safe_node.network.peer_link import Signed
from safe_node.peers.state import NO_ANSWER, DoesNotFit, HelperFailed, Round
from threshold import repair
from threshold.errors import ThresholdError
from threshold.ristretto import Scalar
from trust.manifest import Place
from trust.peer_refusals import HelperSilent


async def summed_bytes(state: Round, helpers: Sequence[Place], signed: Signed, length: int) -> bytes:
    """Bytes (Secret) of the share that was lost; not checked yet, but for their number.

    Raises:
        HelperFailed: One gave nothing.
        DoesNotFit: One gave too little or too much.
    """
    sums = await _sums(state, helpers, signed)
    if any(len(part) != length for part in sums):
        raise DoesNotFit
    return await asyncio.to_thread(repair.byte_sum, sums)


async def summed_scalar(state: Round, helpers: Sequence[Place], signed: Signed) -> bytes:
    """The key share (Secret) that was lost; not checked yet.

    Raises:
        HelperFailed: One gave nothing.
        DoesNotFit: One gave no scalar.
    """
    try:
        sums = [Scalar.from_bytes(part) for part in await _sums(state, helpers, signed)]
    except ThresholdError:
        raise DoesNotFit from None
    return repair.scalar_sum(sums).to_bytes()


async def _sums(state: Round, helpers: Sequence[Place], signed: Signed) -> list[bytes]:
    calls = (state.peers.to(helper.safe_id).sum(signed) for helper in helpers)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    gone: set[int] = set()
    doubted: set[int] = set()
    for helper, outcome in zip(helpers, outcomes, strict=True):
        if isinstance(outcome, HelperSilent):
            named = {one.x for one in helpers if state.peers.entries[one.safe_id].name == outcome.helper}
            doubted |= {helper.x, *named}
        elif isinstance(outcome, NO_ANSWER):
            gone.add(helper.x)
            state.silent |= {helper.safe_id} if isinstance(outcome, CallFailed) else set()
        elif isinstance(outcome, BaseException):
            raise outcome
    if gone or doubted:
        raise HelperFailed(frozenset(gone), frozenset(doubted))
    return [outcome for outcome in outcomes if isinstance(outcome, bytes)]
