"""FetchStream: one large piece, its block hashes first."""

from __future__ import annotations

from collections.abc import AsyncIterator

from kura.safe.v1 import safe_pb2 as pb
from safe_node.accounts import Standing
from safe_node.decisions.retrieval import judge_stream
from safe_node.handlers.converters import read_certificate, write_piece
from safe_node.handlers.safe import Safe
from safe_node.records import AnnouncedBlob, ReleasedPiece, StoredPiece
from trust.certificate import Certificate


async def fetch_stream(
    safe: Safe, caller: Standing, request: pb.FetchStreamRequest
) -> AsyncIterator[pb.FetchStreamResponse]:
    """Look up the certificate and give out its piece, every block hashed again.

    Raises:
        Malformed, CertificateUnknown, NotYourItem, StoredPieceDamaged
    """

    def judge(stored: StoredPiece | None, certificate: Certificate) -> tuple[ReleasedPiece, AnnouncedBlob]:
        return judge_stream(stored, certificate, caller.key, caller.owner_key)

    streamed = await safe.store.stream(read_certificate(request.certificate, "certificate"), judge)
    blob = streamed.blob
    head = pb.StreamHead(
        piece=write_piece(streamed.head), blob_length=blob.length, block_hashes=blob.block_hashes
    )
    yield pb.FetchStreamResponse(head=head)
    async for chunk in streamed.chunks:
        yield pb.FetchStreamResponse(chunk=chunk)
