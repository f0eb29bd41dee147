"""Several safes in this process, each with its real server, port, TLS, layers and database, and one clock."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import grpc
from structlog.testing import LogCapture

from kura.safe.v1 import owner_pb2 as pb
from rpc_edge.client import SignedCaller
from rpc_edge.tls import pinned_channel
from safe_node.config import Settings, load_settings
from safe_node.decisions.admission import Membership
from safe_node.handlers.owner_converters import write_way
from safe_node.handlers.safe import Safe
from safe_node.identity import open_decoy_secret, read_identity
from safe_node.server import make_runner
from safe_node.store.sqlite_store import SqliteStore, open_store
from support.logged import log_into
from support.owners import PIN, DealtOwner, Guess, guess_at
from support.safe_process import SafeHome, make_safes, now_ms
from threshold.randomness import SystemRandomness
from threshold.shared_oprf import ShareEvaluation
from trust.access_policy import PIN_ALONE, Way
from trust.device_proof import SignedChallenge
from trust.documents import SigningKey
from trust.ids import OwnerId, SafeId, Signature
from trust.owner_record import OwnerRecord, OwnerSecrets, ReleasedPart
from trust.roster import Roster

OWNERS = "/kura.safe.v1.OwnerService"
SAFES = "/kura.safe.v1.SafeService"
SECONDS = 20.0
START_MS = 1_790_000_000_000
NOBODY = SigningKey(bytes(32))


@dataclass
class Clock:
    """What all safes take for the time of guesses; requests are judged by the real one."""

    ms: int = START_MS

    def __call__(self) -> int:
        return self.ms


@dataclass
class LocalSafe:
    """One running safe, and the means to call it.

    Args:
        logged: Every line of its log.
    """

    home: SafeHome
    clock: Clock
    changes: dict[str, Any] = field(default_factory=dict)
    logged: LogCapture = field(default_factory=LogCapture)
    port: int = 0
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _store: SqliteStore | None = None
    _channel: grpc.aio.Channel | None = None

    @property
    def safe_id(self) -> SafeId:
        return self.home.entry.safe_id

    @property
    def store(self) -> SqliteStore:
        assert self._store is not None
        return self._store

    @property
    def settings(self) -> Settings:
        return load_settings(self.home.config)

    async def start(self) -> None:
        """Open database and server."""
        settings = self.settings
        identity = read_identity(Path(settings.keys_dir))
        roster = self.home.roster
        membership = Membership.of(identity.safe_id, [roster], open_decoy_secret(identity, roster))
        self._store = await open_store(Path(settings.data_dir), identity.safe_id)
        self._stack.push_async_callback(self._store.close)
        safe = replace(
            Safe(settings.name, membership, identity.signing_key, settings.limits, self._store, self.clock),
            **self.changes,
        )
        runner = make_runner(safe, settings, identity, log_into(self.logged))
        self.port = await runner.start()
        self._stack.push_async_callback(runner.stop, 1)
        self._channel = pinned_channel(
            f"127.0.0.1:{self.port}", self.home.entry.tls_certificate, self.home.entry.name
        )
        self._stack.push_async_callback(self._channel.close)

    async def stop(self) -> None:
        """Close everything; `start` opens it again."""
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    async def restart(self) -> None:
        """As after a power cut of which nothing was half-way in."""
        await self.stop()
        await self.start()

    def caller(self, key: SigningKey = NOBODY) -> SignedCaller:
        """Signs with that key."""
        assert self._channel is not None
        return SignedCaller(self._channel, self.safe_id, key, now_ms, SystemRandomness())

    async def ask(self, request: Any, key: SigningKey | None = None) -> Any:
        """Call the OwnerService method of a request's name; unsigned without a key."""
        method = type(request).__name__.removesuffix("Request")
        answer = getattr(pb, f"{method}Response")
        caller = self.caller(key or NOBODY)
        return await caller.unary(f"{OWNERS}/{method}", request, answer, SECONDS, signed=key is not None)

    async def status_of(self, request: Any) -> tuple[Any, ...]:
        """Code, text and all metadata of the refusal that an unsigned request ends with, as they travel."""
        assert self._channel is not None
        method = type(request).__name__.removesuffix("Request")
        call: Any = self._channel.unary_unary(f"{OWNERS}/{method}")
        try:
            await call(request.SerializeToString(), timeout=SECONDS)
        except grpc.aio.AioRpcError as error:
            return error.code(), error.details(), tuple(error.trailing_metadata() or ())
        raise AssertionError("it was not refused")

    async def enroll(self, owner: DealtOwner, invitation: str = "") -> None:
        """Bring this safe its part."""
        await self.ask(
            pb.EnrollRequest(version=owner.versions[self.safe_id], invitation=invitation), owner.key
        )

    async def begin(self, owner_id: OwnerId, record_id: bytes = b"", way: Way = PIN_ALONE) -> OwnerRecord:
        """The record that may be tried."""
        return (await self.shown(owner_id, way, record_id))[0]

    async def shown(
        self, owner_id: OwnerId, way: Way = PIN_ALONE, record_id: bytes = b""
    ) -> tuple[OwnerRecord, SignedChallenge]:
        """The record that may be tried, and a challenge."""
        request = pb.BeginUnlockRequest(owner_id=owner_id, record_id=record_id, factors=write_way(way))
        answer = await self.ask(request)
        challenge = SignedChallenge(answer.challenge, Signature(answer.challenge_signature))
        return OwnerRecord.from_bytes(answer.record), challenge

    async def evaluate(self, guess: Guess) -> ShareEvaluation:
        """A guess, checked against the safe's committed share."""
        return guess.check(self.safe_id, await self.ask(guess.request()))

    async def unlock(self, guess: Guess, output: bytes) -> ReleasedPart:
        """What the safe releases, opened."""
        answer = await self.ask(guess.unlock_request(self.safe_id, output))
        return guess.part(self.safe_id, answer.sealed_part)


