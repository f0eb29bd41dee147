"""What the presets become on rosters of every usual size."""

from typing import Literal

import pytest

from support.memory_safes import roster_of
from trust.policy import Division, KeyRule
from wallet_client.policies.arrangement import arrange
from wallet_client.policies.errors import PolicyUnfit, UnknownPolicy
from wallet_client.policies.presets import DEFAULT_POLICY, policy_named, policy_names

SHAMIR: Literal["shamir"] = "shamir"
NO_KEY, KEPT = KeyRule("none"), KeyRule("kept")


@pytest.mark.parametrize(
    ("name", "n", "k", "value", "key", "quorum"),
    [
        ("threshold", 1, 1, Division(SHAMIR, 1, 1), KeyRule("shared", 1, 1), 1),
        ("threshold", 2, 1, Division(SHAMIR, 1, 2), KeyRule("shared", 1, 2), 2),
        ("threshold", 2, 2, Division(SHAMIR, 2, 2), KeyRule("shared", 2, 2), 2),
        ("threshold", 3, 2, Division(SHAMIR, 2, 3), KeyRule("shared", 2, 3), 3),
        ("threshold", 5, 3, Division(SHAMIR, 3, 5), KeyRule("shared", 3, 5), 4),
        ("threshold", 5, 5, Division(SHAMIR, 5, 5), KeyRule("shared", 5, 5), 5),
        ("threshold", 9, 5, Division(SHAMIR, 5, 9), KeyRule("shared", 5, 9), 7),
        ("apart", 2, 1, Division(SHAMIR, 1, 1), KeyRule("shared", 1, 1), 2),
        ("apart", 3, 2, Division(SHAMIR, 1, 2), KeyRule("shared", 1, 1), 2),
        ("apart", 5, 3, Division(SHAMIR, 1, 3), KeyRule("shared", 1, 2), 3),
        ("apart", 9, 5, Division(SHAMIR, 1, 5), KeyRule("shared", 1, 4), 5),
        ("sealed", 1, 1, Division(SHAMIR, 1, 1), KEPT, 1),
        ("sealed", 5, 3, Division(SHAMIR, 1, 1), KEPT, 1),
        ("sealed-pair", 5, 3, Division(SHAMIR, 1, 1), KEPT, 1),
        ("divided", 1, 1, Division(SHAMIR, 1, 1), KEPT, 1),
        ("divided", 5, 3, Division(SHAMIR, 3, 5), KEPT, 4),
        ("coupled", 5, 3, Division(SHAMIR, 3, 5), KeyRule("shared", 3, 5), 4),
        ("compact", 5, 3, Division("compact", 3, 5), KeyRule("shared", 3, 5), 4),
        ("seed", 5, 3, Division(SHAMIR, 3, 5), KeyRule("root"), 4),
        ("plain", 1, 1, Division(SHAMIR, 1, 1), NO_KEY, 1),
        ("plain", 9, 5, Division(SHAMIR, 1, 1), NO_KEY, 1),
    ],
    ids=lambda value: str(value) if isinstance(value, str | int) else "",
)
def test_a_preset_fits_itself_to_the_roster(
    name: str, n: int, k: int, value: Division, key: KeyRule, quorum: int
) -> None:
    """k comes from the roster, n and the quorum follow."""
    roster = roster_of(n, k)
    terms = arrange(policy_named(name, roster), roster, 100).terms
    assert (terms.name, terms.value, terms.key, terms.quorum) == (name, value, key, quorum)


@pytest.mark.parametrize(
    ("name", "sealing", "digest"),
    [
        ("threshold", "shared-key", "sealed"),
        ("compact", "shared-key", "sealed"),
        ("coupled", "shared-key", "sealed"),
        ("divided", "shared-key", "sealed"),
        ("apart", "shared-key", "sealed"),
        ("sealed", "shared-key", "sealed"),
        ("sealed-pair", "key-pair", "sealed"),
        ("seed", "shared-key", "sealed"),
        ("plain", "none", "public"),
    ],
)
def test_only_plain_shows_anything(name: str, sealing: str, digest: str) -> None:
    """Whoever seals the value seals the digest too."""
    policy = policy_named(name, roster_of(5, 3))
    assert (policy.sealing, policy.digest) == (sealing, digest)


def test_apart_needs_a_second_safe() -> None:
    """With one safe the key would lie beside the value."""
    roster = roster_of(1, 1)
    with pytest.raises(PolicyUnfit, match="it needs 1 safes that keep no value share and the roster has 0"):
        arrange(policy_named("apart", roster), roster, 0)


def test_the_default_comes_first() -> None:
    """So a list begins with what is used unless something else is said."""
    assert policy_names()[0] == DEFAULT_POLICY


def test_an_unknown_policy_names_those_there_are() -> None:
    """And what to do."""
    with pytest.raises(UnknownPolicy) as caught:
        policy_named("thresold", roster_of(5, 3))
    assert str(caught.value) == (
        "There is no policy 'thresold'; there are threshold, compact, coupled, divided, apart, sealed, "
        "sealed-pair, seed, plain."
    )
    assert "kura policy list" in caught.value.hint


@pytest.mark.parametrize("name", policy_names())
def test_every_preset_says_what_it_gives(name: str) -> None:
    """One sentence."""
    policy = policy_named(name, roster_of(5, 3))
    assert policy.name == name
    assert policy.summary.endswith(".")
    assert policy.summary.count(".") == 1
