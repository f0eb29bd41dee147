"""A policy applied to a roster: which safe keeps which share, and what that can bear.

    holders -> share indices -> placement, and what stays in the wallet

Value share i stands at index i. A key share stands with the first value share of its holder that has none
yet, so that one safe's part of one item is one piece wherever it can be; the others follow behind.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from threshold.dispersal import MAX_FRAGMENTS
from trust.ids import SafeId
from trust.manifest import Place
from trust.policy import Division, PolicyTerms
from trust.roster import Roster
from wallet_client.policies.errors import PolicyUnfit
from wallet_client.policies.policy import IN_WALLET, Holders, Policy

MAX_INDEX = 255
"""Share indices are one byte, and 0 is where the secret is."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A policy applied to a roster and a size: what the manifest will say, and what the wallet keeps.

    Args:
        terms: For the manifest.
        placement: What goes to safes.
        kept_values: Indices of the value shares that stay in the wallet.
        kept_keys: Indices of the key shares that stay in the wallet.
    """

    terms: PolicyTerms
    placement: tuple[Place, ...]
    kept_values: tuple[int, ...] = ()
    kept_keys: tuple[int, ...] = ()

    @property
    def safes(self) -> tuple[SafeId, ...]:
        """Every safe that keeps anything, once, in the placement's order."""
        return tuple(dict.fromkeys(place.safe_id for place in self.placement))

    def may_still_be_lost(self, holding: Set[SafeId]) -> int:
        """How many more of the `holding` safes may be lost, whichever, while this wallet gets the item back.

        -1: it does not.
        """
        places = [place for place in self.placement if place.safe_id in holding]
        values = Counter(place.safe_id for place in places if place.value)
        margin = _margin(values, len(self.kept_values), self.terms.value.k, len(holding))
        if not self.terms.key.is_shared:
            return margin
        keys = Counter(place.safe_id for place in places if place.key)
        return min(margin, _margin(keys, len(self.kept_keys), self.terms.key.k, len(holding)))

    def is_registered(self, holding: Set[SafeId]) -> bool:
        """Whether enough safes answered durably, and between them bring the item back."""
        return len(holding) >= self.terms.quorum and self.may_still_be_lost(holding) >= 0


def _margin(shares: Mapping[SafeId, int], kept: int, k: int, safes: int) -> int:
    """How many of the safes may go, those with most shares first, before fewer than k shares are left."""
    left = sum(shares.values()) + kept - k
    if left < 0:
        return -1
    for lost, count in enumerate(sorted(shares.values(), reverse=True)):
        left -= count
        if left < 0:
            return lost
    return safes


def arrange(policy: Policy, roster: Roster, sealed_length: int) -> Arrangement:
    """Apply a policy to the roster for items of this size.

    Raises:
        PolicyUnfit: The roster has too few safes or lacks one that is named, one safe could do alone what no
            safe shall without `accept-single-safe`, or the quorum rules of DESIGN 4 are not met.
    """
    value_at = _value_holders(policy, roster)
    key_at = _key_holders(policy, roster, value_at)
    arrangement = _placed(policy, roster, value_at, key_at, sealed_length)
    _check_single_safes(policy, arrangement)
    return arrangement


def _value_holders(policy: Policy, roster: Roster) -> Holders:
    if policy.value_at == "each-safe":
        return _first(policy, "value", [safe.name for safe in roster.safes], policy.value.n)
    return _named(policy, "value", policy.value_at, roster, policy.value)


def _key_holders(policy: Policy, roster: Roster, value_at: Holders) -> Holders:
    if not policy.key.is_shared:
        return ()
    names = [safe.name for safe in roster.safes]
    with_value = [name for name in dict.fromkeys(value_at) if name != IN_WALLET]
    match policy.key_at:
        case "each-safe":
            return _first(policy, "key", names, policy.key.n)
        case "with-value":
            return _first(policy, "key", with_value, policy.key.n, " that keep value shares")
        case "elsewhere":
            others = [name for name in names if name not in with_value]
            return _first(policy, "key", others, policy.key.n, " that keep no value share")
        case named:
            return _named(policy, "key", named, roster, Division("shamir", policy.key.k, policy.key.n))


def _first(policy: Policy, part: str, names: Sequence[str], needed: int, kind: str = "") -> Holders:
    if needed > len(names):
        problem = f"it needs {needed} safes{kind} and the roster has {len(names)}"
        raise PolicyUnfit(policy.name, problem, f"{part}.n")
    return tuple(names[:needed])


