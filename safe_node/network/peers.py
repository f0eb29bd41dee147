"""All links of a safe to its peers, made when they are first used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rpc_edge.tls import peer_channel
from safe_node.network.peer_link import PeerLink
from threshold.randomness import RandomSource, SystemRandomness
from trust.documents import SigningKey
from trust.ids import SafeId
from trust.roster import Roster, SafeEntry


@dataclass(frozen=True, slots=True)
class OwnTls:
    """What a safe shows its peers.

    Args:
        key: Secret: PEM.
        certificate: PEM.
    """

    key: bytes = field(repr=False)
    certificate: bytes


class Peers:
    """The other safes of a roster.

    Args:
        me: This safe.
        roster: The newest version; addresses and certificates come from it alone.
        tls: What this safe shows.
        signing_key: Secret: this safe's.
        now_ms: The clock.
        rng: For the callers.
        address_of: Where a peer listens; other than the roster's in tests only.
    """

    def __init__(
        self,
        me: SafeId,
        roster: Roster,
        tls: OwnTls,
        signing_key: SigningKey,
        now_ms: Callable[[], int],
        rng: RandomSource | None = None,
        address_of: Callable[[SafeEntry], str] = lambda entry: entry.peer_endpoint,
    ) -> None:
        self.entries: Mapping[SafeId, SafeEntry] = {
            entry.safe_id: entry for entry in roster.safes if entry.safe_id != me
        }
        self._tls = tls
        self._signing_key = signing_key
        self._now_ms = now_ms
        self._rng = SystemRandomness() if rng is None else rng
        self._address_of = address_of
        self._links: dict[SafeId, PeerLink] = {}

    def to(self, safe_id: SafeId) -> PeerLink:
        """The link to one peer.

        Raises:
            KeyError: There is no such peer.
        """
        link = self._links.get(safe_id)
        if link is None:
            entry = self.entries[safe_id]
            channel = peer_channel(
                self._address_of(entry),
                entry.tls_certificate,
                entry.name,
                self._tls.key,
                self._tls.certificate,
            )
            link = PeerLink(entry, channel, self._signing_key, self._now_ms, self._rng)
            self._links[safe_id] = link
        return link

    async def close(self) -> None:
        """Close every link; calls under way end."""
        links, self._links = list(self._links.values()), {}
        await asyncio.gather(*(link.close() for link in links))
