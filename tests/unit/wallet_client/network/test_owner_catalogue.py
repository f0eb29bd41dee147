"""What a safe tells of an owner, as it comes: what belongs there is kept, anything else is a wrong reply."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, cast

import pytest

from kura.safe.v1 import owner_pb2 as pb
from kura.safe.v1 import safe_pb2
from rpc_edge.client import SignedCaller
from support.sample_documents import draw
from wallet_client.network import owner_link
from wallet_client.network.failures import WrongReply
from wallet_client.network.owner_link import OwnerLink

WALLET = pb.OwnersWallet(authorisation=b"word", signature=bytes(64))
REVOKED = pb.OwnersWallet(revocation=b"against", revocation_signature=bytes(64))
BATCH = pb.CatalogueBatch(
    manifest=b"manifest",
    manifest_signature=bytes(64),
    leaf_hashes=draw("leaf hashes", 64),
    pieces=[pb.CataloguePiece(leaf_index=1, leaf=b"leaf", certificate=b"certificate")],
    signature=bytes(64),
)
TOMBSTONE = safe_pb2.SignedTombstone(tombstone=b"tombstone", signature=bytes(64))


class Telling:
    """A safe that tells this; stands in for SignedCaller."""

    def __init__(self, entries: Sequence[pb.CatalogueResponse], *, without_end: bool = False) -> None:
        self.entries = entries
        self.without_end = without_end
        self.told = 0

    async def stream_down(self, *call: Any) -> AsyncGenerator[pb.CatalogueResponse, None]:
        """As SignedCaller."""
        while True:
            for entry in self.entries:
                self.told += 1
                yield entry
            if not self.without_end:
                return


def link_to(safe: Telling) -> OwnerLink:
    return OwnerLink(cast(SignedCaller, safe), 1.0, cast(SignedCaller, safe))


async def test_every_kind_of_entry_is_kept_as_it_came() -> None:
    """Exact bytes, and leaf hashes cut to 32 bytes each."""
    entries = [
        pb.CatalogueResponse(wallet=WALLET),
        pb.CatalogueResponse(wallet=REVOKED),
        pb.CatalogueResponse(batch=BATCH),
        pb.CatalogueResponse(tombstone=TOMBSTONE),
    ]
    told = await link_to(Telling(entries)).catalogue()
    assert [one.authorisation for one in told.authorisations] == [b"word"]
    assert told.revocations == [(b"against", bytes(64))]
    assert told.tombstones == [(b"tombstone", bytes(64))]
    (batch,) = told.batches
    assert b"".join(batch.leaf_hashes) == BATCH.leaf_hashes
    assert {len(one) for one in batch.leaf_hashes} == {32}
    assert [(one.leaf_index, one.leaf, one.certificate) for one in batch.pieces] == [
        (1, b"leaf", b"certificate")
    ]


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(pb.CatalogueResponse(), id="an entry that is nothing"),
        pytest.param(
            pb.CatalogueResponse(wallet=pb.OwnersWallet(authorisation=b"word", signature=b"short")),
            id="a signature that is too short",
        ),
    ],
)
async def test_a_wrong_reply_is(entry: pb.CatalogueResponse) -> None:
    """The safe's fault, and no defect of the wallet."""
    with pytest.raises(WrongReply):
        await link_to(Telling([entry])).catalogue()


async def test_a_catalogue_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A liar costs a bounded part of the memory."""
    monkeypatch.setattr(owner_link, "MOST_CATALOGUE_BYTES", 100 * BATCH.ByteSize())
    safe = Telling([pb.CatalogueResponse(batch=BATCH)], without_end=True)
    with pytest.raises(WrongReply):
        await link_to(safe).catalogue()
    assert safe.told <= 100