def _named(policy: Policy, part: str, holders: Holders, roster: Roster, division: Division) -> Holders:
    known = {safe.name for safe in roster.safes} | {IN_WALLET}
    for name in holders:
        if name not in known:
            raise PolicyUnfit(policy.name, f"the roster has no safe {name!r}", f"{part}.at")
    if not division.k <= len(holders) <= division.n:
        problem = f"{len(holders)} shares are kept, and {division.k} to {division.n} can be"
        raise PolicyUnfit(policy.name, problem, f"{part}.at")
    return holders


def _placed(
    policy: Policy, roster: Roster, value_at: Holders, key_at: Holders, sealed_length: int
) -> Arrangement:
    holder_at = dict(enumerate(value_at, start=1))
    key_xs = _key_indices(holder_at, key_at, first_free=policy.value.n + 1)
    if max(holder_at) > MAX_INDEX:
        raise PolicyUnfit(policy.name, f"its shares need indices above {MAX_INDEX}", "key.at")
    safe_ids = {safe.name: safe.safe_id for safe in roster.safes}
    placement = tuple(
        Place(x, safe_ids[name], x <= len(value_at), x in key_xs)
        for x, name in sorted(holder_at.items())
        if name != IN_WALLET
    )
    if not placement:
        raise PolicyUnfit(policy.name, "no safe keeps anything", "value.at")
    in_wallet = [x for x, name in sorted(holder_at.items()) if name == IN_WALLET]
    return Arrangement(
        _terms(policy, sealed_length, len({place.safe_id for place in placement})),
        placement,
        tuple(x for x in in_wallet if x <= len(value_at)),
        tuple(x for x in in_wallet if x in key_xs),
    )


def _key_indices(holder_at: dict[int, str], key_at: Holders, first_free: int) -> set[int]:
    """Where the key shares stand; those that stand alone are entered into `holder_at`."""
    taken: set[int] = set()
    for name in key_at:
        together = (x for x, holder in holder_at.items() if holder == name and x not in taken)
        x = next(together, None)
        if x is None:
            x = max(first_free, max(holder_at, default=0) + 1)
            holder_at[x] = name
        taken.add(x)
    return taken


def _terms(policy: Policy, sealed_length: int, safes: int) -> PolicyTerms:
    return PolicyTerms(
        name=policy.name,
        sealing=policy.sealing,
        value=_division(policy, sealed_length),
        key=policy.key,
        digest=policy.digest,
        quorum=_quorum(policy, safes),
        coupling=policy.coupling,
        order=policy.order,
        shown=policy.shown,
    )


def _division(policy: Policy, sealed_length: int) -> Division:
    if policy.compact_above is None or sealed_length <= policy.compact_above:
        return policy.value
    if policy.value.n > MAX_FRAGMENTS:
        return policy.value  # the erasure code ends there; Shamir goes on, at n times the bytes
    return Division("compact", policy.value.k, policy.value.n)


def _quorum(policy: Policy, n: int) -> int:
    k = min(max(policy.value.k, policy.key.k), n)
    quorum = policy.quorum if policy.quorum is not None else n - (n - k) // 2
    if not k <= quorum <= n or 2 * quorum <= n:
        problem = f"a quorum of {quorum} is not between {k} and {n}, or no majority"
        raise PolicyUnfit(policy.name, problem, "quorum")
    return quorum


def _check_single_safes(policy: Policy, arrangement: Arrangement) -> None:
    """Refuse what makes one safe enough, unless it was asked for in so many words."""
    if policy.accept_single_safe:
        return
    values = Counter(place.safe_id for place in arrangement.placement if place.value)
    keys = Counter(place.safe_id for place in arrangement.placement if place.key)
    if max((values | keys).values()) > 1:
        part = "value.at" if max(values.values(), default=0) > 1 else "key.at"
        raise PolicyUnfit(policy.name, "one safe keeps several shares, which needs accept-single-safe", part)
    k, key_k = policy.value.k, policy.key.k
    if policy.key.is_shared and any(values[one] >= k and keys[one] >= key_k for one in arrangement.safes):
        problem = "one safe keeps the key and the whole value, which needs accept-single-safe"
        raise PolicyUnfit(policy.name, problem, "key.at")
