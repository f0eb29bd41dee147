"""Policies that walk every pair of what a policy can say, for five safes of which three bring back."""

from functools import cache
from typing import Any

from support.pairwise import Choice, all_pairs
from trust.policy import Division, KeyRule
from wallet_client.policies.policy import Policy

NAMES = tuple(f"safe-{number}" for number in range(1, 6))
DIVIDED_KEYS = {"shared-key": "divided", "key-pair": "divided-pair"}
"""Names of the keys that are kept and divided: apart from those that are only kept."""

_FIELDS = {
    "coupling": ("single", "couple-then-seal", "seal-then-couple"),
    "sealing": ("none", "shared-key", "key-pair"),
    "order": ("seal-then-divide", "divide-then-seal"),
    "scheme": ("shamir", "compact"),
    "value": ("1 of 1", "2 of 3", "3 of 5", "5 of 5"),
    "key": (
        "none 0 of 0",
        "shared 2 of 3",
        "shared 3 of 5",
        "kept 0 of 0",
        "kept-and-shared 3 of 5",
        "root 0 of 0",
    ),
    "placement": ("each-safe", "with-value", "elsewhere", "in the wallet too", "two at one safe", "only k"),
    "digest": ("public", "sealed", "vacant"),
}


def pairwise_policies() -> list[Policy]:
    """One for each combination that is walked, named by what it says."""
    return [_policy(number, choice) for number, choice in enumerate(all_pairs(_FIELDS, _fits), 1)]


def _fits(choice: Choice) -> bool:
    """What `PolicyTerms` and `arrange` take, tried once for each place of shares."""
    is_sealed = choice["sealing"] != "none"
    if is_sealed == choice["key"].startswith("none"):
        return False
    if not is_sealed and (
        choice["scheme"] == "compact"
        or choice["order"] == "divide-then-seal"
        or choice["coupling"] == "seal-then-couple"
    ):
        return False
    if choice["coupling"] == "seal-then-couple" and choice["order"] == "divide-then-seal":
        return False
    return _can_be_placed(choice["value"], choice["key"], choice["placement"])


@cache
def _can_be_placed(value: str, key: str, placement: str) -> bool:
    (k, n), (mode, key_k, key_n) = _k_of_n(value), _key(key)
    is_shared = mode in ("shared", "kept-and-shared")
    if placement in ("with-value", "elsewhere"):
        room = n if placement == "with-value" else len(NAMES) - n
        alone = placement == "with-value" and k == 1 and key_k == 1
        return is_shared and key_n <= room and not alone
    if placement in ("in the wallet too", "two at one safe") and (n == 1 or key_n == 1):
        return False
    if placement == "only k":
        return k < n
    return not (k == 1 and key_k == 1)


def _policy(number: int, choice: Choice) -> Policy:
    (k, n), (mode, key_k, key_n) = _k_of_n(choice["value"]), _key(choice["key"])
    value_at, key_at = _places(choice["placement"], k, n, key_n)
    given: Any = {name: choice[name] for name in ("sealing", "digest", "coupling", "order")}
    rule: Any = mode
    scheme: Any = choice["scheme"]
    return Policy(
        name=f"walk-{number}",
        summary=", ".join(choice.values()),
        value=Division(scheme, k, n),
        key=KeyRule(rule, key_k, key_n),
        value_at=value_at,
        key_at=key_at,
        key_name=DIVIDED_KEYS[choice["sealing"]] if mode == "kept-and-shared" else "",
        accept_single_safe=choice["placement"] == "two at one safe",
        **given,
    )


def _places(placement: str, k: int, n: int, key_n: int) -> tuple[Any, Any]:
    match placement:
        case "in the wallet too":
            return (*NAMES[: n - 1], "wallet"), ("wallet", *NAMES[1:key_n]) if key_n else "each-safe"
        case "two at one safe":
            return _doubled(n), _doubled(key_n) if key_n else "each-safe"
        case "only k":
            return NAMES[:k], "each-safe"
        case "each-safe":
            return "each-safe", "each-safe"
    return "each-safe", placement


def _doubled(n: int) -> tuple[str, ...]:
    return (NAMES[0], *NAMES[: n - 1])


def _k_of_n(text: str) -> tuple[int, int]:
    k, _, n = text.split()
    return int(k), int(n)


def _key(text: str) -> tuple[str, int, int]:
    mode, _, rest = text.partition(" ")
    return mode, *_k_of_n(rest)
