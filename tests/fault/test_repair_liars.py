"""Peers that lie, fall silent or ask for what is not theirs, while a safe rebuilds what it lost."""

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import grpc
import pytest
from msgspec import structs
from pysqlite3 import dbapi2

from kura.safe.v1 import peer_pb2 as pb
from rpc_edge.client import SignedCaller
from rpc_edge.errors import CallFailed
from rpc_edge.tls import peer_channel
from safe_node.handlers import peer_inventory, peer_repair
from support.odd_policies import ODD
from support.peer_safes import PeerSafe, PeerSafes, peer_safes, some_bytes
from support.sample_documents import draw
from support.tls_identities import identity
from threshold.randomness import SystemRandomness
from trust.documents import SigningKey
from trust.ids import Hash, SafeId
from trust.refusals import (
    NotPlacedHere,
    PieceUnknown,
    Refusal,
    RosterUnknown,
    SessionInvalid,
)
from trust.repair_session import FRESH_SECONDS, RepairHelper, RepairSession, sign_session
from wallet_client.pipeline.batch import PreparedBatch

DIVIDED = next(one for one in ODD if one.name == "divided-unsealed")
SERVICE = "/kura.safe.v1.PeerService/"
SECONDS = 10.0


@pytest.fixture
async def safes(tmp_path: Path) -> AsyncIterator[PeerSafes]:
    """Five, three bring back."""
    async with peer_safes(tmp_path) as made:
        yield made


def lying(
    liar: PeerSafe, honest: Callable[..., Awaitable[Any]], field: str, flip: int = 64
) -> Callable[..., Awaitable[Any]]:
    """The handler, of which one safe lies, to each caller otherwise, so that no two lies cancel."""

    async def answer(helping: Any, caller: SafeId, request: Any) -> Any:
        told = await honest(helping, caller, request)
        if liar.helping is not None and helping is liar.helping:
            right = getattr(told, field)
            number = sorted(helping.peers.entries).index(caller)
            setattr(told, field, bytes((right[0] ^ flip ^ number,)) + right[1:])
        return told

    return answer


@pytest.mark.parametrize(
    ("policy", "call", "field"),
    [
        pytest.param("threshold", "sum_of", "sum", id="a wrong sum of values and keys"),
        pytest.param("threshold", "summand", "summand", id="wrong summands for other helpers"),
        pytest.param(DIVIDED, "sum_of", "sum", id="a wrong sum of a value"),
        pytest.param("compact", "fragment", "fragment", id="a wrong fragment"),
    ],
)
async def test_a_helper_that_lies_is_replaced_and_named(
    safes: PeerSafes, monkeypatch: pytest.MonkeyPatch, policy: Any, call: str, field: str
) -> None:
    """What comes back is right all the same."""
    await safes.take_in([some_bytes(900)], policy)
    lost, liar = safes.safes[4], safes.safes[1]
    before = lost.kept()
    await lost.wipe()
    monkeypatch.setattr(peer_repair, call, lying(liar, getattr(peer_repair, call), field))
    report = await lost.repair()
    assert (report.repaired, report.lacking) == (1, 0)
    assert report.lying == {liar.safe_id}
    assert lost.kept() == before


