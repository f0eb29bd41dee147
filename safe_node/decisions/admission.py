"""May this batch come in, as far as its own documents tell?

Checked here, in this order: the manifest, whose it is and for which owner, the roster it was made under, the
placement, the leaves, that the pieces are exactly those placed here, each blob against its piece root, each
key share against the commitments, the digest of an unsealed whole value against the value. What depends on
the records is decided in registration.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from safe_node.accounts import AdmittedAuthorisation
from safe_node.records import (
    AdmittedBatch,
    AdmittedPiece,
    AnnouncedBlob,
    CandidateBatch,
    CandidatePiece,
    KeyShare,
)
from threshold import merkle
from threshold.errors import ThresholdError
from threshold.feldman import ScalarShare, check_commitments, verify_share
from threshold.ristretto import Point, Scalar
from trust.authorisation import read_authorisation
from trust.digest import digest_fields_of, public_digest
from trust.errors import DocumentMalformed, PieceRootMismatch, SignatureInvalid
from trust.ids import Hash, SafeId, WalletKey
from trust.manifest import ItemLeaf, Manifest, Place, read_leaves, read_manifest
from trust.piece import BLINDING_BYTES, BlockChecker, check_piece
from trust.roster import Roster
from trust.value_fields import read_head
from trust.wallet_refusals import (
    DigestMismatch,
    KeyShareMismatch,
    ManifestInvalid,
    NotPlacedHere,
    NotYourItem,
    PieceMismatch,
    RosterUnknown,
)

_OWNERSHIP = "manifest.ownership"


@dataclass(frozen=True, slots=True)
class Membership:
    """Who this safe is, and the rosters it knows.

    Args:
        safe_id: Its own.
        rosters: Every version of its roster by number.
        fingerprints: Their hashes by number.
        decoy_secret: Secret: 32 bytes of the newest version, from which unknown owners are answered.
    """

    safe_id: SafeId
    rosters: Mapping[int, Roster]
    fingerprints: Mapping[int, Hash]
    decoy_secret: bytes = field(repr=False)

    @classmethod
    def of(cls, safe_id: SafeId, versions: Iterable[Roster], decoy_secret: bytes) -> Membership:
        """Hash each version once; the fields above say what goes in."""
        rosters = {roster.version: roster for roster in versions}
        fingerprints = {number: roster.fingerprint for number, roster in rosters.items()}
        return cls(safe_id, rosters, fingerprints, decoy_secret)

    @property
    def genesis(self) -> Hash:
        """Fingerprint of the first version."""
        return self.fingerprints[min(self.fingerprints)]

    @property
    def newest(self) -> Roster:
        """The version in force."""
        return self.rosters[max(self.rosters)]


def admit_batch(candidate: CandidateBatch, caller: WalletKey, membership: Membership) -> AdmittedBatch:
    """Check a batch: of every item the pieces at one or more indices placed at this safe, and nothing else.

    Args:
        candidate: What was sent.
        caller: Whose signature the call carries.
        membership: This safe and its rosters.

    Raises:
        ManifestInvalid, NotYourItem, RosterUnknown, NotPlacedHere, PieceMismatch, DigestMismatch,
        KeyShareMismatch
    """
    manifest = _read_manifest(candidate, caller, membership)
    here = _places_here(manifest, membership.safe_id)
    leaves = _read_leaves(manifest, candidate.leaves)
    # A safe that keeps several pieces of a large item gets each in a call of its own.
    sent = {piece.x for piece in candidate.pieces}
    places = tuple(place for place in here if place.x in sent)
    _require_exactly(candidate.pieces, len(leaves), {place.x for place in places})
    return _admit(candidate, manifest, places, leaves)


def check_digest(batch: AdmittedBatch, piece: AdmittedPiece, beginning: bytes) -> None:
    """Derive the digest of an unsealed whole value from the value itself, and compare [E1, C2].

    What is sealed, divided or coupled, and a digest that is not public, is taken as the wallet gives it.

    Args:
        batch: What came in.
        piece: One of its pieces.
        beginning: Secret: the blob, or its first 64 KiB at least.

    Raises:
        DigestMismatch: The leaf says something else, or the blob is no value.
    """
    if batch.shown is None or piece.content is None:
        return
    field = f"leaves[{piece.leaf_index}].digest"
    try:
        derived = public_digest((digest_fields_of(read_head(beginning[BLINDING_BYTES:]), batch.shown),))
    except DocumentMalformed:
        raise DigestMismatch(field) from None
    if derived != piece.digest:
        raise DigestMismatch(field)


def _read_manifest(candidate: CandidateBatch, caller: WalletKey, membership: Membership) -> Manifest:
    try:
        manifest = read_manifest(candidate.manifest, candidate.manifest_signature)
    except DocumentMalformed as error:
        own = error.document == Manifest.title
        raise ManifestInvalid(_path("manifest", error.field) if own else _OWNERSHIP) from None
    except SignatureInvalid as error:
        own = error.document == Manifest.title
        raise ManifestInvalid("manifest_signature" if own else _OWNERSHIP) from None
    if manifest.wallet_key != caller:
        raise NotYourItem
    _check_roster(manifest, membership)
    return manifest


def _path(document: str, field: str) -> str:
    """Msgspec counts fields as "$[7]"; a document's own checks name them."""
    inside = field.removeprefix("$")
    return f"{document}.{inside}" if inside[:1].isalpha() else document + inside


