"""What a policy comes to on a roster: who reads what, what may be lost, what is stored. Counted, not claimed.

A group of safes hands over all it stores. It reads a value once it has enough value shares, and the secret
that seals them: enough shares of that secret or of the key that wraps it, or, where the key comes from the
root, enough of the root, which is registered at the same safes under the default policy. A key that only the
wallet has is in no safe's store, so then no group reads anything.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from trust.roster import Roster
from wallet_client.pipeline.couple import divided_length
from wallet_client.policies.arrangement import Arrangement, arrange
from wallet_client.policies.coalition import Counts, able_alone, smallest_group
from wallet_client.policies.policy import Policy
from wallet_client.policies.presets import DEFAULT_POLICY, policy_named
from wallet_client.policies.stored_bytes import exact_bytes, rough_bytes

DEFAULT_SIZE_BYTES = 1_024


@dataclass(frozen=True, slots=True)
class Explanation:
    """What holds for one value of a certain size.

    Args:
        policy: The policy.
        size_bytes: What the value takes in the wallet.
        arrangement: For values of this size.
        safes: Names of the safes that keep anything of it; where the root does, all of the roster.
        read_alone: Those that read the value without any other.
        readers: A smallest group that reads it together; None where not even all of them do.
        part_readers: A smallest group that reads a part of it, where that is a smaller one: compact shares
            are parts of what was sealed, and open with the secret alone. Else None.
        readers_with_wallet: A smallest group that reads it together with what the wallet keeps, keys or
            shares; None where the wallet keeps neither, or where even that is not enough.
        may_be_lost: How many safes may be lost, whichever, while the wallet still gets the value back.
        stored_bytes: Blobs and key shares at all safes together, exactly.
        rough_bytes: The same with manifest, leaf, certificates and what the database adds, on the high side.
    """

    policy: Policy
    size_bytes: int
    arrangement: Arrangement
    safes: tuple[str, ...]
    read_alone: tuple[str, ...]
    readers: tuple[str, ...] | None
    part_readers: tuple[str, ...] | None
    readers_with_wallet: tuple[str, ...] | None
    may_be_lost: int
    stored_bytes: int
    rough_bytes: int


def explain(policy: Policy, roster: Roster, size: int = DEFAULT_SIZE_BYTES) -> Explanation:
    """Count it.

    Args:
        policy: Which.
        roster: Where.
        size: Bytes that the value takes in the wallet, its fields included.

    Raises:
        PolicyUnfit: The roster cannot carry the policy.
    """
    arrangement = arrange(policy, roster, divided_length(policy, [size]))
    root = _root_arrangement(policy, roster)
    shares = _shares(arrangement, root, roster)
    whole = _needed(arrangement, root)
    may_be_lost = arrangement.may_still_be_lost(set(arrangement.safes))
    if root is not None:
        may_be_lost = min(may_be_lost, root.may_still_be_lost(set(root.safes)))
    readers = _group(policy, shares, whole)
    return Explanation(
        policy=policy,
        size_bytes=size,
        arrangement=arrangement,
        safes=tuple(shares),
        read_alone=able_alone(shares, whole) if _is_at_safes(policy) else (),
        readers=readers,
        part_readers=_part_readers(policy, arrangement, shares, whole, readers),
        readers_with_wallet=_readers_with_wallet(arrangement, shares),
        may_be_lost=may_be_lost,
        stored_bytes=exact_bytes(arrangement, size),
        rough_bytes=rough_bytes(arrangement, size),
    )


def _root_arrangement(policy: Policy, roster: Roster) -> Arrangement | None:
    """Where the root is, if the key comes from it."""
    return arrange(policy_named(DEFAULT_POLICY, roster), roster, 0) if policy.key.mode == "root" else None


def _is_at_safes(policy: Policy) -> bool:
    """Whether what opens the value is at safes at all."""
    return policy.key.mode != "kept"


def _shares(arrangement: Arrangement, root: Arrangement | None, roster: Roster) -> dict[str, Counts]:
    """By safe: its shares of the value, of its key, of the root and of the root's key."""
    counted = (*_counted(arrangement), *(_counted(root) if root else (Counter(), Counter())))
    by_name = {safe.name: tuple(counter[safe.safe_id] for counter in counted) for safe in roster.safes}
    return {name: counts for name, counts in by_name.items() if any(counts)}


def _counted(arrangement: Arrangement) -> tuple[Counter[bytes], Counter[bytes]]:
    values = Counter[bytes](place.safe_id for place in arrangement.placement if place.value)
    return values, Counter[bytes](place.safe_id for place in arrangement.placement if place.key)


def _needed(arrangement: Arrangement, root: Arrangement | None) -> Counts:
    value, key = arrangement.terms.value.k, arrangement.terms.key.k
    return (value, key, root.terms.value.k, root.terms.key.k) if root else (value, key, 0, 0)


def _group(policy: Policy, shares: Mapping[str, Counts], needed: Counts) -> tuple[str, ...] | None:
    return smallest_group(shares, needed) if _is_at_safes(policy) else None


def _part_readers(
    policy: Policy,
    arrangement: Arrangement,
    shares: Mapping[str, Counts],
    whole: Counts,
    readers: tuple[str, ...] | None,
) -> tuple[str, ...] | None:
    if arrangement.terms.value.scheme != "compact":
        return None
    group = _group(policy, shares, (1, *whole[1:]))
    return group if group is not None and (readers is None or len(group) < len(readers)) else None


def _readers_with_wallet(arrangement: Arrangement, shares: Mapping[str, Counts]) -> tuple[str, ...] | None:
    terms = arrangement.terms
    if not (terms.key.is_wallets or arrangement.kept_values or arrangement.kept_keys):
        return None
    key = 0 if terms.key.is_wallets else terms.key.k - len(arrangement.kept_keys)
    return smallest_group(shares, (terms.value.k - len(arrangement.kept_values), key, 0, 0))
