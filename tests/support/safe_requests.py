"""Valid requests to safes, made as a wallet makes them, for tests to send and to spoil.

Nothing here seals: to a safe a share of plain text is as good as a share of ciphertext.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

from kura.safe.v1 import safe_pb2 as pb
from safe_node.records import AnnouncedBlob, CandidateBatch, CandidatePiece, KeyShare
from support.sample_documents import NOW, draw, key, sealing_pair
from threshold import feldman, shamir
from threshold.randomness import RandomSource, SeededRandomness
from threshold.ristretto import Scalar
from trust.authorisation import authorise_wallet
from trust.digest import VACANT, Digest, DigestFields, public_digest
from trust.documents import SigningKey
from trust.ids import Generation, Hash, ItemId, SafeId, Signature, WalletKey
from trust.manifest import ItemLeaf, Manifest, Ownership, Place, item_root, sign_manifest
from trust.piece import BLINDING_BYTES, block_hashes, piece_root
from trust.policy import Division, KeyRule, PolicyTerms
from trust.roster import Roster, SafeEntry
from trust.tombstone import Tombstone, sign_tombstone

CHUNK_BYTES = 1024 * 1024
DECOY_SECRET = draw("decoy secret of a roster_of", 32)
"""What a safe of `roster_of` is given; what its roster holds was sealed by nobody."""


def seeded(label: str) -> RandomSource:
    """A stream of its own for each label, the same in every run."""
    return SeededRandomness(draw("safe requests", 32), label.encode())


@dataclass(frozen=True)
class Dealt:
    """A batch as its wallet holds it before anything is sent.

    Args:
        blobs: For (leaf index, x): the piece's blob.
        shares: For x: the key share.
    """

    manifest: Manifest
    body: bytes
    signature: Signature
    leaves: tuple[bytes, ...]
    items: tuple[ItemLeaf, ...]
    blobs: dict[tuple[int, int], bytes] = field(repr=False)
    shares: dict[int, bytes] = field(repr=False)

    def signed_again(self, wallet: SigningKey, **changes: object) -> "Dealt":
        """The same batch under a manifest that says something else, signed as if it were right."""
        names = Manifest.__struct_fields__
        body = msgspec.msgpack.encode([changes.get(name, getattr(self.manifest, name)) for name in names])
        placed = msgspec.structs.replace(
            self.manifest, placement=changes.get("placement", self.manifest.placement)
        )
        return replace(self, manifest=placed, body=body, signature=wallet.sign(Manifest.title, body))

    def for_safe(self, safe_id: SafeId) -> pb.Batch:
        """What goes to one safe."""
        places = self.manifest.places_at(safe_id)
        return pb.Batch(
            manifest=self.body,
            manifest_signature=self.signature,
            leaves=self.leaves,
            pieces=[
                pb.Piece(leaf_index=index, x=place.x, blob=self.blobs.get((index, place.x)))
                for index in range(len(self.leaves))
                for place in places
            ],
            key_shares=[pb.KeyShare(x=place.x, share=self.shares[place.x]) for place in places if place.key],
        )

    def candidate(self, safe_id: SafeId) -> CandidateBatch:
        """What goes to one safe, as the safe reads it."""
        message = self.for_safe(safe_id)
        return CandidateBatch(
            manifest=message.manifest,
            manifest_signature=message.manifest_signature,
            leaves=tuple(message.leaves),
            pieces=tuple(
                CandidatePiece(piece.leaf_index, piece.x, piece.blob if piece.HasField("blob") else None)
                for piece in message.pieces
            ),
            key_shares=tuple(KeyShare(share.x, share.share) for share in message.key_shares),
        )

    def opening(self, safe_id: SafeId, x: int | None = None) -> tuple[pb.StreamOpening, bytes]:
        """The opening of a stream of its only item to one safe, and the blob that follows."""
        batch = self.for_safe(safe_id)
        chosen = batch.pieces[0].x if x is None else x
        blob = self.blobs[0, chosen]
        shares = [share for share in batch.key_shares if share.x == chosen]
        del batch.pieces[:], batch.key_shares[:]
        batch.pieces.add(leaf_index=0, x=chosen)
        batch.key_shares.extend(shares)
        opening = pb.StreamOpening(batch=batch, blob_length=len(blob), block_hashes=block_hashes(blob))
        return opening, blob

    def streamed_candidate(self, safe_id: SafeId, x: int | None = None) -> tuple[CandidateBatch, bytes]:
        """The opening as the safe reads it, and the blob."""
        opening, blob = self.opening(safe_id, x)
        piece = opening.batch.pieces[0]
        announced = AnnouncedBlob(opening.blob_length, tuple(opening.block_hashes))
        shares = tuple(KeyShare(share.x, share.share) for share in opening.batch.key_shares)
        candidate = replace(
            self.candidate(safe_id), pieces=(CandidatePiece(0, piece.x, announced),), key_shares=shares
        )
        return candidate, blob


def deal(
    roster: Roster,
    wallet: SigningKey,
    values: Sequence[bytes],
    *,
    label: str = "batch",
    k: int = 1,
    generation: int = 1,
    key_mode: Literal["shared", "none"] = "shared",
    places: Sequence[Place] | None = None,
    item_ids: Sequence[ItemId] | None = None,
    ownership: Ownership | None = None,
) -> Dealt:
    """Divide values among the safes of a roster, one value share and one key share at each.

    Args:
        roster: Where to.
        wallet: Whose.
        values: What is divided, k of as many as there are places.
        label: Names the randomness; equal labels give equal batches.
        k: Shares needed.
        generation: Of every item.
        key_mode: Whether a secret is shared beside the values.
        places: Another placement.
        item_ids: Other items than the label's.
        ownership: For whom the wallet acts.
    """
    rng = seeded(label)
    placement = tuple(
        places or (_place(number, safe.safe_id, key_mode) for number, safe in enumerate(roster.safes))
    )
    value_xs = [place.x for place in placement if place.value]
    key_xs = [place.x for place in placement if place.key]
    dealing = feldman.deal(Scalar.random(rng), k, key_xs, rng) if key_xs else None
    blobs: dict[tuple[int, int], bytes] = {}
    items = []
    for index, value in enumerate(values):
        for share in shamir.split(value, k, value_xs, rng) if value_xs else ():
            blobs[index, share.x] = rng.read(BLINDING_BYTES) + share.data
        items.append(
            ItemLeaf(
                item_id=item_ids[index] if item_ids else ItemId(rng.read(16)),
                generation=generation,
                kind="value",
                digest=_digest(index, key_mode),
                sealed_length=len(value),
                piece_roots=tuple(piece_root(blobs[index, x]) for x in value_xs),
            )
        )
    leaves = tuple(item.to_bytes() for item in items)
    manifest = Manifest(
        wallet_key=WalletKey(wallet.public),
        terms=PolicyTerms(
            name="test",
            sealing="shared-key" if dealing else "none",
            value=Division("shamir", k, max([k, *value_xs])),
            key=KeyRule("shared", k, len(key_xs)) if dealing else KeyRule("none"),
            digest="public" if dealing else "vacant",
            quorum=len(roster.safes),
        ),
        roster_version=roster.version,
        roster_hash=roster.fingerprint,
        placement=placement,
        commitments=tuple(point.to_bytes() for point in dealing.commitments) if dealing else (),
        salt=rng.read(32),
        created_at=NOW,
        item_count=len(leaves),
        item_root=Hash(item_root(leaves)),
        ownership=ownership,
    )
    body, signature = sign_manifest(manifest, wallet)
    shares = {share.x: share.value.to_bytes() for share in dealing.shares} if dealing else {}
    return Dealt(manifest, body, signature, leaves, tuple(items), blobs, shares)


def _digest(index: int, key_mode: str) -> Digest:
    """A safe would derive the digest of what is not sealed; that has tests of its own."""
    if key_mode == "none":
        return VACANT
    return public_digest((DigestFields(item_class="ticket", name=f"value {index}"),))


def _place(number: int, safe_id: SafeId, key_mode: str) -> Place:
    return Place(number + 1, safe_id, value=True, key=key_mode == "shared")


def ownership_of(owner: SigningKey, wallet: SigningKey) -> Ownership:
    """What a manifest says of a wallet that acts for an owner."""
    return Ownership(draw("binding id", 16), authorise_wallet(WalletKey(wallet.public), NOW, owner))


def signed_tombstone(
    wallet: SigningKey, item_id: ItemId, generation: Generation = 1, deleted_at: int = NOW
) -> pb.SignedTombstone:
    """A wallet's, or an owner's, deletion of one generation of one item."""
    tombstone = Tombstone(WalletKey(wallet.public), item_id, generation, deleted_at)
    body, signature = sign_tombstone(tombstone, wallet)
    return pb.SignedTombstone(tombstone=body, signature=signature)


def wallet_key(label: str = "wallet") -> SigningKey:
    """A wallet's key by name."""
    return key(f"requests of {label}")


def roster_of(count: int) -> Roster:
    """A roster of safes that do not run; signed by nobody."""
    safes = tuple(
        SafeEntry(
            safe_id=SafeId(draw(f"safe {number}", 16)),
            name=f"safe-{number}",
            operator=f"Operator {number}",
            endpoint=f"127.0.0.1:{number}",
            peer_endpoint=f"127.0.0.1:{1000 + number}",
            tls_certificate=draw(f"certificate {number}", 64),
            signing_key=key(f"signing {number}").public,
            sealing_key=sealing_pair(f"sealing {number}").public,
            operator_key=key(f"operator {number}").public,
        )
        for number in range(1, count + 1)
    )
    return Roster(1, b"", NOW, 1, safes, tuple(draw(f"decoy {number}", 80) for number in range(count)))
