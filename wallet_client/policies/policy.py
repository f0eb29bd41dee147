"""A policy: the wallet's choice of how values become pieces, and the arrangement it gives on a roster.

Every embodiment of the source is a Policy; none has a code path of its own. What a recovery needs
of it travels in the manifest as PolicyTerms; the rest (placement, quorum, when to go compact) is
decided here, once, before anything is sent.
"""

from collections.abc import Set
from dataclasses import dataclass
from typing import Literal

from threshold.dispersal import MAX_FRAGMENTS
from trust.ids import SafeId
from trust.manifest import Place
from trust.policy import Division, KeyRule, PolicyTerms
from trust.roster import Roster
from wallet_client.policies.errors import PolicyUnfit


@dataclass(frozen=True, slots=True)
class Policy:
    """One way of backing up.

    Args:
        name: What people call it.
        summary: One sentence on what it gives.
        sealing: "none", or "shared-key": AES-256-GCM under a key derived from the batch secret.
        value: How the (sealed) value is divided.
        key: Where the batch secret goes.
        arrangement: "together": safe i gets value share and key share i; "apart": no safe gets both.
        digest: Who can read the certificates' digests.
        quorum: Safes that must have answered; None for n - floor((n - k) / 2).
        compact_above: Sealed bytes from which the value is dispersed instead of Shamir-divided: a
            ciphertext needs no secrecy from its shares, and dispersal stores n/k instead of n times.
            None: never.
    """

    name: str
    summary: str
    sealing: Literal["none", "shared-key"]
    value: Division
    key: KeyRule
    arrangement: Literal["together", "apart"]
    digest: Literal["public", "sealed", "vacant"]
    quorum: int | None = None
    compact_above: int | None = None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A policy applied to a roster and a size: what the manifest will say."""

    terms: PolicyTerms
    placement: tuple[Place, ...]

    @property
    def safes(self) -> tuple[SafeId, ...]:
        """Every safe that keeps anything, once, in the placement's order."""
        return tuple(dict.fromkeys(place.safe_id for place in self.placement))

    def may_still_be_lost(self, holding: Set[SafeId]) -> int:
        """How many more of the `holding` safes may be lost while the item still comes back; -1: it does not.

        Exact while a safe keeps at most one share of each kind, which `arrange` ensures.
        """
        margins = [sum(p.value for p in self.placement if p.safe_id in holding) - self.terms.value.k]
        if self.terms.key.mode == "shared":
            margins.append(sum(p.key for p in self.placement if p.safe_id in holding) - self.terms.key.k)
        return max(min(margins), -1)

    def is_registered(self, holding: Set[SafeId]) -> bool:
        """Whether enough safes answered durably, and between them bring the item back."""
        return len(holding) >= self.terms.quorum and self.may_still_be_lost(holding) >= 0


def arrange(policy: Policy, roster: Roster, sealed_length: int) -> Arrangement:
    """Apply a policy to the roster for items of this size.

    Raises:
        PolicyUnfit: The roster has too few safes, or the quorum rules of DESIGN 4 are not met.
    """
    needed = (
        policy.value.n + policy.key.n if policy.arrangement == "apart" else max(policy.value.n, policy.key.n)
    )
    if needed > len(roster.safes):
        raise PolicyUnfit(policy.name, f"it needs {needed} safes and the roster has {len(roster.safes)}")
    placement = _apart(policy, roster) if policy.arrangement == "apart" else _together(policy, roster)
    terms = PolicyTerms(
        name=policy.name,
        sealing=policy.sealing,
        value=_division(policy, sealed_length),
        key=policy.key,
        digest=policy.digest,
        quorum=_quorum(policy, needed),
    )
    return Arrangement(terms, placement)


def _division(policy: Policy, sealed_length: int) -> Division:
    if policy.compact_above is None or sealed_length <= policy.compact_above:
        return policy.value
    if policy.value.n > MAX_FRAGMENTS:
        return policy.value  # the erasure code ends there; Shamir goes on, at n times the bytes
    return Division("compact", policy.value.k, policy.value.n)


def _together(policy: Policy, roster: Roster) -> tuple[Place, ...]:
    count = max(policy.value.n, policy.key.n)
    return tuple(
        Place(x, safe.safe_id, x <= policy.value.n, x <= policy.key.n)
        for x, safe in enumerate(roster.safes[:count], start=1)
    )


def _apart(policy: Policy, roster: Roster) -> tuple[Place, ...]:
    count = policy.value.n + policy.key.n
    return tuple(
        Place(x, safe.safe_id, x <= policy.value.n, x > policy.value.n)
        for x, safe in enumerate(roster.safes[:count], start=1)
    )


def _quorum(policy: Policy, n: int) -> int:
    k = max(policy.value.k, policy.key.k)
    quorum = policy.quorum if policy.quorum is not None else n - (n - k) // 2
    if not k <= quorum <= n or 2 * quorum <= n:
        raise PolicyUnfit(policy.name, f"a quorum of {quorum} is not between {k} and {n}, or no majority")
    return quorum
