"""A batch made ready: the signed manifest, and for every safe the parcels of what it is to keep.

BatchPlan + encoded values -> couple -> seal -> divide -> place -> Manifest, leaves, Parcels
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from threshold import feldman
from threshold.randomness import SeededRandomness
from threshold.ristretto import Point, Scalar
from trust.certificate import Certificate
from trust.digest import DigestFields
from trust.documents import SigningKey
from trust.ids import SafeId, WalletKey
from trust.manifest import ItemLeaf, Manifest, Ownership, Place, item_root, leaf_paths, sign_manifest
from wallet_client.pipeline.binding import Binding
from wallet_client.pipeline.blobs import Blobs
from wallet_client.pipeline.couple import couple
from wallet_client.pipeline.errors import BindingUnknown, PlanOutdated
from wallet_client.pipeline.parcel import CHUNK_BYTES, Parcel, ParcelPiece
from wallet_client.pipeline.plan import BatchPlan, PlannedItem
from wallet_client.pipeline.rechunk import rechunk
from wallet_client.pipeline.seal import WHOLE, item_name, make_digest, member_role


@dataclass(frozen=True, slots=True)
class WalletKeys:
    """What a wallet signs with, seals its digests with, and binds its items with.

    Args:
        signing: Signs manifests, requests and tombstones.
        digest_secret: Secret: 32 bytes, for items that are bound to no owner.
        bindings: By their ids: of the owner's root, and of a root that is being replaced.
        ownership: What manifests say of the owner; None before one is enrolled.
    """

    signing: SigningKey
    digest_secret: bytes = field(repr=False)
    bindings: Mapping[bytes, Binding] = field(default_factory=dict)
    ownership: Ownership | None = None

    def binding_secret_for(self, ownership: Ownership | None) -> bytes:
        """Secret: what the items of a manifest are bound with; empty where they are not.

        Raises:
            BindingUnknown: The wallet has another owner's root, or none.
        """
        return b"" if ownership is None else self._binding(ownership).secret

    def digest_secret_for(self, ownership: Ownership | None) -> bytes:
        """Secret: what the sealed digests of a manifest are sealed under.

        Raises:
            BindingUnknown: As above.
        """
        return self.digest_secret if ownership is None else self._binding(ownership).digest_secret

    def _binding(self, ownership: Ownership) -> Binding:
        try:
            return self.bindings[ownership.binding_id]
        except KeyError:
            raise BindingUnknown(ownership.binding_id) from None


@dataclass(frozen=True, slots=True)
class EncodedMember:
    """A value, or a key, on its way into the pipeline.

    Args:
        plaintext: Secret: its encoding.
        digest_fields: What a digest may say of each value in it.
    """

    plaintext: bytes = field(repr=False)
    digest_fields: DigestFields = field(repr=False)


class PreparedBatch:
    """A batch of which every byte is decided by its plan."""

    def __init__(
        self,
        plan: BatchPlan,
        members: Iterable[EncodedMember],
        keys: WalletKeys,
        wallet_scalar: Scalar | None = None,
    ) -> None:
        """Couple, seal and divide.

        Args:
            plan: From `plan_batches`.
            members: One for each member of each planned item, in order; taken one by one, so that a large
                plaintext can be given up as soon as it is sealed.
            keys: The wallet's.
            wallet_scalar: Secret: the wallet's key, where the plan places shares of it.

        Raises:
            PlanOutdated: A value has another length than the plan says.
        """
        self.plan = plan
        self.secret = replace(plan.secret, binding_secret=keys.binding_secret_for(plan.ownership))
        self._value_places = tuple(place for place in plan.placement if place.value)
        contents, entries = self._seal_all(iter(members))
        self._blobs = Blobs(plan, contents, self.secret)
        del contents
        self._commitments, self._key_shares = self._deal(wallet_scalar)
        digest_secret = keys.digest_secret_for(plan.ownership)
        self.leaves = tuple(self._leaf(index, shown, digest_secret) for index, shown in enumerate(entries))
        self.leaf_bytes = tuple(leaf.to_bytes() for leaf in self.leaves)
        self.leaf_paths = leaf_paths(self.leaf_bytes)
        self.manifest = self._manifest(keys)
        self.manifest_bytes, self.signature = sign_manifest(self.manifest, keys.signing)

    def parcels(self, safe_id: SafeId) -> tuple[Parcel, ...]:
        """What this safe is to keep: one parcel, unless a large item has several pieces there."""
        places = self.manifest.places_at(safe_id)
        if not self._blobs.is_streamed:
            return (self._parcel(safe_id, places),)
        streamed = [self._parcel(safe_id, (place,)) for place in places if place.value]
        rest = tuple(place for place in places if not place.value)
        return (*streamed, *((self._parcel(safe_id, rest),) if rest else ()))

    def piece_items(self, safe_id: SafeId) -> list[int]:
        """Of each piece in the safe's parcels, in order, which item it is of."""
        places = len(self.manifest.places_at(safe_id))
        return [index for index in range(len(self.leaves)) for _ in range(places)]

    def total_bytes(self, safe_id: SafeId) -> int:
        """Bytes of all blobs for this safe."""
        return sum(self._blobs.total for place in self.manifest.places_at(safe_id) if place.value)

    def chunks(self, x: int) -> Iterator[bytes]:
        """The streamed blob at x, in messages. Secret."""
        return rechunk(self._blobs.stream(x), CHUNK_BYTES)

    def kept_shares(self, index: int) -> tuple[tuple[int, bytes], ...]:
        """Secret: the value shares of one item that stay in the wallet, by x."""
        return self._blobs.kept_shares(index)

    @property
    def kept_key_shares(self) -> tuple[tuple[int, bytes], ...]:
        """Secret: the key shares that stay in the wallet, 32 bytes each, by x."""
        return tuple((x, self._key_shares[x]) for x in self.plan.kept_keys)

    def _parcel(self, safe_id: SafeId, places: tuple[Place, ...]) -> Parcel:
        pieces = tuple(
            ParcelPiece(index, self._blob(index, place), expected_certificate(self.manifest, leaf, place))
            for index, leaf in enumerate(self.leaves)
            for place in places
        )
        streamed = self._blobs.is_streamed and places[0].value
        return Parcel(
            safe_id=safe_id,
            manifest=self.manifest_bytes,
            signature=self.signature,
            leaves=self.leaf_bytes,
            pieces=pieces,
            key_shares=tuple((place.x, self._key_shares[place.x]) for place in places if place.key),
            streamed=self._blobs.streamed(places[0].x) if streamed else None,
        )

    def _blob(self, index: int, place: Place) -> bytes | None:
        return self._blobs.whole(index, place.x) if place.value and not self._blobs.is_streamed else None

    def _seal_all(
        self, members: Iterator[EncodedMember]
    ) -> tuple[list[bytes], list[tuple[DigestFields, ...]]]:
        """What is divided of every item, and what its digest may say."""
        contents, entries = [], []
        for planned in self.plan.items:
            shown: list[DigestFields] = []
            contents.append(self._sealed(planned, self._coupled(planned, members, shown)))
            entries.append(tuple(shown))
        return contents, entries

    def _coupled(
        self, planned: PlannedItem, members: Iterator[EncodedMember], shown: list[DigestFields]
    ) -> bytes:
        parts = self._parts(planned, members, shown)
        return next(parts) if self.plan.terms.coupling == "single" else couple(parts)

    def _parts(
        self, planned: PlannedItem, members: Iterator[EncodedMember], shown: list[DigestFields]
    ) -> Iterator[bytes]:
        for number, member in enumerate(planned.members):
            encoded = next(members)
            if len(encoded.plaintext) != member.length:
                raise PlanOutdated(member.value_id)
            shown.append(encoded.digest_fields)
            plaintext = encoded.plaintext
            del encoded
            if self.plan.terms.coupling == "seal-then-couple":
                plaintext = self.secret.seal(item_name(planned), member_role(number), plaintext)
            yield plaintext

    def _sealed(self, planned: PlannedItem, content: bytes) -> bytes:
        terms = self.plan.terms
        apart = terms.coupling == "seal-then-couple" or terms.order == "divide-then-seal"
        if terms.sealing == "none" or apart:
            return content
        return self.secret.seal(item_name(planned), WHOLE, content)

    def _deal(self, wallet_scalar: Scalar | None) -> tuple[tuple[Point, ...], dict[int, bytes]]:
        """Shares of the batch secret, or of the key that seals it."""
        rule = self.plan.terms.key
        if not rule.is_shared:
            return (), {}
        scalar = self._dealt_scalar(wallet_scalar)
        xs = sorted([place.x for place in self.plan.placement if place.key] + list(self.plan.kept_keys))
        dealing = feldman.deal(scalar, rule.k, xs, SeededRandomness(self.plan.seed, b"key shares"))
        return dealing.commitments, {share.x: share.value.to_bytes() for share in dealing.shares}

    def _dealt_scalar(self, wallet_scalar: Scalar | None) -> Scalar:
        if not self.plan.terms.is_wrapped:
            return self.secret.scalar
        return self.plan.pair_scalar if wallet_scalar is None else wallet_scalar

    def _leaf(self, index: int, shown: tuple[DigestFields, ...], digest_secret: bytes) -> ItemLeaf:
        planned = self.plan.items[index]
        name = item_name(planned)
        return ItemLeaf(
            item_id=planned.item_id,
            generation=planned.generation,
            kind=planned.kind,
            digest=make_digest(self.plan.terms.digest, shown, digest_secret, self.secret.salt, name),
            sealed_length=planned.divided_length,
            piece_roots=tuple(self._blobs.root(index, place.x) for place in self._value_places),
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
            salt=self.secret.salt,
            created_at=plan.created_at,
            item_count=len(plan.items),
            item_root=item_root(self.leaf_bytes),
            wrap=plan.wrap,
            ownership=plan.ownership,
        )


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
