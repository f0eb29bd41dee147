"""Where rogues are tried: five safes and an authority, as processes, and the owners who are to be robbed.

Safe-1 and safe-2 are always in the rogue's hands (k - 1 of the three that open a record): it reads their
databases and evaluates with their shares, so that they count nothing. Safes 3 to 5 are asked.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from kura.safe.v1 import owner_pb2 as pb
from rpc_edge.client import SignedCaller
from rpc_edge.tls import peer_channel, pinned_channel
from safe_node.handlers.owner_converters import read_way
from safe_node.identity import Identity, read_identity
from support.authority_process import AuthorityProcess
from support.cluster import LocalCluster
from support.factors import AUTHORITY_AND_PIN, DEVICE_AND_PIN, owners_device
from support.faults import database_of
from support.owner_safes import OWNERS, SECONDS
from support.owners import Access, DealtOwner, deal_owner
from support.safe_process import now_ms
from support.software_device import Device
from threshold.randomness import SystemRandomness
from trust.access_policy import Way
from trust.authority import AuthorityDescription, SignedAuthority, read_authority, read_description
from trust.authority_calls import Credentials, Session
from trust.device_proof import relying_party
from trust.documents import SigningKey
from trust.owner_id import owner_id
from trust.roster import Roster, SafeEntry
from wallet_client.network.authority_link import AuthorityLink, linked

AUTHORITY_AND_DEVICE: Way = ("authority", "device")
WAYS = (AUTHORITY_AND_DEVICE, AUTHORITY_AND_PIN, DEVICE_AND_PIN)
"""Any two of the three factors: a policy in disjunctive normal form."""

VICTIMS = 10
GUESSES = 4
"""Until a record is locked: as many as are taken without a wait."""

ACCOUNT, PASSWORD = "robbed-0", "the owner's password"
"""Of the first victim at the authority; it goes by a name, and others by a number."""

NOBODY = SigningKey(bytes(32))


@dataclass(frozen=True)
class Door:
    """One safe, for whoever comes."""

    entry: SafeEntry
    channel: grpc.aio.Channel

    async def ask(self, request: Any, key: SigningKey | None = None) -> Any:
        """Call the OwnerService method of a request's name; unsigned without a key."""
        method = type(request).__name__.removesuffix("Request")
        answer = getattr(pb, f"{method}Response")
        safe_id, rng = self.entry.safe_id, SystemRandomness()
        caller = SignedCaller(self.channel, safe_id, key or NOBODY, now_ms, rng)
        return await caller.unary(f"{OWNERS}/{method}", request, answer, SECONDS, signed=key is not None)


@dataclass(frozen=True)
class Victim:
    """An owner with a record at every safe, and the device that it names."""

    owner: DealtOwner
    device: Device


@dataclass(frozen=True)
class Scene:
    """All of them.

    Args:
        described: What the authority says of itself.
        link: To the authority.
        all_doors: Of the five safes.
        victims: Any two of PIN, device and authority open their records.
        recovering: One more, at whose record nobody guesses.
        stack: Closes what is opened meanwhile.
    """

    cluster: LocalCluster
    authority: AuthorityProcess
    described: SignedAuthority
    link: AuthorityLink
    all_doors: Sequence[Door]
    victims: Sequence[Victim]
    recovering: Victim
    stack: AsyncExitStack
    _peers: dict[tuple[str, str], grpc.aio.Channel] = field(default_factory=dict)

    @property
    def roster(self) -> Roster:
        return self.cluster.roster

    @property
    def description(self) -> AuthorityDescription:
        return read_description(self.described)

    @property
    def doors(self) -> Sequence[Door]:
        """Of the safes that are not the rogue's."""
        return self.all_doors[2:]

    @property
    def stores(self) -> tuple[Path, ...]:
        """The databases of the safes that are the rogue's."""
        return tuple(self.store(name) for name in self.cluster.names[:2])

    def store(self, name: str) -> Path:
        """The database of a safe."""
        return database_of(self.cluster, name)

    def identity(self, name: str) -> Identity:
        """Secret: the keys of a safe."""
        return read_identity(self.cluster.folder(name) / "keys")

    def entry(self, name: str) -> SafeEntry:
        return next(one for one in self.roster.safes if one.name == name)

    def peers_port(self, name: str, by: str) -> grpc.aio.Channel:
        """To a safe's port for other safes, with the certificate of one of them."""
        if (name, by) not in self._peers:
            entry, identity = self.entry(name), self.identity(by)
            own = (identity.tls_key, identity.tls_certificate)
            channel = peer_channel(entry.peer_endpoint, entry.tls_certificate, name, *own)
            self.stack.push_async_callback(channel.close)
            self._peers[name, by] = channel
        return self._peers[name, by]

    async def spent(self, victim: Victim) -> dict[Way, list[int]]:
        """Guesses that each safe counts, by way with a PIN, as the owner is told; the rogue's safes first."""
        told: dict[Way, list[int]] = {}
        for door in self.all_doors:
            answer = await door.ask(pb.OwnerStatusRequest(), victim.owner.key)
            for one in answer.ways:
                told.setdefault(read_way(one.factors), []).append(one.guesses_spent)
        return told

    async def copied(self, victim: Victim) -> bool:
        """Whether a safe tells the owner that a copy of the device is about."""
        answers = [await door.ask(pb.OwnerStatusRequest(), victim.owner.key) for door in self.doors]
        return any(answer.copied_devices for answer in answers)

    async def rearm(self, victim: Victim) -> None:
        """As a living wallet of the owner's does."""
        for door in self.doors:
            await door.ask(pb.RearmRequest(), victim.owner.key)


@asynccontextmanager
async def scene(cluster: LocalCluster, authority: AuthorityProcess) -> AsyncIterator[Scene]:
    """Enrol the victims, and open an account for the first one."""
    described = read_authority(authority.file.read_bytes())
    description = read_description(described)
    async with AsyncExitStack() as stack:
        rng = SystemRandomness()
        link = await stack.enter_async_context(linked(description, "static", now_ms, rng))
        await link.ask("Register", Credentials(ACCOUNT, PASSWORD), Session)
        doors = [await _door(stack, entry) for entry in cluster.roster.safes]
        victims = [_victim(cluster.roster, description, number) for number in range(VICTIMS + 1)]
        for victim in victims:
            for door in doors:
                version = victim.owner.versions[door.entry.safe_id]
                await door.ask(pb.EnrollRequest(version=version), victim.owner.key)
        yield Scene(cluster, authority, described, link, doors, victims[:-1], victims[-1], stack)


async def _door(stack: AsyncExitStack, entry: SafeEntry) -> Door:
    channel = pinned_channel(entry.endpoint, entry.tls_certificate, entry.name)
    return Door(entry, await stack.enter_async_context(channel))


def _victim(roster: Roster, authority: AuthorityDescription, number: int) -> Victim:
    device = Device(relying_party(roster.fingerprint))
    access = Access(WAYS, (owners_device(device),), (authority.identity_key,))
    name = f"robbed-{number}"
    known_as = owner_id(ACCOUNT.encode(), roster.fingerprint) if name == ACCOUNT else None
    dealt = deal_owner(roster, name, guesses=GUESSES, access=access, known_as=known_as)
    return Victim(dealt, device)
