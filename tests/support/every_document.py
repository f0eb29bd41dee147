"""Every type of document at least once, and every signature, of the samples beside this file."""

from dataclasses import dataclass
from hashlib import sha256

from msgspec import structs

from support import sample_access, sample_authority, sample_grant
from support.sample_documents import (
    ALGORITHM,
    ALL_SHOWN,
    CALL_SIGNATURE,
    CHAIN,
    FIELDS,
    GENESIS,
    LEAVES,
    MANIFEST,
    MANIFEST_SIGNATURE,
    NOW,
    OPERATORS,
    PLACEMENT,
    PROOF,
    RECEIPT_BYTES,
    RECEIPT_SIGNATURE,
    SAFE_IDS,
    SAFE_KEYS,
    SEALED,
    SIGNED_CERTIFICATES,
    TERMS,
    TOMBSTONE,
    TOMBSTONE_SIGNATURE,
    VALUE_FIELDS,
    WALLET,
    WRAP,
    WRAPPED_MANIFEST,
    WRAPPED_TERMS,
    certificate,
    draw,
    safe_entry,
)
from support.sample_envelope import OPENING, OUTCOME
from support.sample_owner import (
    AUTHORISATION,
    CHANGING_SECRETS,
    FORGETTING,
    FORGETTING_SIGNATURE,
    OWNED_MANIFEST,
    OWNER,
    OWNERSHIP,
    PART,
    RECORD,
    REVIVAL,
    REVIVAL_SIGNATURE,
    REVOCATION,
    REVOCATION_SIGNATURE,
    SECRETS,
    SIGNED_AUTHORISATION,
)
from trust.certificate import CertificateHead
from trust.digest import VACANT, DigestEntries, DigestFields, public_digest
from trust.documents import Document, SigningKey
from trust.ids import Hash, Signature
from trust.repair_session import RepairHelper, RepairSession, sign_session
from trust.tombstone import DeletionReceipt
from trust.value_fields import ValueFields

SESSION = RepairSession(
    session_id=draw("repair session", 16),
    requester=SAFE_IDS[4],
    begun_at=NOW,
    roster_version=1,
    roster_hash=GENESIS.fingerprint,
    manifest_hash=Hash(sha256(MANIFEST.to_bytes()).digest()),
    x=5,
    part="value",
    leaf_indices=(0, 2),
    start=0,
    length=700,
    helpers=tuple(RepairHelper(SAFE_IDS[x - 1], x) for x in (1, 2, 4)),
)
KEY_SESSION = structs.replace(SESSION, part="key", leaf_indices=(), length=0)


@dataclass(frozen=True, slots=True)
class SignedSample:
    """A document's exact bytes with the signature over them.

    Args:
        document: What the bytes say.
        signer: Whose key signed.
        signature: Over the document's signed bytes.
    """

    document: Document
    signer: SigningKey
    signature: Signature


def _head() -> CertificateHead:
    first = SIGNED_CERTIFICATES[0]
    return CertificateHead(SAFE_IDS[0], first.count, first.root)


