"""A piece that rotted: noticed when somebody asks for it, rebuilt there, under the same certificate."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pysqlite3 import dbapi2

from kura.safe.v1 import safe_pb2
from safe_node.repairs import RepairReport
from support.batches import KEYS
from support.owner_safes import SAFES, SECONDS
from support.peer_safes import PeerSafe, PeerSafes, peer_safes, some_bytes
from support.safe_databases import count_strays
from trust.wallet_refusals import StoredPieceDamaged

SMALL, LARGE = 900, 3_000_000
ROT = {
    "a small blob": (SMALL, "UPDATE pieces SET content = zeroblob(length(content))"),
    "a small blob that is cut to nothing": (SMALL, "UPDATE pieces SET content = x''"),
    "a key share": (SMALL, "UPDATE key_shares SET share = zeroblob(32)"),
    "a key share that is gone": (SMALL, "DELETE FROM key_shares"),
    "a block of a large blob": (
        LARGE,
        "UPDATE blocks SET content = zeroblob(length(content)) WHERE id = (SELECT max(id) FROM blocks)",
    ),
    "a block that is gone": (LARGE, "DELETE FROM blocks WHERE id = (SELECT max(id) FROM blocks)"),
    "the hashes of a large blob": (LARGE, "UPDATE pieces SET block_hashes = zeroblob(length(block_hashes))"),
}


@pytest.fixture
async def safes(tmp_path: Path) -> AsyncIterator[PeerSafes]:
    """Four safes, of which two bring back."""
    async with peer_safes(tmp_path, 4, 2) as made:
        yield made


def rot(safe: PeerSafe, how: str) -> None:
    connection = dbapi2.connect(str(safe.local.home.database))
    with connection:
        connection.execute(how)
    connection.close()


async def fetched(safe: PeerSafe) -> bytes:
    """What a wallet gets for the one certificate that the safe gave, and its key share."""
    connection = dbapi2.connect(str(safe.local.home.database))
    ((certificate,),) = connection.execute("SELECT certificate FROM pieces").fetchall()
    connection.close()
    request = safe_pb2.FetchStreamRequest(certificate=certificate)
    parts = safe.local.caller(KEYS.signing).stream_down(
        f"{SAFES}/FetchStream", request, safe_pb2.FetchStreamResponse, SECONDS
    )
    return b"".join([part.head.piece.key_share + part.chunk async for part in parts])


@pytest.mark.parametrize(("length", "how"), ROT.values(), ids=ROT)
async def test_what_a_wallet_found_damaged_is_rebuilt(safes: PeerSafes, length: int, how: str) -> None:
    """Byte for byte, so the wallet's certificate holds again; nothing of the damaged bytes is left over."""
    await safes.take_in([some_bytes(length)], "threshold")
    rotten = safes.safes[0]
    before, given = rotten.kept(), await fetched(rotten)
    rot(rotten, how)
    assert await rotten.repair() == RepairReport()  # nobody met it yet
    with pytest.raises(StoredPieceDamaged):
        await fetched(rotten)
    assert await rotten.repair() == RepairReport(repaired=1)
    assert rotten.kept() == before
    assert await fetched(rotten) == given
    assert count_strays(rotten.local.home.database) == 0
    assert await rotten.repair() == RepairReport()


async def test_what_a_peer_found_damaged_is_rebuilt(safes: PeerSafes) -> None:
    """Who lost a piece is helped by others, and who could not help mends its own."""
    await safes.take_in([some_bytes(SMALL)], "threshold")
    rotten, lost = safes.safes[0], safes.safes[3]
    before = rotten.kept()
    rot(rotten, ROT["a small blob"][1])
    await lost.wipe()
    assert (await lost.repair()).repaired == 1
    assert await rotten.repair() == RepairReport(repaired=1)
    assert rotten.kept() == before


async def test_what_too_few_safes_can_rebuild_is_counted_and_stays(safes: PeerSafes) -> None:
    """A damaged piece is better than none: its certificate stays, and so does the word that it is damaged."""
    await safes.take_in([some_bytes(SMALL)], "threshold", missing=[2, 3])
    rotten = safes.safes[0]
    rot(rotten, ROT["a small blob"][1])
    for _ in range(2):
        with pytest.raises(StoredPieceDamaged):
            await fetched(rotten)
        report = await rotten.repair()
        assert (report.repaired, report.lacking) == (0, 1)


async def test_a_wallet_that_brings_the_same_again_mends_it(safes: PeerSafes) -> None:
    """As a backup that was interrupted does; it was checked as it was the first time."""
    await safes.take_in([some_bytes(SMALL)], "threshold")
    rotten = safes.safes[0]
    before = rotten.kept()
    rot(rotten, ROT["a small blob"][1])
    with pytest.raises(StoredPieceDamaged):
        await fetched(rotten)
    await safes.take_in([some_bytes(SMALL)], "threshold")
    assert rotten.kept() == before
