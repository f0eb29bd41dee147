"""One large blob on its way, chunk by chunk: to a safe, or from one and checked as it comes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Protocol

from kura.safe.v1 import safe_pb2 as pb
from trust.piece import BlockChecker
from wallet_client.network import messages
from wallet_client.network.failures import WrongReply


class ByteSink(Protocol):
    """Where a stream is written to."""

    def write(self, data: bytes, /) -> int:
        """Take the next bytes."""
        ...


async def chunk_messages(chunks: Iterator[bytes]) -> AsyncGenerator[pb.RegisterStreamRequest, None]:
    """The chunks of a blob (Secret) as messages; the iterator runs in a thread."""
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield pb.RegisterStreamRequest(chunk=chunk)


async def receive(
    stream: AsyncIterator[pb.FetchStreamResponse], x_hash: bytes, blob_length: int, into: ByteSink
) -> bytes | None:
    """Write a blob into a file, each block checked against X as it comes; gives the key share (Secret).

    Raises:
        TrustError: A block is not of the piece that was registered.
        WrongReply: The safe announced another blob.
    """
    first = await anext(stream, None)
    if first is None or first.WhichOneof("part") != "head" or first.head.blob_length != blob_length:
        raise WrongReply
    checker = BlockChecker(first.head.block_hashes, blob_length, x_hash)
    async for message in stream:
        await asyncio.to_thread(_take, checker, message.chunk, into)
    checker.finish()
    return messages.key_share(first.head.piece)


def _take(checker: BlockChecker, chunk: bytes, into: ByteSink) -> None:
    checker.check(chunk)
    into.write(chunk)
