"""Who carries a wallet's calls to the safes, where that is not the network itself.

A carrier is told to Links, which opens one channel to it and sends everything for every safe through it, in
envelopes that the carrier cannot open. A terminal is one (`kura terminal`); a safe would be another.
"""

from dataclasses import dataclass
from typing import Protocol

import grpc

from rpc_edge.tls import CHANNEL_OPTIONS


class Carrier(Protocol):
    """Whoever answers SafeService.Carry for other safes."""

    def open(self) -> grpc.aio.Channel:
        """A channel to it; whoever asks closes it. Call it in a running event loop."""
        ...


@dataclass(frozen=True, slots=True)
class Terminal:
    """`kura terminal`, on this machine. There is no TLS up to it: what goes there is sealed.

    Args:
        address: From wallet_client.network.loopback.read_address.
    """

    address: str

    def open(self) -> grpc.aio.Channel:
        """As Carrier."""
        return grpc.aio.insecure_channel(self.address, options=tuple(CHANNEL_OPTIONS))
