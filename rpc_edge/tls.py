"""Server credentials, and channels that trust exactly one certificate.

A safe's identity is a self-signed ECDSA P-256 certificate that the roster carries in full. A client's only
trust root is that certificate, so no authority in the world can vouch for another one (docs/DESIGN.md,
section 5). BoringSSL takes a trust root as the issuer of further certificates even where its basic
constraints deny that it is an authority; it does honour a key usage without keyCertSign. Pinned
certificates must therefore carry one: with it the pin is exact.
"""

from collections.abc import Sequence

import grpc

from rpc_edge.errors import CertificateUnfit
from trust.roster_file import to_pem

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Largest message either side takes in, unless a server is told otherwise."""

MAX_METADATA_BYTES = 16 * 1024
"""Largest metadata, and so the largest error details, either side takes in."""

KEEPALIVE_MS = 10_000
"""A call in flight pings a silent peer this often; servers allow twice that rate."""

Options = Sequence[tuple[str, int | str]]

COMMON_OPTIONS: Options = (
    ("grpc.max_metadata_size", MAX_METADATA_BYTES),
    ("grpc.absolute_max_metadata_size", MAX_METADATA_BYTES),
    # Probing for bandwidth lets gRPC buffer tens of megabytes of a stream that nobody has read yet.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 1_048_576),
)

CHANNEL_OPTIONS: Options = (
    *COMMON_OPTIONS,
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", -1),  # the server judges what is too large, with a reason
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", 5_000),
    # A restarted safe is found again within a second at most, a dead one is not hammered.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 20_000),  # in gRPC's words the shortest time a connection attempt gets
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    # The roster says where safes are; a proxy variable meant for browsing says nothing about them.
    ("grpc.enable_http_proxy", 0),
    # One channel's connection and back-off are its own.
    ("grpc.use_local_subchannel_pool", 1),
)


def server_credentials(private_key_pem: bytes, certificate_pem: bytes) -> grpc.ServerCredentials:
    """Credentials of a server that asks for no client certificate.

    Args:
        private_key_pem: Secret: the server's key, PEM.
        certificate_pem: Its certificate, PEM.
    """
    return grpc.ssl_server_credentials([(private_key_pem, certificate_pem)])


def peer_server_credentials(
    private_key_pem: bytes, certificate_pem: bytes, peers_der: Sequence[bytes]
) -> grpc.ServerCredentials:
    """Credentials of a server that lets nobody through who shows no certificate of these.

    BoringSSL only says that what was shown chains to one of them: rpc_edge.peers compares it, byte for byte.

    Args:
        private_key_pem: Secret: the server's key, PEM.
        certificate_pem: Its certificate, PEM.
        peers_der: The certificates of those who may connect, DER, as in the roster; at least one.
    """
    return grpc.ssl_server_credentials(
        [(private_key_pem, certificate_pem)],
        root_certificates="".join(map(to_pem, peers_der)).encode(),
        require_client_auth=True,
    )


def peer_channel(
    endpoint: str,
    certificate_der: bytes,
    server_name: str,
    own_key_pem: bytes,
    own_certificate_pem: bytes,
) -> grpc.aio.Channel:
    """Open a channel among safes: to the one that holds the key of a certificate, as the one with this key.

    Otherwise as `pinned_channel`. That the certificate could vouch for others is no matter here: whoever has
    its key is that peer anyway.

    Args:
        own_key_pem: Secret: the caller's key, PEM.
        own_certificate_pem: The caller's certificate, PEM.
    """
    credentials = grpc.ssl_channel_credentials(
        root_certificates=to_pem(certificate_der).encode(),
        private_key=own_key_pem,
        certificate_chain=own_certificate_pem,
    )
    chosen = dict(CHANNEL_OPTIONS) | {"grpc.ssl_target_name_override": server_name}
    return grpc.aio.secure_channel(endpoint, credentials, options=tuple(chosen.items()))


def pinned_channel(
    endpoint: str, certificate_der: bytes, server_name: str, *, options: Options = ()
) -> grpc.aio.Channel:
    """Open a channel to the one server that holds the key of one certificate.

    Call it in a running event loop. Nothing is sent before the first call.
    Whoever makes the channel closes it.

    Args:
        endpoint: "host:port"; IPv6 in brackets.
        certificate_der: The only certificate accepted, DER, as in the roster.
        server_name: Its subject alternative name: the safe's name in the roster.
        options: gRPC channel arguments that go before the house's own.

    Raises:
        CertificateUnfit: It is no certificate, or one that could vouch for others.
    """
    check_pinnable(certificate_der)
    credentials = grpc.ssl_channel_credentials(root_certificates=to_pem(certificate_der).encode())
    chosen = dict(CHANNEL_OPTIONS) | {"grpc.ssl_target_name_override": server_name} | dict(options)
    return grpc.aio.secure_channel(endpoint, credentials, options=tuple(chosen.items()))


def check_pinnable(certificate_der: bytes) -> None:
    """Check that trust in a certificate stays with it alone.

    Raises:
        CertificateUnfit: It is no certificate, or its key usage does not rule out signing others.
    """
    from cryptography import x509  # a server never needs it, and it is a tenth of an idle safe's memory

    try:
        certificate = x509.load_der_x509_certificate(certificate_der)
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        raise CertificateUnfit("it states no key usage") from None
    except ValueError:
        raise CertificateUnfit("it cannot be read") from None
    if usage.key_cert_sign:
        raise CertificateUnfit("it may sign other certificates")
