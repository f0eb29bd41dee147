"""Peers that lie, fall silent or ask for what is not theirs, while a safe rebuilds what it lost."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2

from kura.safe.v1 import peer_pb2 as pb
from safe_node.handlers import peer_inventory, peer_repair
from safe_node.peers import state
from support.odd_policies import ODD
from support.peer_safes import PeerSafe, PeerSafes, peer_safes, some_bytes
from trust.ids import SafeId
from trust.peer_refusals import PieceUnknown

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
    assert report.suspected == {liar.safe_id}
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
    assert report.suspected == {liar.safe_id}


@pytest.mark.parametrize("call", ["inventory", "words"])
async def test_a_peer_that_tells_page_after_page_for_ever_keeps_nobody_from_repairing(
    safes: PeerSafes, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """It has its time; then it counts as silent, and the others help."""
    await safes.take_in([some_bytes(900)], "threshold")
    lost, liar = safes.safes[4], safes.safes[0]
    await lost.wipe()
    honest = getattr(peer_inventory, call)

    async def endless(safe: Any, *rest: Any) -> Any:
        if safe is not liar.safe:
            return await honest(safe, *rest)
        kind = pb.InventoryResponse if call == "inventory" else pb.WordsResponse
        return kind(next=rest[-1].after + 1)

    monkeypatch.setattr(peer_inventory, call, endless)
    monkeypatch.setattr(state, "LISTEN_SECONDS", 0.5)
    report = await lost.repair()
    assert (report.repaired, report.lacking) == (1, 0)
    assert report.silent == {liar.safe_id}


HELD = pb.HeldBatch(manifest_hash=bytes(32), leaf_indices=[0])
TOMBSTONE = pb.Word(kind=pb.Word.KIND_TOMBSTONE, body=b"made up", signature=bytes(64))


@pytest.mark.parametrize(
    ("call", "page"),
    [
        pytest.param("inventory", pb.InventoryResponse(batches=[HELD] * 257), id="a page of 257 batches"),
        pytest.param("words", pb.WordsResponse(words=[TOMBSTONE] * 1_001), id="a page of 1,001 words"),
        pytest.param("inventory", pb.InventoryResponse(batches=[HELD] * 256, next=1), id="batches for ever"),
        pytest.param("words", pb.WordsResponse(words=[TOMBSTONE] * 1_000, next=1), id="words for ever"),
    ],
)
async def test_a_peer_that_tells_more_than_there_is_room_for_is_named_and_the_others_help(
    safes: PeerSafes, monkeypatch: pytest.MonkeyPatch, call: str, page: Any
) -> None:
    """Nothing of a page that is too large is kept, and of many pages only what fits."""
    await safes.take_in([some_bytes(900)], "threshold")
    lost, liar = safes.safes[4], safes.safes[0]
    await lost.wipe()
    honest, asked = getattr(peer_inventory, call), 0

    async def much(safe: Any, *rest: Any) -> Any:
        nonlocal asked
        if safe is not liar.safe:
            return await honest(safe, *rest)
        asked += 1
        answer = type(page)()
        answer.CopyFrom(page)
        answer.next = page.next and rest[-1].after + 1
        return answer

    monkeypatch.setattr(peer_inventory, call, much)
    monkeypatch.setattr(state, "TOLD_BYTES", 1_200_000)
    report = await lost.repair()
    assert (report.repaired, report.lacking) == (1, 0)
    assert liar.safe_id in report.silent
    assert asked == (1 if not page.next else {"inventory": 8, "words": 3}[call])


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
        assert (report.repaired, report.suspected) == (1, frozenset())
        assert lost.kept() == before


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
    assert (report.repaired, report.lacking) == (2, 0)
    assert (report.suspected, report.silent) == (frozenset(), frozenset())
    assert lost.kept() == before
