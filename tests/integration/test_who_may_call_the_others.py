"""Methods of peers and of an authority, called by everybody who may not; see test_who_may_call.py."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import msgspec
import pytest
import pytest_asyncio
from google.protobuf.message_factory import GetMessageClass

from kura.auth.v1 import auth_pb2
from rpc_edge.error_table import SAFE_ERRORS
from rpc_edge.tls import peer_channel, pinned_channel
from support.calls import Metadata, answers, every_method
from support.peer_safes import PeerSafe
from support.rpc_rows import ANSWERED, Clear, Outcome, Peer, Sealed
from support.rpc_table import ROWS
from support.tls_identities import Identity, identity, signed_by
from support.two_owners import (
    ANNAS,
    AtAuthority,
    AtSafes,
    two_owners_at_an_authority,
    two_owners_at_safes,
)
from threshold.hpke import KeyPair
from trust import owner_information as sealing
from trust.authority_refusals import QuestionSealBroken
from trust.documents import Document
from trust.refusals import Malformed, Refusal, RequestReplayed, RequestStale
from trust.request import FRESH_MS, METADATA_KEY, prove_request

pytestmark = pytest.mark.asyncio(loop_scope="module")

PEERS = {path: row for path, row in ROWS.items() if isinstance(row, Peer)}
SEALED = {path: row for path, row in ROWS.items() if isinstance(row, Sealed)}
CLEAR = {path: row for path, row in ROWS.items() if isinstance(row, Clear)}


def name_of(path: str) -> str:
    return path.rpartition(".")[2]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def safes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AtSafes]:
    """Nothing here changes them."""
    async with two_owners_at_safes(tmp_path_factory.mktemp("safes")) as scene:
        yield scene


def peers_port(safe: PeerSafe, key: bytes, certificate: bytes) -> grpc.aio.Channel:
    entry = safe.local.home.entry
    at = f"127.0.0.1:{safe.ports[entry.name]}"
    return peer_channel(at, entry.tls_certificate, entry.name, key, certificate)


def as_safe(safe: PeerSafe, asked: PeerSafe) -> grpc.aio.Channel:
    """A connection by the certificate of a safe."""
    shown = as_identity(safe)
    return peers_port(asked, shown.private_key, shown.certificate)


def as_identity(safe: PeerSafe) -> Identity:
    assert safe.identity is not None
    return Identity(safe.identity.tls_key, safe.identity.tls_certificate)


async def peer_outcome(channel: grpc.aio.Channel, path: str, body: bytes, metadata: Metadata = ()) -> Any:
    """What a call of a peer's method comes to: a refusal's type, or gRPC's own code."""
    async with channel:
        try:
            await answers(channel, path, [body], metadata)
        except grpc.aio.AioRpcError as error:
            refusal = SAFE_ERRORS.from_status(error)
            return type(refusal) if isinstance(refusal, Refusal) else error.code()
    return ANSWERED


@pytest.mark.parametrize("path", PEERS, ids=name_of)
async def test_a_peers_method_called_by_everybody_who_may_not(safes: AtSafes, path: str) -> None:
    """Without another safe's certificate there is no connection; a helper helps whom a session names."""
    row, (first, second, third) = PEERS[path], safes.peers.safes[:3]
    asked = first if row.at == "first" else safes.holder
    peer = third if asked is not third else second
    body = row.ask(safes).SerializeToString()
    stranger, signed = identity(peer.name), signed_by(as_identity(peer), "safe", peer.name)
    entry = asked.local.home.entry
    proof = prove_request(ANNAS, path, asked.safe_id, body, safes.now_ms, bytes(16)).to_bytes()
    at_peers = f"127.0.0.1:{asked.ports[asked.name]}"
    at_wallets = f"127.0.0.1:{asked.local.port}"
    bare = (entry.tls_certificate, entry.name)
    before = safes.content()
    assert {
        "another safe, for what is not for it": await peer_outcome(as_safe(peer, asked), path, body),
        "the safe itself": await peer_outcome(as_safe(asked, asked), path, body),
        "who has a certificate of a safe's name": await peer_outcome(
            peers_port(asked, stranger.private_key, stranger.certificate), path, body
        ),
        "who has a certificate that another safe signed": await peer_outcome(
            peers_port(asked, signed.private_key, signed.certificate), path, body
        ),
        "who has no certificate": await peer_outcome(pinned_channel(at_peers, *bare), path, body),
        "Anna's wallet, at the wallets' port": await peer_outcome(
            pinned_channel(at_wallets, *bare), path, body, ((METADATA_KEY, proof),)
        ),
    } == {
        "another safe, for what is not for it": row.refused,
        "the safe itself": grpc.StatusCode.UNAVAILABLE,
        "who has a certificate of a safe's name": grpc.StatusCode.UNAVAILABLE,
        "who has a certificate that another safe signed": grpc.StatusCode.UNAVAILABLE,
        "who has no certificate": grpc.StatusCode.UNAVAILABLE,
        "Anna's wallet, at the wallets' port": grpc.StatusCode.UNIMPLEMENTED,
    }
    assert safes.content() == before


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def authority(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AtAuthority]:
    """Nothing here changes it, but how often somebody tried."""
    async with two_owners_at_an_authority(tmp_path_factory.mktemp("authority")) as scene:
        yield scene


def short(path: str) -> str:
    return path.rpartition("/")[2]


