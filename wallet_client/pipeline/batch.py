"""A batch made ready: the signed manifest, and for every safe the parcel of what it is to keep.

    BatchPlan + encoded values -> seal -> divide -> place -> Manifest, leaves, Parcels

Small shares are made at once. The share of a large item is made twice, once for its hashes and once
while it is sent, so that its pieces never lie in memory together.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from threshold import feldman, merkle
from threshold.randomness import SeededRandomness
from threshold.ristretto import Point
from trust.certificate import Certificate
from trust.digest import DigestFields
from trust.documents import SigningKey
from trust.ids import Hash, SafeId, WalletKey
from trust.manifest import ItemLeaf, Manifest, Place, item_root, sign_manifest
from trust.piece import BLINDING_BYTES, BlockHasher, piece_root
from wallet_client.pipeline.divide import Divider, share_length
from wallet_client.pipeline.errors import PlanOutdated
from wallet_client.pipeline.parcel import CHUNK_BYTES, STREAMED_ABOVE_BYTES, Parcel, ParcelPiece, StreamedBlob
from wallet_client.pipeline.plan import BatchPlan, PlannedItem
from wallet_client.pipeline.rechunk import rechunk
from wallet_client.pipeline.seal import BatchSecret, ItemName, make_digest


@dataclass(frozen=True, slots=True)
class WalletKeys:
    """What a wallet signs and seals its digests with.

    Args:
        signing: Signs manifests, requests and tombstones.
        digest_secret: Secret: 32 bytes.
    """

    signing: SigningKey
    digest_secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EncodedItem:
    """A value on its way into the pipeline.

    Args:
        plaintext: Secret: its encoding.
        digest_fields: What a digest may say of it.
    """

    plaintext: bytes = field(repr=False)
    digest_fields: DigestFields = field(repr=False)


class PreparedBatch:
    """A batch of which every byte is decided by its plan."""

    def __init__(self, plan: BatchPlan, items: Iterable[EncodedItem], keys: WalletKeys) -> None:
        """Seal and divide.

        Args:
            plan: From `plan_batches`.
            items: One for each planned item, in order; taken one by one, so that a large plaintext
                can be given up as soon as it is sealed.
            keys: The wallet's.

        Raises:
            PlanOutdated: A value has another length than the plan says.
        """
        self.plan = plan
        self.secret = BatchSecret.draw(self._randomness(b"secret"))
        self._value_places = tuple(place for place in plan.placement if place.value)
        sealed, digest_fields = self._seal(items)
        xs = tuple(place.x for place in self._value_places)
        self._divider = Divider(sealed, plan.terms.value, xs, plan.seed)
        self._blobs = _Blobs(plan, self._divider)
        self._commitments, self._key_shares = self._deal()
        self.leaves = tuple(
            self._leaf(index, fields, keys.digest_secret) for index, fields in enumerate(digest_fields)
        )
        self.leaf_bytes = tuple(leaf.to_bytes() for leaf in self.leaves)
        self.manifest = self._manifest(keys)
        self.manifest_bytes, self.signature = sign_manifest(self.manifest, keys.signing)

    def parcel(self, safe_id: SafeId) -> Parcel:
        """What this safe is to keep."""
        places = self.manifest.places_at(safe_id)
        pieces = tuple(
            ParcelPiece(index, self._blobs.whole(index, place), self._expected(leaf, place))
            for index, leaf in enumerate(self.leaves)
            for place in places
        )
        return Parcel(
            safe_id=safe_id,
            manifest=self.manifest_bytes,
            signature=self.signature,
            leaves=self.leaf_bytes,
            pieces=pieces,
            key_shares=tuple((place.x, self._key_shares[place.x]) for place in places if place.key),
            streamed=next(
                (self._blobs.streamed(place.x) for place in places if self._blobs.is_streamed(place)), None
            ),
        )

    def piece_items(self, safe_id: SafeId) -> list[int]:
        """Of each piece in the safe's parcel, in order, which item it is of."""
        places = len(self.manifest.places_at(safe_id))
        return [index for index in range(len(self.leaves)) for _ in range(places)]

    def blob_bytes(self, safe_id: SafeId) -> int:
        """Bytes of all blobs for this safe."""
        return sum(self._blobs.total for place in self.manifest.places_at(safe_id) if place.value)

    def chunks(self, x: int) -> Iterator[bytes]:
        """The streamed blob at x, in messages. Secret."""
        return rechunk(self._blobs.stream(x), CHUNK_BYTES)

    def _randomness(self, label: bytes) -> SeededRandomness:
        return SeededRandomness(self.plan.seed, label)

    def _seal(self, items: Iterable[EncodedItem]) -> tuple[bytes, list[DigestFields]]:
        sealed, digest_fields = [], []
        for planned, item in zip(self.plan.items, items, strict=True):
            digest_fields.append(item.digest_fields)
            sealed.append(self._seal_one(planned, item.plaintext))
            del item
        return (sealed[0] if len(sealed) == 1 else b"".join(sealed)), digest_fields

    def _seal_one(self, planned: PlannedItem, plaintext: bytes) -> bytes:
        sealed = plaintext
        if self.plan.terms.sealing != "none":
            sealed = self.secret.seal_value(ItemName(planned.item_id, planned.generation), plaintext)
        if len(sealed) != planned.sealed_length:
            raise PlanOutdated(planned.value_id)
        return sealed

    def _deal(self) -> tuple[tuple[Point, ...], dict[int, bytes]]:
        rule = self.plan.terms.key
        if rule.mode == "none":
            return (), {}
        if rule.mode == "kept":
            return feldman.commit((self.secret.scalar,)), {}
        xs = [place.x for place in self.plan.placement if place.key]
        dealing = feldman.deal(self.secret.scalar, rule.k, xs, self._randomness(b"key shares"))
        return dealing.commitments, {share.x: share.value.to_bytes() for share in dealing.shares}

    def _leaf(self, index: int, fields: DigestFields, digest_secret: bytes) -> ItemLeaf:
        planned = self.plan.items[index]
        name = ItemName(planned.item_id, planned.generation)
        return ItemLeaf(
            item_id=planned.item_id,
            generation=planned.generation,
            kind="value",
            digest=make_digest(self.plan.terms.digest, fields, digest_secret, self.secret.salt, name),
            sealed_length=planned.sealed_length,
            piece_roots=tuple(self._blobs.root(index, place) for place in self._value_places),
        )

    def _manifest(self, keys: WalletKeys) -> Manifest:
        plan = self.plan
        return Manifest(
            wallet_key=WalletKey(keys.signing.public),
            terms=plan.terms,
            roster_version=plan.roster_version,
            roster_hash=plan.roster_hash,
            placement=plan.placement,
            commitments=tuple(point.to_bytes() for point in self._commitments),
            bound=False,
            salt=self.secret.salt,
            created_at=plan.created_at,
            item_count=len(plan.items),
            item_root=item_root(self.leaf_bytes),
        )

    def _expected(self, leaf: ItemLeaf, place: Place) -> Certificate:
        return expected_certificate(self.manifest, leaf, place)


