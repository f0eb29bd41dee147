"""One running safe: keys and roster checked, database open, serving until a signal, closed in order."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec

from durable.settings import Address
from rpc_edge.authentication import signed_requests
from rpc_edge.bounds import bounded_messages
from rpc_edge.carrying import CARRY, Carriages, Forwarding, Witness, most_carried_bytes
from rpc_edge.edge import Layer, methods_inside
from rpc_edge.error_table import SAFE_ERRORS
from rpc_edge.freshness import FreshnessJudge
from rpc_edge.layers import call_log, refusals_as_statuses
from rpc_edge.logs import FilteringBoundLogger, configure_logs, short
from rpc_edge.peers import peers_only
from rpc_edge.room import Room
from rpc_edge.sealed_calls import SealedCalls
from rpc_edge.server import Listening, ServerRunner, run_server
from rpc_edge.tls import peer_server_credentials, server_credentials
from safe_node.config import Limits, Settings
from safe_node.decisions.admission import Membership
from safe_node.due import erasing_by_the_way
from safe_node.handlers.gather import Gatherings
from safe_node.handlers.owner_servicer import OWNER_SERVICE, OWNER_SHAPES, owner_service_of
from safe_node.handlers.peer_repair import Helping
from safe_node.handlers.peer_servicer import PEER_SERVICE, PEER_SHAPES, peer_service_of
from safe_node.handlers.rights import OPEN_METHODS, SIGNED_AT_WILL, lawful_calls
from safe_node.handlers.safe import DAY_SECONDS, Safe
from safe_node.handlers.servicer import SERVICE, SHAPES, service_of
from safe_node.identity import (
    Identity,
    check_membership,
    open_decoy_secret,
    read_identity,
    read_versions,
)
from safe_node.network.peers import OwnTls, Peers
from safe_node.peers.keeper import Keeper, repairing_by_the_way
from safe_node.store.base import SafeStore
from safe_node.store.sqlite_store import open_store
from trust.piece import BLOCK_BYTES

GRACE_SECONDS = 10.0
MAX_CALLS = 256
CALLS_PER_CONNECTION = 64
"""A wallet has a dozen under way; one stranger's connection must not take all there are."""

PEER_MESSAGE_BYTES = 1024 * 1024
"""The largest request among peers: a session with 1,000 leaves and 255 helpers has a hundredth of it."""

PEER_FIELDS = 4_096
PEER_GRACE_SECONDS = 1.0
"""A peer whose call is cut off asks again."""

PAD_SECRET_BYTES = 32

AT_WORK_BYTES = 24 * 1024 * 1024
WAITING_BYTES = 64 * 1024 * 1024
"""Requests at work and waiting; with what is written and streamed meanwhile, a safe stays well below 1 GB."""

StoreChange = Callable[[SafeStore], SafeStore]


def now_ms() -> int:
    """The clock: milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


async def serve(
    settings: Settings,
    change_store: StoreChange = lambda store: store,
    witness: Witness | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        settings: The operator's.
        change_store: Puts something around the store; tests make lying safes of it.
        witness: Sees every frame between wallets and other safes that passes through this one.

    Raises:
        IdentityError: Keys or roster cannot be used.
        StoreUnusable: The database cannot.
        AddressUnavailable: The address cannot be had.
    """
    log = configure_logs(settings.log.level, json=settings.log.json)
    identity = read_identity(Path(settings.keys_dir))
    versions = read_versions(Path(settings.roster))
    check_membership(identity, settings.name, versions[-1])
    membership = Membership.of(identity.safe_id, versions, open_decoy_secret(identity, versions[-1]))
    store = await open_store(Path(settings.data_dir), identity.safe_id, settings.limits.database_bytes)
    try:
        safe = Safe(
            name=settings.name,
            membership=membership,
            signing_key=identity.signing_key,
            limits=settings.limits,
            store=change_store(store),
            now_ms=now_ms,
            invitation_needed=settings.owners.invitation_needed,
            grace_seconds=settings.owners.grace_days * DAY_SECONDS,
        )
        async with (
            erasing_by_the_way(store, lambda: safe.now, log),
            among_peers(safe, settings, identity, log) as (peer_port, peers),
        ):
            runner = make_runner(safe, settings, identity, log, peers, witness)
            await run_server(runner, partial(_announce, safe, settings, log, peer_port))
    finally:
        await store.close()
        log.info("closed", name=settings.name)


