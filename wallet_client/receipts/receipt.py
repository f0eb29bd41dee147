"""A receipt: the certificates of one item, with the manifest that gives them their meaning.

With it, and k of the safes, the value comes back. It is kept sealed in the wallet; its certificates
can be verified at any time without contacting anyone.
"""

import base64
from collections.abc import Collection
from functools import cached_property, lru_cache
from typing import Annotated, Literal, NewType

from msgspec import Meta, structs

from trust.certificate import Certificate, SignedCertificate, check_certificate, verify_certificate
from trust.digest import DigestFields
from trust.documents import Document
from trust.errors import CertificateMismatch, TrustError
from trust.ids import (
    MAX_GENERATION,
    Bytes32,
    ItemId,
    SafeId,
    ShareIndex,
    SignatureField,
    UnixSeconds,
)
from trust.manifest import ItemLeaf, Manifest, Place, read_leaf, read_manifest
from trust.roster import Roster
from trust.value_fields import ValueFields
from wallet_client.pipeline.batch import WalletKeys, expected_certificate
from wallet_client.pipeline.seal import item_name, read_digest
from wallet_client.policies.arrangement import Arrangement
from wallet_client.values.value import ValueId

ReceiptId = NewType("ReceiptId", str)
"""A receipt in one wallet: `r-` and the first ten base32 characters of the item id, in lower case."""


class ReceiptMember(Document, frozen=True):
    """One value, or one key, of an item.

    Args:
        value_id: The value it stands for, or the key.
        position: Its place in the item.
        fields: Its fields when it was registered.
        size_bytes: What it takes of the wallet's capacity.
    """

    title = "receipt member"

    value_id: ValueId
    position: int
    fields: ValueFields
    size_bytes: int


class Receipt(Document, frozen=True, dict=True):
    """One registered item.

    Args:
        kind: "value", or "key" for a key of the wallet.
        members: What it stands for: one value or key, or several values that were coupled, less those that
            were registered otherwise since.
        policy_name: The wallet's policy.
        manifest: Exact bytes of the batch's manifest.
        manifest_signature: This wallet's.
        leaf: Exact bytes of the item's leaf.
        certificates: Those received so far, at most one per place.
        kept_shares: Secret: value shares that stay in the wallet, by x.
        kept_key_shares: Secret: key shares that stay in the wallet, 32 bytes each, by x.
        spent_generation: The newest generation that was withdrawn; safes refuse it for ever. 0 for none.
        leaf_position: The leaf's place among the manifest's leaves.
        leaf_path: Its RFC 9162 inclusion path to the manifest's root: so the wallet's signature covers it.
        has_lost_pieces: A safe no longer has what it certified; the next backup makes a new generation.
        deleted_until: When its generation was last deleted, Unix seconds, if that was taken back; 0: never.
            The next tombstone must be a later one, else it would be the one that safes refuse for ever.
    """

    title = "receipt"

    kind: Literal["value", "key"]
    members: tuple[ReceiptMember, ...]
    policy_name: str
    manifest: bytes
    manifest_signature: SignatureField
    leaf: bytes
    certificates: tuple[SignedCertificate, ...]
    kept_shares: tuple[tuple[ShareIndex, bytes], ...] = ()
    kept_key_shares: tuple[tuple[ShareIndex, Bytes32], ...] = ()
    spent_generation: Annotated[int, Meta(ge=0, le=MAX_GENERATION)] = 0
    leaf_position: Annotated[int, Meta(ge=0)] = 0
    leaf_path: tuple[Bytes32, ...] = ()
    has_lost_pieces: bool = False
    deleted_until: UnixSeconds = 0

    def __repr__(self) -> str:
        """Without what it keeps."""
        return f"<Receipt of {', '.join(self.value_ids)}>"

    @property
    def receipt_id(self) -> ReceiptId:
        """Its name."""
        return receipt_id_of(self.read_leaf().item_id)

    @property
    def value_ids(self) -> tuple[ValueId, ...]:
        """The values, or the key, it stands for."""
        return tuple(member.value_id for member in self.members)

    @property
    def is_coupled(self) -> bool:
        """Whether its item may hold several values."""
        return self.read_manifest().terms.coupling != "single"

    @property
    def arrangement(self) -> Arrangement:
        """Which safe keeps what of it, and what the wallet does."""
        manifest = self.read_manifest()
        kept = tuple(x for x, _ in self.kept_shares), tuple(x for x, _ in self.kept_key_shares)
        return Arrangement(manifest.terms, manifest.placement, *kept)

    def read_leaf(self) -> ItemLeaf:
        """The item's leaf."""
        return self._parsed_leaf

    @cached_property
    def _parsed_leaf(self) -> ItemLeaf:
        return ItemLeaf.from_bytes(self.leaf)

    def check_leaf(self, manifest: Manifest) -> ItemLeaf:
        """The item's leaf, once it is shown to be the manifest's [E2].

        Raises:
            DocumentMalformed: It is another, or does not fit.
        """
        return read_leaf(manifest, self.leaf, self.leaf_position, self.leaf_path)

    def read_manifest(self) -> Manifest:
        """The batch's manifest, its signature checked."""
        return _read_manifest(self.manifest, self.manifest_signature)

    def read_digests(self, keys: WalletKeys) -> tuple[DigestFields, ...]:
        """What the digest says of each value of the item; a vacant one says nothing.

        Raises:
            SealBroken: It is sealed, and not under this wallet's keys.
            BindingUnknown: It is bound to a root that is not this wallet's owner's.
        """
        manifest, leaf = self.read_manifest(), self.read_leaf()
        secret = keys.digest_secret_for(manifest.ownership)
        return read_digest(leaf.digest, secret, manifest.salt, item_name(leaf))

    def with_certificates(self, more: tuple[SignedCertificate, ...]) -> "Receipt":
        """The receipt with newly received certificates, still one for each place."""
        by_place = {signed.read().index: signed for signed in self.certificates + more}
        return structs.replace(self, certificates=tuple(by_place.values()))

    def without_pieces(self, lost: Collection[int]) -> "Receipt":
        """The receipt after safes said that they no longer have the pieces at these share indices."""
        left = tuple(signed for signed in self.certificates if signed.read().index not in lost)
        return structs.replace(self, certificates=left, has_lost_pieces=True)

    def expected_at(self, place: Place) -> Certificate:
        """What a safe certifies of the piece at a place of the manifest, but for its own counter."""
        leaf, manifest = self.read_leaf(), self.read_manifest()
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

    def with_renewed(self, more: tuple[SignedCertificate, ...]) -> "Receipt":
        """The receipt after safes certified anew what they lost and rebuilt; whole once all have."""
        renewed = self.with_certificates(more)
        have = {signed.read().index for signed in renewed.certificates}
        is_whole = have >= {place.x for place in self.read_manifest().placement}
        return structs.replace(renewed, has_lost_pieces=self.has_lost_pieces and not is_whole)

    def with_members(self, members: tuple[ReceiptMember, ...]) -> "Receipt":
        """The receipt of an item of which more is known now."""
        return structs.replace(self, members=members)

    def with_ids_of(self, older: "Receipt") -> "Receipt":
        """The receipt of a next generation, its values called what the generation before called them."""
        known = {member.position: member.value_id for member in older.members}
        members = tuple(
            structs.replace(one, value_id=known.get(one.position, one.value_id)) for one in self.members
        )
        return self.with_members(members)

    def without_members(self, gone: Collection[ValueId]) -> "Receipt":
        """The receipt after some of its values were registered otherwise."""
        return structs.replace(self, members=tuple(one for one in self.members if one.value_id not in gone))

    def with_deletion_undone(self, deleted_at: int) -> "Receipt":
        """The receipt after the owner took tombstones of that time, or earlier, back."""
        return structs.replace(self, deleted_until=max(self.deleted_until, deleted_at))

    def with_spent(self, generation: int) -> "Receipt":
        """The receipt after a newer generation of its item was withdrawn."""
        return structs.replace(self, spent_generation=generation)


