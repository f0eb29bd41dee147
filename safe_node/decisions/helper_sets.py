"""Which helpers are asked, in which order, and who is suspected when a result did not fit.

A sum does not show whose summand was wrong. So other sets of helpers are tried, those first with whom nothing
went wrong yet; once one set gives what fits, suspicion falls on who is left of a failed set when all others
of it were in the set that fitted. It is no proof, for who lies in one set may be honest in the next: a liar
in {1, 2, 3} that is honest in {2, 3, 4} has 1 suspected. So a suspicion changes who is asked first, and
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from itertools import combinations, islice

MAX_SETS = 64
"""Tried for one piece in one round: with one liar among n - 1 helpers far fewer are needed."""


def helper_sets(candidates: Sequence[int], k: int, doubted: Set[int] = frozenset()) -> list[tuple[int, ...]]:
    """Sets of k share indices, each rising, without doubted ones first; at most 64, none where too few help.

    Args:
        candidates: Who may help, by share index.
        k: How many are needed, from 1.
        doubted: Those with whom something went wrong.
    """
    order = sorted(candidates, key=lambda x: (x in doubted, x))
    return [tuple(sorted(chosen)) for chosen in islice(combinations(order, k), MAX_SETS)]


def suspects(failed: Iterable[Sequence[int]], fitted: Sequence[int]) -> frozenset[int]:
    """Who is alone in being in a set that failed and not in the one that fitted."""
    rest = (set(one) - set(fitted) for one in failed)
    return frozenset(next(iter(one)) for one in rest if len(one) == 1)
