"""Whether a server answers: the standard health service, asked over the one certificate it is known by."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Protocol

import grpc
from grpc_health.v1 import health_pb2

from trust.roster_file import to_pem

_POLL_SECONDS = 0.05
_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 300),
    ("grpc.use_local_subchannel_pool", 1),
)


class Server(Protocol):
    """A safe of a roster, or an authority as it describes itself."""

    @property
    def name(self) -> str:
        """Also its TLS server name."""

    @property
    def endpoint(self) -> str:
        """host:port."""

    @property
    def tls_certificate(self) -> bytes:
        """DER."""


def serving(entries: Sequence[Server], seconds: float = 2.0) -> dict[str, bool]:
    """Ask all safes at once, once; gives by name whether each said SERVING in time."""
    with ExitStack() as stack:
        calls = {entry.name: _ask(stack.enter_context(_channel(entry)), seconds) for entry in entries}
        return {name: _says_serving(call) for name, call in calls.items()}


def wait_until_serving(entry: Server, deadline: float, is_running: Callable[[], bool]) -> str | None:
    """Ask a starting safe until it serves.

    Args:
        entry: The safe.
        deadline: On the monotonic clock, seconds.
        is_running: Whether its process still lives.

    Returns:
        None once it serves, else what went wrong, as the clause after its name.
    """
    with _channel(entry) as channel:
        while time.monotonic() < deadline:
            if _says_serving(_ask(channel, 0.5)):
                return None
            if not is_running():
                return "ended while it was starting"
            time.sleep(_POLL_SECONDS)
    return "did not become healthy in time"


def _channel(entry: Server) -> grpc.Channel:
    credentials = grpc.ssl_channel_credentials(root_certificates=to_pem(entry.tls_certificate).encode())
    options = (*_OPTIONS, ("grpc.ssl_target_name_override", entry.name))
    return grpc.secure_channel(entry.endpoint, credentials, options=options)


def _ask(channel: grpc.Channel, seconds: float) -> "grpc.Future[health_pb2.HealthCheckResponse]":
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    return check.future(health_pb2.HealthCheckRequest(), timeout=seconds, wait_for_ready=True)


def _says_serving(call: "grpc.Future[health_pb2.HealthCheckResponse]") -> bool:
    try:
        answer = call.result()
    except grpc.RpcError:
        return False
    return answer.status == health_pb2.HealthCheckResponse.SERVING
