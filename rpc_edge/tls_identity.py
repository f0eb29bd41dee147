"""A server's TLS key and self-signed certificate, made once at its key ceremony.

The certificate is ECDSA P-256 and carries a key usage without certificate signing: without one, BoringSSL
would take whoever holds its key as an issuer of further certificates (see rpc_edge.tls).
"""

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make_tls_identity(name: str, not_before: datetime, not_after: datetime) -> tuple[bytes, bytes]:
    """Make a safe's TLS key and its self-signed certificate, from the system's randomness.

    Args:
        name: The safe's name in the roster, a lower-case DNS label: the only subject alternative name.
        not_before: First moment of validity, with time zone.
        not_after: Last moment of validity, with time zone.

    Returns:
        The private key (PKCS #8 PEM, unencrypted, Secret) and the certificate (PEM).
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_signs_handshakes_only(), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)


def _signs_handshakes_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
