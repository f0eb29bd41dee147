"""What has the wrong form is refused by the path of the field, before anything is checked."""

from collections.abc import Callable

import pytest

from kura.safe.v1 import safe_pb2 as pb
from safe_node.handlers.converters import read_batch, read_certificate, read_opening
from support.safe_requests import deal, roster_of, wallet_key
from trust.refusals import Malformed

ROSTER = roster_of(1)
SAFE_ID = ROSTER.safes[0].safe_id
DEALT = deal(ROSTER, wallet_key(), [b"value"])


def spoilt(change: Callable[[pb.Batch], object]) -> pb.Batch:
    batch = DEALT.for_safe(SAFE_ID)
    change(batch)
    return batch


def _clear(batch: pb.Batch, field: str) -> None:
    batch.ClearField(field)  # type: ignore[arg-type]


BATCHES: dict[str, tuple[Callable[[pb.Batch], object], str]] = {
    "a short signature": (
        lambda batch: setattr(batch, "manifest_signature", b"short"),
        "b.manifest_signature",
    ),
    "no leaves": (lambda batch: _clear(batch, "leaves"), "b.leaves"),
    "too many leaves": (lambda batch: batch.leaves.extend([b""] * 1000), "b.leaves"),
    "no pieces": (lambda batch: _clear(batch, "pieces"), "b.pieces"),
    "a leaf index past the end": (
        lambda batch: setattr(batch.pieces[0], "leaf_index", 1),
        "b.pieces[0].leaf_index",
    ),
    "a piece at zero": (lambda batch: setattr(batch.pieces[0], "x", 0), "b.pieces[0].x"),
    "a piece past 255": (lambda batch: setattr(batch.pieces[0], "x", 256), "b.pieces[0].x"),
    "a key share at zero": (lambda batch: setattr(batch.key_shares[0], "x", 0), "b.key_shares[0].x"),
    "a short key share": (lambda batch: setattr(batch.key_shares[0], "share", b"s"), "b.key_shares[0].share"),
}


@pytest.mark.parametrize(("change", "field"), BATCHES.values(), ids=BATCHES)
def test_refuses_a_batch_with(change: Callable[[pb.Batch], object], field: str) -> None:
    """Named by its path."""
    with pytest.raises(Malformed) as caught:
        read_batch(spoilt(change), "b")
    assert caught.value.field == field


OPENINGS: dict[str, tuple[Callable[[pb.StreamOpening], object], str]] = {
    "a blob in it": (lambda opening: setattr(opening.batch.pieces[0], "blob", b"x"), "opening.batch"),
    "two pieces": (lambda opening: opening.batch.pieces.add(), "opening.batch"),
    "two leaves": (lambda opening: opening.batch.leaves.append(b""), "opening.batch"),
    "no length": (lambda opening: setattr(opening, "blob_length", 0), "opening.blob_length"),
    "a short hash": (lambda opening: opening.block_hashes.append(b"h"), "opening.block_hashes"),
}


@pytest.mark.parametrize(("change", "field"), OPENINGS.values(), ids=OPENINGS)
def test_refuses_an_opening_with(change: Callable[[pb.StreamOpening], object], field: str) -> None:
    """Named by its path."""
    opening, _ = DEALT.opening(SAFE_ID)
    change(opening)
    with pytest.raises(Malformed) as caught:
        read_opening(opening)
    assert caught.value.field == field


def test_no_certificate_is_malformed() -> None:
    """Bytes that are no certificate at all are the caller's mistake, not an unknown one."""
    with pytest.raises(Malformed, match=r"certificates\[3\]"):
        read_certificate(b"nothing", "certificates[3]")
