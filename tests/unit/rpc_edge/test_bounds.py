"""A message is bounded in bytes and fields before anything parses it."""

import pytest

from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.bounds import Shape, fields_left, shapes_of
from trust.refusals import Malformed

SHAPES = shapes_of(pb.DESCRIPTOR.services_by_name["SafeService"])
REGISTER = SHAPES["/kura.safe.v1.SafeService/Register"]
REGISTER_STREAM = SHAPES["/kura.safe.v1.SafeService/RegisterStream"]
DELETE = SHAPES["/kura.safe.v1.SafeService/Delete"]

BATCH = pb.Batch(
    manifest=b"m" * 300,
    manifest_signature=b"s" * 64,
    leaves=[b"l" * 90, b""],
    pieces=[pb.Piece(leaf_index=n, x=200, blob=b"b" * 20_000) for n in range(2)],
    key_shares=[pb.KeyShare(x=1, share=b"k" * 32)],
)
OPENING = pb.RegisterStreamRequest(
    opening=pb.StreamOpening(batch=BATCH, blob_length=2**40, block_hashes=[b"h" * 32] * 5)
)

COUNTS: dict[str, tuple[bytes, Shape, int]] = {
    "an empty message": (b"", REGISTER, 0),
    "two batches of seven fields each": (
        pb.RegisterRequest(batches=[BATCH] * 2).SerializeToString(),
        REGISTER,
        16,
    ),
    "an opening with a batch and five hashes": (OPENING.SerializeToString(), REGISTER_STREAM, 15),
    "a chunk, whatever it holds": (
        pb.RegisterStreamRequest(chunk=b"\x0a\x00" * 500).SerializeToString(),
        REGISTER_STREAM,
        1,
    ),
    "tombstones, whose own fields cannot repeat": (
        pb.DeleteRequest(
            tombstones=[pb.SignedTombstone(tombstone=b"t", signature=b"s")] * 3
        ).SerializeToString(),
        DELETE,
        3,
    ),
    "fields that nobody knows, of every kind": (
        b"\x78\xff\x01"
        + b"\x7d"
        + b"\x0a" * 4
        + b"\x79"
        + b"\x0a" * 8
        + b"\x7b\x78\x01\x7c"
        + b"\xfa\x01\x01\x0a",
        REGISTER,
        7,
    ),
}


@pytest.mark.parametrize(("message", "shape", "fields"), COUNTS.values(), ids=COUNTS)
def test_counts(message: bytes, shape: Shape, fields: int) -> None:
    assert fields_left(message, shape, 100) == 100 - fields


@pytest.mark.parametrize("message", [b"\x0a\x00" * 1_000_000, b"\x0a\x80\x89\x7a" + b"\x22\x00" * 1_000_000])
def test_more_than_allowed_is_noticed_at_the_limit(message: bytes) -> None:
    """A million empty parts, at the top or inside one batch, are not all looked at."""
    assert fields_left(message, REGISTER, 100) == -1


ENDLESS = {
    "a tag without an end": b"\x80",
    "a length without an end": b"\x0a\xff",
    "a number of more than ten bytes": b"\x08" + b"\xff" * 1000 + b"\x01",
}


@pytest.mark.parametrize("message", ENDLESS.values(), ids=ENDLESS)
def test_refuses(message: bytes) -> None:
    with pytest.raises(Malformed, match="message"):
        fields_left(message, REGISTER, 100)


def test_a_length_past_the_end_is_left_to_the_parser() -> None:
    """Nothing is read outside the message."""
    assert fields_left(b"\x0a\xff\x7f", REGISTER, 100) == 99
