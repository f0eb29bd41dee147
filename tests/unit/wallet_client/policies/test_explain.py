"""What is said of a policy, held to what trying every group of safes, and making every batch, shows.

At real safes, with an attacker, the same is done in tests/fault/test_policies.py.
"""

import random
from dataclasses import replace
from itertools import chain, combinations

import pytest

from support.batches import batch_of, plaintext
from support.memory_safes import roster_of
from support.odd_policies import ODD
from trust.digest import DigestField
from trust.policy import Division, KeyRule
from wallet_client.policies.coalition import Counts, able_alone, smallest_group
from wallet_client.policies.errors import PolicyUnfit
from wallet_client.policies.explain import explain
from wallet_client.policies.plain_words import sentences
from wallet_client.policies.policy import Policy
from wallet_client.policies.presets import policy_named, policy_names

ROSTER = roster_of(5, 3)
NAMED = {one.name: one for one in ODD} | {name: policy_named(name, ROSTER) for name in policy_names()}
IN_ONE_BATCH = [one for one in NAMED.values() if one.key.mode in ("none", "shared", "kept")]
"""Those whose batch needs no wallet."""


def all_groups(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Every group, the smallest first."""
    return list(chain.from_iterable(combinations(names, size) for size in range(len(names) + 1)))


def is_enough(shares: dict[str, Counts], needed: Counts, group: tuple[str, ...]) -> bool:
    """Whether a group has all that is needed."""
    sums = [sum(counts) for counts in zip(*(shares[name] for name in group), strict=True)]
    return all(a >= b for a, b in zip(sums or [0] * len(needed), needed, strict=True))


@pytest.mark.parametrize("seed", range(60))
def test_the_smallest_group_is_the_one_that_trying_all_finds(seed: int) -> None:
    """Safes with any number of shares of up to four kinds."""
    rng = random.Random(seed)
    kinds = rng.randint(1, 4)
    shares = {f"safe-{i}": tuple(rng.randint(0, 3) for _ in range(kinds)) for i in range(rng.randint(1, 7))}
    needed = tuple(rng.randint(-1, 6) for _ in range(kinds))
    enough = [group for group in all_groups(tuple(shares)) if is_enough(shares, needed, group)]
    found = smallest_group(shares, needed)
    assert (found is None) == (not enough)
    if found is not None:
        assert len(found) == len(enough[0])
        assert is_enough(shares, needed, found)
    if any(count > 0 for count in needed):
        assert able_alone(shares, needed) == tuple(group[0] for group in enough if len(group) == 1)


def test_a_large_roster_is_counted_quickly() -> None:
    """Two hundred safes that keep the same: the counting is not exponential."""
    group = smallest_group({f"safe-{number}": (1, 1) for number in range(200)}, (100, 120))
    assert group is not None
    assert len(group) == 120


READERS: dict[str, tuple[int | None, int | None, int]] = {
    "threshold": (3, None, 2),
    "compact": (3, None, 2),
    "coupled": (3, None, 2),
    "divided": (None, 3, 2),
    "apart": (2, None, 1),
    "sealed": (None, 1, 0),
    "sealed-pair": (None, 1, 0),
    "seed": (3, 3, 2),
    "plain": (1, None, 0),
    "n-of-n": (5, None, 0),
    "whole-at-several": (1, None, 2),
    "kept-and-divided": (3, 3, 2),
    "pair-kept-and-divided": (3, 3, 2),
    "pair-from-the-root": (3, 3, 2),
    "some-pieces-in-the-wallet": (3, 3, 2),
    "some-key-shares-in-the-wallet": (None, 3, 0),
    "only-some-deposited": (3, None, 0),
    "several-at-one-safe": (2, None, 0),
    "key-and-value-at-one-safe": (1, None, 0),
    "key-in-three-parts": (3, None, 0),
    "compact-apart": (3, None, 1),
}
"""How many safes read it, how many with what the wallet keeps, how many may be lost."""


@pytest.mark.parametrize("name", READERS)
def test_readers_and_losses_are_counted(name: str) -> None:
    """By hand, for five safes of which three bring back."""
    one = explain(NAMED[name], ROSTER)
    counts = [None if group is None else len(group) for group in (one.readers, one.readers_with_wallet)]
    assert (*counts, one.may_be_lost) == READERS[name]


def test_one_safe_with_several_pieces_counts_once() -> None:
    """safe-1 has two shares of the value and three of the key; any other has the third of the value."""
    one = explain(NAMED["several-at-one-safe"], ROSTER)
    assert one.safes == ("safe-1", "safe-2", "safe-3")
    assert (one.read_alone, one.readers) == ((), ("safe-1", "safe-2"))


def test_all_may_be_lost_where_the_wallet_keeps_enough() -> None:
    """Two whole copies, one of them at home, and nothing sealed."""
    whole = Division("shamir", 1, 2)
    policy = replace(NAMED["divided-unsealed"], value=whole, value_at=("safe-1", "wallet"))
    one = explain(policy, ROSTER)
    assert (one.safes, one.may_be_lost) == (("safe-1",), 1)
    assert (
        "While the wallet is there, all safes that keep it may be lost: it keeps enough itself."
        in sentences(one)
    )
    assert "Whoever has the shares in the wallet reads it without any safe." in sentences(one)


@pytest.mark.parametrize(
    ("policy", "part"),
    [
        (NAMED["compact-apart"], ("safe-1", "safe-4")),
        (replace(NAMED["compact"], key=KeyRule("shared", 2, 5)), ("safe-1", "safe-2")),
        (replace(NAMED["compact"], value_at=("safe-1", "safe-2", "safe-3", "wallet", "wallet")), None),
        (NAMED["compact"], None),
        (NAMED["threshold"], None),
        (replace(NAMED["divided"], value=Division("compact", 3, 5)), None),
    ],
)
def test_who_reads_a_part_of_a_compact_value_is_said(policy: Policy, part: tuple[str, ...] | None) -> None:
    """Where it is a smaller group than reads all."""
    one = explain(policy, ROSTER, 100_000)
    assert one.part_readers == part
    assert any("A part of it can be read by" in sentence for sentence in sentences(one)) == (part is not None)


@pytest.mark.parametrize("size", [0, 1, 1_024, 65_520, 65_521, 70_000, 1_200_000])
@pytest.mark.parametrize("policy", IN_ONE_BATCH, ids=lambda one: one.name)
def test_exactly_as_many_bytes_are_sent_as_are_said(policy: Policy, size: int) -> None:
    """Blobs and key shares of a batch of one value."""
    batch = batch_of([plaintext(size)], policy)
    safes = batch.plan.arrangement.safes
    keys = sum(
        len(share) for safe in safes for parcel in batch.parcels(safe) for _, share in parcel.key_shares
    )
    one = explain(policy, ROSTER, size)
    assert one.stored_bytes == sum(batch.total_bytes(safe) for safe in safes) + keys
    papers = sum(
        len(parcel.manifest) + len(parcel.leaves[0]) for safe in safes for parcel in batch.parcels(safe)
    )
    assert one.stored_bytes + papers < one.rough_bytes


@pytest.mark.parametrize(("n", "k"), [(2, 2), (3, 2), (5, 3), (7, 3), (9, 5), (20, 13), (32, 26), (32, 5)])
@pytest.mark.parametrize("size", [65_537, 65_600, 100_001, 1_048_577, 5_000_000])
def test_compact_stores_at_most_1_02_n_of_k_of_large_values(n: int, k: int, size: int) -> None:
    """All blobs: ciphertext, padding and blinding, without the key shares, which are 32 bytes each."""
    roster = roster_of(n, k)
    one = explain(policy_named("compact", roster), roster, size)
    blobs = one.stored_bytes - 32 * n
    assert blobs <= 1.02 * n / k * size


SAID = {
    "threshold": [
        "3 safes together can read it, such as safe-1, safe-2 and safe-3; fewer never do.",
        "While the wallet is there, any 2 of the 5 safes may be lost.",
        "For a value of 1 KiB all safes together store 5520 bytes; with manifest, certificates and what a "
        "database adds, about 14 KiB.",
    ],
    "sealed": [
        "No safe reads the value alone.",
        "Nor do all safes together: the key is in this wallet only, unless it is backed up itself.",
        "Whoever has the wallet's key reads it with 1 safe, such as safe-1.",
        "While the wallet is there, none of the safes that keep it may be lost: safe-1.",
        "If the wallet is lost, nothing brings the value back: its receipts, the key that signs its requests "
        "and the key of the value are in it alone. Keep a copy of its folder.",
    ],
    "plain": [
        "The certificates' digest is public: every safe that keeps a piece reads the value's class, name, "
        "quantity, valid from, valid until and place.",
        "safe-1 reads the value alone.",
    ],
    "whole-at-several": ["safe-1, safe-2 and safe-3 each read the value alone."],
    "some-key-shares-in-the-wallet": [
        "Nor do all safes together: shares that are needed are in this wallet only.",
        "If the wallet is lost, nothing brings the value back: its receipts, the key that signs its requests "
        "and some of the shares are in it alone. Keep a copy of its folder.",
    ],
    "seed": [
        "The key comes from the root, which is registered at the safes under the default policy and then "
        "leaves the wallet: this counts those who can read the root.",
    ],
    "everything-said": [
        "The certificates' digest is vacant: nobody reads the value's class or name in it.",
        "A value is erased from the wallet once all its safes have it.",
        "Receipt and pieces are deleted once the value is back in the wallet.",
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_it_is_said_in_plain_words(name: str) -> None:
    """Sentence by sentence."""
    said = sentences(explain(NAMED[name], ROSTER))
    assert [sentence for sentence in SAID[name] if sentence not in said] == []


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (("class", "valid-until"), "every safe that keeps a piece reads the value's class and valid until."),
        (("name",), "every safe that keeps a piece reads the value's name."),
        ((), "public, and shows no field of the value."),
    ],
)
def test_what_a_public_digest_shows_is_said(shown: tuple[DigestField, ...], said: str) -> None:
    """Field by field."""
    first, *_ = sentences(explain(replace(NAMED["plain"], shown=shown), ROSTER))
    assert first.endswith(said)


def test_a_policy_that_the_roster_cannot_carry_is_not_explained() -> None:
    """For there is nothing to say."""
    with pytest.raises(PolicyUnfit):
        explain(NAMED["threshold"], roster_of(3, 2))
