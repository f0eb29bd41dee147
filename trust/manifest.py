"""The manifest: what a wallet signs once for a whole batch, and every safe checks its part against.

    Manifest   wallet key, terms, roster, placement, commitments, salt, root over the item leaves
    ItemLeaf   item, generation, kind, digest, sealed length, one piece root for each value share

A safe that has the manifest, all leaves and its own pieces can tell that they belong together; a
wallet that has the manifest and a leaf can tell which safe returned a wrong piece.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Literal

from msgspec import Meta

from threshold import merkle
from threshold.errors import ThresholdError
from trust.authorisation import SignedAuthorisation, read_authorisation
from trust.digest import Digest
from trust.documents import Document, SigningKey, verify
from trust.errors import DocumentMalformed
from trust.ids import (
    Bytes16,
    Bytes32,
    Generation,
    Hash,
    HashField,
    ItemIdField,
    SafeId,
    SafeIdField,
    ShareIndex,
    Signature,
    UnixSeconds,
    WalletKeyField,
)
from trust.piece import key_piece_hash
from trust.policy import PolicyTerms

MAX_ITEMS = 1_000
MAX_SEALED_BYTES = 2**36 - 64
"""What AES-256-GCM may seal under one key and nonce (SP 800-38D section 5.2.1.1)."""


class Place(Document, frozen=True):
    """What one safe keeps at one share index.

    Args:
        x: The share index, 1 to 255.
        safe_id: The safe.
        value: It keeps the value share at x.
        key: It keeps the key share at x.
    """

    title = "place"

    x: ShareIndex
    safe_id: SafeIdField
    value: bool
    key: bool

    def __post_init__(self) -> None:
        """Refuse a place for nothing."""
        if not (self.value or self.key):
            raise self.malformed("value", "nothing is placed here")


class ItemLeaf(Document, frozen=True):
    """One item of a batch.

    Args:
        kind: "value", or "key" for a key backed up as an item of its own.
        sealed_length: Length in bytes of what was divided.
        piece_roots: One for each place that keeps a value share, in the placement's order.
    """

    title = "item leaf"

    item_id: ItemIdField
    generation: Generation
    kind: Literal["value", "key"]
    digest: Digest
    sealed_length: Annotated[int, Meta(ge=0, le=MAX_SEALED_BYTES)]
    piece_roots: Annotated[tuple[HashField, ...], Meta(max_length=255)]


class KeyWrap(Document, frozen=True):
    """The batch secret, sealed under a key of the wallet or to a key pair.

    Args:
        key_id: Commitment to the key's secret scalar, a ristretto255 encoding: names the key, and shows
            whether a secret that came back is it.
        algorithm: How the wallet derives the key from its root, as name/version; empty where it does not.
        sealed: AES-256-GCM under the key, 48 bytes; or HPKE to its public key, 80 bytes.
    """

    title = "key wrap"

    key_id: Bytes32
    algorithm: Annotated[str, Meta(max_length=80)]
    sealed: Annotated[bytes, Meta(min_length=48, max_length=80)]


class Ownership(Document, frozen=True):
    """Whose the batch is.

    Args:
        binding_id: Names the root to which the item keys are bound; 16 bytes that tell nothing of it.
        signed: The owner's word that the manifest's wallet key acts for it; `read_manifest` checks it.
    """

    title = "ownership"

    binding_id: Bytes16
    signed: SignedAuthorisation


class Manifest(Document, frozen=True, dict=True):
    """What holds for the whole batch.

    Args:
        wallet_key: Who registers, signs requests and may delete.
        terms: How the items were made into pieces.
        roster_version: Version of the roster the placement refers to.
        roster_hash: SHA-256 of that roster's signed bytes.
        placement: Which safe keeps what, by rising x.
        commitments: Feldman commitments C_0..C_{k-1} to the secret that is dealt, ristretto255 encodings: the
            batch secret, or the key that seals it; none where no key share is dealt.
        salt: 32 fresh random bytes for key derivation.
        created_at: When, by the wallet's clock.
        item_count: Number of leaves, 1 to 1,000.
        item_root: RFC 9162 Merkle root over the leaves' bytes.
        wrap: The batch secret under a key; None where shares of the batch secret itself are dealt, or
            nothing is sealed.
        ownership: The owner for whom the wallet acts, and to whose root the item keys are bound; None before
            an owner is enrolled.
    """

    title = "manifest"

    wallet_key: WalletKeyField
    terms: PolicyTerms
    roster_version: Annotated[int, Meta(ge=1)]
    roster_hash: HashField
    placement: Annotated[tuple[Place, ...], Meta(max_length=255)]
    commitments: Annotated[tuple[Bytes32, ...], Meta(max_length=255)]
    salt: Bytes32
    created_at: UnixSeconds
    item_count: Annotated[int, Meta(ge=1, le=MAX_ITEMS)]
    item_root: HashField
    wrap: KeyWrap | None = None
    ownership: Ownership | None = None

    def __post_init__(self) -> None:
        """Hold placement and commitments to the terms."""
        xs = [place.x for place in self.placement]
        if xs != sorted(set(xs)):
            raise self.malformed("placement", "share indices must rise")
        self._check_counts()
        self._check_wrap()

    def _check_counts(self) -> None:
        value_places = sum(place.value for place in self.placement)
        key_places = sum(place.key for place in self.placement)
        if value_places > self.terms.value.n or key_places > self.terms.key.n:
            raise self.malformed("placement", "more shares placed than made")
        if any(place.value and place.x > self.terms.value.n for place in self.placement):
            raise self.malformed("placement", "value shares stand at 1 to n")
        if len(self.commitments) != self.terms.key.k:
            raise self.malformed("commitments", "do not fit the key's threshold")

    def _check_wrap(self) -> None:
        if (self.wrap is not None) != self.terms.is_wrapped:
            raise self.malformed("wrap", "does not fit the sealing and the key")
        if self.wrap is None:
            return
        if (self.terms.key.mode == "root") != bool(self.wrap.algorithm):
            raise self.malformed("wrap", "an algorithm without a root, or a root without an algorithm")
        if self.commitments and self.commitments[0] != self.wrap.key_id:
            raise self.malformed("wrap", "is under another key than the one dealt")

    def value_places(self) -> tuple[Place, ...]:
        """The places that keep a value share, in the order of a leaf's piece roots."""
        return self._value_places

    @cached_property
    def _value_places(self) -> tuple[Place, ...]:
        return tuple(place for place in self.placement if place.value)

    @cached_property
    def _root_positions(self) -> dict[int, int | None]:
        """For each x the position of its piece root in a leaf; None where no value share is."""
        positions = {place.x: position for position, place in enumerate(self._value_places)}
        return {place.x: positions.get(place.x) for place in self.placement}

    def key_places(self) -> tuple[Place, ...]:
        """The places that keep a key share."""
        return tuple(place for place in self.placement if place.key)

    def places_at(self, safe_id: SafeId) -> tuple[Place, ...]:
        """What one safe keeps of each item."""
        return tuple(place for place in self.placement if place.safe_id == safe_id)

    def piece_hash(self, leaf: ItemLeaf, x: int) -> Hash:
        """X of the piece of `leaf` at `x`: the piece root, or the key piece's hash where no value share is.

        Raises:
            KeyError: Nothing is placed at x.
        """
        position = self._root_positions[x]
        if position is None:
            return key_piece_hash(leaf.item_id, leaf.generation, x, self.commitments[0])
        return leaf.piece_roots[position]


