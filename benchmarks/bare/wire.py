"""What the bare client and the bare servers agree on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from rpc_edge.tls_identity import make_tls_identity

SERVICE = "bare.Rows"
SERVER_NAME = "bare"
ANSWER_BYTES = 300
"""About the length of a certificate: what a safe answers for one piece."""

MESSAGE_BYTES = 16 * 1024 * 1024
CHUNK_BYTES = 512 * 1024

OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.so_reuseport", 0),
)

Rows = list[bytes]
encode_rows = msgspec.msgpack.Encoder().encode
decode_rows = msgspec.msgpack.Decoder(Rows).decode


def write_identity(folder: Path) -> None:
    """Make key and certificate of a server, for a day."""
    now = datetime.now(UTC)
    key, certificate = make_tls_identity(SERVER_NAME, now - timedelta(hours=1), now + timedelta(days=1))
    folder.mkdir(parents=True)
    (folder / "key.pem").write_bytes(key)
    (folder / "certificate.pem").write_bytes(certificate)
