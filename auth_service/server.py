"""One running authority: keys checked, database open, serving until a signal, closed in order."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path

import msgspec

from auth_service.config import MESSAGE_BYTES, Settings
from auth_service.decisions.rates import CallRates
from auth_service.handlers.authority import Authority
from auth_service.handlers.rates import limited_rates
from auth_service.handlers.rights import SERVICE
from auth_service.handlers.servicer import SHAPES, auth_service_of
from auth_service.hashing import PasswordHashes
from auth_service.identity import read_identity
from auth_service.store.sqlite_store import open_store
from rpc_edge.authority_errors import AUTHORITY_ERRORS
from rpc_edge.bounds import bounded_messages
from rpc_edge.freshness import FreshnessJudge
from rpc_edge.logs import FilteringBoundLogger, configure_logs, short
from rpc_edge.server import Listening, ServerRunner, run_server
from rpc_edge.tls import server_credentials
from threshold.randomness import SystemRandomness

GRACE_SECONDS = 10.0
MAX_CALLS = 256
CALLS_PER_CONNECTION = 64
MOST_FIELDS = 16


def now_ms() -> int:
    """The clock: milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        IdentityError: Keys or description cannot be used.
        StoreUnusable: The database cannot.
        AddressUnavailable: The address cannot be had.
    """
    log = configure_logs(settings.log.level, json=settings.log.json)
    rng = SystemRandomness()
    identity = read_identity(Path(settings.keys_dir), Path(settings.description))
    identity.signing_key(now_ms() // 1_000)  # better now than at the first assertion
    key = identity.description.identity_key
    store = await open_store(Path(settings.data_dir), key, rng, settings.limits.database_bytes)
    hashes = PasswordHashes(settings.passwords, rng)
    try:
        rates = CallRates(settings.limits.calls_per_minute)
        authority = Authority(
            identity, settings.accounts, store, hashes, rates, FreshnessJudge(now_ms()), now_ms, rng
        )
        await run_server(make_runner(authority, settings, log), partial(_announce, authority, settings, log))
    finally:
        await hashes.close()
        await store.close()
        log.info("closed", name=settings.name)


def make_runner(authority: Authority, settings: Settings, log: FilteringBoundLogger) -> ServerRunner:
    """The server of an authority, with every layer around its service; not started."""
    identity = authority.identity
    listening = Listening(
        str(settings.address),
        server_credentials(identity.tls_key, identity.tls_certificate),
        # Twice, so that a message somewhat too large is refused with its reason.
        max_message_bytes=2 * MESSAGE_BYTES,
        max_calls=MAX_CALLS,
        calls_per_connection=CALLS_PER_CONNECTION,
        grace_seconds=GRACE_SECONDS,
    )
    rates = limited_rates(authority.rates, authority.now_ms)
    bounded = bounded_messages(SHAPES, MESSAGE_BYTES, MOST_FIELDS)
    services = {SERVICE: auth_service_of(authority)}
    return ServerRunner(services, listening, layers=(rates, bounded), errors=AUTHORITY_ERRORS, log=log)


def _announce(authority: Authority, settings: Settings, log: FilteringBoundLogger, port: int) -> None:
    """One line on stdout for whoever started the process, the same in the log."""
    facts = {
        "name": settings.name,
        "authority": short(authority.key),
        "host": settings.address.host,
        "port": port,
        "version": authority.identity.description.version,
    }
    sys.stdout.write(msgspec.json.encode({"event": "ready", **facts}).decode() + "\n")
    sys.stdout.flush()
    log.info("ready", **facts)
