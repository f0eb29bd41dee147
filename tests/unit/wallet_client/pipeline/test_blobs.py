"""A blob is blinding and share, whether it is made at once or while it is sent, and hashes to its root."""

from itertools import combinations

import pytest

from support.batches import plans_of
from support.odd_policies import ODD, policy
from support.sample_documents import draw
from threshold import merkle
from threshold.shamir import ByteShare, interpolate_at
from trust.division import share_length
from trust.piece import BLINDING_BYTES, block_hashes, piece_root
from trust.policy import Division, KeyRule
from wallet_client.pipeline.blobs import Blobs
from wallet_client.pipeline.plan import BatchPlan
from wallet_client.policies.policy import Policy
from wallet_client.policies.presets import policy_names

MIB = 1_048_576
KEPT = policy("kept", value_at=("wallet", "safe-2", "wallet", "safe-4", "safe-5"))
UNSEALED = policy("unsealed", sealing="none", key=KeyRule("none"), value=Division("shamir", 1, 3))
SEALED_APART = policy("sealed apart", order="divide-then-seal")


def made(one: Policy | str, *lengths: int) -> tuple[BatchPlan, Blobs]:
    """The plan of one batch of values of these lengths, and the blobs of contents as long as planned."""
    (plan,) = plans_of(lengths, one)
    contents = [draw(f"content {place}", item.divided_length) for place, item in enumerate(plan.items)]
    return plan, Blobs(plan, contents, plan.secret)


def value_xs(plan: BatchPlan) -> list[int]:
    """Where value shares are placed."""
    return [place.x for place in plan.placement if place.value]


def streamed(blobs: Blobs, x: int) -> bytes:
    """A streamed blob, whole."""
    return b"".join(blobs.stream(x))


@pytest.mark.parametrize("one", [*policy_names(), *ODD], ids=lambda one: getattr(one, "name", one))
@pytest.mark.parametrize("length", [0, 1_000])
def test_a_small_blob_hashes_to_its_root(one: Policy | str, length: int) -> None:
    """As long as its share and the blinding."""
    plan, blobs = made(one, length)
    assert not blobs.is_streamed
    size = BLINDING_BYTES + share_length(plan.terms, plan.items[0].divided_length)
    for x in value_xs(plan):
        assert blobs.root(0, x) == piece_root(blobs.whole(0, x))
        assert len(blobs.whole(0, x)) == size == blobs.total


@pytest.mark.parametrize(
    "one", ["threshold", "divided", KEPT, UNSEALED], ids=lambda one: getattr(one, "name", one)
)
def test_a_streamed_blob_is_what_was_announced(one: Policy | str) -> None:
    """Length, block hashes and root, the second time it is made as the first."""
    plan, blobs = made(one, 4 * MIB + 5)
    assert blobs.is_streamed
    for x in value_xs(plan):
        blob, announced = streamed(blobs, x), blobs.streamed(x)
        assert (announced.x, announced.length) == (x, len(blob)) == (x, blobs.total)
        assert announced.block_hashes == tuple(block_hashes(blob))
        assert blobs.root(0, x) == merkle.root(list(announced.block_hashes)) == piece_root(blob)
        assert streamed(blobs, x) == blob


@pytest.mark.parametrize(
    ("length", "is_streamed"), [(MIB - BLINDING_BYTES, False), (MIB - BLINDING_BYTES + 1, True)]
)
def test_what_fits_in_a_message_is_not_streamed(length: int, is_streamed: bool) -> None:
    """Blinding counted."""
    assert made(UNSEALED, length)[1].is_streamed == is_streamed


def test_several_items_are_never_streamed() -> None:
    """Each of them fits in the message; together they are as many bytes as all their blobs."""
    plan, blobs = made("threshold", 10, 0, 40_000)
    assert not blobs.is_streamed
    for x in value_xs(plan):
        assert blobs.total == sum(len(blobs.whole(index, x)) for index in range(3))
        assert [blobs.root(index, x) for index in range(3)] == [
            piece_root(blobs.whole(index, x)) for index in range(3)
        ]


@pytest.mark.parametrize("lengths", [[50], [50, 0, 900], [2 * MIB]], ids=["one", "several", "streamed"])
def test_the_wallet_keeps_exactly_what_no_safe_gets(lengths: list[int]) -> None:
    """The shares at the indices that stay, without blinding, as long as any other."""
    plan, blobs = made(KEPT, *lengths)
    assert value_xs(plan) == [2, 4, 5]
    for index, item in enumerate(plan.items):
        kept = dict(blobs.kept_shares(index))
        assert list(kept) == [1, 3]
        assert {len(share) for share in kept.values()} == {share_length(plan.terms, item.divided_length)}


def test_what_stays_in_the_wallet_is_of_the_same_polynomial() -> None:
    """Of equal contents, under one plan, every share is the same whoever keeps it."""
    plan, kept = made(KEPT, 300)
    (all_placed,) = plans_of([300], policy("kept"))
    assert all_placed.seed == plan.seed
    placed = Blobs(all_placed, [draw("content 0", plan.items[0].divided_length)], all_placed.secret)
    assert dict(kept.kept_shares(0)) == {x: placed.whole(0, x)[BLINDING_BYTES:] for x in (1, 3)}


def test_nothing_is_kept_where_all_shares_are_placed() -> None:
    """Nor of shares that nobody keeps."""
    assert made("threshold", 10)[1].kept_shares(0) == ()
    assert made(policy("some", value_at=("safe-1", "safe-2", "safe-3")), 10)[1].kept_shares(0) == ()


def test_shares_that_are_sealed_apart_share_no_bytes() -> None:
    """Two items of equal content: other coefficients, other keys."""
    (plan,) = plans_of([64, 64], SEALED_APART)
    blobs = Blobs(plan, [bytes(64), bytes(64)], plan.secret)
    for x in value_xs(plan):
        one, other = (blobs.whole(index, x)[BLINDING_BYTES:] for index in (0, 1))
        assert one != other


def test_blinding_is_fresh_for_every_item() -> None:
    """Equal shares of equal contents at k = 1: only the copies of one item begin alike."""
    (plan,) = plans_of([20, 20], UNSEALED)
    blobs = Blobs(plan, [bytes(20), bytes(20)], plan.secret)
    beginnings = {blobs.whole(index, x)[:BLINDING_BYTES] for index in (0, 1) for x in value_xs(plan)}
    assert len(beginnings) == 2


def test_any_k_blobs_give_every_other_one_whole() -> None:
    """Blinding and share lie on polynomials of one degree, so that safes can repair what one of them lost."""
    (plan,) = plans_of([20, 700], "threshold")
    blobs = Blobs(plan, [bytes(item.divided_length) for item in plan.items], plan.secret)
    k, xs = plan.terms.value.k, value_xs(plan)
    for index in (0, 1):
        whole = {x: ByteShare(x, blobs.whole(index, x)) for x in xs}
        for chosen in combinations(xs, k):
            shares = [whole[x] for x in chosen]
            assert all(interpolate_at(shares, k, x) == whole[x].data for x in xs)


def test_k_minus_1_blindings_are_as_good_as_drawn() -> None:
    """No two alike, and one more is needed to tell any other."""
    (plan,) = plans_of([20], "threshold")
    blobs = Blobs(plan, [bytes(item.divided_length) for item in plan.items], plan.secret)
    assert len({blobs.whole(0, x)[:BLINDING_BYTES] for x in value_xs(plan)}) == len(value_xs(plan))
