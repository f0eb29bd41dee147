"""Every method of every service, called by everybody who may not: what they get, and that nothing changes.

The methods come of the contract itself, what each caller gets of tests/support/rpc_table.py.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.message import Message

from rpc_edge.error_table import SAFE_ERRORS
from support.calls import UNKNOWN_FIELD, Metadata, answer_of, answers, every_method
from support.rpc_rows import ANSWERED, Entry, Open, Outcome, Signed
from support.rpc_table import ROWS
from support.two_owners import ANNAS, BERTS, NEW, NOBODYS, REVOKED, STRANGER, AtSafes, two_owners_at_safes
from trust.documents import SigningKey
from trust.ids import SafeId
from trust.owner_refusals import WalletRevoked
from trust.refusals import (
    Refusal,
    RequestReplayed,
    RequestSignatureInvalid,
    RequestStale,
    RequestUnsigned,
)
from trust.request import FRESH_MS, METADATA_KEY, RequestProof, prove_request

pytestmark = pytest.mark.asyncio(loop_scope="module")

NONCES = count(1)
MINUTE_MS = 60_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AtSafes]:
    """Tests leave it as they found it, but the last one."""
    async with two_owners_at_safes(tmp_path_factory.mktemp("safes")) as safes:
        yield safes


@dataclass(frozen=True)
class Call:
    """One call as it is sent.

    Args:
        metadata: Of the call, such as a proof.
        bodies: Its messages.
    """

    bodies: Sequence[bytes]
    metadata: Metadata = ()


@dataclass(frozen=True)
class Asking:
    """Makes calls of one method at the first safe."""

    scene: AtSafes
    path: str
    row: Signed

    @property
    def rightful(self) -> SigningKey:
        """Whose call it would be."""
        return {"wallet": ANNAS, "owner": self.scene.anna.key, "new": NEW}[self.row.may]

    def bodies(self, key: SigningKey) -> list[bytes]:
        """What is asked for in the name of a key."""
        return bodies_of(self.row.ask(self.scene, key))

    def signed(self, key: SigningKey, shift_ms: int = 0, **proven: Any) -> Call:
        """By a key, with a proof for this call, or for another."""
        bodies = self.bodies(key)
        return Call(bodies, ((METADATA_KEY, self.proof(key, bodies[0], shift_ms, **proven).to_bytes()),))

    def proof(
        self,
        key: SigningKey,
        body: bytes,
        shift_ms: int = 0,
        *,
        path: str | None = None,
        safe_id: SafeId | None = None,
    ) -> RequestProof:
        """A proof of a request made so long after the safe's clock."""
        nonce = next(NONCES).to_bytes(16, "big")
        at_ms = self.scene.now_ms + shift_ms
        return prove_request(key, path or self.path, safe_id or self.scene.safe.safe_id, body, at_ms, nonce)

    def tampered(self) -> Call:
        """The rightful caller's proof over other bytes that say the same."""
        bodies = self.bodies(self.rightful)
        proof = self.proof(self.rightful, bodies[0] + UNKNOWN_FIELD)
        return Call(bodies, ((METADATA_KEY, proof.to_bytes()),))

    def forged(self) -> Call:
        """Another's signature under the rightful caller's name."""
        bodies = self.bodies(self.rightful)
        forged = self.proof(STRANGER, bodies[0])
        named = RequestProof(
            self.proof(self.rightful, b"").wallet_key, forged.issued_at_ms, forged.nonce, forged.signature
        )
        return Call(bodies, ((METADATA_KEY, named.to_bytes()),))


def bodies_of(messages: Sequence[Message] | Message) -> list[bytes]:
    listed = [messages] if isinstance(messages, Message) else messages
    return [message.SerializeToString() for message in listed]


def other_method(asking: Asking) -> str:
    return next(path for path, row in ROWS.items() if isinstance(row, Signed) and path != asking.path)


