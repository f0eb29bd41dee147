"""The owner's catalogue: what every safe tells of the owner's items, checked, then merged by union.

Nothing a safe says is believed as such. A batch counts when its manifest is signed by a wallet that the owner
authorised, a leaf when it is the manifest's, a certificate when it is the safe's and certifies that leaf, a
tombstone when such a wallet, or the owner, signed it. A safe can hide what it keeps, and is named when others
know of it; it cannot invent (merge_catalogues.py). A revival counts when the owner signed it.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

from threshold import merkle
from threshold.errors import ThresholdError
from trust.authorisation import SignedAuthorisation, read_authorisation, read_revocation
from trust.certificate import check_certificate, verify_call
from trust.errors import TrustError
from trust.ids import OwnerKey, SafeId, Signature, WalletKey
from trust.manifest import Manifest, read_leaf, read_manifest
from trust.owner_refusals import NotAnOwnersWallet, WalletRevoked
from trust.tombstone import hash_of, read_revival, read_tombstone
from wallet_client.network.failures import WrongReply
from wallet_client.network.fan_out import fan_out
from wallet_client.network.owner_catalogue import CatalogueBatch, SafesCatalogue
from wallet_client.operations.deletion import owed_deletions
from wallet_client.operations.merge_catalogues import (
    Catalogue,
    FoundItem,
    SafesWord,
    SignedWord,
    merge_catalogues,
)
from wallet_client.operations.owner_status import require_owner
from wallet_client.pipeline.batch import expected_certificate
from wallet_client.wallet import Wallet

SETTLE_SECONDS = 30.0
"""How long the other safes may go on telling once k have told all; a liar could go on for ever."""


async def read_catalogue(wallet: Wallet, owner_key: OwnerKey) -> Catalogue:
    """Ask all safes, check and merge; what no safe says is missing without a trace.

    Args:
        wallet: Authorised by the owner.
        owner_key: Whose items are believed.
    """
    calls = {
        safe.safe_id: partial(_read_one, wallet, safe.safe_id, owner_key) for safe in wallet.roster.safes
    }
    answers = await fan_out(
        calls,
        enough=lambda good: len(good) >= wallet.roster.threshold,
        settle_seconds=SETTLE_SECONDS,
    )
    owed = await asyncio.to_thread(owed_deletions, wallet)
    return merge_catalogues(answers.good, answers.failed, owed, wallet.roster)


async def _read_one(wallet: Wallet, safe_id: SafeId, owner_key: OwnerKey) -> SafesWord:
    said = await _told(wallet, safe_id)
    signing_key = wallet.roster.safe(safe_id).signing_key
    try:
        return await asyncio.to_thread(_checked, said, safe_id, signing_key, owner_key)
    except (TrustError, ThresholdError):
        raise WrongReply from None


async def _told(wallet: Wallet, safe_id: SafeId) -> SafesCatalogue:
    """A safe that was wiped, or put back, is shown the owner's word for this wallet once more."""
    link = wallet.links.to_owners(safe_id)
    try:
        return await link.catalogue()
    except NotAnOwnersWallet as unknown:
        owner = require_owner(wallet)
        try:
            await link.authorise_wallet(owner.authorisation, owner.signature)
        except WalletRevoked:  # or the owner is forgotten there
            raise unknown from None
    return await link.catalogue()


def _checked(said: SafesCatalogue, safe_id: SafeId, signing_key: bytes, owner_key: OwnerKey) -> SafesWord:
    wallets = _authorised(said.authorisations, owner_key)
    word = SafesWord(revoked=_revoked(said.revocations, owner_key))
    for batch in said.batches:
        _check_batch(batch, safe_id, signing_key, wallets, word)
    for body, signature in said.tombstones:
        signer = read_tombstone(body, signature).wallet_key
        if signer in wallets or bytes(signer) == owner_key:
            word.tombstones[hash_of(body)] = body
    for body, signature in said.revivals:
        revival = read_revival(body, signature)
        if revival.owner_key == owner_key:
            word.revived.add(revival.tombstone_hash)
    return word


def _authorised(authorisations: Sequence[SignedAuthorisation], owner_key: OwnerKey) -> set[WalletKey]:
    """Revoked ones too: what a wallet registered before is the owner's all the same."""
    read = (read_authorisation(signed) for signed in authorisations)
    return {one.wallet_key for one in read if one.owner_key == owner_key}


def _revoked(revocations: Sequence[SignedWord], owner_key: OwnerKey) -> dict[WalletKey, SignedWord]:
    read = [(read_revocation(*signed), signed) for signed in revocations]
    return {one.wallet_key: signed for one, signed in read if one.owner_key == owner_key}


def _check_batch(
    batch: CatalogueBatch, safe_id: SafeId, signing_key: bytes, wallets: set[WalletKey], word: SafesWord
) -> None:
    manifest = read_manifest(batch.manifest, batch.signature)
    if manifest.wallet_key not in wallets or len(batch.leaf_hashes) != manifest.item_count:
        raise WrongReply
    paths = merkle.paths(batch.leaf_hashes)
    bodies = [piece.certificate for piece in batch.pieces]
    signed = verify_call(safe_id, bodies, batch.certificates_signature, signing_key)
    places = {place.x: place for place in manifest.places_at(safe_id)}
    for piece, one in zip(batch.pieces, signed, strict=True):
        x = one.read().index
        if piece.leaf_index >= len(paths) or x not in places:
            raise WrongReply
        item = _found(batch, manifest, piece.leaf, piece.leaf_index, paths[piece.leaf_index])
        check_certificate(one.certificate, expected_certificate(manifest, item.leaf, places[x]))
        name = (batch.manifest, piece.leaf)
        word.items.setdefault(name, item).certificates[x] = one


def _found(
    batch: CatalogueBatch, manifest: Manifest, body: bytes, position: int, path: tuple[bytes, ...]
) -> FoundItem:
    leaf = read_leaf(manifest, body, position, path)
    return FoundItem(manifest, batch.manifest, Signature(batch.signature), leaf, body, position, path)