def make_runner(
    safe: Safe,
    settings: Settings,
    identity: Identity,
    log: FilteringBoundLogger,
    peers: Peers | None = None,
    witness: Witness | None = None,
) -> ServerRunner:
    """The server of a safe, with every layer around its services; not started. It gathers from its peers."""
    listening = Listening(
        str(settings.address),
        server_credentials(identity.tls_key, identity.tls_certificate),
        # Twice, so that a message somewhat too large is refused with its reason.
        max_message_bytes=2 * settings.limits.message_bytes,
        max_calls=MAX_CALLS,
        calls_per_connection=CALLS_PER_CONNECTION,
        grace_seconds=GRACE_SECONDS,
    )
    layers, gatherings = _layers(safe, settings), Gatherings(safe, peers, witness)
    forwarding = Forwarding(safe.membership.newest, witness=witness)
    sealed_calls = _sealed_calls(gatherings, identity, layers, log)
    carriages = Carriages(forwarding, {identity.safe_id: sealed_calls.answer})
    return ServerRunner(
        {SERVICE: service_of(safe, carriages, gatherings), OWNER_SERVICE: owner_service_of(safe)},
        listening,
        layers=layers,
        log=log,
        closing=forwarding.close,
    )


def _layers(safe: Safe, settings: Settings) -> tuple[Layer, ...]:
    """What every call passes, whether it came bare or in an envelope; both by the same memory of nonces."""
    limits = settings.limits
    judge = FreshnessJudge(now_ms())
    signed = signed_requests(safe.membership.safe_id, judge, now_ms, OPEN_METHODS, SIGNED_AT_WILL)
    bounded = bounded_messages(
        {**SHAPES, **OWNER_SHAPES},
        limits.message_bytes,
        _most_fields(limits),
        larger={CARRY: most_carried_bytes(limits.message_bytes)},
    )
    room = Room(AT_WORK_BYTES, WAITING_BYTES)
    return signed, bounded, room.layer, lawful_calls(safe.store.owners)


def _sealed_calls(
    gatherings: Gatherings, identity: Identity, layers: Sequence[Layer], log: FilteringBoundLogger
) -> SealedCalls:
    """What comes in envelopes: every other method, inside the layers that make refusals statuses and log."""
    safe = gatherings.safe
    around = (refusals_as_statuses(SAFE_ERRORS, log), call_log(SAFE_ERRORS, log), *layers)
    methods = methods_inside((service_of(safe, gatherings=gatherings), owner_service_of(safe)), around)
    del methods[CARRY]
    return SealedCalls(
        methods, identity.safe_id, identity.sealing_key, FreshnessJudge(now_ms()), now_ms, safe.rng
    )


def make_peer_runner(
    helping: Helping, address: Address, identity: Identity, log: FilteringBoundLogger
) -> ServerRunner:
    """The server of a safe's peers' port, with every layer around its service; not started."""
    certificates = {entry.tls_certificate: safe_id for safe_id, entry in helping.peers.entries.items()}
    listening = Listening(
        str(address),
        peer_server_credentials(identity.tls_key, identity.tls_certificate, list(certificates)),
        max_message_bytes=PEER_MESSAGE_BYTES,
        max_calls=MAX_CALLS,
        calls_per_connection=CALLS_PER_CONNECTION,
        grace_seconds=PEER_GRACE_SECONDS,
    )
    bounded = bounded_messages(PEER_SHAPES, PEER_MESSAGE_BYTES, PEER_FIELDS)
    services = {PEER_SERVICE: peer_service_of(helping)}
    return ServerRunner(services, listening, layers=(peers_only(certificates), bounded), log=log)


@asynccontextmanager
async def among_peers(
    safe: Safe, settings: Settings, identity: Identity, log: FilteringBoundLogger
) -> AsyncIterator[tuple[int, Peers | None]]:
    """Serve peers and repair by the way while the block runs; gives the peers' port and the links to them.

    Where there is no such port, or no peer: 0 and None.

    Raises:
        AddressUnavailable: The address cannot be had.
    """
    membership = safe.membership
    tls = OwnTls(identity.tls_key, identity.tls_certificate)
    peers = Peers(membership.safe_id, membership.newest, tls, identity.signing_key, now_ms)
    if settings.peer_address is None or not peers.entries:
        yield 0, None
        return
    helping = Helping(safe, peers, safe.rng.read(PAD_SECRET_BYTES))
    runner = make_peer_runner(helping, settings.peer_address, identity, log)
    keeper = Keeper(safe, peers, safe.desk, log, settings.repair.every_seconds)
    try:
        port = await runner.start()
        async with repairing_by_the_way(keeper):
            yield port, peers
    finally:
        await runner.stop()
        await peers.close()


def _most_fields(limits: Limits) -> int:
    """More than a call within the limits has: each entry with a leaf, a key share and a batch of its own."""
    return 8 * limits.entries_per_call + limits.stream_blob_bytes // BLOCK_BYTES + 100


def _announce(safe: Safe, settings: Settings, log: FilteringBoundLogger, peer_port: int, port: int) -> None:
    """One line on stdout for whoever started the process, the same in the log."""
    roster = safe.membership.newest
    facts = {
        "name": safe.name,
        "safe_id": short(safe.membership.safe_id),
        "host": settings.address.host,
        "port": port,
        "peer_port": peer_port,
        "roster_version": roster.version,
    }
    sys.stdout.write(msgspec.json.encode({"event": "ready", **facts}).decode() + "\n")
    sys.stdout.flush()
    log.info("ready", **facts)
