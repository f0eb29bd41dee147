"""A deletion that the owner took back hides nothing, whichever safe knows of either; only the owner can."""

from pathlib import Path
from typing import Any, cast

import pytest

from support.memory_safes import MemorySafes, opened, safe_key
from support.safe_requests import deal, ownership_of
from support.sample_documents import NOW, key
from threshold import merkle
from trust.authorisation import authorise_wallet, revoke_wallet
from trust.certificate import Certificate, sign_certificates
from trust.documents import SigningKey
from trust.ids import OwnerKey, SafeId, WalletKey
from trust.tombstone import Tombstone, revive, sign_tombstone
from wallet_client.network.links import Links
from wallet_client.network.owner_catalogue import CatalogueBatch, CataloguePiece, SafesCatalogue
from wallet_client.operations.catalogue import read_catalogue
from wallet_client.operations.merge_catalogues import Catalogue

OWNER, WALLET, OTHER = key("owner"), key("wallet"), key("other wallet")
SAFES = MemorySafes.of(3, 2)
DEALT = deal(SAFES.roster, WALLET, [b"value"], label="item", k=2, ownership=ownership_of(OWNER, WALLET))
ITEM = DEALT.items[0]
WORDS = [authorise_wallet(WalletKey(wallet.public), NOW, OWNER) for wallet in (WALLET, OTHER)]


class Told:
    """Links to safes that tell a catalogue each, and nothing else."""

    def __init__(self, told: dict[SafeId, SafesCatalogue]) -> None:
        self.told = told

    def to_owners(self, safe_id: SafeId) -> Any:
        """A link that knows one call."""

        class Link:
            async def catalogue(_: object) -> SafesCatalogue:
                return self.told[safe_id]

        return Link()

    async def close(self) -> None:
        """Nothing to close."""


def kept_at(number: int) -> CatalogueBatch:
    """What safe 1, 2, ... keeps of the item."""
    safe_id = SAFES.roster.safes[number - 1].safe_id
    (place,) = DEALT.manifest.places_at(safe_id)
    x_hash = DEALT.manifest.piece_hash(ITEM, place.x)
    certificate = Certificate(safe_id, "value", ITEM.digest, x_hash, 0, ITEM.item_id, 1, place.x).to_bytes()
    return CatalogueBatch(
        manifest=DEALT.body,
        signature=DEALT.signature,
        leaf_hashes=(merkle.leaf_hash(DEALT.leaves[0]),),
        pieces=(CataloguePiece(0, DEALT.leaves[0], certificate),),
        certificates_signature=sign_certificates(safe_id, [certificate], safe_key(number)),
    )


def tombstone(signer: SigningKey = WALLET, at: int = NOW) -> tuple[bytes, bytes]:
    return sign_tombstone(Tombstone(WalletKey(signer.public), ITEM.item_id, 1, at), signer)


def revival(of: bytes | None = None, by: SigningKey = OWNER) -> tuple[bytes, bytes]:
    return revive(of or tombstone()[0], ITEM.item_id, 1, NOW, by)


async def merged(folder: Path, *told: dict[str, Any]) -> Catalogue:
    """What the wallet makes of three safes' words, of which each keeps its piece."""
    catalogues = {}
    for number, more in enumerate(told, 1):
        safe_id = SAFES.roster.safes[number - 1].safe_id
        one = SafesCatalogue(authorisations=list(WORDS), batches=[kept_at(number)])
        for name, words in more.items():
            setattr(one, name, words)
        catalogues[safe_id] = one
    async with opened(folder, SAFES) as wallet:
        wallet.links = cast(Links, Told(catalogues))
        return await read_catalogue(wallet, OwnerKey(OWNER.public))


DELETED = {"tombstones": [tombstone()]}
REVIVED = {"revivals": [revival()]}


@pytest.mark.parametrize(
    ("told", "stands"),
    [
        (({}, {}, {}), True),
        ((DELETED, {}, {}), False),
        ((DELETED, DELETED, REVIVED), True),
        ((REVIVED, REVIVED, DELETED), True),
        ((DELETED | REVIVED, {}, {}), True),
        (({"tombstones": [tombstone(), tombstone(at=NOW + 1)]}, REVIVED, {}), False),
        (({"tombstones": [tombstone(OTHER)]}, REVIVED, {}), False),
        (({"tombstones": [tombstone(OTHER)]}, {"revivals": [revival(tombstone(OTHER)[0])]}, {}), True),
        (({"tombstones": [tombstone(OWNER)]}, {}, {}), False),
        ((DELETED, {"revivals": [revival(by=key("another owner"))]}, {}), False),
    ],
    ids=[
        "nobody deleted it",
        "one safe knows of a deletion",
        "one safe knows that it was taken back",
        "a safe was away when it was taken back",
        "a safe tells both",
        "it was deleted again",
        "another wallet deleted it too",
        "what another wallet deleted was taken back",
        "the owner deleted it",
        "another owner took it back",
    ],
)
async def test_what_stands(folder: Path, told: tuple[dict[str, Any], ...], stands: bool) -> None:
    """A revival dominates its very tombstone, and a tombstone everything else."""
    catalogue = await merged(folder, *told)
    assert [item.generation for item in catalogue.items] == ([(ITEM.item_id, 1)] if stands else [])
    assert list(catalogue.tombstones) == ([] if stands else [(ITEM.item_id, 1)])
    assert dict(catalogue.spent) == {ITEM.item_id: 1}
    assert catalogue.failed == {}


async def test_the_tombstones_that_stand_are_told_whole(folder: Path) -> None:
    """So that the owner can take each back; every one once, however many safes tell it."""
    both = {"tombstones": [tombstone(), tombstone(OTHER)]}
    catalogue = await merged(folder, both, both, DELETED)
    assert set(catalogue.tombstones[ITEM.item_id, 1]) == {tombstone()[0], tombstone(OTHER)[0]}
    assert len(catalogue.tombstones[ITEM.item_id, 1]) == 2


async def test_a_thiefs_tombstone_hides_nothing_once_any_safe_knows_of_the_theft(folder: Path) -> None:
    """A safe that hides the revocation, or missed it, does not help the thief."""
    stolen = {"tombstones": [tombstone(OTHER)]}
    revoked = {"revocations": [revoke_wallet(WalletKey(OTHER.public), NOW, OWNER)]}
    assert (await merged(folder / "before", stolen, {}, {})).items == ()
    catalogue = await merged(folder / "after", stolen, revoked, {})
    assert [item.generation for item in catalogue.items] == [(ITEM.item_id, 1)]
    assert list(catalogue.tombstones) == [(ITEM.item_id, 1)]


@pytest.mark.parametrize(
    "spoilt",
    [
        {"revivals": [(revival()[0], bytes(64))]},
        {"revivals": [(b"\xc1", bytes(64))]},
        {"tombstones": [(tombstone()[0], bytes(64))]},
    ],
    ids=["an unsigned revival", "no revival", "an unsigned tombstone"],
)
async def test_a_safe_that_tells_what_nobody_signed_is_named(folder: Path, spoilt: dict[str, Any]) -> None:
    """And nothing of what it says counts; the others' words do."""
    catalogue = await merged(folder, DELETED, spoilt, {})
    assert list(catalogue.failed) == [SAFES.roster.safes[1].safe_id]
    assert catalogue.items == ()
