"""For whatever values, policy, k and n: any k bring all back, fewer do not, and a changed byte is noticed."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.batches import brought_back, delivered, plans_of, prepared, secret_of
from support.memory_safes import roster_of
from threshold.errors import ThresholdError
from trust.errors import PieceRootMismatch
from trust.piece import check_piece
from trust.policy import Division, KeyRule
from wallet_client.pipeline.batch import PreparedBatch
from wallet_client.policies.policy import Policy
from wallet_client.policies.presets import policy_named

FEW = settings(derandomize=True, max_examples=40, deadline=None)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Value and key divided in any way among up to seven safes."""
    n = draw(st.integers(1, 7))
    key_n = draw(st.integers(1, 7))
    return Policy(
        name="any",
        summary="",
        sealing="shared-key",
        value=Division("shamir", draw(st.integers(1, n)), n),
        key=KeyRule("shared", draw(st.integers(1, key_n)), key_n),
        digest=draw(st.sampled_from(["public", "sealed", "vacant"])),
        quorum=max(n, key_n),
        compact_above=draw(st.sampled_from([None, 0, 30, 300])),
        accept_single_safe=True,
    )


def batches(values: list[bytes], policy: Policy) -> list[tuple[PreparedBatch, list[bytes]]]:
    """The batches of these values with the values of each."""
    plans = plans_of([len(value) for value in values], policy, roster=roster_of(7, 1))
    chosen = [[values[int(item.members[0].value_id[2:])] for item in plan.items] for plan in plans]
    return [(prepared(plan, its), its) for plan, its in zip(plans, chosen, strict=True)]


@FEW
@given(
    st.lists(st.binary(max_size=400), min_size=1, max_size=5), policies(), st.randoms(use_true_random=False)
)
def test_any_k_pieces_with_any_k_key_shares_bring_every_value_back(
    values: list[bytes], policy: Policy, random: object
) -> None:
    """Whichever safes happen to answer."""
    sample = random.sample  # type: ignore[attr-defined]
    for batch, its in batches(values, policy):
        arrived = delivered(batch)
        key_shares = {x: share for parcel, _ in arrived.values() for x, share in parcel.key_shares}
        keys = sample(sorted(key_shares), policy.key.k)
        secret = secret_of(batch.manifest, {x: key_shares[x] for x in keys})
        holders = [place.x for place in batch.manifest.value_places()]
        for index, (leaf, value) in enumerate(zip(batch.leaves, its, strict=True)):
            chosen = sample(holders, policy.value.k)
            blobs = {x: arrived[x][1][index] or b"" for x in chosen}
            assert brought_back(batch, leaf, blobs, secret) == value


@FEW
@given(st.binary(max_size=400), policies(), st.data())
def test_fewer_than_k_pieces_are_refused_or_open_nothing(
    value: bytes, policy: Policy, data: st.DataObject
) -> None:
    """By the arithmetic itself, not by a rule of ours."""
    ((batch, _),) = batches([value], policy)
    arrived = delivered(batch)
    holders = [place.x for place in batch.manifest.value_places()]
    chosen = data.draw(st.permutations(holders))[: policy.value.k - 1]
    blobs = {x: arrived[x][1][0] or b"" for x in chosen}
    with pytest.raises(ThresholdError):
        brought_back(batch, batch.leaves[0], blobs)


@FEW
@given(st.binary(max_size=200), policies(), st.data())
def test_a_changed_bit_of_any_piece_is_noticed(value: bytes, policy: Policy, data: st.DataObject) -> None:
    """Before anything is combined, and at the right safe."""
    ((batch, _),) = batches([value], policy)
    arrived = delivered(batch)
    x = data.draw(st.sampled_from([place.x for place in batch.manifest.value_places()]))
    blob = bytearray(arrived[x][1][0] or b"")
    position = data.draw(st.integers(0, 8 * len(blob) - 1))
    blob[position // 8] ^= 1 << position % 8
    with pytest.raises(PieceRootMismatch):
        check_piece(bytes(blob), batch.manifest.piece_hash(batch.leaves[0], x))


@FEW
@given(st.lists(st.binary(max_size=100), min_size=1, max_size=4), policies())
def test_the_same_plan_makes_the_same_bytes(values: list[bytes], policy: Policy) -> None:
    """Manifest, signature and every parcel."""
    for (one, _), (again, _) in zip(batches(values, policy), batches(values, policy), strict=True):
        assert (one.manifest_bytes, one.signature) == (again.manifest_bytes, again.signature)
        assert all(one.parcels(safe_id) == again.parcels(safe_id) for safe_id in one.plan.arrangement.safes)


@FEW
@given(st.lists(st.integers(0, 3_000_000), max_size=60), st.sampled_from(["threshold", "apart", "plain"]))
def test_every_value_lands_in_exactly_one_batch_within_its_bounds(lengths: list[int], name: str) -> None:
    """Whatever the sizes and their order."""
    roster = roster_of(5, 3)
    plans = plans_of(lengths, replace(policy_named(name, roster)), roster=roster)
    assert sorted(item.members[0].value_id for plan in plans for item in plan.items) == sorted(
        f"v-{number}" for number in range(len(lengths))
    )
    for plan in plans:
        sealed = [item.divided_length for item in plan.items]
        if plan.terms.value.scheme == "compact" or max(sealed) + 32 > 1_048_576:
            assert len(sealed) == 1
        else:
            assert sum(sealed) + 32 * len(sealed) <= 2 * 1_048_576
