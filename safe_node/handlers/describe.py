"""Describe: who this safe is and what it accepts."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from kura.safe.v1 import safe_pb2 as pb
from safe_node.handlers.safe import Safe

try:
    SOFTWARE_VERSION = version("kura")
except PackageNotFoundError:  # a source tree that was not installed
    SOFTWARE_VERSION = "unknown"


def describe(safe: Safe) -> pb.DescribeResponse:
    """The safe's own word; the roster decides whether it is believed."""
    roster, limits = safe.membership.newest, safe.limits
    return pb.DescribeResponse(
        safe_id=safe.membership.safe_id,
        name=safe.name,
        signing_key=safe.signing_key.public,
        roster_version=roster.version,
        roster_hash=safe.membership.fingerprints[roster.version],
        software_version=SOFTWARE_VERSION,
        time_ms=safe.now_ms(),
        limits=pb.Limits(
            message_bytes=limits.message_bytes,
            entries_per_call=limits.entries_per_call,
            unary_blob_bytes=limits.unary_blob_bytes,
            stream_blob_bytes=limits.stream_blob_bytes,
            bytes_per_wallet=limits.bytes_per_wallet,
        ),
    )