@dataclass
class LocalSafes:
    """A whole roster."""

    safes: list[LocalSafe]
    clock: Clock

    @property
    def roster(self) -> Roster:
        return self.safes[0].home.roster

    @property
    def k(self) -> int:
        return self.roster.threshold

    async def enroll(self, owner: DealtOwner) -> None:
        """Bring every safe its part."""
        for safe in self.safes:
            await safe.enroll(owner)

    async def spent(self, owner: DealtOwner, safe: LocalSafe | None = None) -> int:
        """Guesses spent at one safe, as the owner is told."""
        answer = await (safe or self.safes[0]).ask(pb.OwnerStatusRequest(), owner.key)
        return int(answer.guesses_spent)

    async def output(self, guess: Guess, safes: Sequence[LocalSafe] | None = None) -> bytes:
        """What the PIN comes to, by k safes."""
        asked = (self.safes if safes is None else safes)[: self.k]
        return guess.output([await safe.evaluate(guess) for safe in asked])

    async def unlock(
        self,
        owner_id: OwnerId,
        pin: bytes = PIN,
        label: str = "guess",
        safes: Sequence[LocalSafe] | None = None,
    ) -> OwnerSecrets:
        """The whole way from a name and a PIN to the owner's secrets, by k safes."""
        asked = (self.safes if safes is None else safes)[: self.k]
        guess = guess_at(await asked[0].begin(owner_id), pin, label)
        output = await self.output(guess, asked)
        parts = {safe.safe_id: await safe.unlock(guess, output) for safe in asked}
        return guess.secrets(parts, output)


@asynccontextmanager
async def local_safes(folder: Path, count: int, threshold: int, **changes: Any) -> AsyncIterator[LocalSafes]:
    """Make a roster of safes and start them all; `changes` are fields of Safe."""
    clock = Clock()
    safes = [LocalSafe(home, clock, changes) for home in make_safes(folder, count, threshold)]
    async with AsyncExitStack() as stack:
        for safe in safes:
            await safe.start()
            stack.push_async_callback(safe.stop)
        yield LocalSafes(safes, clock)
