"""Where pieces go, when a value is dispersed, which policies a roster cannot carry, what may be lost."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from support import odd_policies
from support.memory_safes import roster_of
from threshold.dispersal import MAX_FRAGMENTS
from trust.ids import SafeId
from trust.policy import Division, KeyRule
from wallet_client.policies.arrangement import Arrangement, arrange
from wallet_client.policies.errors import PolicyUnfit
from wallet_client.policies.policy import IN_WALLET, Policy
from wallet_client.policies.presets import COMPACT_ABOVE_BYTES, policy_named, policy_names

ROSTERS = [(1, 1), (2, 1), (2, 2), (3, 2), (5, 3), (5, 1), (9, 5)]
FITTING = [(name, n, k) for name in policy_names() for n, k in ROSTERS if not (name == "apart" and n == 1)]

ODD = Policy(
    name="odd",
    summary="Value and key divided differently.",
    sealing="shared-key",
    value=Division("shamir", 2, 3),
    key=KeyRule("shared", 3, 5),
    digest="vacant",
)


def arranged(name: str, n: int, k: int, sealed_length: int = 100) -> Arrangement:
    """A preset on a roster."""
    roster = roster_of(n, k)
    return arrange(policy_named(name, roster), roster, sealed_length)


@pytest.mark.parametrize(("name", "n", "k"), FITTING)
def test_indices_rise_from_one_and_no_safe_stands_twice(name: str, n: int, k: int) -> None:
    """x is the place in the roster, so one safe has one place."""
    placement = arranged(name, n, k).placement
    assert [place.x for place in placement] == list(range(1, len(placement) + 1))
    assert [place.safe_id for place in placement] == [
        safe.safe_id for safe in roster_of(n, k).safes[: len(placement)]
    ]


@pytest.mark.parametrize(("name", "n", "k"), FITTING)
def test_as_many_shares_are_placed_as_are_made(name: str, n: int, k: int) -> None:
    """None is left over, none is promised and not placed."""
    arrangement = arranged(name, n, k)
    assert sum(place.value for place in arrangement.placement) == arrangement.terms.value.n
    assert sum(place.key for place in arrangement.placement) == arrangement.terms.key.n


@pytest.mark.parametrize(("n", "k"), [(n, k) for n, k in ROSTERS if n > 1])
def test_apart_lets_no_safe_hold_both(n: int, k: int) -> None:
    """Neither alone nor by a second place."""
    arrangement = arranged("apart", n, k)
    values = {place.safe_id for place in arrangement.placement if place.value}
    keys = {place.safe_id for place in arrangement.placement if place.key}
    assert values
    assert keys
    assert not values & keys


def test_value_and_key_may_be_divided_differently() -> None:
    """The first three safes keep both, the others a key share alone."""
    placement = arrange(ODD, roster_of(5, 3), 0).placement
    assert [(place.value, place.key) for place in placement] == [(True, True)] * 3 + [(False, True)] * 2


@pytest.mark.parametrize(
    ("sealed_length", "scheme"),
    [
        (0, "shamir"),
        (COMPACT_ABOVE_BYTES - 1, "shamir"),
        (COMPACT_ABOVE_BYTES, "shamir"),
        (COMPACT_ABOVE_BYTES + 1, "compact"),
        (2**26, "compact"),
    ],
)
def test_threshold_disperses_what_is_larger_than_64_kib(sealed_length: int, scheme: str) -> None:
    """Counted in sealed bytes; k and n stay."""
    assert arranged("threshold", 5, 3, sealed_length).terms.value == Division(scheme, 3, 5)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["apart", "sealed", "plain"])
def test_other_presets_never_disperse(name: str) -> None:
    """They make whole copies."""
    assert arranged(name, 5, 3, 2**26).terms.value.scheme == "shamir"


def test_a_roster_too_large_for_the_erasure_code_stays_with_shamir() -> None:
    """It ends at 32 fragments; a larger roster pays in bytes, not with an error."""
    assert arranged("threshold", MAX_FRAGMENTS, 3, 2**20).terms.value.scheme == "compact"
    assert arranged("threshold", MAX_FRAGMENTS + 1, 3, 2**20).terms.value.scheme == "shamir"


@pytest.mark.parametrize(
    ("quorum", "fits"), [(1, False), (2, False), (3, True), (4, True), (5, True), (6, False)]
)
def test_a_quorum_is_at_least_k_at_most_n_and_a_majority(quorum: int, fits: bool) -> None:
    """For three of five."""
    roster = roster_of(5, 3)
    policy = replace(policy_named("threshold", roster), quorum=quorum)
    if fits:
        assert arrange(policy, roster, 0).terms.quorum == quorum
    else:
        with pytest.raises(PolicyUnfit, match=f"a quorum of {quorum} is not between 3 and 5, or no majority"):
            arrange(policy, roster, 0)


@pytest.mark.parametrize("n", range(1, 21))
def test_the_default_quorum_always_follows_the_rules(n: int) -> None:
    """n - floor((n - k) / 2), for every k."""
    for k in range(1, n + 1):
        quorum = arranged("threshold", n, k).terms.quorum
        assert quorum == n - (n - k) // 2
        assert k <= quorum <= n
        assert 2 * quorum > n


def test_a_policy_for_more_safes_than_there_are_is_unfit() -> None:
    """And says how many are missing."""
    with pytest.raises(PolicyUnfit) as caught:
        arrange(ODD, roster_of(3, 2), 0)
    assert str(caught.value) == "The policy 'odd' does not fit: it needs 5 safes and the roster has 3."


def subsets(arrangement: Arrangement) -> Iterator[frozenset[SafeId]]:
    """Every set of safes that may have answered."""
    for size in range(len(arrangement.safes) + 1):
        yield from map(frozenset, combinations(arrangement.safes, size))


def comes_back(arrangement: Arrangement, holding: frozenset[SafeId]) -> bool:
    """Whether these safes and what the wallet keeps bring an item back, counted share by share.

    A key that is kept and divided counts as away: its shares must do.
    """
    held = [place for place in arrangement.placement if place.safe_id in holding]
    values = sum(place.value for place in held) + len(arrangement.kept_values)
    keys = sum(place.key for place in held) + len(arrangement.kept_keys)
    return keys >= arrangement.terms.key.k and values >= arrangement.terms.value.k


def worst_case(arrangement: Arrangement, holding: frozenset[SafeId]) -> int:
    """How many may be lost, whichever they are, by trying all of them."""
    if not comes_back(arrangement, holding):
        return -1
    return max(
        lost
        for lost in range(len(holding) + 1)
        if all(comes_back(arrangement, holding - set(gone)) for gone in combinations(holding, lost))
    )


ARRANGEMENTS = [pytest.param(arranged(*one), id="-".join(map(str, one))) for one in FITTING] + [
    pytest.param(arrange(policy, roster_of(5, 3), 100), id=policy.name) for policy in (ODD, *odd_policies.ODD)
]


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_what_may_still_be_lost_is_what_trying_every_loss_says(arrangement: Arrangement) -> None:
    """For every set of safes that may hold the item."""
    for holding in subsets(arrangement):
        assert arrangement.may_still_be_lost(holding) == worst_case(arrangement, holding)


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_registered_means_a_quorum_that_brings_it_back(arrangement: Arrangement) -> None:
    """For every set of safes that may have answered."""
    for holding in subsets(arrangement):
        expected = len(holding) >= arrangement.terms.quorum and comes_back(arrangement, holding)
        assert arrangement.is_registered(holding) == expected


def test_a_quorum_without_a_key_safe_is_not_registered() -> None:
    """Three safes of five answered under `apart`, and none of them keeps the key."""
    arrangement = arranged("apart", 5, 3)
    values = {place.safe_id for place in arrangement.placement if place.value}
    assert len(values) == arrangement.terms.quorum
    assert not arrangement.is_registered(values)


def test_safes_lists_each_safe_once_in_order() -> None:
    """Also where one keeps two places."""
    arrangement = arranged("threshold", 3, 2)
    doubled = Arrangement(arrangement.terms, arrangement.placement + arrangement.placement[:1])
    assert doubled.safes == tuple(place.safe_id for place in arrangement.placement)


def layout(policy: Policy, n: int = 5, k: int = 3) -> list[tuple[int, str, str]]:
    """x, who keeps it, and of what: v for a value share, k for a key share; the wallet's included."""
    roster = roster_of(n, k)
    arrangement = arrange(policy, roster, 100)
    names = {safe.safe_id: safe.name for safe in roster.safes}
    rows = [(one.x, names[one.safe_id], "v" * one.value + "k" * one.key) for one in arrangement.placement]
    kept = sorted({*arrangement.kept_values, *arrangement.kept_keys})
    rows += [
        (x, IN_WALLET, "v" * (x in arrangement.kept_values) + "k" * (x in arrangement.kept_keys))
        for x in kept
    ]
    return sorted(rows)


