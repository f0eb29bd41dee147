"""The policies every wallet has, fitted to its roster: n safes, of which k bring a value back."""

from collections.abc import Callable
from dataclasses import replace

from trust.policy import Division, KeyRule
from trust.roster import Roster
from wallet_client.policies.errors import UnknownPolicy
from wallet_client.policies.policy import Policy

DEFAULT_POLICY = "threshold"
COMPACT_ABOVE_BYTES = 65_536
"""Where dispersal starts to pay: below, Shamir division of the ciphertext costs little and reveals less."""


def _plain(roster: Roster) -> Policy:
    """[E1]."""
    return Policy(
        name="plain",
        summary="Unsealed and whole at one safe, which can read it.",
        sealing="none",
        value=Division("shamir", 1, 1),
        key=KeyRule("none"),
        digest="public",
    )


def _sealed(roster: Roster) -> Policy:
    """[E2]."""
    return Policy(
        name="sealed",
        summary="Sealed and whole at one safe; the key stays in this wallet.",
        sealing="shared-key",
        value=Division("shamir", 1, 1),
        key=KeyRule("kept"),
        digest="sealed",
    )


def _sealed_pair(roster: Roster) -> Policy:
    """[E2], with a key pair."""
    return Policy(
        name="sealed-pair",
        summary="Sealed to a key pair and whole at one safe; backing up needs only the public key.",
        sealing="key-pair",
        value=Division("shamir", 1, 1),
        key=KeyRule("kept"),
        digest="sealed",
    )


def _apart(roster: Roster) -> Policy:
    """[E3]."""
    n = len(roster.safes)
    values, keys = max(n - n // 2, 1), max(n // 2, 1)
    return Policy(
        name="apart",
        summary="Sealed at some safes, the key at the others; no safe holds both.",
        sealing="shared-key",
        value=Division("shamir", 1, values),
        key=KeyRule("shared", 1, keys),
        digest="sealed",
        key_at="elsewhere",
    )


def _divided(roster: Roster) -> Policy:
    """[E4]."""
    n, k = len(roster.safes), roster.threshold
    return Policy(
        name="divided",
        summary=f"Divided, then every piece sealed; any {k} of {n} safes and the wallet's key bring it back.",
        sealing="shared-key",
        value=Division("shamir", k, n),
        key=KeyRule("kept"),
        digest="sealed",
        order="divide-then-seal",
    )


def _coupled(roster: Roster) -> Policy:
    """[E5]."""
    return replace(
        _threshold(roster),
        name="coupled",
        summary="Several values become one item, which is sealed and divided like threshold.",
        coupling="couple-then-seal",
    )


def _threshold(roster: Roster) -> Policy:
    """[E6]."""
    n, k = len(roster.safes), roster.threshold
    return Policy(
        name="threshold",
        summary=f"Sealed; value and key each divided, any {k} of {n} safes bring both back.",
        sealing="shared-key",
        value=Division("shamir", k, n),
        key=KeyRule("shared", k, n),
        digest="sealed",
        compact_above=COMPACT_ABOVE_BYTES,
        accept_single_safe=k == 1,
    )


def _compact(roster: Roster) -> Policy:
    """[E6], for large values (Krawczyk 1993)."""
    n, k = len(roster.safes), roster.threshold
    return replace(
        _threshold(roster),
        name="compact",
        summary=f"Sealed and erasure-coded to {n}/{k} of its size, the key divided; any {k} of {n} safes do.",
        compact_above=0,
    )


def _seed(roster: Roster) -> Policy:
    """[E7]."""
    n, k = len(roster.safes), roster.threshold
    return Policy(
        name="seed",
        summary=f"Sealed under a key that comes from the root; any {k} of {n} safes bring both back.",
        sealing="shared-key",
        value=Division("shamir", k, n),
        key=KeyRule("root"),
        digest="sealed",
        compact_above=COMPACT_ABOVE_BYTES,
    )


_PRESETS: dict[str, Callable[[Roster], Policy]] = {
    "threshold": _threshold,
    "compact": _compact,
    "coupled": _coupled,
    "divided": _divided,
    "apart": _apart,
    "sealed": _sealed,
    "sealed-pair": _sealed_pair,
    "seed": _seed,
    "plain": _plain,
}


def policy_names() -> tuple[str, ...]:
    """All names, the default first."""
    return tuple(_PRESETS)


def policy_summaries(roster: Roster) -> dict[str, str]:
    """What each of them gives, by name, the default first."""
    return {name: preset(roster).summary for name, preset in _PRESETS.items()}


def policy_named(name: str, roster: Roster) -> Policy:
    """The policy of that name for this roster.

    Raises:
        UnknownPolicy: There is none; names those there are.
    """
    if name not in _PRESETS:
        raise UnknownPolicy(name, policy_names())
    return _PRESETS[name](roster)
