"""Segments, shares and chunks: how many bytes go where."""

from io import BytesIO

import pytest

from support.sample_documents import draw
from threshold.errors import ThresholdError
from trust.policy import Division
from wallet_client.pipeline.divide import SEGMENT_BYTES, Divider, combine, share_length
from wallet_client.pipeline.rechunk import rechunk

SEED = draw("divider", 32)
XS = (2, 3, 5, 7, 11)
LENGTHS = [0, 1, 47, 48, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 2 * SEGMENT_BYTES]
SCHEMES = [Division("shamir", 3, 5), Division("compact", 3, 5), Division("shamir", 1, 5)]


def ids(value: object) -> str:
    """A division as "shamir 3 of 5"."""
    return f"{value.scheme} {value.k} of {value.n}" if isinstance(value, Division) else str(value)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("division", SCHEMES, ids=ids)
def test_shares_made_one_by_one_are_those_made_together(division: Division, length: int) -> None:
    """And as long as was announced."""
    divider = Divider(draw("sealed", length), division, XS, SEED)
    together = divider.all_shares()
    assert list(together) == list(XS)
    for x in XS:
        assert b"".join(divider.share(x)) == together[x]
        assert len(together[x]) == share_length(division, length)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("division", SCHEMES, ids=ids)
def test_the_last_k_shares_bring_the_bytes_back(division: Division, length: int) -> None:
    """Read from a stream, segment by segment."""
    sealed = draw("sealed", length)
    shares = Divider(sealed, division, XS, SEED).all_shares()
    positions = {x: position for position, x in enumerate(XS)}
    sources = {x: BytesIO(shares[x]) for x in XS[-division.k :]}
    assert combine(division, positions, sources, length) == sealed
    assert all(source.read() == b"" for source in sources.values())


def test_each_segment_has_coefficients_of_its_own() -> None:
    """Equal segments, different shares."""
    share = b"".join(Divider(bytes(2 * SEGMENT_BYTES), SCHEMES[0], XS, SEED).share(2))
    assert share[:SEGMENT_BYTES] != share[SEGMENT_BYTES:]


def test_a_share_that_ends_early_is_no_share() -> None:
    """A typed error, not garbage."""
    shares = Divider(draw("sealed", 100), SCHEMES[0], XS, SEED).all_shares()
    sources = {2: BytesIO(shares[2]), 3: BytesIO(shares[3]), 5: BytesIO(shares[5][:-1])}
    with pytest.raises(ThresholdError):
        combine(SCHEMES[0], {x: i for i, x in enumerate(XS)}, sources, 100)


def test_a_divider_does_not_print_its_secrets() -> None:
    """Neither the seed nor what is divided."""
    assert (
        repr(Divider(b"do-not-show-me!!", SCHEMES[0], XS, b"do-not-show-me!!" * 2)).count("do-not-show") == 0
    )


@pytest.mark.parametrize(
    ("parts", "size", "expected"),
    [
        ([], 3, []),
        ([b""], 3, []),
        ([b"abc"], 3, [b"abc"]),
        ([b"abcd"], 3, [b"abc", b"d"]),
        ([b"a", b"b", b"c", b"d"], 3, [b"abc", b"d"]),
        ([b"abcdefghi"], 3, [b"abc", b"def", b"ghi"]),
        ([b"ab", b"", b"cdefg"], 3, [b"abc", b"def", b"g"]),
    ],
)
def test_rechunk_cuts_the_same_bytes_anew(parts: list[bytes], size: int, expected: list[bytes]) -> None:
    """All chunks of one size but the last."""
    assert list(rechunk(parts, size)) == expected
