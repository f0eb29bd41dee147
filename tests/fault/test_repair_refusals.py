"""Who asks peers for what is not theirs gets nothing: every way to ask, against safes that keep a batch."""

import dataclasses
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import grpc
import pytest
import pytest_asyncio
from msgspec import structs

from kura.safe.v1 import peer_pb2 as pb
from rpc_edge.client import SignedCaller
from rpc_edge.errors import CallFailed
from rpc_edge.tls import peer_channel
from support.peer_safes import PeerSafe, PeerSafes, peer_safes, session_of, signed_by, some_bytes
from support.tls_identities import identity
from threshold.randomness import SystemRandomness
from trust.documents import SigningKey
from trust.ids import SafeId
from trust.peer_refusals import PieceUnknown, RepairSessionInvalid
from trust.refusals import Refusal
from trust.repair_session import FRESH_SECONDS, RepairHelper
from trust.wallet_refusals import NotPlacedHere, RosterUnknown
from wallet_client.pipeline.batch import PreparedBatch

pytestmark = pytest.mark.asyncio(loop_scope="module")
SERVICE = "/kura.safe.v1.PeerService/"
SECONDS = 10.0


@dataclasses.dataclass
class Kept:
    """Five safes, three bring back; a batch at all of them, and one at a single safe."""

    safes: PeerSafes
    batch: PreparedBatch
    alone: PreparedBatch


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def kept(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    """No test here changes anything."""
    async with peer_safes(tmp_path_factory.mktemp("safes")) as safes:
        batch = await safes.take_in([some_bytes(900)], "threshold")
        yield Kept(safes, batch, await safes.take_in([some_bytes(900)], "sealed", seed="alone"))


@dataclasses.dataclass
class Asking:
    """Calls one helper with the certificate of any safe."""

    helper: PeerSafe
    by: PeerSafe

    async def ask(self, method: str, request: Any, answer: Any) -> Any:
        assert self.by.identity is not None
        entry = self.helper.local.home.entry
        channel = peer_channel(
            f"127.0.0.1:{self.helper.ports[entry.name]}",
            entry.tls_certificate,
            entry.name,
            self.by.identity.tls_key,
            self.by.identity.tls_certificate,
        )
        return await asked(channel, method, request, answer)

    async def summed(self, signed: tuple[bytes, bytes], method: str = "Sum") -> Any:
        session = pb.SignedSession(session=signed[0], signature=signed[1])
        kind = getattr(pb, f"{method}Request")
        return await self.ask(method, kind(session=session), getattr(pb, f"{method}Response"))


async def asked(channel: grpc.aio.Channel, method: str, request: Any, answer: Any) -> Any:
    try:
        caller = SignedCaller(
            channel, SafeId(bytes(16)), SigningKey(bytes(32)), lambda: 0, SystemRandomness()
        )
        return await caller.unary(SERVICE + method, request, answer, SECONDS, signed=False)
    finally:
        await channel.close()


REFUSED = [
    pytest.param({}, 3, 4, "Sum", NotPlacedHere, id="a repair request for another's x"),
    pytest.param({}, 4, 3, "Sum", RepairSessionInvalid, id="a session that another safe signed"),
    pytest.param({}, 4, 4, "Summand", RepairSessionInvalid, id="who lost the piece asks for a summand"),
    pytest.param({}, 4, 4, "Fragment", RepairSessionInvalid, id="a share is asked for as a fragment"),
    pytest.param(
        {"begun_at": FRESH_SECONDS + 1}, 4, 4, "Sum", RepairSessionInvalid, id="a session of yesterday"
    ),
    pytest.param({"roster_version": 2}, 4, 4, "Sum", RosterUnknown, id="another roster"),
    pytest.param({"roster_hash": bytes(32)}, 4, 4, "Sum", RosterUnknown, id="another roster of that number"),
    pytest.param({"manifest_hash": bytes(32)}, 4, 4, "Sum", PieceUnknown, id="a batch that nobody has"),
    pytest.param({"leaf_indices": (7,)}, 4, 4, "Sum", PieceUnknown, id="an item that nobody has"),
    pytest.param({"start": 1}, 4, 4, "Sum", PieceUnknown, id="more than there is of the share"),
    pytest.param({"helpers": 2}, 4, 4, "Sum", RepairSessionInvalid, id="fewer helpers than the threshold"),
    pytest.param({"helpers": 4}, 4, 4, "Sum", RepairSessionInvalid, id="more helpers than the threshold"),
    pytest.param(
        {"helpers": -3}, 4, 4, "Sum", RepairSessionInvalid, id="a helper that is not in the session"
    ),
]


@pytest.mark.parametrize(("changes", "caller", "signer", "method", "refusal"), REFUSED)
async def test_what_a_helper_does_not_help_with(
    kept: Kept,
    changes: dict[str, Any],
    caller: int,
    signer: int,
    method: str,
    refusal: type[Refusal],
) -> None:
    """Whoever asks has a good certificate; nothing is given."""
    safes, batch = kept.safes, kept.batch
    helper, asker = safes.safes[0], safes.safes[caller]
    session = session_of(batch, safes)
    if "begun_at" in changes:
        changes = {"begun_at": session.begun_at - changes["begun_at"]}
    if "helpers" in changes:
        x_of = {place.safe_id: place.x for place in batch.manifest.placement}
        chosen = {2: safes.safes[:2], 4: safes.safes[:4], -3: safes.safes[1:4]}[changes["helpers"]]
        changes = {"helpers": tuple(RepairHelper(one.safe_id, x_of[one.safe_id]) for one in chosen)}
    if caller == 3 and signer == 4:  # the fourth signs for itself, and asks for what is the fifth's
        session, signer = structs.replace(session, requester=asker.safe_id), 3
    signed = signed_by(structs.replace(session, **changes), safes.safes[signer])
    with pytest.raises(refusal):
        await Asking(helper, asker).summed(signed, method)


async def test_the_session_that_all_those_are_changes_of_is_helped_with(kept: Kept) -> None:
    """Else the table above would show nothing."""
    safes, batch = kept.safes, kept.batch
    session = session_of(batch, safes)
    answer = await Asking(safes.safes[0], safes.safes[4]).summed(signed_by(session, safes.safes[4]))
    assert len(answer.sum) == session.length


async def test_a_peer_with_a_certificate_outside_the_roster_gets_no_connection(kept: Kept) -> None:
    """Though it bears a safe's name."""
    helper, stranger = kept.safes.safes[0], identity("safe-2")
    entry = helper.local.home.entry
    at = f"127.0.0.1:{helper.ports[entry.name]}"
    request = pb.ShowBatchRequest(manifest_hash=bytes(32))
    channel = peer_channel(at, entry.tls_certificate, entry.name, stranger.private_key, stranger.certificate)
    with pytest.raises(CallFailed):
        await asked(channel, "ShowBatch", request, pb.ShowBatchResponse)


async def test_a_peer_sees_only_batches_that_place_something_there(kept: Kept) -> None:
    """Of an item at one other safe it learns nothing."""
    safes, batch = kept.safes, kept.alone
    holder = next(one for one in safes.safes if batch.manifest.places_at(one.safe_id))
    other = next(one for one in safes.safes if one is not holder)
    newest = safes.local.roster
    view = pb.RosterView(version=newest.version, hash=newest.fingerprint)
    page = await Asking(holder, other).ask(
        "Inventory", pb.InventoryRequest(roster=view), pb.InventoryResponse
    )
    both = sha256(kept.batch.manifest_bytes).digest()
    assert [held.manifest_hash for held in page.batches] == [both]
    name = sha256(batch.manifest_bytes).digest()
    with pytest.raises(NotPlacedHere):
        await Asking(holder, other).ask(
            "ShowBatch", pb.ShowBatchRequest(manifest_hash=name), pb.ShowBatchResponse
        )


@pytest.mark.parametrize("method", ["Inventory", "Words"])
async def test_a_roster_that_was_rolled_back_is_told_nothing(kept: Kept, method: str) -> None:
    """Nor does it learn of anything under a newer one that this safe does not have."""
    for view in (pb.RosterView(version=2, hash=bytes(32)), pb.RosterView(version=1, hash=bytes(32))):
        request = getattr(pb, f"{method}Request")(roster=view)
        with pytest.raises(RosterUnknown):
            await Asking(kept.safes.safes[0], kept.safes.safes[1]).ask(
                method, request, getattr(pb, f"{method}Response")
            )
