"""Several values become one byte string, and the same values come out again."""

import pytest

from support.odd_policies import policy
from support.sample_documents import draw
from threshold.sealing import TAG_BYTES
from trust.policy import KeyRule
from wallet_client.pipeline.couple import LENGTH_BYTES, couple, decouple, divided_length
from wallet_client.policies.policy import Policy
from wallet_client.values.errors import ValueDamaged

UNSEALED = policy("unsealed", sealing="none", key=KeyRule("none"))
LENGTHS = [3, 0, 100]


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b""],
        [b"one"],
        [b"", b""],
        [b"one", b"", b"three"],
        [draw("long", 70_000), b"short"],
        [b"x"] * 255,
    ],
    ids=[
        "nothing",
        "empty",
        "one",
        "two empty",
        "an empty one between",
        "a long one",
        "the most there may be",
    ],
)
def test_what_comes_out_is_what_went_in(parts: list[bytes]) -> None:
    """Part by part, in order."""
    assert list(decouple(couple(parts))) == parts


def test_each_part_stands_behind_its_length() -> None:
    """Four bytes, big-endian."""
    assert couple([b"abc", b""]) == b"\x00\x00\x00\x03abc\x00\x00\x00\x00"


@pytest.mark.parametrize(
    "coupled",
    [
        b"\x00",
        b"\x00\x00\x00",
        b"\x00\x00\x00\x01",
        b"\x00\x00\x00\x04abc",
        b"\x00\x00\x00\x03abc\x00",
        b"\x00\x00\x00\x03abc\x00\x00\x00\x01",
        b"\xff\xff\xff\xffabc",
    ],
)
def test_bytes_that_do_not_end_where_their_parts_do_are_damage(coupled: bytes) -> None:
    """A length cut off, a part cut off, something behind the last."""
    with pytest.raises(ValueDamaged, match="its parts do not end where the item does"):
        list(decouple(coupled))


@pytest.mark.parametrize(
    ("one", "overhead"),
    [
        (policy("couple, then seal", coupling="couple-then-seal"), 3 * LENGTH_BYTES + TAG_BYTES),
        (policy("seal, then couple", coupling="seal-then-couple"), 3 * (LENGTH_BYTES + TAG_BYTES)),
        (
            policy("couple, then divide, then seal", coupling="couple-then-seal", order="divide-then-seal"),
            3 * LENGTH_BYTES,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Policy) else "",
)
def test_what_is_divided_of_several_values_is_as_long_as_was_said(one: Policy, overhead: int) -> None:
    """Before anything is sealed: the plan must know."""
    assert divided_length(one, LENGTHS) == sum(LENGTHS) + overhead


@pytest.mark.parametrize(
    ("one", "overhead"),
    [
        (policy("sealed"), TAG_BYTES),
        (policy("divided, then sealed", order="divide-then-seal"), 0),
        (UNSEALED, 0),
    ],
    ids=lambda value: value.name if isinstance(value, Policy) else "",
)
@pytest.mark.parametrize("length", [0, 1, 1000])
def test_what_is_divided_of_one_value_is_as_long_as_was_said(one: Policy, overhead: int, length: int) -> None:
    """No length stands before a value that is alone in its item."""
    assert divided_length(one, [length]) == length + overhead
