"""Safes that repair one another, in this process: real servers, TLS on both sides, real databases."""

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import structs

from durable import sqlite
from durable.settings import parse_address
from safe_node.decisions.admission import Membership
from safe_node.handlers.peer_repair import Helping
from safe_node.handlers.safe import Safe
from safe_node.identity import Identity, open_decoy_secret, read_identity
from safe_node.network.peers import OwnTls, Peers
from safe_node.peers.keeper import Keeper
from safe_node.repair_desk import RepairDesk
from safe_node.repairs import RepairReport
from safe_node.server import make_peer_runner
from support.batches import KEYS, plans_of, prepared
from support.empty_database import put_empty_database
from support.logged import log_into
from support.owner_safes import LocalSafe, LocalSafes, local_safes
from support.sample_documents import draw
from threshold.randomness import SystemRandomness
from trust.ids import Hash, SafeId
from trust.manifest import Ownership
from trust.repair_session import RepairHelper, RepairSession, sign_session
from wallet_client.network.safe_link import SafeLink
from wallet_client.pipeline.batch import PreparedBatch
from wallet_client.policies.policy import Policy

_PIECES = """SELECT leaf, x, has_key_share, content, blob_id, share FROM pieces
    JOIN batches ON batches.id = batch LEFT JOIN key_shares ON key_shares.id = batch * 256 + x
    ORDER BY leaf, x"""
_BLOCKS = "SELECT content FROM blocks WHERE id >= ? AND id < ? ORDER BY id"

Kept = dict[tuple[bytes, int], tuple[bytes | None, bytes | None]]
"""By leaf and share index, the blob and the key share."""


@dataclass
class PeerSafe:
    """One safe with its peers' port."""

    local: LocalSafe
    ports: dict[str, int]
    helping: Helping | None = None
    identity: Identity | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def name(self) -> str:
        return self.local.home.entry.name

    @property
    def safe_id(self) -> SafeId:
        return self.local.safe_id

    @property
    def safe(self) -> Safe:
        assert self.helping is not None
        return self.helping.safe

    async def start(self) -> None:
        """Serve peers; the wallets' port is up already."""
        home = self.local.home
        self.identity = read_identity(home.folder / "keys")
        membership = Membership.of(self.safe_id, [home.roster], open_decoy_secret(self.identity, home.roster))
        settings = self.local.settings
        safe = Safe(
            home.entry.name,
            membership,
            self.identity.signing_key,
            settings.limits,
            self.local.store,
            self.local.clock,
        )
        tls = OwnTls(self.identity.tls_key, self.identity.tls_certificate)
        peers = Peers(
            self.safe_id,
            home.roster,
            tls,
            self.identity.signing_key,
            self.local.clock,
            address_of=lambda entry: f"127.0.0.1:{self.ports.get(entry.name, 1)}",
        )
        self.helping = Helping(safe, peers, SystemRandomness().read(32))
        log = log_into(self.local.logged)
        address = parse_address(f"127.0.0.1:{self.ports.get(self.name, 0)}")
        runner = make_peer_runner(self.helping, address, self.identity, log)
        self.ports[self.name] = await runner.start()
        self._stack.push_async_callback(peers.close)
        self._stack.push_async_callback(runner.stop, 1)

    async def stop(self) -> None:
        """Close the peers' port; `start` opens the same again."""
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    async def wipe(self) -> None:
        """Lose the database, keep the identity."""
        await self.stop()
        await self.local.stop()
        shutil.rmtree(self.local.home.database.parent)
        put_empty_database(self.local.home.database.parent)
        await self.local.start()
        await self.start()

    async def reconnect(self) -> None:
        """Let go of the links, so that nobody waits until a channel tries again."""
        assert self.helping is not None
        await self.helping.peers.close()

    async def repair(self) -> RepairReport:
        """One round."""
        assert self.helping is not None
        log = log_into(self.local.logged)
        report = await Keeper(self.safe, self.helping.peers, RepairDesk(), log, 300).once()
        assert report is not None, self.local.logged.entries[-1:]
        return report

    def kept(self) -> Kept:
        """All it keeps, read from its file."""
        connection = sqlite.open_reader(self.local.home.database)
        try:
            return {
                (leaf, x): (_blob(connection, content, blob_id), share)
                for leaf, x, _, content, blob_id, share in connection.execute(_PIECES).fetchall()
            }
        finally:
            connection.close()


def _blob(connection: sqlite.Connection, content: bytes | None, blob_id: int | None) -> bytes | None:
    if blob_id is None:
        return content
    first = blob_id * 65_536
    return b"".join(row[0] for row in connection.execute(_BLOCKS, (first, first + 65_536)))


@dataclass
class PeerSafes:
    """A whole roster of them."""

    safes: list[PeerSafe]
    local: LocalSafes

    async def take_in(
        self,
        values: Sequence[bytes],
        policy: Policy | str,
        *,
        seed: str = "plan",
        missing: Sequence[int] = (),
        ownership: Ownership | None = None,
    ) -> PreparedBatch:
        """Register values at all safes but those of these positions, over the wire, as a wallet does."""
        lengths = [len(value) for value in values]
        (plan,) = plans_of(lengths, policy, roster=self.local.roster, seed=seed, ownership=ownership)
        batch = prepared(plan, values)
        for position, safe in enumerate(self.safes):
            if position in missing or safe.safe_id not in plan.arrangement.safes:
                continue
            link = SafeLink(safe.local.home.entry, _Open(), safe.local.caller(KEYS.signing), 20.0)
            for parcel in batch.parcels(safe.safe_id):
                if parcel.streamed is None:
                    await link.register(parcel)
                else:
                    await link.register_stream(parcel, batch.chunks(parcel.streamed.x))
            await link.close()
        return batch


class _Open:
    """A channel that stays open."""

    async def close(self) -> None:
        return


@asynccontextmanager
async def peer_safes(folder: Path, count: int = 5, threshold: int = 3) -> AsyncIterator[PeerSafes]:
    """Make a roster of safes, and start them on both ports."""
    async with local_safes(folder, count, threshold) as local, AsyncExitStack() as stack:
        ports: dict[str, int] = {}
        safes = [PeerSafe(one, ports) for one in local.safes]
        for safe in safes:
            await safe.start()
            stack.push_async_callback(safe.stop)
        yield PeerSafes(safes, local)


def session_of(batch: PreparedBatch, safes: PeerSafes, **changes: Any) -> RepairSession:
    """The last safe asks the first ones, as many as it takes, for its value share; changed."""
    lost = safes.safes[-1]
    x_of = {place.safe_id: place.x for place in batch.manifest.placement}
    newest = safes.local.roster
    length = len(lost.kept()[batch.leaf_bytes[0], x_of[lost.safe_id]][0] or b"")
    session = RepairSession(
        session_id=draw("session", 16),
        requester=lost.safe_id,
        begun_at=lost.safe.now,
        roster_version=newest.version,
        roster_hash=newest.fingerprint,
        manifest_hash=Hash(sha256(batch.manifest_bytes).digest()),
        x=x_of[lost.safe_id],
        part="value",
        leaf_indices=(0,),
        start=0,
        length=length,
        helpers=tuple(RepairHelper(one.safe_id, x_of[one.safe_id]) for one in safes.safes[: safes.local.k]),
    )
    return structs.replace(session, **changes)


def signed_by(session: RepairSession, safe: PeerSafe) -> tuple[bytes, bytes]:
    """As that safe signs it."""
    return sign_session(session, safe.safe.signing_key)


def some_bytes(length: int, label: str = "content") -> bytes:
    """The same in every run."""
    return draw(label, length)
