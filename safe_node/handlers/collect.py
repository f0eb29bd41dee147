"""Collect: this safe's pieces under a grant, sealed to its recipient; to the gateway that the grant names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from kura.safe.v1 import peer_pb2, safe_pb2
from safe_node.accounts import Standing
from safe_node.decisions.grants import judge_collection
from safe_node.decisions.retrieval import judge_fetch, judge_stream
from safe_node.handlers.converters import read_certificate, write_fetch_result, write_piece
from safe_node.handlers.peer_repair import Helping
from safe_node.handlers.rights import Right, check_right
from safe_node.handlers.safe import INLINE_BYTES, Safe
from safe_node.records import AnnouncedBlob, Presented, ReleasedPiece, StoredPiece
from trust.certificate import Certificate
from trust.collected import Collecting
from trust.grant import Grant
from trust.ids import SafeId
from trust.refusals import Refusal
from trust.wallet_refusals import PieceNeedsStream

SMALL_BLOBS_BYTES = 4 * 1024 * 1024
"""Most bytes of all blobs of a list that do not go as streams."""

PART_BYTES = 256 * 1024
PART_RESULTS = 256
"""About how much goes into one frame."""


async def collect(
    helping: Helping, caller: SafeId, request: peer_pb2.CollectRequest
) -> AsyncIterator[peer_pb2.CollectResponse]:
    """Judge the grant, and give what it asks for.

    Raises:
        GrantInvalid, RosterUnknown, GrantExpired: As decisions/grants.py has it.
        WalletRevoked, Malformed, CallTooLarge: As `sealed_pieces`.
    """
    safe, certificates = helping.safe, tuple(request.certificates)
    async with helping.collections[caller]:
        grant = judge_collection(
            request.grant, request.signature, certificates, caller, safe.membership, safe.now_ms()
        )
        async with aclosing(sealed_pieces(safe, grant, certificates)) as frames:
            async for frame in frames:
                yield peer_pb2.CollectResponse(frame=frame)


async def sealed_pieces(
    safe: Safe, grant: Grant, certificates: Sequence[bytes]
) -> AsyncGenerator[bytes, None]:
    """What this safe gives under a judged grant, frame by frame; the wallet has the rights of a Fetch.

    Args:
        safe: This safe.
        grant: Says whose pieces may be asked for, and to whom they are sealed.
        certificates: What it asks of this safe.

    Raises:
        WalletRevoked: The wallet acts for nobody any more.
        Malformed: What should be a certificate is none.
        CallTooLarge: Together the small blobs have more than 4 MiB.
    """
    standing = await safe.store.owners.standing(grant.wallet_key)
    check_right(Right.WALLET, standing)
    presented = [read_certificate(one, f"certificates[{number}]") for number, one in enumerate(certificates)]
    sealer = Collecting(grant, safe.membership.safe_id, safe.signing_key, safe.rng)
    async with aclosing(_parts(safe, standing, presented)) as parts:
        async for part in parts:
            message = part.SerializeToString()
            if len(message) <= INLINE_BYTES:
                yield sealer.seal(message)
            else:
                yield await asyncio.to_thread(sealer.seal, message)
    yield sealer.seal(None, is_last=True)


async def _parts(
    safe: Safe, caller: Standing, presented: Sequence[Presented]
) -> AsyncGenerator[safe_pb2.CollectedPart, None]:
    """The outcomes in order: small ones several at once, large ones as streams."""

    def judge(stored: StoredPiece | None, certificate: Certificate) -> ReleasedPiece:
        return judge_fetch(stored, certificate, caller.key, safe.limits.unary_blob_bytes, caller.owner_key)

    outcomes = await safe.store.fetch(presented, judge, SMALL_BLOBS_BYTES)
    results: list[safe_pb2.FetchResult] = []
    size = 0
    for one, outcome in zip(presented, outcomes, strict=True):
        is_large = isinstance(outcome, PieceNeedsStream)
        if results and (is_large or size > PART_BYTES or len(results) >= PART_RESULTS):
            yield safe_pb2.CollectedPart(results=results)
            results, size = [], 0
        if is_large:
            async for part in _streamed(safe, caller, one):
                yield part
            continue
        results.append(write_fetch_result(outcome))
        size += len(outcome.blob or b"") if isinstance(outcome, ReleasedPiece) else 0
    if results:
        yield safe_pb2.CollectedPart(results=results)


async def _streamed(
    safe: Safe, caller: Standing, presented: Presented
) -> AsyncIterator[safe_pb2.CollectedPart]:
    def judge(stored: StoredPiece | None, certificate: Certificate) -> tuple[ReleasedPiece, AnnouncedBlob]:
        return judge_stream(stored, certificate, caller.key, caller.owner_key)

    try:
        streamed = await safe.store.stream(presented, judge)
        blob = streamed.blob
        yield safe_pb2.CollectedPart(
            head=safe_pb2.StreamHead(
                piece=write_piece(streamed.head), blob_length=blob.length, block_hashes=blob.block_hashes
            )
        )
        async for chunk in streamed.chunks:
            yield safe_pb2.CollectedPart(chunk=chunk)
    except Refusal as refusal:
        yield safe_pb2.CollectedPart(results=[write_fetch_result(refusal)])
