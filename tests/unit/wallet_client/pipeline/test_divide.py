"""Segments, shares and chunks: how many bytes go where."""

from io import BytesIO
from typing import Literal

import pytest

from support.sample_documents import draw
from threshold.errors import SealBroken, ThresholdError
from threshold.randomness import SeededRandomness
from trust.division import SEGMENT_BYTES, share_length
from trust.ids import ItemId
from trust.policy import Division, KeyRule, PolicyTerms
from wallet_client.pipeline.divide import Divider, combine
from wallet_client.pipeline.rechunk import rechunk
from wallet_client.pipeline.seal import BatchSecret, ItemName, share_role

SEED = draw("divider", 32)
NAME = ItemName(ItemId(draw("item", 16)), 1)
SECRET = BatchSecret.draw(SeededRandomness(draw("secret", 32), b"secret"))
LENGTHS = [0, 1, 47, 48, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 2 * SEGMENT_BYTES]
SCHEMES = [Division("shamir", 3, 5), Division("compact", 3, 5), Division("shamir", 1, 5)]


def terms(
    division: Division, order: Literal["seal-then-divide", "divide-then-seal"] = "seal-then-divide"
) -> PolicyTerms:
    """Terms that divide so."""
    return PolicyTerms("any", "shared-key", division, KeyRule("kept"), "vacant", 1, order=order)


def xs_of(division: Division) -> tuple[int, ...]:
    """Five indices: of Shamir any; a fragment's index is its place in the code."""
    return (2, 3, 5, 7, 11) if division.scheme == "shamir" else (1, 2, 3, 4, 5)


def sealed(x: int, segment: int, share: bytes) -> bytes:
    """One segment of one share, sealed."""
    return SECRET.seal(NAME, share_role(x, segment), share)


def unsealed(x: int, segment: int, share: bytes) -> bytes:
    """And opened."""
    return SECRET.open(NAME, share_role(x, segment), share)


def ids(value: object) -> str:
    """A division as "shamir 3 of 5"."""
    return f"{value.scheme} {value.k} of {value.n}" if isinstance(value, Division) else str(value)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("division", SCHEMES, ids=ids)
def test_shares_made_one_by_one_are_those_made_together(division: Division, length: int) -> None:
    """And as long as was announced."""
    xs = xs_of(division)
    divider = Divider(draw("sealed", length), division, xs, SEED)
    together = divider.all_shares()
    assert list(together) == list(xs)
    for x in xs:
        assert b"".join(divider.share(x)) == together[x]
        assert len(together[x]) == share_length(terms(division), length)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("division", SCHEMES, ids=ids)
def test_the_last_k_shares_bring_the_bytes_back(division: Division, length: int) -> None:
    """Read from a stream, segment by segment."""
    sealed = draw("sealed", length)
    xs = xs_of(division)
    shares = Divider(sealed, division, xs, SEED).all_shares()
    sources = {x: BytesIO(shares[x]) for x in xs[-division.k :]}
    assert combine(terms(division), sources, length) == sealed
    assert all(source.read() == b"" for source in sources.values())


def test_each_segment_has_coefficients_of_its_own() -> None:
    """Equal segments, different shares."""
    share = b"".join(Divider(bytes(2 * SEGMENT_BYTES), SCHEMES[0], (2, 3, 5), SEED).share(2))
    assert share[:SEGMENT_BYTES] != share[SEGMENT_BYTES:]


def test_a_share_that_ends_early_is_no_share() -> None:
    """A typed error, not garbage."""
    shares = Divider(draw("sealed", 100), SCHEMES[0], (2, 3, 5), SEED).all_shares()
    sources = {2: BytesIO(shares[2]), 3: BytesIO(shares[3]), 5: BytesIO(shares[5][:-1])}
    with pytest.raises(ThresholdError):
        combine(terms(SCHEMES[0]), sources, 100)


def test_fragments_that_are_not_placed_need_not_be_made() -> None:
    """The fragment at x is the x-th, whichever others are made [C7]."""
    content = draw("sealed", 1000)
    some = Divider(content, SCHEMES[1], (2, 4, 5), SEED).all_shares()
    every = Divider(content, SCHEMES[1], (1, 2, 3, 4, 5), SEED).all_shares()
    assert some == {x: every[x] for x in (2, 4, 5)}
    assert combine(terms(SCHEMES[1]), {x: BytesIO(share) for x, share in some.items()}, 1000) == content


@pytest.mark.parametrize("length", [0, 1, SEGMENT_BYTES, SEGMENT_BYTES + 1])
@pytest.mark.parametrize("division", SCHEMES, ids=ids)
def test_shares_that_are_sealed_one_by_one_come_back(division: Division, length: int) -> None:
    """Divided first, then each segment of each share sealed; as long as was announced."""
    sealed_apart, xs, content = terms(division, "divide-then-seal"), xs_of(division), draw("plain", length)
    divider = Divider(content, division, xs, SEED, b"shares of item 0", sealed)
    shares = divider.all_shares()
    for x in xs:
        assert b"".join(divider.share(x)) == shares[x]
        assert len(shares[x]) == share_length(sealed_apart, length)
    sources = {x: BytesIO(shares[x]) for x in xs[: division.k]}
    assert combine(sealed_apart, sources, length, unsealed) == content


def test_a_segment_of_a_share_opens_in_its_own_place_only() -> None:
    """Not as another segment's, nor as another share's."""
    content, sealed_apart = draw("plain", 2 * SEGMENT_BYTES), terms(SCHEMES[2], "divide-then-seal")
    divider = Divider(content, SCHEMES[2], (1, 2), SEED, seal=sealed)
    first, second = divider.share(1)
    for share, x in (((second, first), 1), ((first, second), 2)):
        with pytest.raises(SealBroken):
            combine(sealed_apart, {x: BytesIO(b"".join(share))}, len(content), unsealed)


def test_what_is_divided_for_another_purpose_is_divided_otherwise() -> None:
    """Two items under one seed never share coefficients."""
    one, other = (
        Divider(bytes(100), SCHEMES[0], (2, 3, 5), SEED, purpose).all_shares() for purpose in (b"a", b"b")
    )
    assert all(one[x] != other[x] for x in (2, 3, 5))


def test_a_divider_does_not_print_its_secrets() -> None:
    """Neither the seed nor what is divided."""
    assert (
        repr(Divider(b"do-not-show-me!!", SCHEMES[0], (2, 3, 5), b"do-not-show-me!!" * 2)).count(
            "do-not-show"
        )
        == 0
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
