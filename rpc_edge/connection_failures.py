"""What went wrong with a connection, told from what gRPC says and what the pinned certificate's dates say.

gRPC reports every failure to connect as UNAVAILABLE with a text; the text is all there is to tell a refused
connection from a wrong certificate. This is the only place that reads it. A text of another version of
gRPC ends as Unreachable: less telling, never wrong.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import grpc

from rpc_edge.errors import (
    AddressUnknown,
    CallFailed,
    CertificateExpired,
    CertificateNotYetValid,
    ConnectionLost,
    NoAnswer,
    NotASafe,
    NothingListens,
    NotTls13,
    OtherCertificate,
    UnexpectedStatus,
    Unreachable,
)

_MARKS: tuple[tuple[str, Callable[[], CallFailed]], ...] = (
    ("CERTIFICATE_VERIFY_FAILED", OtherCertificate),
    ("Hostname Verification Check failed", OtherCertificate),
    ("HANDSHAKE_FAILURE", NotTls13),
    ("PROTOCOL_VERSION", NotTls13),
    ("UNSUPPORTED_PROTOCOL", NotTls13),
    ("WRONG_VERSION_NUMBER", NotTls13),
    ("Tls handshake failed", NotTls13),
    ("missing selected ALPN", NotASafe),
    ("Connection refused", NothingListens),
    ("No such file or directory", NothingListens),
    ("hostname lookup", AddressUnknown),
    ("errors resolving", AddressUnknown),
    ("Socket closed", ConnectionLost),
    ("Connection reset", ConnectionLost),
    ("Broken pipe", ConnectionLost),
    ("GOAWAY", ConnectionLost),
    ("ping timeout", ConnectionLost),
)


def explain_connection_failure(
    error: grpc.aio.AioRpcError, certificate_der: bytes | None, *, now: datetime, waited_seconds: float
) -> CallFailed:
    """Name the reason why a call got no answer.

    Args:
        error: What grpc.aio raised; a refusal of ours was looked for before.
        certificate_der: The pinned certificate, or None where the channel has none.
        now: The present, with time zone.
        waited_seconds: The deadline the call had.
    """
    code = error.code()
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return NoAnswer(waited_seconds)
    if code is not grpc.StatusCode.UNAVAILABLE:
        return UnexpectedStatus(code.name)
    text = error.details() or ""
    if certificate_der is not None and "CERTIFICATE_VERIFY_FAILED" in text:
        return _out_of_date(text, certificate_der, now) or OtherCertificate()
    return next((make() for mark, make in _MARKS if mark in text), Unreachable())


def _out_of_date(text: str, certificate_der: bytes, now: datetime) -> CallFailed | None:
    """Whether it is the pinned certificate itself that is out of its dates; another one is just another."""
    from cryptography import x509  # only where a connection failed

    certificate = x509.load_der_x509_certificate(certificate_der)
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if "has expired" in text and now > last:
        return CertificateExpired(last.astimezone(UTC).date().isoformat())
    if "not yet valid" in text and now < first:
        return CertificateNotYetValid(first.astimezone(UTC).date().isoformat())
    return None
