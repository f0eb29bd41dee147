"""The smallest group of safes that has enough shares of everything at once.

Safes are taken one by one; of all groups that reach the same counts the smallest is remembered, and counts
stop at what is needed. Exact, and quick where safes keep the same, as they nearly always do.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

Counts: TypeAlias = tuple[int, ...]
"""How many shares of each kind."""


def smallest_group(shares: Mapping[str, Counts], needed: Counts) -> tuple[str, ...] | None:
    """The names of a smallest group; None where all safes together have too few.

    Args:
        shares: What each safe has, by its name; several shares at one safe count that safe once.
        needed: How many of each kind bring something back; 0 or less for a kind that is not needed.
    """
    goal = tuple(max(count, 0) for count in needed)
    groups: dict[Counts, tuple[str, ...]] = {(0,) * len(goal): ()}
    for name, has in shares.items():
        for counts, group in list(groups.items()):
            reached = tuple(min(a + b, most) for a, b, most in zip(counts, has, goal, strict=True))
            known = groups.get(reached)
            if known is None or len(known) > len(group) + 1:
                groups[reached] = (*group, name)
    return groups.get(goal)


def able_alone(shares: Mapping[str, Counts], needed: Counts) -> tuple[str, ...]:
    """The safes that have enough by themselves."""
    return tuple(name for name, has in shares.items() if _covers(has, needed))


def _covers(has: Iterable[int], needed: Sequence[int]) -> bool:
    return all(a >= b for a, b in zip(has, needed, strict=True))
