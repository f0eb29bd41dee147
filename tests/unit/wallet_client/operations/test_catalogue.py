"""What all safes together know of an owner: the union, tombstones first; no single one hides or invents."""

import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from rpc_edge.errors import ConnectionLost, NothingListens
from support.memory_catalogues import catalogue_of
from support.memory_owner_safes import Faults
from support.memory_safes import Crash, MemorySafe, MemorySafes, opened, safe_key, use
from support.owners_wallets import (
    VALUES,
    another_wallet,
    away,
    come_back,
    enrolled,
    keep,
    quick_stretch,
    receipts,
    secrets_of,
)
from support.sample_documents import key
from support.wallet_samples import small_value
from trust.authorisation import revoke_wallet
from trust.certificate import Certificate, sign_certificates
from trust.ids import MAX_GENERATION, Hash, ItemId, OwnerKey, SafeId, Signature, WalletKey
from trust.manifest import Manifest, sign_manifest
from wallet_client.network.failures import SafeFailure, TooSlow, WrongReply
from wallet_client.network.owner_catalogue import CatalogueBatch, SafesCatalogue
from wallet_client.operations import catalogue as catalogues
from wallet_client.operations.backup import back_up, next_generation
from wallet_client.operations.catalogue import read_catalogue
from wallet_client.operations.edit import edit
from wallet_client.operations.forget import forget
from wallet_client.operations.merge_catalogues import Catalogue
from wallet_client.operations.owner_recovery import continue_recovery
from wallet_client.operations.owner_status import require_owner
from wallet_client.operations.reseal import reseal
from wallet_client.operations.reseed import reseed
from wallet_client.operations.settle import changing
from wallet_client.operations.take_in_catalogue import receipt_of
from wallet_client.receipts.receipt import verify_receipt
from wallet_client.receipts.shelf import update_receipt
from wallet_client.wallet import Wallet

__all__ = ["quick_stretch"]

pytestmark = pytest.mark.usefixtures("quick_stretch")

