"""Compact dispersal: any k fragments decode, and no bytes can hurt the decoder."""

import random
from itertools import combinations

import pytest

from threshold import dispersal
from threshold.errors import (
    InvalidFragment,
    InvalidThreshold,
    NotEnoughShares,
    SegmentDamaged,
    ThresholdError,
)

SEGMENT = random.Random(1).randbytes(1000)


@pytest.mark.parametrize(("k", "n"), [(k, n) for n in range(1, 8) for k in range(1, n + 1)])
def test_every_choice_of_k_fragments_decodes(k: int, n: int) -> None:
    """Exhaustive up to seven safes; larger schemes follow from the next test."""
    fragments = dispersal.encode(SEGMENT, k, n)
    assert len(fragments) == n
    for chosen in combinations(range(n), k):
        assert dispersal.decode({position: fragments[position] for position in chosen}, k, n) == SEGMENT


def inverse(a: int) -> int:
    """1/a in the library's field, GF(2^8)/0x11d, by search."""

    def product(x: int, y: int) -> int:
        total = 0
        for bit in range(7, -1, -1):
            total = (total << 1) ^ (0x11D if total & 0x80 else 0)
            total ^= x * (y >> bit & 1)
        return total

    return next(b for b in range(256) if product(a, b) == 1)


INVERSES = {a: inverse(a) for a in range(1, 64)}


@pytest.mark.parametrize("k", range(2, dispersal.MAX_FRAGMENTS))
def test_the_code_is_a_cauchy_code_so_every_k_fragments_decode(k: int) -> None:
    """Parity row r is 1/(r xor j), all r and j distinct: every square part of such a matrix is invertible."""
    length = dispersal.WORD_BYTES
    driver = dispersal._driver(k, dispersal.MAX_FRAGMENTS)
    for column in range(k):
        unit = b"".join(bytes((int(part == column),)) * length for part in range(k))
        encoded = [fragment[80:] for fragment in driver.encode(unit)]
        for row, fragment in enumerate(encoded):
            expected = int(row == column) if row < k else INVERSES[row ^ column]
            assert fragment == bytes((expected,)) * length


@pytest.mark.parametrize("length", [0, 1, 15, 16, 31, 46, 47, 48, 49, 65_536, 1_000_003])
def test_segments_of_any_length_come_back(length: int) -> None:
    """Empty ones and those that end in zeros or padding too."""
    for segment in (bytes(length), b"\x80" * length, random.Random(length).randbytes(length)):
        fragments = dispersal.encode(segment, 3, 5)
        assert {len(one) for one in fragments} == {dispersal.fragment_length(length, 3, 5)}
        assert dispersal.decode({1: fragments[1], 3: fragments[3], 4: fragments[4]}, 3, 5) == segment


@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 5), (3, 5), (5, 5), (16, 32), (31, 32), (32, 32)])
def test_fragments_together_are_hardly_longer_than_n_over_k(k: int, n: int) -> None:
    """At most 1.02 n/k of a value above 64 KiB."""
    length = 64 * 1024 + 1
    assert n * dispersal.fragment_length(length, k, n) <= 1.02 * n / k * length


def test_more_fragments_than_needed_do_no_harm() -> None:
    """The k lowest positions are used."""
    fragments = dict(enumerate(dispersal.encode(SEGMENT, 3, 5)))
    assert dispersal.decode(fragments, 3, 5) == SEGMENT
    assert dispersal.decode({**fragments, 4: bytes(len(fragments[4]))}, 3, 5) == SEGMENT


@pytest.mark.parametrize(("k", "n"), [(0, 3), (4, 3), (-1, 3), (2, 33), (0, 0)])
def test_impossible_thresholds_are_refused(k: int, n: int) -> None:
    """By all three functions."""
    for attempt in (
        lambda: dispersal.encode(b"", k, n),
        lambda: dispersal.decode({}, k, n),
        lambda: dispersal.fragment_length(5, k, n),
    ):
        with pytest.raises(InvalidThreshold):
            attempt()


WORD = bytes(16)


@pytest.mark.parametrize(
    ("fragments", "error"),
    [
        pytest.param({}, NotEnoughShares(0, 2), id="none"),
        pytest.param({0: WORD}, NotEnoughShares(1, 2), id="too few"),
        pytest.param({0: WORD, 4: WORD}, InvalidFragment(4), id="a position beyond n"),
        pytest.param({-1: WORD, 0: WORD}, InvalidFragment(-1), id="a negative position"),
        pytest.param({0: WORD, 2: WORD + WORD}, InvalidFragment(2), id="unequal lengths"),
        pytest.param({0: b"", 1: b""}, InvalidFragment(0), id="empty fragments"),
        pytest.param({0: WORD[:15], 1: WORD[:15]}, InvalidFragment(0), id="no whole word"),
        pytest.param({0: WORD, 1: WORD}, SegmentDamaged(), id="no padding in the parts"),
        pytest.param({2: WORD, 3: WORD}, SegmentDamaged(), id="no padding after decoding"),
    ],
)
def test_decoding_refuses(fragments: dict[int, bytes], error: ThresholdError) -> None:
    """Each with its kind and its fields."""
    with pytest.raises(type(error)) as refusal:
        dispersal.decode(fragments, 2, 4)
    assert vars(refusal.value) == vars(error)


@pytest.mark.parametrize("seed", range(200))
def test_hostile_fragments_never_do_more_than_raise_or_give_garbage(seed: int) -> None:
    """Random bytes of random lengths at random positions, some of them looking like the library's headers."""
    chance = random.Random(seed)
    k, n = chance.choice([(1, 3), (2, 4), (3, 5), (5, 5), (4, 9)])
    length = chance.choice([0, 1, 16, 80, 96, 112, 160, 4096])
    header = dispersal._headers(3, 5, 16)[0]
    fragments = {
        position: (header + chance.randbytes(length))[: max(length, 80)]
        if chance.random() < 0.3
        else chance.randbytes(length)
        for position in chance.sample(range(n), chance.randint(0, n))
    }
    try:
        decoded = dispersal.decode(fragments, k, n)
    except (NotEnoughShares, InvalidFragment, SegmentDamaged):
        return
    assert len(decoded) < k * len(next(iter(fragments.values())))