async def test_too_many_liars_leave_the_piece_missing_and_nothing_wrong_is_kept(
    safes: PeerSafes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of four helpers: no set of three is honest."""
    await safes.take_in([some_bytes(900)], "threshold")
    lost, honest = safes.safes[4], peer_repair.sum_of
    await lost.wipe()
    for flip, liar in zip((64, 128), safes.safes, strict=False):
        honest = lying(liar, honest, "sum", flip)  # type: ignore[assignment]
    monkeypatch.setattr(peer_repair, "sum_of", honest)
    report = await lost.repair()
    assert (report.repaired, report.lacking, report.beyond_repair) == (0, 1, 0)
    assert lost.kept() == {}


@pytest.mark.parametrize("field", ["manifest", "manifest_signature", "leaf_hashes"])
async def test_a_peer_that_shows_wrong_documents_is_named_and_another_is_asked(
    safes: PeerSafes, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    """Whatever it changes in them."""
    await safes.take_in([some_bytes(900)], "threshold")
    lost, liar = safes.safes[4], safes.safes[0]
    await lost.wipe()
    honest = peer_inventory.show_batch

    async def show(safe: Any, caller: SafeId, request: Any) -> Any:
        told = await honest(safe, caller, request)
        if safe is liar.safe:
            right = getattr(told, field)
            setattr(told, field, right[:-1] + bytes((right[-1] ^ 1,)))
        return told

    monkeypatch.setattr(peer_inventory, "show_batch", show)
    report = await lost.repair()
    assert report.repaired == 1
    assert report.lying == {liar.safe_id}


async def test_a_helper_that_stops_half_way_leaves_nothing_wrong(
    safes: PeerSafes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At whichever message of a round a helper ends: the piece comes by others, or with the next round."""
    await safes.take_in([some_bytes(900)], "threshold")
    lost, stopping = safes.safes[4], safes.safes[0]
    before = lost.kept()
    honest = peer_repair._own
    for message in range(1, 5):
        await lost.wipe()
        seen = 0

        async def own(helping: Any, *rest: Any, at: int = message) -> Any:
            nonlocal seen
            if helping is stopping.helping:
                seen += 1
                if seen >= at:
                    raise PieceUnknown
            return await honest(helping, *rest)

        monkeypatch.setattr(peer_repair, "_own", own)
        report = await lost.repair()
        assert (report.repaired, report.lying) == (1, frozenset())
        assert lost.kept() == before


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


def session_of(batch: PreparedBatch, safes: PeerSafes, **changes: Any) -> RepairSession:
    """The fifth safe asks the first three for its value share; changed."""
    lost = safes.safes[4]
    x_of = {place.safe_id: place.x for place in batch.manifest.placement}
    newest = safes.local.roster
    length = len(lost.kept()[batch.leaf_bytes[0], x_of[lost.safe_id]][0] or b"")
    session = RepairSession(
        session_id=draw("session", 16),
        requester=lost.safe_id,
        begun_at=lost.safe.now,
        roster_version=newest.version,
        roster_hash=newest.fingerprint,
        manifest_hash=Hash(sha256(batch.manifest_bytes).digest()),
        x=x_of[lost.safe_id],
        part="value",
        leaf_indices=(0,),
        start=0,
        length=length,
        helpers=tuple(RepairHelper(one.safe_id, x_of[one.safe_id]) for one in safes.safes[:3]),
    )
    return structs.replace(session, **changes)


def signed_by(session: RepairSession, safe: PeerSafe) -> tuple[bytes, bytes]:
    return sign_session(session, safe.safe.signing_key)


REFUSED = [
    pytest.param({}, 3, 4, "Sum", NotPlacedHere, id="a repair request for another's x"),
    pytest.param({}, 4, 3, "Sum", SessionInvalid, id="a session that another safe signed"),
    pytest.param({}, 4, 4, "Summand", SessionInvalid, id="who lost the piece asks for a summand"),
    pytest.param({}, 4, 4, "Fragment", SessionInvalid, id="a share is asked for as a fragment"),
    pytest.param({"begun_at": FRESH_SECONDS + 1}, 4, 4, "Sum", SessionInvalid, id="a session of yesterday"),
    pytest.param({"roster_version": 2}, 4, 4, "Sum", RosterUnknown, id="another roster"),
    pytest.param({"roster_hash": bytes(32)}, 4, 4, "Sum", RosterUnknown, id="another roster of that number"),
    pytest.param({"manifest_hash": bytes(32)}, 4, 4, "Sum", PieceUnknown, id="a batch that nobody has"),
    pytest.param({"leaf_indices": (7,)}, 4, 4, "Sum", PieceUnknown, id="an item that nobody has"),
    pytest.param({"start": 1}, 4, 4, "Sum", PieceUnknown, id="more than there is of the share"),
    pytest.param({"helpers": 2}, 4, 4, "Sum", SessionInvalid, id="fewer helpers than the threshold"),
    pytest.param({"helpers": 4}, 4, 4, "Sum", SessionInvalid, id="more helpers than the threshold"),
    pytest.param({"helpers": -3}, 4, 4, "Sum", SessionInvalid, id="a helper that is not in the session"),
]


@pytest.mark.parametrize(("changes", "caller", "signer", "method", "refusal"), REFUSED)
async def test_what_a_helper_does_not_help_with(
    safes: PeerSafes,
    changes: dict[str, Any],
    caller: int,
    signer: int,
    method: str,
    refusal: type[Refusal],
) -> None:
    """Whoever asks has a good certificate; nothing is given."""
    batch = await safes.take_in([some_bytes(900)], "threshold")
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


async def test_the_session_that_all_those_are_changes_of_is_helped_with(safes: PeerSafes) -> None:
    """Else the table above would show nothing."""
    batch = await safes.take_in([some_bytes(900)], "threshold")
    session = session_of(batch, safes)
    answer = await Asking(safes.safes[0], safes.safes[4]).summed(signed_by(session, safes.safes[4]))
    assert len(answer.sum) == session.length


async def test_a_peer_with_a_certificate_outside_the_roster_gets_no_connection(safes: PeerSafes) -> None:
    """Nor one without any."""
    helper, stranger = safes.safes[0], identity("safe-2")
    entry = helper.local.home.entry
    at = f"127.0.0.1:{helper.ports[entry.name]}"
    request = pb.ShowBatchRequest(manifest_hash=bytes(32))
    channel = peer_channel(at, entry.tls_certificate, entry.name, stranger.private_key, stranger.certificate)
    with pytest.raises(CallFailed):
        await asked(channel, "ShowBatch", request, pb.ShowBatchResponse)


async def test_a_peer_sees_only_batches_that_place_something_there(safes: PeerSafes) -> None:
    """Of an item at one other safe it learns nothing."""
    batch = await safes.take_in([some_bytes(900)], "sealed")
    holder = next(one for one in safes.safes if batch.manifest.places_at(one.safe_id))
    other = next(one for one in safes.safes if one is not holder)
    newest = safes.local.roster
    view = pb.RosterView(version=newest.version, hash=newest.fingerprint)
    page = await Asking(holder, other).ask(
        "Inventory", pb.InventoryRequest(roster=view), pb.InventoryResponse
    )
    assert not page.batches
    name = sha256(batch.manifest_bytes).digest()
    with pytest.raises(NotPlacedHere):
        await Asking(holder, other).ask(
            "ShowBatch", pb.ShowBatchRequest(manifest_hash=name), pb.ShowBatchResponse
        )


@pytest.mark.parametrize("method", ["Inventory", "Words"])
async def test_a_roster_that_was_rolled_back_is_told_nothing(safes: PeerSafes, method: str) -> None:
    """Nor does it learn of anything under a newer one that this safe does not have."""
    for view in (pb.RosterView(version=2, hash=bytes(32)), pb.RosterView(version=1, hash=bytes(32))):
        request = getattr(pb, f"{method}Request")(roster=view)
        with pytest.raises(RosterUnknown):
            await Asking(safes.safes[0], safes.safes[1]).ask(
                method, request, getattr(pb, f"{method}Response")
            )


async def test_a_helper_whose_disk_rots_says_so_and_is_not_asked_again(safes: PeerSafes) -> None:
    """In a piece of one row, in a large one's blocks, and in a key share; it gives nothing wrong."""
    await safes.take_in([some_bytes(900)], "threshold")
    await safes.take_in([some_bytes(2_000_000)], DIVIDED, seed="large")
    lost, rotten = safes.safes[4], safes.safes[0]
    before = lost.kept()
    await lost.wipe()
    connection = dbapi2.connect(str(rotten.local.home.database))
    with connection:
        connection.execute("UPDATE pieces SET content = zeroblob(length(content)) WHERE content IS NOT NULL")
        connection.execute("UPDATE key_shares SET share = zeroblob(32)")
        connection.execute("UPDATE blocks SET content = zeroblob(length(content))")
    connection.close()
    report = await lost.repair()
    assert (report.repaired, report.lacking, report.lying, report.silent) == (2, 0, frozenset(), frozenset())
    assert lost.kept() == before
