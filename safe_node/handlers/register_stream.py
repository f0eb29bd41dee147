"""RegisterStream: one large piece, staged and checked chunk by chunk as it comes.

What can be refused is refused at the opening, before the blob travels; a piece that stands already is
answered with its certificate there. Checking one chunk and writing the one before go on at the same time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

from kura.safe.v1 import safe_pb2 as pb
from safe_node.decisions.admission import admit_batch, check_digest
from safe_node.handlers.converters import read_opening, write_batch_result
from safe_node.handlers.effort import HASHES_PER_SIGNATURE, effort
from safe_node.handlers.safe import Safe, checked
from safe_node.records import AdmittedBatch, AnnouncedBlob
from safe_node.store.base import Upload
from trust.errors import PieceRootMismatch
from trust.ids import WalletKey
from trust.piece import BlockChecker
from trust.refusals import Busy, CallTooLarge, Malformed, Refusal
from trust.wallet_refusals import PieceMismatch

CHUNK_BYTES = 1024 * 1024
IDLE_SECONDS = 60.0
"""A stream that sends nothing for this long is given up, and what it staged is erased."""

Parts = AsyncIterator[pb.RegisterStreamRequest]


async def register_stream(safe: Safe, caller: WalletKey, parts: Parts) -> pb.RegisterStreamResponse:
    """Take one large piece in.

    Raises:
        Malformed, CallTooLarge: The call as a whole cannot be taken.
        Busy: As many streams as the safe takes at once are under way.
    """
    if safe.uploads.locked():
        raise Busy
    async with safe.uploads:
        return await _register_stream(safe, caller, parts)


async def _register_stream(safe: Safe, caller: WalletKey, parts: Parts) -> pb.RegisterStreamResponse:
    first = await _next(parts)
    if first is None or first.WhichOneof("part") != "opening":
        raise Malformed("opening")
    candidate, blob = read_opening(first.opening)
    if blob.length > safe.limits.stream_blob_bytes:
        raise CallTooLarge("blob_length", safe.limits.stream_blob_bytes)
    try:
        batch = await checked(
            lambda: admit_batch(candidate, caller, safe.membership),
            effort(candidate) + len(blob.block_hashes) // HASHES_PER_SIGNATURE,
        )
        certificates = await _take_in(safe, batch, blob, parts)
    except (Malformed, CallTooLarge):
        raise
    except Refusal as refusal:
        return pb.RegisterStreamResponse(result=write_batch_result(refusal))
    return pb.RegisterStreamResponse(
        result=write_batch_result(certificates), signature=safe.sign(certificates)
    )


async def _take_in(safe: Safe, batch: AdmittedBatch, blob: AnnouncedBlob, parts: Parts) -> tuple[bytes, ...]:
    plan = safe.rules.plan
    decided = await safe.store.preview(batch, plan)
    if not decided.new_pieces:
        return decided.certificates
    checker = BlockChecker(blob.block_hashes, blob.length, batch.pieces[0].x_hash)
    upload = await safe.store.begin_upload(batch.wallet_key, blob.length, safe.limits.bytes_per_wallet)
    try:
        await _stage(upload, checker, partial(check_digest, batch, batch.pieces[0]), parts)
        return await upload.finish(batch, plan)
    finally:
        # Also when the caller is gone; what a second interruption leaves is erased at the next start.
        await asyncio.shield(upload.abort())


async def _stage(
    upload: Upload, checker: BlockChecker, check_first: Callable[[bytes], None], parts: Parts
) -> None:
    writing: asyncio.Task[None] | None = None
    try:
        while (part := await _next(parts)) is not None:
            chunk = _chunk(part)
            await _check(checker, chunk)
            if writing is None:
                check_first(chunk)
            if writing is not None:
                await writing
            writing = asyncio.create_task(upload.write(chunk))
        checker.finish()
        if writing is not None:
            await writing
    except PieceRootMismatch:
        raise PieceMismatch("blob") from None
    finally:
        if writing is not None:
            await asyncio.wait((writing,))


async def _next(parts: Parts) -> pb.RegisterStreamRequest | None:
    try:
        async with asyncio.timeout(IDLE_SECONDS):
            return await anext(parts, None)
    except TimeoutError:
        raise Malformed("chunk") from None


def _chunk(part: pb.RegisterStreamRequest) -> bytes:
    if part.WhichOneof("part") != "chunk" or not 0 < len(part.chunk) <= CHUNK_BYTES:
        raise Malformed("chunk")
    return part.chunk


async def _check(checker: BlockChecker, chunk: bytes) -> None:
    await asyncio.to_thread(checker.check, chunk)