_read_manifest = lru_cache(maxsize=64)(read_manifest)
"""All receipts of a batch have the same."""


class ReceiptState(Document, frozen=True):
    """Where a receipt stands.

    Args:
        holding: The safes that certified.
        placed: All safes that are to keep a piece.
        may_still_be_lost: How many more of the holding safes may be lost.
    """

    holding: tuple[SafeId, ...]
    placed: tuple[SafeId, ...]
    may_still_be_lost: int

    @property
    def word(self) -> str:
        """`safe` when every safe answered, else `registered`."""
        return "safe" if set(self.holding) >= set(self.placed) else "registered"


@lru_cache(maxsize=4096)
def receipt_id_of(item_id: ItemId) -> ReceiptId:
    """The receipt's name for an item."""
    return ReceiptId("r-" + base64.b32encode(item_id).decode("ascii")[:10].lower())


def state_of(receipt: Receipt) -> ReceiptState:
    """Count the certificates against the placement."""
    arrangement = receipt.arrangement
    xs = {signed.read().index for signed in receipt.certificates}
    missing = {place.safe_id for place in arrangement.placement if place.x not in xs}
    holding = tuple(safe for safe in arrangement.safes if safe not in missing)
    return ReceiptState(holding, arrangement.safes, arrangement.may_still_be_lost(set(holding)))


def verify_receipt(receipt: Receipt, roster: Roster) -> dict[SafeId, TrustError | None]:
    """Check everything that can be checked offline: of every safe's certificates, what is wrong or None.

    Raises:
        TrustError: The manifest or the leaf themselves do not hold, or a certificate cannot be read.
    """
    manifest = receipt.read_manifest()
    leaf = receipt.check_leaf(manifest)
    places = {place.x: place for place in manifest.placement}
    findings: dict[SafeId, TrustError | None] = {}
    for signed in receipt.certificates:
        certificate = signed.read()
        problem = _problem(signed, certificate, manifest, leaf, places.get(certificate.index), roster)
        findings[certificate.safe_id] = findings.get(certificate.safe_id) or problem
    return findings


def _problem(
    signed: SignedCertificate,
    certificate: Certificate,
    manifest: Manifest,
    leaf: ItemLeaf,
    place: Place | None,
    roster: Roster,
) -> TrustError | None:
    try:
        verify_certificate(signed, roster.safe(certificate.safe_id).signing_key)
        if place is None:
            raise CertificateMismatch(Certificate.title, certificate.safe_id, "index")
        check_certificate(signed.certificate, expected_certificate(manifest, leaf, place))
    except TrustError as error:
        return error
    return None
