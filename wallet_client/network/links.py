"""Links to all safes of a roster, opened when first used and closed together."""

import asyncio
import time
from dataclasses import dataclass

import grpc

from rpc_edge.client import SignedCaller
from rpc_edge.envelope_channel import EnvelopeChannel
from rpc_edge.tls import pinned_channel
from threshold.randomness import SystemRandomness
from trust.documents import SigningKey
from trust.errors import RosterRefused
from trust.ids import SafeId
from trust.roster import Roster, SafeEntry
from wallet_client.network.carriers import Carrier
from wallet_client.network.failures import NotInRoster
from wallet_client.network.gateway_link import GatewayLink
from wallet_client.network.owner_link import OwnerLink
from wallet_client.network.safe_link import SafeLink

GATEWAY_SECONDS = 5.0
"""Added to the patience for a gateway, which itself waits for other safes."""


@dataclass(frozen=True, slots=True)
class _Connection:
    """The way to a safe, with both services on it.

    Args:
        entry: The safe.
        channel: Takes calls as they are; envelopes too where a carrier is on the way.
        envelopes: Takes calls in envelopes.
        safe: Its SafeService.
        owners: Its OwnerService.
    """

    entry: SafeEntry
    channel: grpc.aio.Channel | EnvelopeChannel
    envelopes: EnvelopeChannel
    safe: SafeLink
    owners: OwnerLink


class Links:
    """One connection per safe, or one to who carries to all of them.

    Args:
        roster: The verified roster.
        signing_key: The wallet's; signs every request.
        patience_seconds: How long a safe may make no progress.
        carrier: Carries everything, in envelopes; None: the safes are called directly, and in envelopes only
            what `OwnerLink` says before an owner is recognised.

    Attributes:
        gateway: The safe that carries, where the carrier is one.

    Raises:
        UnknownGateway: The carrier is to be a safe that the roster does not have.
    """

    def __init__(
        self,
        roster: Roster,
        signing_key: SigningKey,
        patience_seconds: float,
        carrier: Carrier | None = None,
    ) -> None:
        self._roster = roster
        self._signing_key = signing_key
        self._patience_seconds = patience_seconds
        self._carrier = carrier
        self.gateway = carrier.gateway(roster) if carrier is not None else None
        self._to_carrier: grpc.aio.Channel | None = None
        self._connections: dict[SafeId, _Connection] = {}
        self._gathering: GatewayLink | None = None

    def to(self, safe_id: SafeId, owner: SigningKey | None = None) -> SafeLink:
        """The link to a safe of the roster.

        Args:
            owner: Secret: signs in the place of the wallet's key; that link is a fresh one each time.

        Raises:
            NotInRoster: The roster has no such safe any more.
            CertificateUnfit: The roster's certificate of this safe cannot be pinned.
        """
        connection = self._connected(safe_id)
        if owner is None:
            return connection.safe
        caller = self._caller(connection.entry, connection.channel, owner)
        return SafeLink(connection.entry, connection.channel, caller, self._patience_seconds)

    def to_owners(self, safe_id: SafeId, owner: SigningKey | None = None) -> OwnerLink:
        """The link to a safe's OwnerService; raises as `to`.

        Args:
            owner: Secret: signs in the place of the wallet's key, for what only the owner may do.
        """
        connection = self._connected(safe_id)
        if owner is None:
            return connection.owners
        return self._owner_link(connection.entry, connection.channel, connection.envelopes, owner)

    def to_gateway(self) -> GatewayLink:
        """The link to the gateway's Gather.

        Raises:
            ValueError: No safe carries.
        """
        if self.gateway is None:
            raise ValueError("there is no gateway")
        if self._gathering is None:
            caller = self._caller(self.gateway, self._carriers_channel(), self._signing_key)
            patience = self._patience_seconds + GATEWAY_SECONDS
            self._gathering = GatewayLink(self.gateway, caller, self._roster.safes, patience)
        return self._gathering

    def _connected(self, safe_id: SafeId) -> _Connection:
        if safe_id not in self._connections:
            self._connections[safe_id] = self._open(safe_id)
        return self._connections[safe_id]

    def _open(self, safe_id: SafeId) -> _Connection:
        try:
            entry = self._roster.safe(safe_id)
        except RosterRefused:
            raise NotInRoster from None
        channel, envelopes = self._channels(entry)
        caller = self._caller(entry, channel, self._signing_key)
        return _Connection(
            entry,
            channel,
            envelopes,
            SafeLink(entry, channel, caller, self._patience_seconds),
            self._owner_link(entry, channel, envelopes, self._signing_key),
        )

    def _channels(self, entry: SafeEntry) -> tuple[grpc.aio.Channel | EnvelopeChannel, EnvelopeChannel]:
        """What takes calls bare, and what takes them in envelopes; the same where somebody carries."""
        if self._carrier is None:
            channel = pinned_channel(entry.endpoint, entry.tls_certificate, entry.name)
            return channel, EnvelopeChannel(channel, entry, _now_ms, SystemRandomness())
        envelopes = EnvelopeChannel(self._carriers_channel(), entry, _now_ms, SystemRandomness())
        return envelopes, envelopes

    def _carriers_channel(self) -> grpc.aio.Channel:
        if self._carrier is None:
            raise ValueError("nobody carries")
        if self._to_carrier is None:
            self._to_carrier = self._carrier.open(self._roster)
        return self._to_carrier

    def _owner_link(
        self,
        entry: SafeEntry,
        channel: grpc.aio.Channel | EnvelopeChannel,
        envelopes: EnvelopeChannel,
        key: SigningKey,
    ) -> OwnerLink:
        caller, sealed = self._caller(entry, channel, key), self._caller(entry, envelopes, key)
        return OwnerLink(caller, self._patience_seconds, sealed)

    def _caller(
        self, entry: SafeEntry, channel: grpc.aio.Channel | EnvelopeChannel, key: SigningKey
    ) -> SignedCaller:
        return SignedCaller(
            channel,
            entry.safe_id,
            key,
            _now_ms,
            SystemRandomness(),
            certificate_der=entry.tls_certificate,
            carrier=self._carriers_name(entry),
        )

    def _carriers_name(self, entry: SafeEntry) -> str:
        """Who else carries what is for a safe; empty: the network alone."""
        if self._carrier is None or entry == self.gateway:
            return ""
        return self.gateway.name if self.gateway is not None else "the terminal"

    async def close(self) -> None:
        """Close every connection that was opened."""
        await asyncio.gather(*(connection.safe.close() for connection in self._connections.values()))
        self._connections.clear()
        self._gathering = None
        if self._to_carrier is not None:
            await self._to_carrier.close()
            self._to_carrier = None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
