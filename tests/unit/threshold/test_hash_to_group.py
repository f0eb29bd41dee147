"""Hashing to the group: RFC 9380's expansions, and what no expansion is."""

from collections.abc import Callable

import pytest
from vectors.loading import load

from threshold import hash_to_group
from threshold.errors import InvalidLength
from threshold.ristretto import Point, Scalar

RFC9380 = load("rfc9380_expand_message_xmd_SHA512_38.json")
TAG = b"a tag"


@pytest.mark.parametrize(
    "case", RFC9380["tests"], ids=lambda case: f"{len(case['msg'])} {case['len_in_bytes']}"
)
def test_rfc9380_messages_expand_to_their_bytes(case: dict[str, str]) -> None:
    """One block and two."""
    length = int(case["len_in_bytes"], 16)
    expanded = hash_to_group.expand_message_xmd(case["msg"].encode(), RFC9380["DST"].encode(), length)
    assert expanded.hex() == case["uniform_bytes"]


@pytest.mark.parametrize(
    ("tag", "length", "error"),
    [
        pytest.param(b"", 64, InvalidLength("domain separation tag", 0, 255), id="no tag"),
        pytest.param(bytes(256), 64, InvalidLength("domain separation tag", 256, 255), id="tag of 256 bytes"),
        pytest.param(TAG, 0, InvalidLength("expanded message", 0, 16320), id="no output"),
        pytest.param(TAG, -1, InvalidLength("expanded message", -1, 16320), id="negative output"),
        pytest.param(TAG, 16321, InvalidLength("expanded message", 16321, 16320), id="256 blocks"),
    ],
)
def test_expanding_refuses(tag: bytes, length: int, error: InvalidLength) -> None:
    """Each with its name, its length and the limit."""
    with pytest.raises(InvalidLength) as refusal:
        hash_to_group.expand_message_xmd(b"message", tag, length)
    assert vars(refusal.value) == vars(error)


def test_the_longest_output_and_the_longest_tag_expand() -> None:
    """The borders themselves are allowed."""
    assert len(hash_to_group.expand_message_xmd(b"message", bytes(255), 16320)) == 16320


@pytest.mark.parametrize(
    ("hashed", "read"),
    [
        pytest.param(hash_to_group.hash_to_group, Point.from_uniform, id="an element"),
        pytest.param(hash_to_group.hash_to_scalar, Scalar.from_wide_bytes, id="a scalar"),
    ],
)
def test_elements_and_scalars_are_made_of_64_expanded_bytes(
    hashed: Callable[[bytes, bytes], object], read: Callable[[bytes], object]
) -> None:
    """And differ with the message, and with the tag."""
    assert hashed(b"message", TAG) == read(hash_to_group.expand_message_xmd(b"message", TAG, 64))
    assert len({hashed(b"message", TAG), hashed(b"massage", TAG), hashed(b"message", b"a tab")}) == 3


def test_framing_tells_lists_of_parts_apart() -> None:
    """Though their bytes in a row are the same."""
    assert hash_to_group.framed(b"ab", b"c") == b"\0\2ab\0\1c"
    assert hash_to_group.framed(b"ab", b"c") != hash_to_group.framed(b"a", b"bc")
    assert hash_to_group.framed() == b""
