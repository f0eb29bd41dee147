"""A receipt: the certificates of one item, with the manifest that gives them their meaning.

With it, and k of the safes, the value comes back. It is kept sealed in the wallet; its certificates
can be verified at any time without contacting anyone.
"""

import base64
from typing import NewType

from trust.certificate import SignedCertificate, check_certificate, verify_certificate
from trust.documents import Document
from trust.errors import TrustError
from trust.ids import ItemId, SafeId, SignatureField
from trust.manifest import ItemLeaf, Manifest, read_manifest
from trust.roster import Roster
from wallet_client.pipeline.batch import expected_certificate
from wallet_client.pipeline.seal import ItemName
from wallet_client.policies.policy import Arrangement
from wallet_client.values.value import ValueFields, ValueId

ReceiptId = NewType("ReceiptId", str)
"""A receipt in one wallet: `r-` and the first ten base32 characters of the item id, in lower case."""


class Receipt(Document, frozen=True):
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

    def __repr__(self) -> str:
        """Without the key."""
        return f"<Receipt {self.receipt_id}>"

    @property
    def receipt_id(self) -> ReceiptId:
        """Its name."""
        return receipt_id_of(self.read_leaf().item_id)

    def read_leaf(self) -> ItemLeaf:
        """The item's leaf."""
        return ItemLeaf.from_bytes(self.leaf)

    def read_manifest(self) -> Manifest:
        """The batch's manifest, its signature checked."""
        return read_manifest(self.manifest, self.manifest_signature)

    def with_certificates(self, more: tuple[SignedCertificate, ...]) -> "Receipt":
        """The receipt with newly received certificates."""
        return Receipt(
            self.value_id,
            self.fields,
            self.size_bytes,
            self.policy_name,
            self.manifest,
            self.manifest_signature,
            self.leaf,
            self.certificates + more,
            self.kept_key,
        )


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
    """Check everything that can be checked offline: of every certificate, what is wrong with it or None.

    Raises:
        TrustError: The manifest or the leaf themselves do not hold.
    """
    manifest, leaf = receipt.read_manifest(), receipt.read_leaf()
    places = {place.x: place for place in manifest.placement}
    findings: dict[SafeId, TrustError | None] = {}
    for signed in receipt.certificates:
        certificate = signed.read()
        try:
            entry = roster.safe(certificate.safe_id)
            verify_certificate(signed, entry.signing_key)
            check_certificate(
                signed.certificate, expected_certificate(manifest, leaf, places[certificate.index])
            )
            findings[certificate.safe_id] = None
        except TrustError as error:
            findings[certificate.safe_id] = error
    return findings
