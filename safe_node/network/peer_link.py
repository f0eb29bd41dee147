"""A safe's link to one peer: what it asks, what comes back. Who asks checks the documents."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

import grpc

from kura.safe.v1 import peer_pb2 as pb
from rpc_edge.client import SignedCaller
from rpc_edge.errors import AnswerMalformed
from safe_node.handlers.peer_converters import read_inventory, read_shown, read_words
from safe_node.repairs import InventoryPage, ShownBatch, WordsPage
from threshold.randomness import RandomSource
from trust.documents import SigningKey
from trust.ids import Hash
from trust.refusals import Malformed
from trust.roster import SafeEntry

_SERVICE = "/kura.safe.v1.PeerService/"
_Answer = TypeVar("_Answer")

ASK_SECONDS = 10.0
SUM_SECONDS = 30.0
"""A sum waits for the other helpers, who have HELP_SECONDS."""
HELP_SECONDS = 15.0
COLLECT_SECONDS = 4.0
"""From one frame to the next: less than a wallet waits for its gateway."""

Signed = tuple[bytes, bytes]
"""A session's exact bytes and their signature."""

Newest = tuple[int, bytes]
"""Version and fingerprint of the newest roster."""


class PeerLink:
    """One peer.

    Args:
        entry: As in the newest roster.
        channel: To its peers' port, with this safe's certificate; closed here.
        signing_key: Secret: this safe's; its calls are told by the certificate, so nothing is signed with it.
        now_ms: The clock.
        rng: For the caller.
    """

    def __init__(
        self,
        entry: SafeEntry,
        channel: grpc.aio.Channel,
        signing_key: SigningKey,
        now_ms: Callable[[], int],
        rng: RandomSource,
    ) -> None:
        self.entry = entry
        self._channel = channel
        self._caller = SignedCaller(channel, entry.safe_id, signing_key, now_ms, rng)

    async def inventory(self, newest: Newest, after: int) -> InventoryPage:
        """One page of what it keeps of batches that place something here.

        Raises:
            Refusal: Its word.
            CallFailed: There is no answer, or one that cannot be read.
        """
        request = pb.InventoryRequest(roster=_view(newest), after=after)
        answer = await self._ask("Inventory", request, pb.InventoryResponse, ASK_SECONDS)
        return _read(lambda: read_inventory(answer))

    async def words(self, newest: Newest, known: Hash, after: int) -> WordsPage:
        """One page of the words it keeps; raises as `inventory`."""
        request = pb.WordsRequest(roster=_view(newest), known=known, after=after)
        answer = await self._ask("Words", request, pb.WordsResponse, ASK_SECONDS)
        return _read(lambda: read_words(answer))

    async def show_batch(self, manifest_hash: Hash) -> ShownBatch:
        """The documents of a batch; raises as `inventory`."""
        request = pb.ShowBatchRequest(manifest_hash=manifest_hash)
        answer = await self._ask("ShowBatch", request, pb.ShowBatchResponse, ASK_SECONDS)
        return _read(lambda: read_shown(answer))

    async def sum(self, signed: Signed) -> bytes:
        """Its sum (Secret) of a session; raises as `inventory`."""
        request = pb.SumRequest(session=_session(signed))
        return (await self._ask("Sum", request, pb.SumResponse, SUM_SECONDS)).sum

    async def summand(self, signed: Signed) -> bytes:
        """What it gives (Secret) to this safe as another helper; raises as `inventory`."""
        request = pb.SummandRequest(session=_session(signed))
        return (await self._ask("Summand", request, pb.SummandResponse, HELP_SECONDS)).summand

    async def fragment(self, signed: Signed) -> bytes:
        """Its own part of a compact piece; raises as `inventory`."""
        request = pb.FragmentRequest(session=_session(signed))
        return (await self._ask("Fragment", request, pb.FragmentResponse, SUM_SECONDS)).fragment

    async def collect(
        self, grant: bytes, signature: bytes, certificates: Sequence[bytes]
    ) -> AsyncGenerator[bytes, None]:
        """What it seals under a grant, frame by frame, unread; raises as `inventory`.

        Args:
            grant: Exact signed bytes.
            signature: The wallet's.
            certificates: What the grant asks of this peer.
        """
        request = pb.CollectRequest(grant=grant, signature=signature, certificates=certificates)
        stream = self._caller.stream_down(
            _SERVICE + "Collect", request, pb.CollectResponse, COLLECT_SECONDS, signed=False
        )
        async with aclosing(stream):
            async for answer in stream:
                yield answer.frame

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()

    async def _ask(self, method: str, request: object, kind: type[_Answer], seconds: float) -> _Answer:
        return await self._caller.unary(_SERVICE + method, request, kind, seconds, signed=False)  # type: ignore[arg-type, type-var]


def _view(newest: Newest) -> pb.RosterView:
    return pb.RosterView(version=newest[0], hash=newest[1])


def _session(signed: Signed) -> pb.SignedSession:
    return pb.SignedSession(session=signed[0], signature=signed[1])


def _read(read: Callable[[], _Answer]) -> _Answer:
    try:
        return read()
    except Malformed:
        raise AnswerMalformed from None