ONE, TWO = Division("shamir", 1, 1), Division("shamir", 2, 3)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"value": TWO, "value_at": ("safe-5", "safe-2"), "key": KeyRule("kept")},
            [(1, "safe-5", "v"), (2, "safe-2", "v")],
        ),
        (
            {"value": TWO, "value_at": ("wallet", "safe-4", "safe-1"), "key": KeyRule("kept")},
            [(1, "wallet", "v"), (2, "safe-4", "v"), (3, "safe-1", "v")],
        ),
        (
            {"value": TWO, "key": KeyRule("shared", 2, 3), "key_at": ("safe-2", "safe-4", "wallet")},
            [
                (1, "safe-1", "v"),
                (2, "safe-2", "vk"),
                (3, "safe-3", "v"),
                (4, "safe-4", "k"),
                (5, "wallet", "k"),
            ],
        ),
        (
            {
                "value": TWO,
                "value_at": ("wallet", "safe-1", "safe-2"),
                "key": KeyRule("shared", 2, 3),
                "key_at": ("safe-3", "wallet", "wallet"),
            },
            [
                (1, "wallet", "vk"),
                (2, "safe-1", "v"),
                (3, "safe-2", "v"),
                (4, "safe-3", "k"),
                (5, "wallet", "k"),
            ],
        ),
        (
            {"value": ONE, "key": KeyRule("shared", 1, 2), "key_at": "elsewhere"},
            [(1, "safe-1", "v"), (2, "safe-2", "k"), (3, "safe-3", "k")],
        ),
        (
            {"value": TWO, "key": KeyRule("shared", 2, 2), "key_at": "with-value"},
            [(1, "safe-1", "vk"), (2, "safe-2", "vk"), (3, "safe-3", "v")],
        ),
        (
            {"value": TWO, "value_at": ("safe-1", "safe-2"), "key": KeyRule("shared", 2, 3)},
            [(1, "safe-1", "vk"), (2, "safe-2", "vk"), (4, "safe-3", "k")],
        ),
        (
            {
                "value": TWO,
                "value_at": ("safe-1", "safe-1", "safe-2"),
                "key": KeyRule("shared", 2, 4),
                "key_at": ("safe-1", "safe-1", "safe-1", "safe-2"),
                "accept_single_safe": True,
            },
            [(1, "safe-1", "vk"), (2, "safe-1", "vk"), (3, "safe-2", "vk"), (4, "safe-1", "k")],
        ),
    ],
    ids=[
        "only some shares are deposited, at named safes",
        "a value share stays in the wallet",
        "key shares stand with the value share of their holder or behind",
        "the wallet keeps both at one index",
        "the key elsewhere than the value",
        "the key with some of the value's safes",
        "what is not deposited leaves its index free",
        "several at one safe",
    ],
)
def test_shares_are_placed_as_they_are_named(
    fields: dict[str, Any], expected: list[tuple[int, str, str]]
) -> None:
    """Value share i at index i; a safe's value and key share in one piece wherever that can be."""
    assert layout(odd_policies.policy("placed", **fields)) == expected


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"value_at": ("safe-1", "safe-2", "safe-6")}, "the roster has no safe 'safe-6'"),
        ({"key_at": ("safe-1", "safe-2", "Wallet")}, "the roster has no safe 'Wallet'"),
        ({"value_at": ("safe-1", "safe-2")}, "2 shares are kept, and 3 to 5 can be"),
        ({"key_at": ("safe-1",)}, "1 shares are kept, and 3 to 5 can be"),
        ({"value_at": ()}, "0 shares are kept, and 3 to 5 can be"),
        (
            {"value": ONE, "value_at": ("safe-1", "safe-2"), "key": KeyRule("kept")},
            "2 shares are kept, and 1 to 1 can be",
        ),
        (
            {"value": ONE, "value_at": ("wallet",), "key": KeyRule("kept")},
            "no safe keeps anything",
        ),
        ({"value": Division("shamir", 3, 6)}, "it needs 6 safes and the roster has 5"),
        ({"key": KeyRule("shared", 3, 6)}, "it needs 6 safes and the roster has 5"),
        (
            {"value": TWO, "key": KeyRule("shared", 3, 4), "key_at": "with-value"},
            "it needs 4 safes that keep value shares and the roster has 3",
        ),
        (
            {"value": TWO, "key": KeyRule("shared", 3, 3), "key_at": "elsewhere"},
            "it needs 3 safes that keep no value share and the roster has 2",
        ),
        (
            {
                "value": Division("shamir", 3, 254),
                "value_at": ("safe-1", "safe-2", "safe-3"),
                "key": KeyRule("shared", 1, 2),
                "key_at": "elsewhere",
            },
            "its shares need indices above 255",
        ),
        (
            {"value": TWO, "value_at": ("safe-1", "safe-1", "safe-2"), "key": KeyRule("kept")},
            "one safe keeps several shares, which needs accept-single-safe",
        ),
        (
            {"key": KeyRule("shared", 2, 3), "key_at": ("safe-4", "safe-4", "safe-5")},
            "one safe keeps several shares, which needs accept-single-safe",
        ),
        (
            {"value": ONE, "key": KeyRule("shared", 1, 1)},
            "one safe keeps the key and the whole value, which needs accept-single-safe",
        ),
        (
            {"value": ONE, "key": KeyRule("shared", 1, 1), "key_at": "with-value"},
            "one safe keeps the key and the whole value, which needs accept-single-safe",
        ),
        (
            {
                "value": Division("shamir", 1, 3),
                "key": KeyRule("kept-and-shared", 1, 1),
                "key_at": ("safe-3",),
            },
            "one safe keeps the key and the whole value, which needs accept-single-safe",
        ),
        ({"quorum": 2}, "a quorum of 2 is not between 3 and 5, or no majority"),
        (
            {"value": ONE, "key": KeyRule("kept"), "quorum": 2},
            "a quorum of 2 is not between 1 and 1, or no majority",
        ),
    ],
)
def test_what_the_roster_cannot_carry_or_nobody_should_want_is_refused(
    fields: dict[str, Any], says: str
) -> None:
    """With the reason."""
    with pytest.raises(PolicyUnfit) as caught:
        arrange(odd_policies.policy("unfit", **fields), roster_of(5, 3), 100)
    assert caught.value.problem == says