Question = tuple[auth_pb2.SealedQuestion, sealing.AnswerKey | None]


@dataclass(frozen=True)
class Wish:
    """Makes questions of one method."""

    scene: AtAuthority
    path: str
    row: Sealed

    def document(self, token: bytes) -> Document:
        return self.row.ask(self.scene, token)

    def sealed(self, token: bytes, *, path: str | None = None, shift_ms: int = 0) -> Question:
        """To the authority, for this method or another."""
        authority = self.scene.authority
        at_ms = authority.clock.ms + shift_ms
        return authority.seal_static(short(path or self.path), self.document(token), at_ms)

    def bare(self) -> Question:
        """As it is, where a sealed one belongs."""
        body = self.document(self.scene.annas).to_bytes()
        return auth_pb2.SealedQuestion(to_static_key=body), None

    def to_another(self) -> Question:
        """To another authority's key."""
        authority = self.scene.authority
        question = sealing.ask(
            self.path, self.document(self.scene.annas).to_bytes(), authority.clock.ms, authority.rng
        )
        key = KeyPair(bytes([1] * 32)).public
        other = msgspec.structs.replace(authority.description, sealing_key=key)
        return auth_pb2.SealedQuestion(to_static_key=sealing.seal_to_static(question, other)[0]), None

    def other_path(self) -> str:
        return next(path for path in SEALED if path != self.path)


QUESTIONS: dict[str, tuple[Callable[[Wish], Question], Callable[[Sealed], Outcome]]] = {
    "who asks nothing": (lambda w: (auth_pb2.SealedQuestion(), None), lambda row: Malformed),
    "who asks in clear": (Wish.bare, lambda row: QuestionSealBroken),
    "who sealed it to another authority": (Wish.to_another, lambda row: QuestionSealBroken),
    "who sealed it for another method": (
        lambda w: w.sealed(w.scene.annas, path=w.other_path()),
        lambda row: QuestionSealBroken,
    ),
    "who asks five minutes and a millisecond late": (
        lambda w: w.sealed(w.scene.annas, shift_ms=-FRESH_MS - 1),
        lambda row: RequestStale,
    ),
    "who asks five minutes and a millisecond early": (
        lambda w: w.sealed(w.scene.annas, shift_ms=FRESH_MS + 1),
        lambda row: RequestStale,
    ),
    "who made a token up": (lambda w: w.sealed(bytes(32)), lambda row: row.made_up),
    "whose session is over": (lambda w: w.sealed(w.scene.over), lambda row: row.made_up),
    "who logged out": (lambda w: w.sealed(w.scene.ended), lambda row: row.made_up),
    "who made a token up, five minutes early": (
        lambda w: w.sealed(bytes(32), shift_ms=FRESH_MS),
        lambda row: row.made_up,
    ),
    "who made a token up, five minutes late": (
        lambda w: w.sealed(bytes(32), shift_ms=-FRESH_MS),
        lambda row: row.made_up,
    ),
    "another owner in a session": (lambda w: w.sealed(w.scene.berts), lambda row: row.other),
}


@pytest.mark.parametrize("caller", QUESTIONS)
@pytest.mark.parametrize("path", SEALED, ids=name_of)
async def test_a_sealed_method_called_by(authority: AtAuthority, path: str, caller: str) -> None:
    """The exact reason; an answer to another owner holds nothing of Anna's, and she keeps what she has."""
    make, expected = QUESTIONS[caller]
    question, key = make(Wish(authority, path, SEALED[path]))
    before, outcome = authority.content(), expected(SEALED[path])
    answer = await asked(authority, path, question, outcome)
    if answer and key is not None:
        opened = key.open(answer)
        assert not [mark for mark in authority.annas_marks if mark in opened]
    assert authority.content() == before


@pytest.mark.parametrize("path", SEALED, ids=name_of)
async def test_a_sealed_question_shown_twice(authority: AtAuthority, path: str) -> None:
    """Whatever the first came to, the second is refused as a replay."""
    row = SEALED[path]
    question, _ = Wish(authority, path, row).sealed(bytes(32))
    await asked(authority, path, question, row.made_up)
    await asked(authority, path, question, RequestReplayed)


@pytest.mark.parametrize("path", CLEAR, ids=name_of)
async def test_a_method_in_clear(authority: AtAuthority, path: str) -> None:
    """It says nothing about owners."""
    request: Any = GetMessageClass(every_method()[path].input_type)()
    answer = await come_to(authority.authority.raw(short(path), request), CLEAR[path].outcome)
    said = b"" if answer is None else answer.SerializeToString()
    assert not [mark for mark in authority.annas_marks if mark in said]


async def asked(scene: AtAuthority, path: str, question: auth_pb2.SealedQuestion, outcome: Outcome) -> bytes:
    """Ask, and give the sealed answer; empty where there is none."""
    request: Any = GetMessageClass(every_method()[path].input_type)(question=question)
    answer = await come_to(scene.authority.raw(short(path), request), outcome)
    return b"" if answer is None else bytes(answer.answer)


async def come_to(call: Awaitable[Any], outcome: Outcome) -> Any:
    """The answer of a call that must come to this outcome; None where that is a refusal."""
    if outcome == ANSWERED:
        return await call
    assert isinstance(outcome, type)
    with pytest.raises(Refusal) as refused:
        await call
    assert type(refused.value) is outcome
    return None
