"""The call about the wallet itself: its state."""

import asyncio
from importlib.metadata import PackageNotFoundError, version

from kura.wallet.v1 import wallet_pb2 as pb
from wallet_client.service.served import Served

try:
    SOFTWARE_VERSION = version("kura")
except PackageNotFoundError:  # a source tree that was not installed
    SOFTWARE_VERSION = "unknown"


async def describe(served: Served) -> pb.DescribeResponse:
    """How full the wallet is, and its roster."""
    store, roster = served.wallet.store, served.wallet.roster

    def read() -> pb.DescribeResponse:
        usage = store.usage()
        return pb.DescribeResponse(
            capacity_bytes=usage.capacity,
            used_bytes=usage.used,
            values=len(store.values.summaries()),
            receipts=len(store.receipts.entries()),
            waiting_deliveries=len(store.outbox.entries()),
            roster_fingerprint=store.settings.get().genesis_fingerprint,
        )

    response = await asyncio.to_thread(read)
    response.software_version = SOFTWARE_VERSION
    response.roster_version = roster.version
    response.threshold = roster.threshold
    response.safes.extend(
        pb.Safe(name=one.name, safe_id=one.safe_id, operator=one.operator, endpoint=one.endpoint)
        for one in roster.safes
    )
    return response
