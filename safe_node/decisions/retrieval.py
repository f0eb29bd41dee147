"""May this piece be given out, and is it still what was certified?

A certificate names a piece; it does not authorise. What is stored is hashed again each time, so a safe
whose disk rots says so and gives out nothing wrong.
"""

from __future__ import annotations

import hashlib
import hmac

from safe_node.records import AnnouncedBlob, ReleasedPiece, StoredPiece
from threshold.errors import ThresholdError
from trust.certificate import Certificate
from trust.errors import PieceRootMismatch
from trust.ids import Hash, OwnerKey, WalletKey
from trust.piece import BlockChecker, block_hashes, check_piece
from trust.wallet_refusals import CertificateUnknown, NotYourItem, PieceNeedsStream, StoredPieceDamaged


def key_share_checksum(manifest_hash: Hash, x: int, share: bytes) -> bytes:
    """What is kept beside a key share (Secret) to notice damage: SHA-256 over its place and itself."""
    return hashlib.sha256(b"kura/v1/stored-key-share\x00" + manifest_hash + bytes([x]) + share).digest()


def judge_fetch(
    stored: StoredPiece | None,
    certificate: Certificate,
    caller: WalletKey,
    unary_blob_bytes: int,
    account: OwnerKey | None = None,
) -> ReleasedPiece:
    """Release a piece whose blob fits one message.

    Args:
        stored: What stands under the whole certificate, if anything does.
        certificate: What was presented.
        caller: Whose signature the call carries.
        unary_blob_bytes: The largest blob of a unary call.
        account: For which owner the caller acts; what any wallet of theirs registered is theirs.

    Raises:
        CertificateUnknown, NotYourItem, PieceNeedsStream, StoredPieceDamaged
    """
    piece = _owned(stored, caller, account)
    if isinstance(piece.content, AnnouncedBlob) or len(piece.content or b"") > unary_blob_bytes:
        raise PieceNeedsStream
    key_share = _intact_key_share(piece)
    if piece.content is not None:
        _check_blob(piece.content, certificate.x_hash)
    return ReleasedPiece(piece.content, key_share)


def judge_stream(
    stored: StoredPiece | None, certificate: Certificate, caller: WalletKey, account: OwnerKey | None = None
) -> tuple[ReleasedPiece, AnnouncedBlob]:
    """Release the head of a piece of any size; its blocks are checked as they are read.

    Arguments as for `judge_fetch`.

    Raises:
        CertificateUnknown, NotYourItem, StoredPieceDamaged
    """
    piece = _owned(stored, caller, account)
    head = ReleasedPiece(None, _intact_key_share(piece))
    if not isinstance(piece.content, AnnouncedBlob):
        blob = piece.content or b""
        if piece.content is not None:
            _check_blob(blob, certificate.x_hash)
        return head, AnnouncedBlob(len(blob), tuple(block_hashes(blob)))
    block_checker(piece.content, certificate.x_hash)
    return head, piece.content


def block_checker(blob: AnnouncedBlob, x_hash: Hash) -> BlockChecker:
    """What checks the blocks of a stored blob as they are read.

    Raises:
        StoredPieceDamaged: The stored hashes are no longer those that were certified.
    """
    try:
        return BlockChecker(blob.block_hashes, blob.length, x_hash)
    except (PieceRootMismatch, ThresholdError):
        raise StoredPieceDamaged from None


def _owned(stored: StoredPiece | None, caller: WalletKey, account: OwnerKey | None) -> StoredPiece:
    if stored is None:
        raise CertificateUnknown
    if stored.wallet_key != caller and (account is None or stored.owner_key != account):
        raise NotYourItem
    return stored


def _intact_key_share(piece: StoredPiece) -> bytes | None:
    if not piece.has_key_share:
        return None
    if piece.key_share is None:
        raise StoredPieceDamaged
    expected = key_share_checksum(piece.manifest_hash, piece.x, piece.key_share)
    if not hmac.compare_digest(expected, piece.key_share_checksum or b""):
        raise StoredPieceDamaged
    return piece.key_share


def _check_blob(blob: bytes, x_hash: Hash) -> None:
    try:
        check_piece(blob, x_hash)
    except PieceRootMismatch:
        raise StoredPieceDamaged from None
