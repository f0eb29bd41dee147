"""Who carries a wallet's calls to the safes, where that is not the network itself.

A carrier is told to Links, which opens one channel to it and sends everything for every safe through it, in
envelopes that the carrier cannot open. A terminal is one (`kura terminal`); a safe is another, the gateway.
"""

from dataclasses import dataclass
from typing import Protocol

import grpc

from rpc_edge.tls import CHANNEL_OPTIONS, pinned_channel
from trust.roster import Roster, SafeEntry
from wallet_client.errors import UnknownGateway


class Carrier(Protocol):
    """Whoever answers SafeService.Carry for other safes."""

    def open(self, roster: Roster) -> grpc.aio.Channel:
        """A channel to it; whoever asks closes it. Call it in a running event loop.

        Args:
            roster: The wallet's, verified.
        """
        ...

    def gateway(self, roster: Roster) -> SafeEntry | None:
        """The safe that it is, which gathers pieces too; None: it only carries."""
        ...


@dataclass(frozen=True, slots=True)
class Terminal:
    """`kura terminal`, on this machine. There is no TLS up to it: what goes there is sealed.

    Args:
        address: From wallet_client.network.loopback.read_address.
    """

    address: str

    def open(self, roster: Roster) -> grpc.aio.Channel:
        """As Carrier."""
        return grpc.aio.insecure_channel(self.address, options=tuple(CHANNEL_OPTIONS))

    def gateway(self, roster: Roster) -> SafeEntry | None:
        """As Carrier."""
        return None


@dataclass(frozen=True, slots=True)
class Gateway:
    """One safe of the roster, over TLS to the certificate that the roster has for it [E12].

    Args:
        safe: Its name, or its id as 32 hexadecimal digits.
    """

    safe: str

    def open(self, roster: Roster) -> grpc.aio.Channel:
        """As Carrier; raises as `gateway`, and CertificateUnfit where its certificate cannot be pinned."""
        entry = self.gateway(roster)
        return pinned_channel(entry.endpoint, entry.tls_certificate, entry.name)

    def gateway(self, roster: Roster) -> SafeEntry:
        """As Carrier.

        Raises:
            UnknownGateway: The roster has no such safe.
        """
        for entry in roster.safes:
            if self.safe in (entry.name, entry.safe_id.hex()):
                return entry
        raise UnknownGateway(self.safe, ", ".join(entry.name for entry in roster.safes))
