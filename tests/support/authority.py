"""An authority in this process, with its real server, port, TLS, layers and database, and one clock."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import grpc
import msgspec
from structlog.testing import LogCapture

from auth_service.config import PasswordSettings, Settings, load_settings
from auth_service.decisions.rates import CallRates
from auth_service.handlers.authority import Authority
from auth_service.hashing import PasswordHashes
from auth_service.identity import NewAuthority, create_authority, read_identity
from auth_service.server import make_runner
from auth_service.store.sqlite_store import open_store
from kura.auth.v1 import auth_pb2 as pb
from rpc_edge.authority_errors import AUTHORITY_ERRORS
from rpc_edge.freshness import FreshnessJudge
from rpc_edge.tls import pinned_channel
from support.logged import log_into
from threshold.hpke import KeyPair
from threshold.randomness import SystemRandomness
from trust import authority_calls as calls
from trust import owner_information as sealing
from trust.authority import AuthorityDescription
from trust.common_key import SignedKeyHalf, accept_half
from trust.documents import Document
from trust.owner_information import QuestionSeal

SERVICE = "/kura.auth.v1.AuthService"
SECONDS = 20.0
CHEAP = PasswordSettings(memory_kib=64, passes=1, lanes=1)
"""Hashes that cost nothing, for tests that are about something else."""

PASSWORD = "correct horse"
_Answer = TypeVar("_Answer", bound=Document)


@dataclass
class Clock:
    """What the authority takes for the time; milliseconds since 1970."""

    ms: int = int(datetime.now(UTC).timestamp()) * 1_000

    def __call__(self) -> int:
        return self.ms

    def pass_by(self, seconds: float) -> None:
        """Let time go by."""
        self.ms += int(seconds * 1_000)


@dataclass
class LocalAuthority:
    """One running authority, and the means to ask it under either seal."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    passwords: PasswordSettings = CHEAP
    calls_per_minute: int = 0
    changes: dict[str, Any] = field(default_factory=dict)
    logged: LogCapture = field(default_factory=LogCapture)
    rng: SystemRandomness = field(default_factory=SystemRandomness)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def make(self) -> None:
        """Its keys and files."""
        new = NewAuthority("authority", "127.0.0.1:7401", "127.0.0.1:0", 30, 30)
        now = datetime.fromtimestamp(self.clock.ms / 1_000, UTC)
        create_authority(self.folder, new, self.rng, now)

    @property
    def settings(self) -> Settings:
        """As the file says, with what the test changes."""
        settings = load_settings(self.folder / "authority.toml")
        accounts = msgspec.structs.replace(settings.accounts, **self.changes)
        return msgspec.structs.replace(settings, accounts=accounts)

    @property
    def description(self) -> AuthorityDescription:
        """What it says of itself."""
        return self.authority.identity.description

    async def start(self) -> None:
        """Open database and server."""
        settings = self.settings
        identity = read_identity(Path(settings.keys_dir), Path(settings.description))
        store = await open_store(Path(settings.data_dir), identity.description.identity_key, self.rng)
        self._stack.push_async_callback(store.close)
        hashes = PasswordHashes(self.passwords, self.rng)
        self._stack.push_async_callback(hashes.close)
        rates, freshness = CallRates(self.calls_per_minute), FreshnessJudge(self.clock.ms)
        self.authority = Authority(
            identity, settings.accounts, store, hashes, rates, freshness, self.clock, self.rng
        )
        log = log_into(self.logged)
        runner = make_runner(self.authority, settings, log)
        self.port = await runner.start()
        self._stack.push_async_callback(runner.stop, 1)
        certificate = identity.description.tls_certificate
        self.channel: grpc.aio.Channel = pinned_channel(f"127.0.0.1:{self.port}", certificate, "authority")
        self._stack.push_async_callback(self.channel.close)

    async def stop(self) -> None:
        """Close everything; `start` opens it again."""
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    async def raw(self, method: str, request: Any) -> Any:
        """Send a message; give the answer, or raise what the authority refused with."""
        call: Any = self.channel.unary_unary(f"{SERVICE}/{method}")
        try:
            body = await call(request.SerializeToString(), timeout=SECONDS)
        except grpc.aio.AioRpcError as error:
            raise AUTHORITY_ERRORS.from_status(error) from None
        return getattr(pb, f"{method}Response").FromString(body)

    async def status_of(self, method: str, document: Document) -> tuple[Any, ...]:
        """Code, text and all metadata of the refusal that a question ends with, as they travel."""
        question, _ = self.seal_static(method, document)
        request = getattr(pb, f"{method}Request")(question=question)
        call: Any = self.channel.unary_unary(f"{SERVICE}/{method}")
        try:
            await call(request.SerializeToString(), timeout=SECONDS)
        except grpc.aio.AioRpcError as error:
            return error.code(), error.details(), tuple(error.trailing_metadata() or ())
        raise AssertionError("it was not refused")

    def seal_static(
        self, method: str, document: Document, at_ms: int | None = None
    ) -> tuple[pb.SealedQuestion, sealing.AnswerKey]:
        """A question to the static key."""
        asked_at = self.clock.ms if at_ms is None else at_ms
        question = sealing.ask(f"{SERVICE}/{method}", document.to_bytes(), asked_at, self.rng)
        sealed, key = sealing.seal_to_static(question, self.description)
        return pb.SealedQuestion(to_static_key=sealed), key

    async def seal_common(
        self, method: str, document: Document
    ) -> tuple[pb.SealedQuestion, sealing.AnswerKey]:
        """A question under a common key of its own."""
        ephemeral = self.rng.read(32)
        opened = await self.raw("OpenPath", pb.OpenPathRequest(wallet_half=KeyPair(ephemeral).public))
        half = SignedKeyHalf.from_bytes(opened.half)
        common = accept_half(half, ephemeral, self.description, self.clock.ms // 1_000)
        question = sealing.ask(f"{SERVICE}/{method}", document.to_bytes(), self.clock.ms, self.rng)
        sealed, key = sealing.seal_under_common(question, common)
        under = pb.UnderCommonKey(path_id=common.path_id, sealed=sealed)
        return pb.SealedQuestion(under_common_key=under), key

    async def ask(
        self, method: str, document: Document, answer: type[_Answer], seal: QuestionSeal = "static"
    ) -> _Answer:
        """Ask and read the answer."""
        if seal == "static":
            question, key = self.seal_static(method, document)
        else:
            question, key = await self.seal_common(method, document)
        answered = await self.raw(method, getattr(pb, f"{method}Request")(question=question))
        return answer.from_bytes(key.open(answered.answer))

    async def register(self, name: str = "anna", password: str = PASSWORD) -> calls.Session:
        return await self.ask("Register", calls.Credentials(name, password), calls.Session)

    async def log_in(self, name: str = "anna", password: str = PASSWORD) -> calls.Session:
        return await self.ask("Login", calls.Credentials(name, password), calls.Session)

    async def events(self, token: bytes) -> list[str]:
        """What happened, newest first."""
        found = await self.ask("ListEvents", calls.InSession(token), calls.Events)
        return [event.what for event in found.events]


@asynccontextmanager
async def local_authority(folder: Path, **about: Any) -> AsyncIterator[LocalAuthority]:
    """Make an authority and start it."""
    one = LocalAuthority(folder, **about)
    one.make()
    await one.start()
    try:
        yield one
    finally:
        await one.stop()
