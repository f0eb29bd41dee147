"""All pairs: few combinations of fields in which every two choices that can stand together do so once."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product

Choice = dict[str, str]


def all_pairs(fields: Mapping[str, Sequence[str]], fits: Callable[[Choice], bool]) -> list[Choice]:
    """Greedy: again and again the combination with most pairs that were not covered yet.

    Args:
        fields: The choices for every field.
        fits: Whether a combination can be; pairs that stand in no such combination are left out.
    """
    candidates = [dict(zip(fields, chosen, strict=True)) for chosen in product(*fields.values())]
    candidates = [one for one in candidates if fits(one)]
    numbers: dict[tuple[tuple[str, str], ...], int] = {}
    masks = [_mask(one, numbers) for one in candidates]
    left = (1 << len(numbers)) - 1
    chosen = []
    while left:
        best = max(range(len(masks)), key=lambda index: (masks[index] & left).bit_count())
        chosen.append(candidates[best])
        left &= ~masks[best]
    return chosen


def _mask(one: Choice, numbers: dict[tuple[tuple[str, str], ...], int]) -> int:
    """One bit for each of its pairs."""
    mask = 0
    for pair in combinations(one.items(), 2):
        mask |= 1 << numbers.setdefault(pair, len(numbers))
    return mask
