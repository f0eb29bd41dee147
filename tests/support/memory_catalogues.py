"""What a safe in memory tells of an owner: wallets, batches, tombstones, in the real one's order."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from support.memory_owner_safes import MemoryOwnerSafe
from threshold import merkle
from trust.authorisation import SignedAuthorisation
from trust.certificate import sign_certificates
from trust.documents import SigningKey
from trust.ids import OwnerKey, SafeId, Signature, WalletKey
from wallet_client.network.owner_catalogue import CatalogueBatch, CataloguePiece, SafesCatalogue


def catalogue_of(safe: MemoryOwnerSafe, account: OwnerKey) -> SafesCatalogue:
    """Everything."""
    words = [one for one in safe.authorised.values() if one.owner_key == account]
    against = [one for one in safe.revoked.values() if one.owner_key == account]
    theirs: Callable[[WalletKey], bool] = {one.wallet_key for one in words}.__contains__
    kept: defaultdict[bytes, list[Any]] = defaultdict(list)
    for piece in safe.host.kept_by(theirs):
        kept[piece.manifest].append(piece)
    return SafesCatalogue(
        authorisations=[SignedAuthorisation(one.authorisation, Signature(one.signature)) for one in words],
        revocations=[(one.revocation, one.signature) for one in against],
        batches=[batch_of(safe.safe_id, pieces, safe.host.signing_key) for pieces in kept.values()],
        tombstones=safe.host.tombstones_by(theirs),
    )


def batch_of(safe_id: SafeId, pieces: list[Any], key: SigningKey) -> CatalogueBatch:
    """The pieces of one batch that a safe keeps, with its signature."""
    first = pieces[0]
    certificates = [piece.certificate for piece in pieces]
    return CatalogueBatch(
        manifest=first.manifest,
        signature=first.signature,
        leaf_hashes=tuple(map(merkle.leaf_hash, first.leaves)),
        pieces=tuple(
            CataloguePiece(piece.leaf_index, piece.leaves[piece.leaf_index], piece.certificate)
            for piece in pieces
        ),
        certificates_signature=sign_certificates(safe_id, certificates, key),
    )
