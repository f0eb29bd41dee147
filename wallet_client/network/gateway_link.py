"""The wallet's link to its gateway: a grant goes in, what each safe sealed comes out, opened.

Nothing here is believed that the gateway says: what a safe sealed opens with its signature, in its order, or
it counts as that safe's failure. Pieces are checked by who knows the manifest.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from google.protobuf.message import DecodeError

from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.client import SignedCaller
from rpc_edge.error_table import SAFE_ERRORS
from rpc_edge.errors import CallFailed
from threshold.hpke import KeyPair
from trust.collected import Collected
from trust.errors import EnvelopeBroken
from trust.grant import Grant
from trust.ids import SafeId, Signature
from trust.refusals import Refusal
from trust.roster import SafeEntry
from wallet_client.network import messages
from wallet_client.network.failures import NotAsSealed, NotGathered, SafeFailure, WrongReply
from wallet_client.network.messages import FetchedPiece

_GATHER = "/kura.safe.v1.SafeService/Gather"
_AT_ONCE = 4
_INLINE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class AnnouncedBlob:
    """A large piece is to come.

    Args:
        block_hashes: Of its blob.
        blob_length: In bytes.
        key_share: Secret: 32 bytes, or None.
    """

    block_hashes: Sequence[bytes]
    blob_length: int
    key_share: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class BlobChunk:
    """The next bytes of it.

    Args:
        content: Secret.
    """

    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AllGiven:
    """The safe's last frame came."""


Part: TypeAlias = Sequence[FetchedPiece | Exception] | AnnouncedBlob | BlobChunk | AllGiven | SafeFailure
"""What comes of one safe: outcomes of the next certificates, a large piece, its end, or why nothing more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is shown to the gateway.

    Args:
        grant: What was signed.
        body: Its exact bytes.
        signature: The wallet's.
        lists: By safe, the certificates; in the order of the grant's parts.
        spares: Safes that are asked only in the place of others.
        most_frames: By safe, how many it needs at most.
        pair: Secret: the recipient's.
    """

    grant: Grant
    body: bytes
    signature: Signature
    lists: Mapping[SafeId, Sequence[bytes]]
    spares: frozenset[SafeId]
    most_frames: Mapping[SafeId, int]
    pair: KeyPair = field(repr=False)

    def request(self) -> pb.GatherRequest:
        """As a message."""
        lists = [
            pb.GrantedList(certificates=one, is_spare=safe_id in self.spares)
            for safe_id, one in self.lists.items()
        ]
        return pb.GatherRequest(grant=self.body, signature=self.signature, lists=lists)


class GatewayLink:
    """See the top of this file.

    Args:
        entry: The gateway.
        caller: Signs as the wallet; to the gateway itself, over TLS: what comes back is sealed already.
        safes: All safes of the roster.
        patience_seconds: How long the gateway may give nothing; it gives up a silent safe sooner.
    """

    def __init__(
        self, entry: SafeEntry, caller: SignedCaller, safes: Sequence[SafeEntry], patience_seconds: float
    ) -> None:
        self.entry = entry
        self._caller = caller
        self._safes = {safe.safe_id: safe for safe in safes}
        self._patience = patience_seconds
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def gather(self, asked: Asked) -> AsyncGenerator[tuple[SafeId, Part], None]:
        """What comes, safe by safe as it comes; nothing is raised.

        Each safe that is not spare ends with AllGiven or a failure, whatever the gateway does. Who goes on
        for ever is left.
        """
        name = asked.grant.name
        opening = {one: Collected(name, self._safes[one], asked.pair) for one in asked.lists}
        begun: Counter[SafeId] = Counter()
        most = sum(asked.most_frames.values()) + len(asked.lists)
        why: CallFailed | Refusal | None = None
        try:
            async with self._turns, aclosing(self._answers(asked)) as answers:
                async for answer in answers:
                    safe_id = SafeId(answer.safe_id)
                    begun[safe_id] += 1
                    if begun.total() > most:
                        break
                    if safe_id in opening and begun[safe_id] > asked.most_frames[safe_id]:
                        del opening[safe_id]
                        yield safe_id, WrongReply()
                    async for part in self._parts(answer, opening.get(safe_id)):
                        if isinstance(part, AllGiven | Exception):
                            del opening[safe_id]
                        yield safe_id, part
        except (CallFailed, Refusal) as failure:
            why = failure
        for safe_id in opening:
            if safe_id in begun or safe_id not in asked.spares:
                yield safe_id, self._silence(safe_id, why)

    def _silence(self, safe_id: SafeId, why: CallFailed | Refusal | None) -> SafeFailure:
        """Why nothing more came of a safe, of which the gateway said nothing."""
        if why is None:
            return NotAsSealed(self.entry.name)
        return why if safe_id == self.entry.safe_id else NotGathered(self.entry.name, str(why))

    def _answers(self, asked: Asked) -> AsyncGenerator[pb.GatherResponse, None]:
        return self._caller.stream_down(_GATHER, asked.request(), pb.GatherResponse, self._patience)

    async def _parts(self, answer: pb.GatherResponse, opener: Collected | None) -> AsyncGenerator[Part, None]:
        """What one answer of the gateway's tells of its safe; nothing where that one is done."""
        if opener is None:
            return
        if answer.WhichOneof("outcome") != "frame":
            word = SAFE_ERRORS.from_refusal(answer.failure)
            yield NotGathered(self.entry.name, str(word))
            return
        try:
            message = await _opened(opener, answer.frame)
            if message is not None:
                yield _read(message)
            if opener.is_whole:
                yield AllGiven()
        except (EnvelopeBroken, WrongReply):
            yield NotAsSealed(self.entry.name)


async def _opened(opener: Collected, frame: bytes) -> bytes | None:
    if len(frame) <= _INLINE_BYTES:
        return opener.open(frame)
    return await asyncio.to_thread(opener.open, frame)


def _read(message: bytes) -> Part:
    try:
        part = pb.CollectedPart.FromString(message)
    except DecodeError:
        raise WrongReply from None
    if part.HasField("head"):
        share = messages.key_share(part.head.piece)
        return AnnouncedBlob(list(part.head.block_hashes), part.head.blob_length, share)
    if part.HasField("chunk"):
        return BlobChunk(part.chunk)
    return [messages.fetched(result) for result in part.results]
