"""A receipt: the certificates of one item, with the manifest that gives them their meaning.

With it, and k of the safes, the value comes back. It is kept sealed in the wallet; its certificates
can be verified at any time without contacting anyone.
"""

import base64
from collections.abc import Collection
from functools import cached_property, lru_cache
from typing import Annotated, NewType

from msgspec import Meta, structs

from trust.certificate import Certificate, SignedCertificate, check_certificate, verify_certificate
from trust.documents import Document
from trust.errors import CertificateMismatch, TrustError
from trust.ids import ItemId, SafeId, SignatureField
from trust.manifest import ItemLeaf, Manifest, Place, check_leaf, read_manifest
from trust.roster import Roster
from wallet_client.pipeline.batch import expected_certificate
from wallet_client.pipeline.seal import ItemName
from wallet_client.policies.policy import Arrangement
from wallet_client.values.value import ValueFields, ValueId

ReceiptId = NewType("ReceiptId", str)
"""A receipt in one wallet: `r-` and the first ten base32 characters of the item id, in lower case."""


class Receipt(Document, frozen=True, dict=True):
    """One registered item.

    Args:
        value_id: The value it stands for.
        fields: The value's fields when it was registered.
        size_bytes: What the value takes of the wallet's capacity.
        policy_name: The wallet's policy.
        manifest: Exact bytes of the batch's manifest.
        manifest_signature: This wallet's.
        leaf: Exact bytes of the item's leaf.
        certificates: Those received so far, at most one per place.
        kept_key: Secret: the batch scalar, 32 bytes, where the policy keeps it in the wallet; else empty.
        spent_generation: The newest generation that was withdrawn; safes refuse it for ever. 0 for none.
        has_lost_pieces: A safe no longer has what it certified; the next backup makes a new generation.
    """

    title = "receipt"

    value_id: ValueId
    fields: ValueFields
    size_bytes: int
    policy_name: str
    manifest: bytes
    manifest_signature: SignatureField
    leaf: bytes
    certificates: tuple[SignedCertificate, ...]
    kept_key: bytes = b""
    spent_generation: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0
    has_lost_pieces: bool = False

    def __repr__(self) -> str:
        """Without the key."""
        return f"<Receipt of {self.value_id}>"

    @property
    def receipt_id(self) -> ReceiptId:
        """Its name."""
        return receipt_id_of(self.read_leaf().item_id)

    def read_leaf(self) -> ItemLeaf:
        """The item's leaf."""
        return self._parsed_leaf

    @cached_property
    def _parsed_leaf(self) -> ItemLeaf:
        return ItemLeaf.from_bytes(self.leaf)

    def read_manifest(self) -> Manifest:
        """The batch's manifest, its signature checked."""
        return read_manifest(self.manifest, self.manifest_signature)

    def with_certificates(self, more: tuple[SignedCertificate, ...]) -> "Receipt":
        """The receipt with newly received certificates, still one for each place."""
        by_place = {signed.read().index: signed for signed in self.certificates + more}
        return structs.replace(self, certificates=tuple(by_place.values()))

    def without_pieces(self, lost: Collection[int]) -> "Receipt":
        """The receipt after safes said that they no longer have the pieces at these share indices."""
        left = tuple(signed for signed in self.certificates if signed.read().index not in lost)
        return structs.replace(self, certificates=left, has_lost_pieces=True)

    def with_spent(self, generation: int) -> "Receipt":
        """The receipt after a newer generation of its item was withdrawn."""
        return structs.replace(self, spent_generation=generation)


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


def item_name(leaf: ItemLeaf) -> ItemName:
    """Which sealing of which item the leaf stands for."""
    return ItemName(leaf.item_id, leaf.generation)


def state_of(receipt: Receipt) -> ReceiptState:
    """Count the certificates against the placement."""
    manifest = receipt.read_manifest()
    arrangement = Arrangement(manifest.terms, manifest.placement)
    xs = {signed.read().index for signed in receipt.certificates}
    missing = {place.safe_id for place in manifest.placement if place.x not in xs}
    holding = tuple(safe for safe in arrangement.safes if safe not in missing)
    return ReceiptState(holding, arrangement.safes, arrangement.may_still_be_lost(set(holding)))


def verify_receipt(receipt: Receipt, roster: Roster) -> dict[SafeId, TrustError | None]:
    """Check everything that can be checked offline: of every safe's certificates, what is wrong or None.

    Raises:
        TrustError: The manifest or the leaf themselves do not hold, or a certificate cannot be read.
    """
    manifest, leaf = receipt.read_manifest(), receipt.read_leaf()
    check_leaf(manifest, leaf)
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