SIGNED: dict[str, SignedSample] = {
    "manifest": SignedSample(MANIFEST, WALLET, MANIFEST_SIGNATURE),
    "certificates": SignedSample(_head(), SAFE_KEYS[0], CALL_SIGNATURE),
    "tombstone": SignedSample(TOMBSTONE, WALLET, TOMBSTONE_SIGNATURE),
    "deletion receipt": SignedSample(
        DeletionReceipt.from_bytes(RECEIPT_BYTES), SAFE_KEYS[0], RECEIPT_SIGNATURE
    ),
    "roster": SignedSample(GENESIS, OPERATORS[0], CHAIN[0].signatures[0].signature),
    "wallet authorisation": SignedSample(AUTHORISATION, OWNER, SIGNED_AUTHORISATION.signature),
    "wallet revocation": SignedSample(REVOCATION, OWNER, REVOCATION_SIGNATURE),
    "revival": SignedSample(REVIVAL, OWNER, REVIVAL_SIGNATURE),
    "owner tombstone": SignedSample(FORGETTING, OWNER, FORGETTING_SIGNATURE),
    "repair session": SignedSample(SESSION, SAFE_KEYS[4], sign_session(SESSION, SAFE_KEYS[4])[1]),
    "grant": SignedSample(sample_grant.GRANT, WALLET, sample_grant.GRANT_SIGNATURE),
    "collected": SignedSample(sample_grant.OPENING, SAFE_KEYS[0], sample_grant.OPENING_SIGNATURE),
    "authority description": SignedSample(
        sample_authority.DESCRIPTION, sample_authority.IDENTITY, sample_authority.SIGNED_DESCRIPTION.signature
    ),
    "assertion": SignedSample(
        sample_authority.ASSERTION, sample_authority.SIGNING, sample_authority.SIGNED_ASSERTION.signature
    ),
    "access policy": SignedSample(sample_access.POLICY, OWNER, sample_access.SIGNED_POLICY.signature),
    "safe challenge": SignedSample(
        sample_access.CHALLENGES[0], SAFE_KEYS[0], sample_access.CHALLENGE_SIGNATURE
    ),
    "key half": SignedSample(
        sample_authority.HALF, sample_authority.SIGNING, sample_authority.SIGNED_HALF.signature
    ),
}
"""Each document that is signed on its own, by its title; the request is built by both sides (PROOF)."""

DOCUMENTS: dict[str, Document] = {
    "value fields": VALUE_FIELDS,
    "value fields, class and name": ValueFields(item_class="coupon", name="A"),
    "digest fields": FIELDS,
    "digest fields, all shown": ALL_SHOWN,
    "digest fields, all empty": DigestFields(),
    "digest entries": DigestEntries((FIELDS, ALL_SHOWN)),
    "public digest": public_digest((FIELDS,)),
    "sealed digest": SEALED,
    "vacant digest": VACANT,
    "division": TERMS.value,
    "key rule": TERMS.key,
    "policy terms": TERMS,
    "place": PLACEMENT[0],
    "item leaf": LEAVES[0],
    "manifest": MANIFEST,
    "policy terms, none the usual": WRAPPED_TERMS,
    "key wrap": WRAP,
    "manifest with a wrap": WRAPPED_MANIFEST,
    "key algorithm": ALGORITHM,
    "certificate": certificate(0),
    "certificate head": _head(),
    "signed certificate": SIGNED_CERTIFICATES[2],
    "tombstone": TOMBSTONE,
    "deletion receipt": DeletionReceipt.from_bytes(RECEIPT_BYTES),
    "request proof": PROOF,
    "envelope opening": OPENING,
    "envelope outcome": OUTCOME,
    "safe entry": safe_entry(1),
    "roster": GENESIS,
    "roster signature": CHAIN[0].signatures[0],
    "signed roster": CHAIN[1],
    "record place": RECORD.places[0],
    "owner record": RECORD,
    "owner secrets": SECRETS,
    "owner secrets, a root leaves": CHANGING_SECRETS,
    "released part": PART,
    "wallet authorisation": AUTHORISATION,
    "signed wallet authorisation": SIGNED_AUTHORISATION,
    "wallet revocation": REVOCATION,
    "revival": REVIVAL,
    "owner tombstone": FORGETTING,
    "ownership": OWNERSHIP,
    "manifest of an owner": OWNED_MANIFEST,
    "repair helper": SESSION.helpers[0],
    "repair session": SESSION,
    "repair session of a key share": KEY_SESSION,
    "granted part": sample_grant.GRANT.parts[0],
    "grant": sample_grant.GRANT,
    "collected": sample_grant.OPENING,
    **sample_authority.DOCUMENTS,
    **sample_access.DOCUMENTS,
}
"""Each type of document at least once, by a name for the test's id."""
