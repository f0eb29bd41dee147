"""Sets of helpers are tried in an order that finds honest ones soon, and the liar is named when one fits."""

from itertools import combinations

import pytest

from safe_node.decisions.helper_sets import MAX_SETS, helper_sets, suspects


def test_every_set_is_there_once_and_doubted_ones_come_last() -> None:
    """Four helpers, three needed, one doubted."""
    sets = helper_sets([1, 2, 4, 5], 3, {2})
    assert sorted(sets) == sorted(combinations((1, 2, 4, 5), 3))
    assert sets[0] == (1, 4, 5)


def test_too_few_helpers_make_no_set() -> None:
    """Nobody is asked in vain."""
    assert helper_sets([1, 2], 3) == []


def test_of_many_helpers_not_all_sets_are_tried() -> None:
    """A round ends."""
    assert len(helper_sets(list(range(1, 31)), 15)) == MAX_SETS


@pytest.mark.parametrize("liar", [1, 2, 4, 5])
def test_one_liar_is_always_found(liar: int) -> None:
    """Whoever it is, and only it is named."""
    failed: list[tuple[int, ...]] = []
    doubted: set[int] = set()
    for _ in range(4):
        chosen = next(one for one in helper_sets([1, 2, 4, 5], 3, doubted) if one not in failed)
        if liar not in chosen:
            assert suspects(failed, chosen) == ({liar} if failed else set())
            return
        failed.append(chosen)
        doubted |= set(chosen)
    pytest.fail("no honest set was tried")


def test_a_suspicion_is_no_proof_and_excludes_nobody() -> None:
    """3 lied in one set and not in the next: the honest 1 is suspected, asked last, and asked still."""
    suspected = suspects([(1, 2, 3)], (2, 3, 4))
    assert suspected == {1}
    order = helper_sets([1, 2, 3, 4], 3, suspected)
    assert order[0] == (2, 3, 4)
    assert sorted(order) == sorted(helper_sets([1, 2, 3, 4], 3))


def test_where_two_may_have_lied_nobody_is_named() -> None:
    """A sum does not show whose summand was wrong."""
    assert suspects([(1, 2, 3)], (3, 4, 5)) == frozenset()
