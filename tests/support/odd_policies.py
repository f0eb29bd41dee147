"""Policies beside the presets that reach every corner of the pipeline, for five safes of which three do."""

from typing import Any

from trust.policy import Division, KeyRule
from wallet_client.operations.policies import add_policy
from wallet_client.operations.wallet_keys import new_key
from wallet_client.policies.policy import Policy
from wallet_client.policies.policy_print import policy_toml
from wallet_client.wallet import Wallet

THREE = Division("shamir", 3, 5)
SHARED = KeyRule("shared", 3, 5)


def policy(name: str, **fields: Any) -> Policy:
    """Sealed, value and key divided three of five; changed."""
    plain: dict[str, Any] = {
        "summary": "For a test.",
        "sealing": "shared-key",
        "value": THREE,
        "key": SHARED,
        "digest": "sealed",
    }
    return Policy(name=name, **(plain | fields))


ODD = [
    policy("divide-then-seal", order="divide-then-seal"),
    policy("divide-compactly-then-seal", order="divide-then-seal", value=Division("compact", 3, 5)),
    policy("seal-then-couple", coupling="seal-then-couple"),
    policy("couple-then-divide-then-seal", coupling="couple-then-seal", order="divide-then-seal"),
    policy("couple-compactly", coupling="couple-then-seal", value=Division("compact", 3, 5)),
    policy(
        "coupled-unsealed", sealing="none", key=KeyRule("none"), digest="vacant", coupling="couple-then-seal"
    ),
    policy("n-of-n", value=Division("shamir", 5, 5), key=KeyRule("shared", 5, 5)),
    policy("divided-unsealed", sealing="none", key=KeyRule("none"), digest="public"),
    policy("whole-at-several", sealing="none", key=KeyRule("none"), value=Division("shamir", 1, 3)),
    policy("pair-from-the-divided-secret", sealing="key-pair"),
    policy("kept-and-divided", key=KeyRule("kept-and-shared", 3, 5)),
    policy("pair-kept-and-divided", sealing="key-pair", key=KeyRule("kept-and-shared", 2, 4)),
    policy("pair-from-the-root", sealing="key-pair", key=KeyRule("root"), algorithm="kura-hkdf/1"),
    policy("some-pieces-in-the-wallet", value_at=("safe-1", "safe-2", "wallet", "safe-4", "wallet")),
    policy("some-key-shares-in-the-wallet", key_at=("wallet", "safe-2", "safe-3")),
    policy("only-some-deposited", value_at=("safe-5", "safe-3", "safe-1")),
    policy("whole-value-divided-key", value=Division("shamir", 1, 1), key=KeyRule("shared", 2, 5)),
    policy(
        "several-at-one-safe",
        value_at=("safe-1", "safe-1", "safe-2", "safe-2", "safe-3"),
        key_at=("safe-1", "safe-1", "safe-1", "safe-2", "safe-3"),
        accept_single_safe=True,
        quorum=3,
    ),
    policy(
        "several-at-one-of-five",
        value=Division("shamir", 3, 6),
        value_at=("safe-1", "safe-2", "safe-2", "safe-3", "safe-4", "safe-5"),
        key=KeyRule("shared", 3, 7),
        key_at=("safe-1", "safe-2", "safe-2", "safe-2", "safe-3", "safe-4", "safe-5"),
        accept_single_safe=True,
    ),
    policy(
        "key-and-value-at-one-safe",
        value=Division("shamir", 1, 1),
        key=KeyRule("shared", 1, 1),
        key_at="with-value",
        accept_single_safe=True,
    ),
    policy(
        "key-in-three-parts",
        value=Division("shamir", 1, 1),
        key=KeyRule("shared", 3, 3),
        key_at=("safe-1", "safe-2", "safe-3"),
    ),
    policy("compact-apart", value=Division("compact", 2, 3), key=KeyRule("shared", 1, 2), key_at="elsewhere"),
    policy(
        "everything-said",
        summary='With "quotes", \\ and é.',
        key=KeyRule("kept"),
        key_name='my "own" key',
        digest="vacant",
        shown=("class", "valid-until", "held-since"),
        quorum=5,
        compact_above=1_536,
        drop_after_backup=True,
        forget_after_recovery=True,
    ),
]
"""Each with a name that a policy file may have."""


def use(wallet: Wallet, *names: str) -> None:
    """Have the wallet know these of them, as if they came from files; keys that they name are made."""
    for one in ODD:
        if one.name in names:
            if one.key_name:
                new_key(wallet, "shared", one.key_name)
            add_policy(wallet.store, policy_toml(one), f"{one.name}.toml", wallet.roster)
