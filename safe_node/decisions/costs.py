"""What a record counts towards its wallet's bytes.

Content as it is, plus a flat sum for rows and index entries, so that many empty records are not free.
"""

from safe_node.records import AdmittedBatch, AdmittedPiece, AnnouncedBlob
from trust.wallet_refusals import QuotaExceeded

PIECE_OVERHEAD_BYTES = 512
BATCH_OVERHEAD_BYTES = 256
KEY_SHARE_BYTES = 128
TOMBSTONE_BYTES = 768


def content_length(content: bytes | AnnouncedBlob | None) -> int:
    """Bytes of a piece's blob."""
    if content is None:
        return 0
    return content.length if isinstance(content, AnnouncedBlob) else len(content)


def piece_cost(piece: AdmittedPiece, certificate: bytes) -> int:
    """Bytes of one piece."""
    return content_length(piece.content) + len(piece.leaf) + len(certificate) + PIECE_OVERHEAD_BYTES


def batch_cost(batch: AdmittedBatch) -> int:
    """Bytes of what the pieces of a batch share."""
    shares = len(batch.key_shares) * KEY_SHARE_BYTES
    return len(batch.manifest) + len(batch.leaf_hashes) + shares + BATCH_OVERHEAD_BYTES


def check_quota(used: int, needed: int, limit: int) -> None:
    """Hold a wallet to its bytes; a limit of 0 is none.

    Raises:
        QuotaExceeded: `needed` more would pass the limit.
    """
    if limit and used + needed > limit:
        raise QuotaExceeded(limit, used, needed)