@pytest.mark.parametrize(
    "fields",
    [
        {"value": ONE, "key": KeyRule("shared", 2, 2)},
        {"value": ONE, "key": KeyRule("shared", 1, 1), "key_at": ("safe-2",)},
        {"value": ONE, "key": KeyRule("shared", 1, 1), "key_at": ("wallet",)},
        {"value": TWO, "key": KeyRule("shared", 1, 1)},
        {"value": ONE, "key": KeyRule("kept")},
        {"value": ONE, "key": KeyRule("none"), "sealing": "none"},
    ],
    ids=[
        "whole value, half a key",
        "key at another safe",
        "key in the wallet",
        "half a value, whole key",
        "key kept",
        "nothing sealed",
    ],
)
def test_one_safe_that_alone_opens_nothing_needs_no_word(fields: dict[str, Any]) -> None:
    """Nor does a policy that hides nothing and says so."""
    arrange(odd_policies.policy("fit", **fields), roster_of(5, 3), 100)


@pytest.mark.parametrize("policy", odd_policies.ODD, ids=lambda policy: policy.name)
def test_no_single_safe_has_what_a_coalition_should_need(policy: Policy) -> None:
    """Unless the word was said: neither k value shares with k key shares, nor two of a kind."""
    arrangement = arrange(policy, roster_of(5, 3), 100)
    alone = [
        safe
        for safe in arrangement.safes
        if policy.key.is_shared
        and sum(place.value for place in arrangement.placement if place.safe_id == safe) >= policy.value.k
        and sum(place.key for place in arrangement.placement if place.safe_id == safe) >= policy.key.k
    ]
    assert not alone or policy.accept_single_safe
