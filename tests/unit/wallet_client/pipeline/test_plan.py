"""How values are spread over batches, and what a plan keeps and shows."""

import pytest

from support.batches import ROSTER, plans_of, value_ids
from support.memory_safes import roster_of
from support.sample_documents import NOW, draw
from threshold.randomness import SeededRandomness
from threshold.sealing import TAG_BYTES
from trust.errors import DocumentMalformed
from trust.ids import ItemId
from trust.manifest import MAX_ITEMS
from trust.piece import BLINDING_BYTES
from wallet_client.pipeline.couple import LENGTH_BYTES
from wallet_client.pipeline.parcel import STREAMED_ABOVE_BYTES
from wallet_client.pipeline.plan import MAX_PARCEL_BYTES, BatchPlan, Member, PlanItem, plan_batches
from wallet_client.policies.errors import PolicyUnfit
from wallet_client.policies.presets import policy_named, policy_names

KIB, MIB = 1024, 1024 * 1024


def sizes(plans: list[BatchPlan]) -> list[int]:
    """How many items each batch has."""
    return [len(plan.items) for plan in plans]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, [1]), (999, [999]), (1000, [1000]), (1001, [1000, 1]), (2500, [1000, 1000, 500])],
)
def test_a_batch_has_at_most_1000_items(count: int, expected: list[int]) -> None:
    """All small, all under one policy."""
    assert sizes(plans_of([50] * count, "threshold")) == expected


@pytest.mark.parametrize("policy", [name for name in policy_names() if name != "compact"])
def test_a_batch_carries_at_most_2_mib_to_a_safe(policy: str) -> None:
    """Blinding counted; the next item opens the next batch."""
    overhead = {"plain": 0, "coupled": LENGTH_BYTES + TAG_BYTES}.get(policy, TAG_BYTES)
    length = 64 * KIB - BLINDING_BYTES - overhead
    assert sizes(plans_of([length] * 65, policy)) == [32, 32, 1]


def test_every_batch_keeps_its_bound_whatever_the_sizes() -> None:
    """Sizes from 0 to 64 KiB in a seeded order."""
    lengths = [int.from_bytes(draw(f"length {number}", 2), "big") for number in range(300)]
    for plan in plans_of(lengths, "apart"):
        assert sum(item.divided_length + BLINDING_BYTES for item in plan.items) <= MAX_PARCEL_BYTES
        assert len(plan.items) <= MAX_ITEMS


def test_what_is_dispersed_has_a_batch_of_its_own() -> None:
    """Its shares are no slices of a batch's; the small ones before and after stay together."""
    plans = plans_of([10, 100_000, 20, 100_000, 30], "threshold")
    assert [[item.members[0].value_id for item in plan.items] for plan in plans] == [
        ["v-0", "v-2", "v-4"],
        ["v-1"],
        ["v-3"],
    ]
    assert [plan.terms.value.scheme for plan in plans] == ["shamir", "compact", "compact"]


@pytest.mark.parametrize("policy", ["plain", "sealed", "apart"])
def test_what_must_be_streamed_has_a_batch_of_its_own(policy: str) -> None:
    """A safe takes no blob of more than 1 MiB in a message, also not in good company."""
    plans = plans_of([10, MIB + MIB // 2, 20, MIB, 30], policy)
    assert [[item.members[0].value_id for item in plan.items] for plan in plans] == [
        ["v-0", "v-2", "v-4"],
        ["v-1"],
        ["v-3"],
    ]


def test_the_largest_blob_of_one_message_may_have_company() -> None:
    """1 MiB with its blinding; one byte more is streamed."""
    longest = STREAMED_ABOVE_BYTES - BLINDING_BYTES
    assert sizes(plans_of([longest, longest], "plain")) == [2]
    assert sizes(plans_of([longest + 1, longest + 1], "plain")) == [1, 1]


def test_every_item_is_planned_once_and_in_order() -> None:
    """Within its batch."""
    plans = plans_of([10, 70_000] * 700, "threshold")
    planned = [item.members[0].value_id for plan in plans for item in plan.items]
    assert sorted(planned) == sorted(value_ids(1400))
    small = [item.members[0].value_id for plan in plans if len(plan.items) > 1 for item in plan.items]
    assert small == [value_id for value_id in value_ids(1400) if int(value_id[2:]) % 2 == 0]


def test_nothing_to_plan_makes_no_batch() -> None:
    """A backup of nothing is no error."""
    assert plans_of([], "threshold") == []


def test_new_items_get_fresh_ids_and_old_ones_keep_theirs() -> None:
    """With the generation that was asked for."""
    known = ItemId(draw("a known item", 16))
    one, other = value_ids(2)
    items = [PlanItem((Member(one, 20),)), PlanItem((Member(other, 20),), known, 7)]
    (plan,) = plan_batches(
        items, policy_named("threshold", ROSTER), ROSTER, NOW, SeededRandomness(draw("plan", 32), b"")
    )
    fresh, kept = plan.items
    assert (kept.item_id, kept.generation) == (known, 7)
    assert (len(fresh.item_id), fresh.generation) == (16, 1)
    assert fresh.item_id != known


def test_item_ids_and_seeds_never_repeat() -> None:
    """Over batches and items."""
    plans = plans_of([10] * 2000 + [70_000] * 20, "threshold")
    ids = [item.item_id for plan in plans for item in plan.items]
    assert len(set(ids)) == 2020
    assert len({plan.seed for plan in plans}) == len(plans)


def test_a_plan_names_the_roster_and_the_hour() -> None:
    """What the manifest will say is decided before anything is sent."""
    (plan,) = plans_of([1], "threshold")
    assert (plan.roster_version, plan.roster_hash, plan.created_at) == (1, ROSTER.fingerprint, NOW)
    assert (plan.policy_name, plan.arrangement.terms.name) == ("threshold", "threshold")


def test_a_plan_survives_the_journal() -> None:
    """Bytes and back, strictly."""
    (plan,) = plans_of([1, 2, 3], "apart")
    assert BatchPlan.from_bytes(plan.to_bytes()) == plan
    with pytest.raises(DocumentMalformed):
        BatchPlan.from_bytes(plan.to_bytes() + b"\x00")


def test_printing_a_plan_shows_no_seed() -> None:
    """Neither in itself nor inside something else."""
    (plan,) = plans_of([1], "threshold")
    for shown in (repr(plan), str(plan), f"{[plan]}", f"{({'plan': plan},)!r}"):
        assert "BatchPlan threshold, 1 items" in shown
        assert repr(plan.seed)[2:-1] not in shown
        assert plan.seed.hex() not in shown


def test_a_policy_that_does_not_fit_plans_nothing() -> None:
    """Before any randomness is drawn."""
    roster = roster_of(1, 1)
    with pytest.raises(PolicyUnfit):
        plans_of([1], "apart", roster=roster)
