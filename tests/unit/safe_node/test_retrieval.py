"""What is stored goes out only to its owner, and only while it is what was certified."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from safe_node.decisions.retrieval import judge_fetch, judge_stream, key_share_checksum
from safe_node.records import AnnouncedBlob, StoredPiece
from support.sample_documents import draw, key
from trust.certificate import Certificate
from trust.digest import VACANT
from trust.ids import Hash, ItemId, OwnerKey, SafeId, WalletKey
from trust.piece import block_hashes, piece_root
from trust.refusals import Refusal
from trust.wallet_refusals import CertificateUnknown, NotYourItem, PieceNeedsStream, StoredPieceDamaged

BLOB = draw("blob", 150_000)
SHARE = draw("share", 32)
MANIFEST_HASH = Hash(draw("manifest", 32))
OWNER = WalletKey(key("owner").public)
STRANGER = WalletKey(key("stranger").public)
CERTIFICATE = Certificate(
    SafeId(bytes(16)), "value", VACANT, Hash(piece_root(BLOB)), 7, ItemId(bytes(16)), generation=1, index=3
)
STORED = StoredPiece(
    wallet_key=OWNER,
    manifest_hash=MANIFEST_HASH,
    certificate=CERTIFICATE.to_bytes(),
    x=3,
    content=BLOB,
    blob_id=None,
    has_key_share=True,
    key_share=SHARE,
    key_share_checksum=key_share_checksum(MANIFEST_HASH, 3, SHARE),
)
IN_BLOCKS = replace(STORED, content=AnnouncedBlob(len(BLOB), tuple(block_hashes(BLOB))), blob_id=1)
LIMIT = len(BLOB)

Judge = Callable[[StoredPiece | None, WalletKey], object]


def as_message(stored: StoredPiece | None, caller: WalletKey) -> object:
    return judge_fetch(stored, CERTIFICATE, caller, LIMIT)


def as_stream(stored: StoredPiece | None, caller: WalletKey) -> object:
    return judge_stream(stored, CERTIFICATE, caller)


DAMAGED = {
    "a flipped bit in the blob": replace(STORED, content=BLOB[:-1] + bytes([BLOB[-1] ^ 1])),
    "a blob cut short": replace(STORED, content=BLOB[:-1]),
    "an empty blob": replace(STORED, content=b""),
    "a changed key share": replace(STORED, key_share=bytes(32)),
    "the key share of another index": replace(STORED, x=4),
    "a changed checksum": replace(STORED, key_share_checksum=bytes(32)),
    "a lost key share": replace(STORED, key_share=None, key_share_checksum=None),
}


@pytest.mark.parametrize("judge", [as_message, as_stream], ids=["message", "stream"])
@pytest.mark.parametrize("stored", DAMAGED.values(), ids=DAMAGED)
def test_damage_stops_with_data_loss(stored: StoredPiece, judge: Judge) -> None:
    """Nothing damaged goes out, in either way of going out."""
    with pytest.raises(StoredPieceDamaged):
        judge(stored, OWNER)


@pytest.mark.parametrize("judge", [as_message, as_stream], ids=["message", "stream"])
@pytest.mark.parametrize(
    ("stored", "caller", "refusal"),
    [(None, OWNER, CertificateUnknown), (STORED, STRANGER, NotYourItem)],
    ids=["nothing under the certificate", "another wallet"],
)
def test_refuses(stored: StoredPiece | None, caller: WalletKey, refusal: type[Refusal], judge: Judge) -> None:
    """Unknown and foreign certificates open nothing."""
    with pytest.raises(refusal):
        judge(stored, caller)


def test_a_sound_piece_goes_out_whole() -> None:
    """Blob and key share as they came in."""
    released = judge_fetch(STORED, CERTIFICATE, OWNER, LIMIT)
    assert (released.blob, released.key_share) == (BLOB, SHARE)


ACCOUNT, OTHER_ACCOUNT = OwnerKey(key("account").public), OwnerKey(key("other account").public)


@pytest.mark.parametrize("of", [OWNER, STRANGER], ids=["the wallet itself", "another of the same owner's"])
def test_what_a_wallet_registered_goes_out_to_all_of_its_owner(of: WalletKey) -> None:
    """In one message or as a stream."""
    stored = replace(STORED, owner_key=ACCOUNT)
    assert judge_fetch(stored, CERTIFICATE, of, LIMIT, ACCOUNT).blob == BLOB
    assert judge_stream(stored, CERTIFICATE, of, ACCOUNT)[0].key_share == SHARE


@pytest.mark.parametrize(
    ("of", "account"),
    [(ACCOUNT, OTHER_ACCOUNT), (ACCOUNT, None), (None, OTHER_ACCOUNT), (None, None)],
    ids=[
        "another owner's wallet",
        "nobody's wallet",
        "an owner's, of nobody's item",
        "nobody's, of nobody's item",
    ],
)
def test_what_a_wallet_registered_does_not_go_out_to(of: OwnerKey | None, account: OwnerKey | None) -> None:
    """Two wallets of nobody's are no account."""
    stored = replace(STORED, owner_key=of)
    with pytest.raises(NotYourItem):
        judge_fetch(stored, CERTIFICATE, STRANGER, LIMIT, account)
    with pytest.raises(NotYourItem):
        judge_stream(stored, CERTIFICATE, STRANGER, account)


def test_a_piece_without_key_share_has_none() -> None:
    """Absent is not damaged."""
    stored = replace(STORED, has_key_share=False, key_share=None, key_share_checksum=None)
    assert judge_fetch(stored, CERTIFICATE, OWNER, LIMIT).key_share is None


def test_a_key_piece_has_no_blob() -> None:
    """A place for a key share alone."""
    assert judge_fetch(replace(STORED, content=None), CERTIFICATE, OWNER, LIMIT).blob is None
    head, blob = judge_stream(replace(STORED, content=None), CERTIFICATE, OWNER)
    assert head.key_share == SHARE
    assert blob == AnnouncedBlob(0, ())


@pytest.mark.parametrize(
    ("stored", "limit"), [(STORED, LIMIT - 1), (IN_BLOCKS, LIMIT)], ids=["too long", "kept in blocks"]
)
def test_large_pieces_need_the_stream(stored: StoredPiece, limit: int) -> None:
    """The unary call says so instead of sending too much."""
    with pytest.raises(PieceNeedsStream):
        judge_fetch(stored, CERTIFICATE, OWNER, limit)


@pytest.mark.parametrize("stored", [STORED, IN_BLOCKS], ids=["in the row", "in blocks"])
def test_the_head_of_a_stream_announces_the_blocks(stored: StoredPiece) -> None:
    """Either way of keeping it gives the same announcement."""
    head, blob = judge_stream(stored, CERTIFICATE, OWNER)
    assert head.blob is None
    assert blob == IN_BLOCKS.content


@pytest.mark.parametrize(
    "blob",
    [
        AnnouncedBlob(len(BLOB), (bytes(32), *block_hashes(BLOB)[1:])),
        AnnouncedBlob(len(BLOB), ()),
        AnnouncedBlob(len(BLOB), (b"short", *block_hashes(BLOB)[1:])),
        AnnouncedBlob(len(BLOB) + 65_536, tuple(block_hashes(BLOB))),
    ],
    ids=["changed", "lost", "cut short", "for another length"],
)
def test_stored_block_hashes_are_held_against_the_certificate(blob: AnnouncedBlob) -> None:
    """Damage to the hashes is damage to the piece."""
    with pytest.raises(StoredPieceDamaged):
        judge_stream(replace(IN_BLOCKS, content=blob), CERTIFICATE, OWNER)