def leaf_paths(leaves: Sequence[bytes]) -> list[tuple[bytes, ...]]:
    """What shows of each leaf, by its exact bytes, that it is under the root."""
    return merkle.paths([merkle.leaf_hash(leaf) for leaf in leaves])


def item_root(leaves: Sequence[bytes]) -> Hash:
    """Root over the leaves' exact bytes."""
    return Hash(merkle.root([merkle.leaf_hash(leaf) for leaf in leaves]))


def sign_manifest(manifest: Manifest, key: SigningKey) -> tuple[bytes, Signature]:
    """The manifest's exact bytes and their signature."""
    body = manifest.to_bytes()
    return body, key.sign(Manifest.title, body)


def read_manifest(body: bytes, signature: bytes) -> Manifest:
    """Parse a manifest, and check the signatures of the wallet key and of the owner key that it names.

    Raises:
        DocumentMalformed: It does not parse, contradicts itself, or shows another wallet's authorisation.
        SignatureInvalid: The wallet did not sign it, or the owner did not authorise the wallet.
    """
    manifest = Manifest.from_bytes(body)
    verify(Manifest.title, manifest.wallet_key, body, signature)
    if manifest.ownership is not None:
        authorisation = read_authorisation(manifest.ownership.signed)
        if authorisation.wallet_key != manifest.wallet_key:
            raise DocumentMalformed(Manifest.title, "ownership", "authorises another wallet")
    return manifest


def read_leaves(manifest: Manifest, leaves: Sequence[bytes]) -> tuple[ItemLeaf, ...]:
    """Parse all leaves of a manifest and check them against its root and terms.

    Raises:
        DocumentMalformed: A leaf does not parse, is not the manifest's, or repeats an item.
    """
    if len(leaves) != manifest.item_count or item_root(leaves) != manifest.item_root:
        raise DocumentMalformed(ItemLeaf.title, "", "the leaves are not those the manifest names")
    parsed = tuple(ItemLeaf.from_bytes(leaf) for leaf in leaves)
    if len({leaf.item_id for leaf in parsed}) != len(parsed):
        raise DocumentMalformed(ItemLeaf.title, "item_id", "an item stands twice in one batch")
    for leaf in parsed:
        check_leaf(manifest, leaf)
    return parsed


def read_leaf(manifest: Manifest, leaf: bytes, position: int, path: Sequence[bytes]) -> ItemLeaf:
    """Parse one leaf of a manifest, without the others, and check it against the manifest's root and terms.

    Args:
        manifest: Its signature has been checked.
        leaf: The leaf's exact bytes.
        position: Its place among the leaves.
        path: RFC 9162 inclusion path, 32 bytes each.

    Raises:
        DocumentMalformed: It does not parse, is not the manifest's, or does not fit its terms.
    """
    try:
        merkle.verify_path(merkle.leaf_hash(leaf), position, manifest.item_count, path, manifest.item_root)
    except ThresholdError:
        raise DocumentMalformed(ItemLeaf.title, "", "is not one that the manifest names") from None
    parsed = ItemLeaf.from_bytes(leaf)
    check_leaf(manifest, parsed)
    return parsed


def check_leaf(manifest: Manifest, leaf: ItemLeaf) -> None:
    """Check one leaf against its manifest's terms.

    Raises:
        DocumentMalformed: Its piece roots or digest do not fit.
    """
    if len(leaf.piece_roots) != len(manifest.value_places()):
        raise DocumentMalformed(ItemLeaf.title, "piece_roots", "not one for each value share")
    if leaf.digest.mode != manifest.terms.digest:
        raise DocumentMalformed(ItemLeaf.title, "digest", "not of the policy's mode")