def expected_certificate(manifest: Manifest, leaf: ItemLeaf, place: Place) -> Certificate:
    """What the safe of `place` must certify for `leaf`; the counter is left at 0."""
    return Certificate(
        safe_id=place.safe_id,
        kind=leaf.kind,
        digest=leaf.digest,
        x_hash=manifest.piece_hash(leaf, place.x),
        counter=0,
        item_id=leaf.item_id,
        generation=leaf.generation,
        index=place.x,
    )


class _Blobs:
    """Blinding and share of every piece: whole while they fit in messages, else as streams."""

    def __init__(self, plan: BatchPlan, divider: Divider) -> None:
        self._plan = plan
        self._divider = divider
        lengths = [share_length(plan.terms.value, item.sealed_length) for item in plan.items]
        self._ends = list(accumulate(lengths))
        self.total = self._ends[-1] + BLINDING_BYTES * len(lengths)
        self._large = len(lengths) == 1 and BLINDING_BYTES + lengths[0] > STREAMED_ABOVE_BYTES
        self._blinding = self._draw_blinding(BLINDING_BYTES * len(lengths))
        self._shares = {} if self._large else divider.all_shares()
        self._streamed = self._hash_streams() if self._large else {}

    def is_streamed(self, place: Place) -> bool:
        return self._large and place.value

    def streamed(self, x: int) -> StreamedBlob:
        return self._streamed[x]

    def whole(self, index: int, place: Place) -> bytes | None:
        if self._large or not place.value:
            return None
        start = self._ends[index - 1] if index else 0
        return self._blinding_of(index, place.x) + self._shares[place.x][start : self._ends[index]]

    def root(self, index: int, place: Place) -> Hash:
        if self._large:
            return Hash(merkle.root(self._streamed[place.x].block_hashes))
        return piece_root(self.whole(index, place) or b"")

    def stream(self, x: int) -> Iterator[bytes]:
        yield self._blinding_of(0, x)
        yield from self._divider.share(x)

    def _hash_streams(self) -> dict[int, StreamedBlob]:
        """Hash all blobs in one pass: dividing a segment for all indices costs little more than for one."""
        hashers = {x: BlockHasher() for x in self._divider.xs}
        for x, hasher in hashers.items():
            hasher.update(self._blinding_of(0, x))
        for shares in self._divider.segments():
            for x, share in shares.items():
                hashers[x].update(share)
        return {x: StreamedBlob(x, self.total, tuple(hasher.finish())) for x, hasher in hashers.items()}

    def _blinding_of(self, index: int, x: int) -> bytes:
        return self._blinding[x][BLINDING_BYTES * index : BLINDING_BYTES * (index + 1)]

    def _draw_blinding(self, length: int) -> dict[int, bytes]:
        rng = SeededRandomness(self._plan.seed, b"blinding")
        return {x: rng.read(length) for x in self._divider.xs}
