"""Links to all safes of a roster, opened when first used and closed together."""

import asyncio
import time
from dataclasses import dataclass

import grpc

from rpc_edge.client import SignedCaller
from rpc_edge.tls import pinned_channel
from threshold.randomness import SystemRandomness
from trust.documents import SigningKey
from trust.errors import RosterRefused
from trust.ids import SafeId
from trust.roster import Roster, SafeEntry
from wallet_client.network.failures import NotInRoster
from wallet_client.network.owner_link import OwnerLink
from wallet_client.network.safe_link import SafeLink


@dataclass(frozen=True, slots=True)
class _Connection:
    """A safe's channel, with both services on it."""

    entry: SafeEntry
    channel: grpc.aio.Channel
    safe: SafeLink
    owners: OwnerLink


class Links:
    """One connection per safe.

    Args:
        roster: The verified roster.
        signing_key: The wallet's; signs every request.
        patience_seconds: How long a safe may make no progress.
    """

    def __init__(self, roster: Roster, signing_key: SigningKey, patience_seconds: float) -> None:
        self._roster = roster
        self._signing_key = signing_key
        self._patience_seconds = patience_seconds
        self._connections: dict[SafeId, _Connection] = {}

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
        return OwnerLink(self._caller(connection.entry, connection.channel, owner), self._patience_seconds)

    def _connected(self, safe_id: SafeId) -> _Connection:
        if safe_id not in self._connections:
            self._connections[safe_id] = self._open(safe_id)
        return self._connections[safe_id]

    def _open(self, safe_id: SafeId) -> _Connection:
        try:
            entry = self._roster.safe(safe_id)
        except RosterRefused:
            raise NotInRoster from None
        channel = pinned_channel(entry.endpoint, entry.tls_certificate, entry.name)
        caller = self._caller(entry, channel, self._signing_key)
        return _Connection(
            entry,
            channel,
            SafeLink(entry, channel, caller, self._patience_seconds),
            OwnerLink(caller, self._patience_seconds),
        )

    def _caller(self, entry: SafeEntry, channel: grpc.aio.Channel, key: SigningKey) -> SignedCaller:
        return SignedCaller(
            channel,
            entry.safe_id,
            key,
            lambda: time.time_ns() // 1_000_000,
            SystemRandomness(),
            certificate_der=entry.tls_certificate,
        )

    async def close(self) -> None:
        """Close every connection that was opened."""
        await asyncio.gather(*(connection.safe.close() for connection in self._connections.values()))
        self._connections.clear()