def _check_roster(manifest: Manifest, membership: Membership) -> None:
    version = manifest.roster_version
    if membership.fingerprints.get(version) != manifest.roster_hash:
        raise RosterUnknown(version)
    members = {safe.safe_id for safe in membership.rosters[version].safes}
    if any(place.safe_id not in members for place in manifest.placement):
        raise ManifestInvalid("manifest.placement")


def _authorisation_of(manifest: Manifest) -> AdmittedAuthorisation | None:
    """The owner's word, which was checked with the manifest."""
    if manifest.ownership is None:
        return None
    signed = manifest.ownership.signed
    word = read_authorisation(signed)
    return AdmittedAuthorisation(word.owner_key, word.wallet_key, signed.authorisation, signed.signature)


def _places_here(manifest: Manifest, safe_id: SafeId) -> tuple[Place, ...]:
    places = manifest.places_at(safe_id)
    if not places:
        raise NotPlacedHere
    return places


def _read_leaves(manifest: Manifest, leaves: Sequence[bytes]) -> tuple[ItemLeaf, ...]:
    try:
        return read_leaves(manifest, leaves)
    except DocumentMalformed as error:
        raise ManifestInvalid(_path("leaves", error.field)) from None


def _require_exactly(pieces: Sequence[CandidatePiece], leaves: int, here: set[int]) -> None:
    """One piece for each leaf at each index placed here: as many, in range, none twice."""
    if any(piece.x not in here for piece in pieces):
        raise NotPlacedHere
    sent = {(piece.leaf_index, piece.x) for piece in pieces if piece.leaf_index < leaves}
    if not 0 < len(sent) == len(pieces) == leaves * len(here):
        raise PieceMismatch("pieces")


def _admit(
    candidate: CandidateBatch, manifest: Manifest, places: Sequence[Place], leaves: Sequence[ItemLeaf]
) -> AdmittedBatch:
    _check_key_shares(manifest, places, candidate.key_shares)
    roots_at: dict[int, int] = {place.x: position for position, place in enumerate(manifest.value_places())}
    keys = {share.x for share in candidate.key_shares}
    batch = AdmittedBatch(
        wallet_key=manifest.wallet_key,
        manifest_hash=Hash(hashlib.sha256(candidate.manifest).digest()),
        manifest=candidate.manifest,
        manifest_signature=candidate.manifest_signature,
        leaf_hashes=b"".join(merkle.leaf_hash(leaf) for leaf in candidate.leaves),
        pieces=tuple(
            _admit_piece(
                number, piece, candidate, manifest, leaves[piece.leaf_index], roots_at.get(piece.x), keys
            )
            for number, piece in enumerate(candidate.pieces)
        ),
        key_shares=candidate.key_shares,
        shown=manifest.terms.shown if _shows(manifest) else None,
        authorisation=_authorisation_of(manifest),
    )
    for piece in batch.pieces:
        if isinstance(piece.content, bytes):
            check_digest(batch, piece, piece.content)
    return batch


def _shows(manifest: Manifest) -> bool:
    return manifest.terms.is_readable and manifest.terms.digest == "public"


def _admit_piece(
    number: int,
    piece: CandidatePiece,
    candidate: CandidateBatch,
    manifest: Manifest,
    leaf: ItemLeaf,
    root_at: int | None,
    keys: set[int],
) -> AdmittedPiece:
    field = f"pieces[{number}].blob"
    if root_at is None:
        if piece.content is not None:
            raise PieceMismatch(field)
        x_hash = manifest.piece_hash(leaf, piece.x)
    else:
        x_hash = leaf.piece_roots[root_at]
        _check_content(piece.content, x_hash, field)
    return AdmittedPiece(
        leaf_index=piece.leaf_index,
        item_id=leaf.item_id,
        generation=leaf.generation,
        x=piece.x,
        kind=leaf.kind,
        digest=leaf.digest,
        x_hash=x_hash,
        leaf=candidate.leaves[piece.leaf_index],
        has_key_share=piece.x in keys,
        content=piece.content,
    )


def _check_content(content: bytes | AnnouncedBlob | None, root: Hash, field: str) -> None:
    try:
        if isinstance(content, AnnouncedBlob):
            BlockChecker(content.block_hashes, content.length, root)
        elif content is None or len(content) < BLINDING_BYTES:
            raise PieceMismatch(field)
        else:
            check_piece(content, root)
    except (PieceRootMismatch, ThresholdError):
        raise PieceMismatch(field) from None


def _check_key_shares(manifest: Manifest, places: Sequence[Place], shares: Sequence[KeyShare]) -> None:
    try:
        commitments = [Point.from_bytes(encoded) for encoded in manifest.commitments]
        if commitments:
            check_commitments(commitments, len(commitments))
    except ThresholdError:
        raise ManifestInvalid("manifest.commitments") from None
    if sorted(share.x for share in shares) != [place.x for place in places if place.key]:
        raise KeyShareMismatch("key_shares")
    for number, share in enumerate(shares):
        _check_key_share(share, commitments, f"key_shares[{number}]")


def _check_key_share(share: KeyShare, commitments: Sequence[Point], field: str) -> None:
    try:
        verify_share(ScalarShare(share.x, Scalar.from_bytes(share.share)), commitments, len(commitments))
    except ThresholdError:
        raise KeyShareMismatch(field) from None
