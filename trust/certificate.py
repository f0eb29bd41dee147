"""The registration certificate: one safe's signed word that it keeps one piece.

It holds the information class (value or key), the digest, the hash X, the counter Y and the safe's
own pointer [E1, C3]. One signature covers the Merkle root over all certificates of a call; each
certificate carries its path, so it can be shown and verified alone and offline. A certificate names a
piece; it does not authorise anybody (docs/DESIGN.md 7.1).
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta

from threshold import merkle
from threshold.errors import ThresholdError
from trust.digest import Digest
from trust.documents import Document, SigningKey, verify
from trust.errors import CertificateMismatch, SignatureInvalid
from trust.ids import (
    Bytes32,
    Generation,
    Hash,
    HashField,
    ItemIdField,
    SafeId,
    SafeIdField,
    ShareIndex,
    Signature,
    SignatureField,
)

_PATH_HASHES = 64
"""No tree whose leaves can be counted in 64 bits is higher."""
COUNTER_LIMIT = 2**63 - 1
"""After this Y the counter returns to 0."""


class Certificate(Document, frozen=True):
    """What a safe certifies.

    Args:
        safe_id: The safe's own pointer.
        kind: Information class: "value" or "key".
        digest: The item's digest.
        x_hash: X: the piece root, or the key piece's hash.
        counter: Y: 0 to 2^63 - 1; rises by one for each certificate of this safe.
        item_id: The item.
        generation: Its generation.
        index: The share index x.
    """

    title = "certificate"

    safe_id: SafeIdField
    kind: Literal["value", "key"]
    digest: Digest
    x_hash: HashField
    counter: Annotated[int, Meta(ge=0, le=COUNTER_LIMIT)]
    item_id: ItemIdField
    generation: Generation
    index: ShareIndex


class CertificateHead(Document, frozen=True):
    """What the signature of one call covers."""

    title = "certificates"

    safe_id: SafeIdField
    count: Annotated[int, Meta(ge=1)]
    root: HashField


class SignedCertificate(Document, frozen=True):
    """A certificate that proves itself.

    Args:
        certificate: Exact bytes of a Certificate.
        position: Its place among the call's certificates.
        count: How many the call had.
        path: RFC 9162 inclusion path.
        root: The call's Merkle root.
        signature: The safe's, over the CertificateHead.
    """

    title = "signed certificate"

    certificate: bytes
    position: Annotated[int, Meta(ge=0)]
    count: Annotated[int, Meta(ge=1)]
    path: Annotated[tuple[Bytes32, ...], Meta(max_length=_PATH_HASHES)]
    root: HashField
    signature: SignatureField

    def read(self) -> Certificate:
        """The certificate itself, unverified.

        Raises:
            DocumentMalformed: It does not parse.
        """
        return Certificate.from_bytes(self.certificate)


def sign_certificates(safe_id: SafeId, certificates: Sequence[bytes], key: SigningKey) -> Signature:
    """One signature over all certificates of a call, in order; at least one."""
    return key.sign(CertificateHead.title, _head(safe_id, certificates).to_bytes())


def _head(safe_id: SafeId, certificates: Sequence[bytes]) -> CertificateHead:
    root = merkle.root([merkle.leaf_hash(certificate) for certificate in certificates])
    return CertificateHead(safe_id, len(certificates), Hash(root))


def verify_call(
    safe_id: SafeId, certificates: Sequence[bytes], signature: bytes, safe_key: bytes
) -> tuple[SignedCertificate, ...]:
    """Check a call's signature once and give every certificate its path.

    Raises:
        SignatureInvalid: The safe did not sign these certificates in this order.
    """
    head = _head(safe_id, certificates)
    verify(CertificateHead.title, safe_key, head.to_bytes(), signature)
    paths = merkle.paths([merkle.leaf_hash(certificate) for certificate in certificates])
    return tuple(
        SignedCertificate(certificate, position, len(certificates), path, head.root, Signature(signature))
        for position, (certificate, path) in enumerate(zip(certificates, paths, strict=True))
    )


def verify_certificate(signed: SignedCertificate, safe_key: bytes) -> Certificate:
    """Check one certificate alone.

    Raises:
        DocumentMalformed: It does not parse.
        SignatureInvalid: The path or the signature does not hold under the safe's key.
    """
    certificate = Certificate.from_bytes(signed.certificate)
    leaf = merkle.leaf_hash(signed.certificate)
    try:
        merkle.verify_path(leaf, signed.position, signed.count, signed.path, signed.root)
    except ThresholdError:
        raise SignatureInvalid(Certificate.title) from None
    head = CertificateHead(certificate.safe_id, signed.count, signed.root)
    verify(CertificateHead.title, safe_key, head.to_bytes(), signed.signature)
    return certificate


def check_certificate(data: bytes, expected: Certificate) -> Certificate:
    """Compare what a safe certified with what the wallet registered; the counter is the safe's to choose.

    Raises:
        DocumentMalformed: It does not parse.
        CertificateMismatch: It certifies something else; names the field.
    """
    certificate = Certificate.from_bytes(data)
    for field in ("safe_id", "kind", "digest", "x_hash", "item_id", "generation", "index"):
        if getattr(certificate, field) != getattr(expected, field):
            raise CertificateMismatch(Certificate.title, expected.safe_id, field)
    return certificate