STRANGER = key("a stranger's wallet")


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which any three bring back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def first(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """The owner's first wallet."""
    async with opened(folder / "first", safes, seed="first") as wallet:
        await enrolled(wallet)
        yield wallet


async def look(wallet: Wallet) -> Catalogue:
    """What the safes tell this wallet."""
    return await read_catalogue(wallet, owner_key(wallet))


def owner_key(wallet: Wallet) -> OwnerKey:
    return OwnerKey(require_owner(wallet).owner_key)


def generations(catalogue: Catalogue) -> dict[ItemId, int]:
    """What stands of each item."""
    return dict(one.generation for one in catalogue.items)


def known(wallet: Wallet) -> dict[ItemId, int]:
    """What a wallet has receipts of."""
    leaves = [receipt.read_leaf() for receipt in receipts(wallet)]
    return {leaf.item_id: leaf.generation for leaf in leaves}


def by_number(safes: MemorySafes, counted: dict[SafeId, int]) -> dict[int, int]:
    numbers = {safe.safe_id: number for number, safe in enumerate(safes.roster.safes, 1)}
    return {numbers[safe_id]: count for safe_id, count in counted.items()}


async def test_what_any_safe_keeps_is_found_and_what_it_lacks_is_counted(
    first: Wallet, safes: MemorySafes
) -> None:
    """Each item is missing at one safe, and the wallet that owed it its piece is lost."""
    for down, value_id in zip((5, 1), keep(first, VALUES[:2]), strict=True):
        safes.take_down(down)
        await back_up(first, [value_id], "threshold")
    safes.take_down()
    found = await look(first)
    assert generations(found) == known(first)
    assert by_number(safes, dict(found.lacking)) == {1: 1, 5: 1}
    assert (found.older, found.deleted, found.failed) == ((), frozenset(), {})


async def test_all_that_makes_a_receipt_is_there(first: Wallet, safes: MemorySafes) -> None:
    """Manifest, leaf with its path, and the certificates of all safes."""
    await away(first, "threshold")
    made = [receipt_of(first, one, 0) for one in (await look(first)).items]
    assert sorted(one.leaf for one in made) == sorted(one.leaf for one in receipts(first))
    for receipt in made:
        assert len(receipt.certificates) == 5
        assert set(verify_receipt(receipt, first.roster).values()) == {None}


async def test_a_tombstone_at_one_safe_wins(first: Wallet, safes: MemorySafes) -> None:
    """Four safes missed the deletion, and keep all they had."""
    gone, stays = await away(first, "threshold", VALUES[:2])
    safes.take_down(2, 3, 4, 5)
    async with changing(first):
        await forget(first, [gone])
    safes.take_down()
    found = await look(first)
    assert generations(found) == known(first)
    assert len(found.deleted) == 1
    assert stays in {one.receipt_id for one in receipts(first)}


async def stolen(first: Wallet, second: Wallet, told: range = range(1, 6)) -> None:
    """The owner revokes the first wallet, and these safes hear of it."""
    safes: MemorySafes = second.links  # type: ignore[assignment]
    owner = (await secrets_of(second)).signing_key
    word = revoke_wallet(WalletKey(first.keys.signing.public), second.now(), owner)
    for number in told:
        await safes.to_owners(safes.owners_at(number).safe_id).revoke_wallet(*word)


@pytest.mark.parametrize("told", [range(1, 6), range(4, 6)], ids=["all heard of it", "two safes heard of it"])
async def test_a_tombstone_of_a_revoked_wallet_hides_nothing_that_enough_safes_keep(
    folder: Path, first: Wallet, safes: MemorySafes, told: range
) -> None:
    """A thief brought it to two safes before they heard of the revocation."""
    (item,) = await away(first, "threshold", VALUES[:1])
    async with another_wallet(folder, safes) as second:
        await come_back(second)
        safes.take_down(3, 4, 5)
        async with changing(first):
            await forget(first, [item])
        safes.take_down()
        assert (await look(second)).items == ()
        await stolen(first, second, told)
        (stands,) = (await look(second)).items
        assert len(stands.certificates) == 3
        safes.take_down(5)
        assert (await look(second)).items == ()


Lie = Callable[[SafesCatalogue, MemorySafes], SafesCatalogue]


def batches(change: Callable[[CatalogueBatch], CatalogueBatch]) -> Lie:
    """Tell every batch changed."""
    return lambda said, safes: replace(said, batches=[change(one) for one in said.batches])


def by_a_stranger(batch: CatalogueBatch) -> CatalogueBatch:
    manifest = Manifest.from_bytes(batch.manifest)
    changed = structs.replace(manifest, wallet_key=WalletKey(STRANGER.public), ownership=None)
    body, signature = sign_manifest(changed, STRANGER)
    return replace(batch, manifest=body, signature=signature)


def with_leaves_exchanged(said: SafesCatalogue, safes: MemorySafes) -> SafesCatalogue:
    one, other = said.batches[:2]
    leaves = tuple(replace(piece, leaf=other.pieces[0].leaf) for piece in one.pieces)
    return replace(said, batches=[replace(one, pieces=leaves), other])


def of_safe_2(said: SafesCatalogue, safes: MemorySafes) -> SafesCatalogue:
    owner = next(iter(safes.owners_at(2).owners.values()))
    return replace(said, batches=catalogue_of(safes.owners_at(2), owner.owner_key).batches)


def certifying_something_else(batch: CatalogueBatch) -> CatalogueBatch:
    def changed(body: bytes) -> bytes:
        return structs.replace(Certificate.from_bytes(body), x_hash=Hash(bytes(32))).to_bytes()

    pieces = tuple(replace(one, certificate=changed(one.certificate)) for one in batch.pieces)
    safe_id = Certificate.from_bytes(pieces[0].certificate).safe_id
    signature = sign_certificates(safe_id, [one.certificate for one in pieces], safe_key(1))
    return replace(batch, pieces=pieces, certificates_signature=signature)


LIES: dict[str, Lie] = {
    "a manifest that a stranger's wallet signed": batches(by_a_stranger),
    "a manifest whose signature does not hold": batches(lambda one: replace(one, signature=bytes(64))),
    "a manifest that is none": batches(lambda one: replace(one, manifest=b"no manifest")),
    "a leaf of another manifest": with_leaves_exchanged,
    "a leaf at a place that there is not": batches(
        lambda one: replace(one, pieces=tuple(replace(piece, leaf_index=10**6) for piece in one.pieces))
    ),
    "more leaf hashes than the manifest has items": batches(
        lambda one: replace(one, leaf_hashes=(*one.leaf_hashes, bytes(32)))
    ),
    "leaf hashes that are too short": batches(
        lambda one: replace(one, leaf_hashes=tuple(one[:31] for one in one.leaf_hashes))
    ),
    "certificates of another safe": of_safe_2,
    "a certificate of something else": batches(certifying_something_else),
    "certificates that it did not sign": batches(lambda one: replace(one, certificates_signature=bytes(64))),
    "a tombstone that nobody signed": lambda said, safes: replace(
        said, tombstones=[(b"no tombstone", bytes(64))]
    ),
    "an authorisation that the owner did not sign": lambda said, safes: replace(
        said,
        authorisations=[structs.replace(one, signature=Signature(bytes(64))) for one in said.authorisations],
    ),
    "no authorisation for the wallet whose batches it tells": lambda said, safes: replace(
        said, authorisations=[]
    ),
    "a revocation that the owner did not sign": lambda said, safes: replace(
        said, revocations=[(b"no revocation", bytes(64))]
    ),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_safe_that_tells_lies_is_named_and_the_others_serve(
    first: Wallet, safes: MemorySafes, lie: str
) -> None:
    """Nothing that it tells is believed, be the rest ever so true."""
    await away(first, "threshold", VALUES[:1])
    await away(first, "threshold", VALUES[1:])
    safes.owners_at(1).faults = Faults(tells=lambda said: LIES[lie](said, safes))
    found = await look(first)
    assert {safe_id: type(failure) for safe_id, failure in found.failed.items()} == {
        safes[1].entry.safe_id: WrongReply
    }
    assert generations(found) == known(first)
    assert {len(one.certificates) for one in found.items} == {4}


@pytest.mark.parametrize(
    ("faults", "failure"),
    [
        pytest.param(Faults(refuses={"catalogue": ConnectionLost()}), ConnectionLost, id="breaks off"),
        pytest.param(Faults(hangs_at=["catalogue"]), TooSlow, id="never ends"),
    ],
)
async def test_a_safe_whose_catalogue_does_not_come_is_named(
    first: Wallet,
    safes: MemorySafes,
    monkeypatch: pytest.MonkeyPatch,
    faults: Faults,
    failure: type[SafeFailure],
) -> None:
    """It is not waited for without end."""
    monkeypatch.setattr(catalogues, "SETTLE_SECONDS", 0.2)
    await away(first, "threshold", VALUES[:1])
    safes.owners_at(2).faults = faults
    safes.take_down(3)
    found = await look(first)
    assert generations(found) == known(first)
    assert {safe_id: type(one) for safe_id, one in found.failed.items()} == {
        safes[2].entry.safe_id: failure,
        safes[3].entry.safe_id: NothingListens,
    }


async def test_what_two_wallets_write_at_once_is_all_there(
    folder: Path, first: Wallet, safes: MemorySafes
) -> None:
    """Neither knows of the other's."""
    async with another_wallet(folder, safes) as second:
        await come_back(second)
        await away(first, "threshold", VALUES[:1])
        await away(second, "coupled", VALUES[1:])
        assert generations(await look(first)) == known(first) | known(second)
        assert generations(await look(second)) == known(first) | known(second)


async def test_of_two_manifests_for_one_generation_one_stands_with_its_own_certificates(
    folder: Path, first: Wallet, safes: MemorySafes
) -> None:
    """Two wallets sealed the item anew at once: a safe keeps both, and mixes nothing."""
    await away(first, "threshold", VALUES[:1])
    async with another_wallet(folder, safes) as second:
        await come_back(second)
        async with elsewhere(second, safes) as copied:
            await reseed(second)
        await reseed(first)
        for number in range(1, 6):
            brought(safes[number], copied[number])
    assert [len(safe.beside) for safe in safes] == [1] * 5
    (stands,) = (await look(first)).items
    assert stands.leaf.generation == 2
    assert set(verify_receipt(receipt_of(first, stands, 0), first.roster).values()) == {None}
    assert len(stands.certificates) == 5


@asynccontextmanager
async def elsewhere(wallet: Wallet, safes: MemorySafes) -> AsyncIterator[MemorySafes]:
    """Have a wallet act before other safes, which are as these were."""
    copied = copy.deepcopy(safes)
    wallet_key = WalletKey(wallet.keys.signing.public)
    use(wallet, copied.seen_by(wallet_key))
    yield copied
    use(wallet, safes.seen_by(wallet_key))


def brought(to: MemorySafe, source: MemorySafe) -> None:
    """Have a safe keep what another one was brought."""
    for name, piece in source.pieces.items():
        known = to.pieces.get(name)
        if known is None:
            to.pieces[name] = piece
        elif known.manifest_hash != piece.manifest_hash:
            to.beside[name] = piece


async def test_a_next_generation_that_died_on_its_way_hides_nothing(
    first: Wallet, safes: MemorySafes
) -> None:
    """One safe has it, and the wallet that would withdraw it is lost."""
    (value_id,) = keep(first, VALUES[:1])
    await back_up(first, [value_id], "threshold")

    def dies(name: str) -> None:
        raise Crash

    for safe in list(safes)[1:]:
        safe.step = dies
    with pytest.raises(Crash):
        await edit(first, value_id, small_value("edited"))
    safes.calm_down()
    assert [len(safe.kept_items()) for safe in safes] == [2, 1, 1, 1, 1]
    found = await look(first)
    (stands,) = found.items
    assert (stands.leaf.generation, len(stands.certificates)) == (1, 5)
    assert found.spent == {stands.leaf.item_id: 2}
    assert found.older == ()


async def test_a_generation_that_a_thief_had_one_safe_keep_hides_nothing(
    folder: Path, first: Wallet, safes: MemorySafes
) -> None:
    """The wallet is revoked, and one safe takes all the same what it brings: whole, at that safe alone."""
    (value_id,) = keep(first, VALUES[:1])
    await back_up(first, [value_id], "threshold")
    async with another_wallet(folder, safes) as second:
        await come_back(second)
        await stolen(first, second)
        async with elsewhere(first, safes) as copied:
            (receipt,) = receipts(first)
            update_receipt(first.store, receipt.with_spent(MAX_GENERATION - 1))
            for half in copied.owners.values():
                half.revoked.clear()
            await back_up(first, [value_id], "plain")
        brought(safes[1], copied[1])
        found = await look(second)
        (stands,) = found.items
        assert (stands.leaf.generation, len(stands.certificates)) == (1, 5)
        assert found.older == ()
        await continue_recovery(second)
        (receipt,) = receipts(second)
        assert next_generation(receipt, receipt.value_ids) == (None, 1)


async def test_an_older_generation_may_go_unless_a_thief_may_have_made_the_newer(
    folder: Path, first: Wallet, safes: MemorySafes
) -> None:
    """A reseed was cut off by the loss of its wallet: another one may finish it."""
    (item,) = await away(first, "threshold", VALUES[:1])
    async with another_wallet(folder, safes) as second:
        await come_back(second)
        async with changing(first):
            await reseal(first, [item], keeps_old=True)
        found = await look(second)
        assert [one.leaf.generation for one in found.items] == [2]
        assert [(one.leaf.generation, len(one.certificates)) for one in found.older] == [(1, 5)]
        await stolen(first, second)
        assert (await look(second)).older == ()
