"""What a safe lacks of a batch, how it asks for it, and whether what came may be kept.

A batch is believed for its documents alone, whoever showed them: the manifest for the wallet's signature, the
leaves for the manifest's root. What was rebuilt is held against the same documents as what a wallet
registers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from safe_node.accounts import AdmittedAuthorisation
from safe_node.decisions.admission import Membership
from safe_node.decisions.registration import RegistrationRules, plan_registration
from safe_node.records import (
    AdmittedBatch,
    AdmittedPiece,
    AnnouncedBlob,
    ItemName,
    KeyShare,
    RegistrationPlan,
    RegistrationState,
)
from safe_node.repairs import KnownBatch, KnownLeaf, ShownBatch
from threshold import merkle
from threshold.errors import ThresholdError
from threshold.feldman import ScalarShare, verify_share
from threshold.ristretto import Point, Scalar
from trust.authorisation import read_authorisation
from trust.division import share_length
from trust.errors import DocumentMalformed
from trust.ids import HASH_BYTES, Hash, SafeId
from trust.manifest import ItemLeaf, Manifest, Place, check_leaf, read_manifest
from trust.piece import BLINDING_BYTES
from trust.wallet_refusals import KeyShareMismatch

COUNTERS_PER_SECOND_BITS = 20

SESSION_BYTES = 1_048_576
"""How much of a share one session repairs; a large blob takes several."""


@dataclass(frozen=True, slots=True)
class LackingPieces:
    """What is missing at one index of a batch.

    Args:
        place: What is placed there.
        leaf_indices: Of which items, by position.
    """

    place: Place
    leaf_indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SessionPart:
    """What one session repairs of a value: part of these leaves' blobs, end to end."""

    leaf_indices: tuple[int, ...]
    start: int
    length: int


def read_shown(shown: ShownBatch, manifest_hash: Hash, membership: Membership) -> KnownBatch:
    """Check what a peer showed.

    Raises:
        TrustError: A document does not hold, or is another batch's: the peer showed something wrong.
    """
    if hashlib.sha256(shown.manifest).digest() != manifest_hash:
        raise DocumentMalformed(Manifest.title, "", "is not the one that was asked for")
    manifest = read_manifest(shown.manifest, shown.signature)
    if membership.fingerprints.get(manifest.roster_version) != manifest.roster_hash:
        raise DocumentMalformed(Manifest.title, "roster_hash", "is of no roster known here")
    hashes = _leaf_hashes(manifest, shown.leaf_hashes)
    leaves = {one.leaf_index: _read_leaf(manifest, hashes, one.leaf_index, one.leaf) for one in shown.leaves}
    return KnownBatch(manifest_hash, manifest, shown.manifest, shown.signature, shown.leaf_hashes, leaves)


def _leaf_hashes(manifest: Manifest, joined: bytes) -> list[bytes]:
    hashes = [joined[start : start + HASH_BYTES] for start in range(0, len(joined), HASH_BYTES)]
    if len(joined) != manifest.item_count * HASH_BYTES or merkle.root(hashes) != manifest.item_root:
        raise DocumentMalformed(ItemLeaf.title, "", "the leaves are not those the manifest names")
    return hashes


def _read_leaf(manifest: Manifest, hashes: Sequence[bytes], index: int, body: bytes) -> KnownLeaf:
    if index >= len(hashes) or merkle.leaf_hash(body) != hashes[index]:
        raise DocumentMalformed(ItemLeaf.title, "", "is not one that the manifest names")
    leaf = ItemLeaf.from_bytes(body)
    check_leaf(manifest, leaf)
    return KnownLeaf(leaf, body)


def merged(batches: Sequence[KnownBatch]) -> KnownBatch:
    """All leaves that any peer showed of one batch; at least one batch."""
    leaves = {index: leaf for batch in batches for index, leaf in batch.leaves.items()}
    return replace(batches[0], leaves=leaves)


def item_names(batch: KnownBatch) -> dict[int, ItemName]:
    """Item and generation of each leaf, by position."""
    return {index: (known.leaf.item_id, known.leaf.generation) for index, known in batch.leaves.items()}


def lacking(
    batch: KnownBatch, me: SafeId, kept: Collection[tuple[int, int]], buried: Collection[ItemName]
) -> tuple[LackingPieces, ...]:
    """What this safe should keep of a batch and does not; what has a tombstone here is not missed.

    Args:
        batch: With the leaves that peers keep.
        me: This safe.
        kept: Leaf position and share index of what it keeps.
        buried: Items with a tombstone here.
    """
    wanted = [index for index, name in sorted(item_names(batch).items()) if name not in buried]
    found = (
        LackingPieces(place, tuple(index for index in wanted if (index, place.x) not in kept))
        for place in batch.manifest.places_at(me)
    )
    return tuple(one for one in found if one.leaf_indices)


