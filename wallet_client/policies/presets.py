"""The policies every wallet has, fitted to its roster: n safes, of which k bring a value back."""

from collections.abc import Callable

from trust.policy import Division, KeyRule
from trust.roster import Roster
from wallet_client.policies.errors import UnknownPolicy
from wallet_client.policies.policy import Policy

DEFAULT_POLICY = "threshold"
COMPACT_ABOVE_BYTES = 65_536
"""Where dispersal starts to pay: below, Shamir division of the ciphertext costs little and reveals less."""


def _plain(n: int, k: int) -> Policy:
    """[E1]."""
    return Policy(
        name="plain",
        summary="Unsealed and whole at one safe, which can read it.",
        sealing="none",
        value=Division("shamir", 1, 1),
        key=KeyRule("none"),
        arrangement="together",
        digest="public",
    )


def _sealed(n: int, k: int) -> Policy:
    """[E2]."""
    return Policy(
        name="sealed",
        summary="Sealed and whole at one safe; the key stays in this wallet.",
        sealing="shared-key",
        value=Division("shamir", 1, 1),
        key=KeyRule("kept"),
        arrangement="together",
        digest="sealed",
    )


def _apart(n: int, k: int) -> Policy:
    """[E3]."""
    values = max(n - n // 2, 1)
    keys = max(n // 2, 1)
    return Policy(
        name="apart",
        summary="Sealed at some safes, the key at the others; no safe holds both.",
        sealing="shared-key",
        value=Division("shamir", 1, values),
        key=KeyRule("shared", 1, keys),
        arrangement="apart",
        digest="sealed",
    )


def _threshold(n: int, k: int) -> Policy:
    """[E6]."""
    return Policy(
        name="threshold",
        summary=f"Sealed; value and key each divided, any {k} of {n} safes bring both back.",
        sealing="shared-key",
        value=Division("shamir", k, n),
        key=KeyRule("shared", k, n),
        arrangement="together",
        digest="sealed",
        compact_above=COMPACT_ABOVE_BYTES,
    )


_PRESETS: dict[str, Callable[[int, int], Policy]] = {
    "threshold": _threshold,
    "apart": _apart,
    "sealed": _sealed,
    "plain": _plain,
}


def policy_names() -> tuple[str, ...]:
    """All names, the default first."""
    return tuple(_PRESETS)


def policy_named(name: str, roster: Roster) -> Policy:
    """The policy of that name for this roster.

    Raises:
        UnknownPolicy: There is none; names those there are.
    """
    if name not in _PRESETS:
        raise UnknownPolicy(name, policy_names())
    return _PRESETS[name](len(roster.safes), roster.threshold)
