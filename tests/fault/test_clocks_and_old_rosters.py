"""Clocks that are five minutes apart, and rosters that were put back: what is taken, and what is refused.

Requests and questions to an authority have their rows in tests/support/rpc_table.py; assertions, which bear
the authority's time and no wallet's, theirs in tests/unit/trust/test_assertion.py.
"""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from msgspec import structs

from kura.safe.v1 import owner_pb2, safe_pb2
from rpc_edge.carrying import call_to_carry
from rpc_edge.error_table import SAFE_ERRORS
from support.owner_safes import OWNERS, SAFES, SECONDS
from support.peer_safes import session_of, signed_by
from support.safe_requests import deal
from support.two_owners import ANNAS, AtSafes, two_owners_at_safes
from threshold.randomness import SystemRandomness
from trust.envelope import Opening, Sent
from trust.peer_refusals import RepairSessionInvalid
from trust.refusals import RequestStale
from trust.repair_session import FRESH_SECONDS
from trust.request import FRESH_MS
from trust.wallet_refusals import RosterUnknown

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECOND_MS = 1_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AtSafes]:
    """Safes whose clock for requests stands still."""
    async with two_owners_at_safes(tmp_path_factory.mktemp("safes")) as safes:
        yield safes


async def carried(scene: AtSafes, off_ms: int) -> list[bytes]:
    """The frames that answer an envelope of a wallet whose clock is off."""
    entry, channel = scene.safe.home.entry, scene.safe._channel
    assert channel is not None
    sealer = Sent(entry.safe_id, entry.sealing_key, SystemRandomness())
    begin = owner_pb2.BeginUnlockRequest(owner_id=scene.anna.owner_id)
    opening = Opening(f"{OWNERS}/BeginUnlock", scene.now_ms + off_ms, b"")
    frame = sealer.seal_first(opening, begin.SerializeToString(), is_last=True)
    call: Any = call_to_carry(channel, SECONDS)
    await call.write(safe_pb2.CarryRequest(safe_id=entry.safe_id, frame=frame))
    await call.done_writing()
    try:
        return [answer.frame async for answer in call]
    except grpc.aio.AioRpcError as error:
        raise SAFE_ERRORS.from_status(error) from None


@pytest.mark.parametrize("sign", [-1, 1], ids=["behind", "ahead"])
async def test_an_envelope_from_a_clock_four_minutes_59_off_is_answered(scene: AtSafes, sign: int) -> None:
    assert len(await carried(scene, sign * (FRESH_MS - SECOND_MS))) == 1


@pytest.mark.parametrize("sign", [-1, 1], ids=["behind", "ahead"])
async def test_an_envelope_from_a_clock_five_minutes_1_off_is_refused(scene: AtSafes, sign: int) -> None:
    """The refusal says what time it is, so that the owner can set the clock."""
    with pytest.raises(RequestStale) as refused:
        await carried(scene, sign * (FRESH_MS + SECOND_MS))
    assert refused.value.server_time_ms == scene.now_ms


@pytest.mark.parametrize("off", [1 - FRESH_SECONDS, FRESH_SECONDS - 1], ids=["behind", "ahead"])
async def test_a_repair_session_from_a_clock_that_is_nearly_too_far_off_is_helped_with(
    scene: AtSafes, off: int
) -> None:
    assert await helped(scene, off)


@pytest.mark.parametrize("off", [-1 - FRESH_SECONDS, FRESH_SECONDS + 1], ids=["behind", "ahead"])
async def test_a_repair_session_from_a_clock_that_is_too_far_off_is_not(scene: AtSafes, off: int) -> None:
    with pytest.raises(RepairSessionInvalid):
        await helped(scene, off)


async def helped(scene: AtSafes, off: int) -> bytes:
    """What the first safe gives the last, whose clock is so many seconds off."""
    helper, lost = scene.peers.safes[0], scene.peers.safes[-1]
    session = session_of(scene.divided, scene.peers, begun_at=lost.safe.now + off)
    assert lost.helping is not None
    return await lost.helping.peers.to(helper.safe_id).sum(signed_by(session, lost))


async def test_a_safe_whose_roster_was_put_back_takes_nothing_of_the_newer_one(scene: AtSafes) -> None:
    """It says which it misses; what it has it goes on giving out."""
    old = scene.peers.local.roster
    newer = structs.replace(old, version=2, previous=old.fingerprint)
    batch = deal(newer, ANNAS, [b"under the newer roster"], label="newer", k=2)
    before = scene.content()
    request = safe_pb2.RegisterRequest(batches=[batch.for_safe(scene.safe.safe_id)])
    caller = scene.safe.caller(ANNAS)
    answer = await caller.unary(f"{SAFES}/Register", request, safe_pb2.RegisterResponse, SECONDS)
    refusal = SAFE_ERRORS.from_refusal(answer.results[0].refusal)
    assert isinstance(refusal, RosterUnknown)
    assert refusal.roster_version == 2
    assert scene.content() == before
    fetch = safe_pb2.FetchRequest(certificates=[scene.certificate])
    given = await caller.unary(f"{SAFES}/Fetch", fetch, safe_pb2.FetchResponse, SECONDS)
    assert given.results[0].HasField("piece")
