"""Links to all safes of a roster, opened when first used and closed together."""

import asyncio
import time

from rpc_edge.client import SignedCaller
from rpc_edge.tls import pinned_channel
from threshold.randomness import SystemRandomness
from trust.documents import SigningKey
from trust.errors import RosterRefused
from trust.ids import SafeId
from trust.roster import Roster
from wallet_client.network.failures import NotInRoster
from wallet_client.network.safe_link import SafeLink


class Links:
    """One link per safe.

    Args:
        roster: The verified roster.
        signing_key: The wallet's; signs every request.
        patience_seconds: How long a safe may make no progress.
    """

    def __init__(self, roster: Roster, signing_key: SigningKey, patience_seconds: float) -> None:
        self._roster = roster
        self._signing_key = signing_key
        self._patience_seconds = patience_seconds
        self._links: dict[SafeId, SafeLink] = {}

    def to(self, safe_id: SafeId) -> SafeLink:
        """The link to a safe of the roster.

        Raises:
            NotInRoster: The roster has no such safe any more.
            CertificateUnfit: The roster's certificate of this safe cannot be pinned.
        """
        if safe_id not in self._links:
            self._links[safe_id] = self._open(safe_id)
        return self._links[safe_id]

    def _open(self, safe_id: SafeId) -> SafeLink:
        try:
            entry = self._roster.safe(safe_id)
        except RosterRefused:
            raise NotInRoster from None
        channel = pinned_channel(entry.endpoint, entry.tls_certificate, entry.name)
        caller = SignedCaller(
            channel,
            safe_id,
            self._signing_key,
            lambda: time.time_ns() // 1_000_000,
            SystemRandomness(),
            certificate_der=entry.tls_certificate,
        )
        return SafeLink(entry, channel, caller, self._patience_seconds)

    async def close(self) -> None:
        """Close every link that was opened."""
        await asyncio.gather(*(link.close() for link in self._links.values()))
        self._links.clear()
