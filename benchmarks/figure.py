"""One measured figure beside its ceiling and its target, and how it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_HEAD = ("work", "figure", "bare", "ratio", "target", "met")


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured.

    Args:
        name: The work.
        value: The figure.
        unit: Its unit, such as "ms p50" or "MB/s".
        ceiling: What the bare parts did in the same run, in the same unit; None where there is nothing to
            compare with.
        bare: What the ceiling is.
        target: What is to be reached, in words.
        met: Whether it is; None where the work has no target of its own.
    """

    name: str
    value: float
    unit: str
    ceiling: float | None
    bare: str
    target: str
    met: bool | None

    @property
    def ratio(self) -> float | None:
        """The figure over its ceiling: above 1 is slower or larger for times and sizes, faster for rates."""
        return self.value / self.ceiling if self.ceiling else None

    def to_dict(self) -> dict[str, Any]:
        """For --json."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return fields | {"ratio": self.ratio}


def at_most(
    name: str, value: float, unit: str, limit: float, ceiling: tuple[str, float] | None = None
) -> Figure:
    """A figure that is to stay below a fixed limit."""
    bare, measured = ceiling or ("", None)
    return Figure(name, value, unit, measured, bare, f"at most {limit:g} {unit}", value <= limit)


def at_least(
    name: str, value: float, unit: str, limit: float, ceiling: tuple[str, float] | None = None
) -> Figure:
    """A figure that is to reach a fixed limit."""
    bare, measured = ceiling or ("", None)
    return Figure(name, value, unit, measured, bare, f"at least {limit:g} {unit}", value >= limit)


def at_most_times(name: str, value: float, unit: str, times: float, bare: str, ceiling: float) -> Figure:
    """A figure that is to stay within a multiple of its ceiling."""
    return Figure(name, value, unit, ceiling, bare, f"at most {times:g} x bare", value <= times * ceiling)


def table(figures: Sequence[Figure]) -> str:
    """Aligned columns."""
    rows = [_HEAD, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def markdown(figures: Sequence[Figure]) -> str:
    """The same as a table for docs/PERFORMANCE.md."""
    rows = [_HEAD, tuple("---" for _ in _HEAD), *(_row(figure) for figure in figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(figure: Figure) -> tuple[str, ...]:
    ceiling = "" if figure.ceiling is None else f"{_rounded(figure.ceiling)} ({figure.bare})"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    word = {True: "yes", False: "NO", None: ""}[figure.met]
    return figure.name, f"{_rounded(figure.value)} {figure.unit}", ceiling, ratio, figure.target, word


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
