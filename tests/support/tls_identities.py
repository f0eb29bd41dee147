"""TLS identities that a safe would never make and servers that speak old TLS: what must be refused."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rpc_edge.tls_identity import make_tls_identity

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Identity:
    """A key and its certificate, PEM."""

    private_key: bytes
    certificate: bytes

    @property
    def der(self) -> bytes:
        return x509.load_pem_x509_certificate(self.certificate).public_bytes(serialization.Encoding.DER)

    @property
    def last_day(self) -> str:
        return x509.load_pem_x509_certificate(self.certificate).not_valid_after_utc.date().isoformat()

    @property
    def first_day(self) -> str:
        return x509.load_pem_x509_certificate(self.certificate).not_valid_before_utc.date().isoformat()


def identity(name: str = "safe-1", *, begins: timedelta = -DAY, ends: timedelta = DAY) -> Identity:
    """What the key ceremony makes, valid from now + begins to now + ends."""
    now = datetime.now(UTC)
    return Identity(*make_tls_identity(name, now + begins, now + ends))


def signed_by(issuer: Identity, subject: str, name: str = "safe-1") -> Identity:
    """A fresh key whose certificate for `name` is signed with the issuer's key; the chain goes with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    parent = x509.load_pem_x509_certificate(issuer.certificate)
    builder = _builder(subject, name).issuer_name(parent.subject).public_key(key.public_key())
    parent_key = serialization.load_pem_private_key(issuer.private_key, None)
    assert isinstance(parent_key, ec.EllipticCurvePrivateKey)
    certificate = builder.sign(parent_key, hashes.SHA256())
    return Identity(_pem(key), certificate.public_bytes(serialization.Encoding.PEM) + issuer.certificate)


def self_signed_with(usage: x509.KeyUsage | None, name: str = "safe-1") -> bytes:
    """A self-signed certificate (DER) with this key usage, or with none at all."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, name).issuer_name(_subject(name)).public_key(key.public_key())
    if usage is not None:
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(subject: str, name: str) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(subject))
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@contextmanager
def python_tls_server(
    who: Identity, folder: Path, newest: ssl.TLSVersion, protocols: list[str]
) -> Iterator[int]:
    """A server made with Python's ssl that speaks at most `newest`; yields its port on 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = newest
    if protocols:
        context.set_alpn_protocols(protocols)
    (folder / "identity.pem").write_bytes(who.private_key + who.certificate)
    context.load_cert_chain(folder / "identity.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept_all, args=(listener, context))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept_all(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, suppress(OSError):
            context.wrap_socket(connection, server_side=True).close()
