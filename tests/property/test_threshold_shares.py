"""What threshold sharing promises, for any secret, any scheme and any choice of holders."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threshold import feldman, gf256, gf256_bulk, gf256_plan, shamir
from threshold.errors import ShareDoesNotMatchCommitments
from threshold.feldman import ScalarShare
from threshold.randomness import SeededRandomness
from threshold.ristretto import Point, Scalar
from threshold.shamir import ByteShare

steady = settings(derandomize=True, deadline=None, max_examples=60)
indices = st.integers(1, 255)
seeds = st.binary(min_size=32, max_size=32)


@st.composite
def schemes(draw: st.DrawFn, most: int = 12) -> tuple[int, list[int]]:
    """A threshold, and at least that many holders."""
    xs = draw(st.lists(indices, min_size=1, max_size=most, unique=True))
    return draw(st.integers(1, len(xs))), xs


@steady
@given(st.binary(max_size=200), schemes(), seeds, st.randoms(use_true_random=False))
def test_any_k_of_n_open(secret: bytes, scheme: tuple[int, list[int]], seed: bytes, chance: object) -> None:
    """Whichever k, in whatever order."""
    k, xs = scheme
    shares = list(shamir.split(secret, k, xs, SeededRandomness(seed, b"")))
    chance.shuffle(shares)  # type: ignore[attr-defined]
    assert shamir.combine(shares[:k], k) == secret


@steady
@given(st.integers(0, 255), st.integers(2, 6), seeds, st.lists(indices, min_size=6, max_size=6, unique=True))
def test_k_minus_one_shares_fit_every_secret_equally(secret: int, k: int, seed: bytes, xs: list[int]) -> None:
    """For each of the 256 candidates one polynomial passes through it and the k-1 shares.

    All differ in the missing share, so each candidate stands for exactly one value of what is unknown, and
    the k-1 shares give no reason to prefer any.
    """
    known = shamir.split(bytes((secret,)), k, xs[:k], SeededRandomness(seed, b""))[: k - 1]
    weights = gf256_plan.lagrange_weights((0, *(share.x for share in known)), xs[k - 1])
    missing = {
        gf256.combine_rows(weights, [bytes((candidate,)), *(share.data for share in known)])
        for candidate in range(256)
    }
    assert len(missing) == 256
    for data in missing:
        candidate = shamir.combine([*known, ByteShare(xs[k - 1], data)], k)
        assert gf256.combine_rows(weights, [candidate, *(share.data for share in known)]) == data


@steady
@given(schemes(), seeds, st.binary(min_size=1, max_size=50))
def test_a_repaired_share_is_the_lost_one(scheme: tuple[int, list[int]], seed: bytes, secret: bytes) -> None:
    """From any k of the others, when there are so many."""
    k, xs = scheme
    shares = shamir.split(secret, k, xs, SeededRandomness(seed, b""))
    for lost in shares:
        helpers = [share for share in shares if share is not lost]
        if len(helpers) >= k:
            assert shamir.interpolate_at(helpers, k, lost.x) == lost.data


@steady
@given(st.binary(max_size=300), schemes(), seeds)
def test_streaming_one_share_is_splitting(secret: bytes, scheme: tuple[int, list[int]], seed: bytes) -> None:
    """From the same randomness, byte for byte."""
    k, xs = scheme
    coefficients = shamir.draw_coefficients(len(secret), k, SeededRandomness(seed, b""))
    for share in shamir.split(secret, k, xs, SeededRandomness(seed, b"")):
        assert shamir.evaluate(secret, coefficients, share.x) == share.data


@steady
@given(
    st.integers(1, 200).flatmap(
        lambda n: st.lists(st.binary(min_size=n, max_size=n), min_size=1, max_size=6)
    ),
    st.binary(min_size=18, max_size=18),
)
def test_integers_and_numpy_agree(rows: list[bytes], weights: bytes) -> None:
    """For any weights, by sums and by matrices."""
    matrix = [weights[start : start + len(rows)] for start in (0, 6, 12)]
    sums = [gf256.combine_small(line, rows) for line in matrix]
    assert sums == [gf256_bulk.combine_rows(line, rows) for line in matrix]
    assert sums == gf256.transform_small(matrix, rows)
    assert sums == gf256_bulk.transform_rows(matrix, rows)


@pytest.mark.parametrize("k", range(1, 5))
def test_byte_shares_of_every_scheme_up_to_seven(k: int) -> None:
    """Exhaustive where it is small."""
    secret = b"exhaustive"
    shares = shamir.split(secret, k, range(1, 8), SeededRandomness(bytes(32), b""))
    assert all(shamir.combine(chosen, k) == secret for chosen in combinations(shares, k))


@settings(steady, max_examples=25)
@given(schemes(most=6), seeds, st.randoms(use_true_random=False))
def test_any_k_of_n_scalar_shares_open_and_all_match(
    scheme: tuple[int, list[int]], seed: bytes, chance: object
) -> None:
    """And the commitments name the same secret."""
    k, xs = scheme
    rng = SeededRandomness(seed, b"")
    secret = Scalar.random(rng)
    dealing = feldman.deal(secret, k, xs, rng)
    for share in dealing.shares:
        feldman.verify_share(share, dealing.commitments, k)
    shares = list(dealing.shares)
    chance.shuffle(shares)  # type: ignore[attr-defined]
    assert feldman.combine(shares[:k], k) == secret
    feldman.verify_secret(secret, dealing.commitments)


@settings(steady, max_examples=25)
@given(schemes(most=5), seeds, st.integers(1, 2**16 - 1), st.data())
def test_any_tampering_with_a_scalar_share_or_commitment_is_detected(
    scheme: tuple[int, list[int]], seed: bytes, change: int, data: st.DataObject
) -> None:
    """Every holder notices a changed commitment, and a changed share convicts itself."""
    k, xs = scheme
    rng = SeededRandomness(seed, b"")
    dealing = feldman.deal(Scalar.random(rng), k, xs, rng)
    share = data.draw(st.sampled_from(dealing.shares))
    delta = Scalar.from_index(change)
    with pytest.raises(ShareDoesNotMatchCommitments):
        feldman.verify_share(ScalarShare(share.x, share.value + delta), dealing.commitments, k)
    at = data.draw(st.integers(0, k - 1))
    changed = list(dealing.commitments)
    changed[at] += Point.base_mul(delta)
    with pytest.raises(ShareDoesNotMatchCommitments):
        feldman.verify_share(share, changed, k)