CALLERS: dict[str, tuple[Callable[[Asking], Call], Callable[[Signed], Outcome]]] = {
    "nobody, unsigned": (lambda a: Call(a.bodies(STRANGER)), lambda row: RequestUnsigned),
    "a key that no safe ever saw": (lambda a: a.signed(STRANGER), lambda row: row.nobody),
    "a wallet that acts for nobody": (lambda a: a.signed(NOBODYS), lambda row: row.nobody),
    "another owner": (lambda a: a.signed(a.scene.bert.key), lambda row: row.owner),
    "another owner's wallet": (lambda a: a.signed(BERTS), lambda row: row.other_wallet or row.owner),
    "a wallet that its owner revoked": (lambda a: a.signed(REVOKED), lambda row: WalletRevoked),
    "the right one, five minutes and a millisecond late": (
        lambda a: a.signed(a.rightful, -FRESH_MS - 1),
        lambda row: RequestStale,
    ),
    "the right one, five minutes and a millisecond early": (
        lambda a: a.signed(a.rightful, FRESH_MS + 1),
        lambda row: RequestStale,
    ),
    "a stranger five minutes late, like any stranger": (
        lambda a: a.signed(STRANGER, -FRESH_MS),
        lambda row: row.nobody,
    ),
    "a stranger five minutes early, like any stranger": (
        lambda a: a.signed(STRANGER, FRESH_MS),
        lambda row: row.nobody,
    ),
    "who shows the right one's proof for another safe": (
        lambda a: a.signed(a.rightful, safe_id=a.scene.peers.safes[1].safe_id),
        lambda row: RequestSignatureInvalid,
    ),
    "who shows the right one's proof for another method": (
        lambda a: a.signed(a.rightful, path=other_method(a)),
        lambda row: RequestSignatureInvalid,
    ),
    "who changed the body on the way": (Asking.tampered, lambda row: RequestSignatureInvalid),
    "who signs under another's name": (Asking.forged, lambda row: RequestSignatureInvalid),
    "who sends two proofs": (
        lambda a: Call(a.bodies(STRANGER), (*a.signed(STRANGER).metadata, *a.signed(a.rightful).metadata)),
        lambda row: RequestSignatureInvalid,
    ),
}
SIGNED = {path: row for path, row in ROWS.items() if isinstance(row, Signed)}
OPEN = {path: row for path, row in ROWS.items() if isinstance(row, Open)}


def name_of(path: str) -> str:
    return path.rpartition(".")[2]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("path", SIGNED, ids=name_of)
async def test_a_signed_method_called_by(scene: AtSafes, path: str, caller: str) -> None:
    """The exact reason; and unless the caller is answered about themselves, not a row is changed."""
    make, expected = CALLERS[caller]
    row = SIGNED[path]
    before, outcome = scene.content(), expected(row)
    given = await answered(scene, path, make(Asking(scene, path, row)), outcome)
    if outcome == ANSWERED:
        assert not [mark for mark in scene.annas_marks if any(mark in answer for answer in given)]
    else:
        assert scene.content() == before


@pytest.mark.parametrize("path", SIGNED, ids=name_of)
async def test_a_signed_call_shown_twice(scene: AtSafes, path: str) -> None:
    """Whatever the first came to, the second is refused as a replay."""
    call = Asking(scene, path, SIGNED[path]).signed(STRANGER)
    await answered(scene, path, call, SIGNED[path].nobody)
    before = scene.content()
    await answered(scene, path, call, RequestReplayed)
    assert scene.content() == before


@pytest.mark.parametrize("proven", [False, True], ids=["nobody, unsigned", "who signed something else"])
@pytest.mark.parametrize("path", OPEN, ids=name_of)
async def test_an_open_method_called_by(scene: AtSafes, path: str, proven: bool) -> None:
    """Nobody asks for a proof, and only a method that may be signed looks at one."""
    bodies = bodies_of(OPEN[path].ask(scene, STRANGER))
    metadata = ((METADATA_KEY, b"no proof"),) if proven else ()
    spoilt = OPEN[path].spoilt if proven else None
    await answered(scene, path, Call(bodies, metadata), spoilt or OPEN[path].outcome)


async def answered(scene: AtSafes, path: str, call: Call, outcome: Outcome) -> list[bytes]:
    """Call the first safe, and hold what comes of it to what should."""
    channel = scene.safe._channel
    assert channel is not None
    try:
        given = await answers(channel, path, call.bodies, call.metadata)
    except grpc.aio.AioRpcError as error:
        refusal = SAFE_ERRORS.from_status(error)
        assert type(refusal) is outcome, f"{refusal!r} instead of {outcome}"
        return []
    refused = entry_of(answer_of(every_method()[path], given[0])) if given else None
    assert outcome == (ANSWERED if refused is None else Entry(type(refused)))
    return given


def entry_of(answer: Message) -> Refusal | None:
    """Why the one entry of an answer was refused, if it has one that was."""
    results = [*getattr(answer, "results", ()), *([answer.result] if hasattr(answer, "result") else [])]
    (refusal,) = [one.refusal for one in results if one.HasField("refusal")] or [None]
    if refusal is None:
        return None
    read = SAFE_ERRORS.from_refusal(refusal)
    assert isinstance(read, Refusal)
    return read


async def test_whoever_may_call_gets_through(scene: AtSafes) -> None:
    """Else the table would show nothing; with a clock that is four minutes and 59 seconds off, either way.

    In the order of the table: a revival needs its tombstone, and Anna's end comes last.
    """
    for number, (path, row) in enumerate(SIGNED.items()):
        asking = Asking(scene, path, row)
        off_ms = (FRESH_MS - 1_000) * (-1) ** number
        await answered(scene, path, asking.signed(asking.rightful, off_ms), row.theirs)