def blob_length(batch: KnownBatch, index: int) -> int:
    """How long each blob of one leaf is, bytes."""
    return BLINDING_BYTES + share_length(batch.manifest.terms, batch.leaves[index].leaf.sealed_length)


def session_parts(leaf_indices: Sequence[int], lengths: Mapping[int, int]) -> Iterator[SessionPart]:
    """Whole blobs end to end, as many as fit a session; a blob larger than that by itself, part by part."""
    group: list[int] = []
    size = 0
    for index in leaf_indices:
        length = lengths[index]
        if group and size + length > SESSION_BYTES:
            yield SessionPart(tuple(group), 0, size)
            group, size = [], 0
        if length > SESSION_BYTES:
            yield from (SessionPart((index,), start, size) for start, size in ranges(length))
            continue
        group.append(index)
        size += length
    if group:
        yield SessionPart(tuple(group), 0, size)


def ranges(length: int, step: int = SESSION_BYTES) -> list[tuple[int, int]]:
    """Starts and lengths of the parts of `length` bytes."""
    return [(start, min(step, length - start)) for start in range(0, length, step)]


def check_key_share(manifest: Manifest, x: int, encoded: bytes) -> KeyShare:
    """A rebuilt key share (Secret), if it lies on the committed polynomial.

    Raises:
        KeyShareMismatch: It does not.
    """
    try:
        commitments = [Point.from_bytes(one) for one in manifest.commitments]
        verify_share(ScalarShare(x, Scalar.from_bytes(encoded)), commitments, len(commitments))
    except ThresholdError:
        raise KeyShareMismatch("key_shares") from None
    return KeyShare(x, encoded)


def admit_rebuilt(
    batch: KnownBatch,
    place: Place,
    contents: Mapping[int, bytes | AnnouncedBlob | None],
    key_share: KeyShare | None,
) -> AdmittedBatch:
    """What was rebuilt at one index, as registering takes it.

    Args:
        batch: Its documents.
        place: What is placed at the index.
        contents: Secret: by leaf position, each held against its piece root; None where no value is placed.
        key_share: Secret: held against the commitments; None where none is placed, or it stands already.
    """
    manifest = batch.manifest
    pieces = tuple(
        _piece(manifest, index, batch.leaves[index], place, content)
        for index, content in sorted(contents.items())
    )
    return AdmittedBatch(
        wallet_key=manifest.wallet_key,
        manifest_hash=batch.manifest_hash,
        manifest=batch.body,
        manifest_signature=batch.signature,
        leaf_hashes=batch.leaf_hashes,
        pieces=pieces,
        key_shares=() if key_share is None else (key_share,),
        shown=None,  # the wallet signed the leaf, and peers derived its digest when they took the value in
        authorisation=authorisation_of(manifest),
    )


def authorisation_of(manifest: Manifest) -> AdmittedAuthorisation | None:
    """The owner's word that a manifest carries; it was checked with the manifest."""
    if manifest.ownership is None:
        return None
    signed = manifest.ownership.signed
    word = read_authorisation(signed)
    return AdmittedAuthorisation(word.owner_key, word.wallet_key, signed.authorisation, signed.signature)


def _piece(
    manifest: Manifest, index: int, known: KnownLeaf, place: Place, content: bytes | AnnouncedBlob | None
) -> AdmittedPiece:
    leaf = known.leaf
    return AdmittedPiece(
        leaf_index=index,
        item_id=leaf.item_id,
        generation=leaf.generation,
        x=place.x,
        kind=leaf.kind,
        digest=leaf.digest,
        x_hash=manifest.piece_hash(leaf, place.x),
        leaf=known.body,
        has_key_share=place.key,
        content=content,
    )


@dataclass(frozen=True, slots=True)
class RepairRules:
    """What is the same for all that is rebuilt.

    Args:
        registration: As for what wallets register.
        now: Whole seconds since 1970-01-01 UTC.
    """

    registration: RegistrationRules
    now: int

    def plan(self, state: RegistrationState, batch: AdmittedBatch) -> RegistrationPlan:
        """As a registration, but also of a wallet that was revoked since: what it registered before stands.

        Raises:
            WalletRevoked: The owner was forgotten here.
            WalletHasOwner, ItemDeleted, PieceConflict, QuotaExceeded: As for a registration.
        """
        wallet = replace(state.wallet, revoked=False)
        counter = self._next_counter(state.next_counter)
        return plan_registration(
            replace(state, wallet=wallet, next_counter=counter), batch, self.registration
        )

    def _next_counter(self, stored: int) -> int:
        """Y goes on though the database that counted is gone: no safe issues 2^20 certificates a second."""
        beyond = self.now << COUNTERS_PER_SECOND_BITS
        return beyond if stored < beyond <= self.registration.counter_limit else stored
