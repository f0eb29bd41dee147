"""The clauses of a condition, and how each is decided.

`Every`, `Some` and `Opposite` join others. What is left are statements, each true or false of a case. A
decision carries the statements that settled it, so that a person can be told why: one false part
settles an `and`, one true part an `or`; otherwise all parts together do.

A comparison with an absent field is false, whatever the relation; see docs/CONDITIONS.md.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple, Protocol

from wallet_client.conditions.operands import Operand, field_of, told
from wallet_client.conditions.spans import Span, after
from wallet_client.conditions.subject import Case
from wallet_client.conditions.vocabulary import FIELDS, Scalar


def _contains(text: str, part: str) -> bool:
    return part.casefold() in text.casefold()


# What two scalars of one kind answer; the grammar sees to it that they are of one kind.
RELATIONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "is": operator.eq,
    "=": operator.eq,
    "is not": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "contains": _contains,
}
_EQUAL: Final = frozenset({"is", "="})


class Statement(Protocol):
    """What is true or false of a case by itself."""

    @property
    def source(self) -> str:
        """As it stands in the condition."""
        ...

    def holds(self, case: Case) -> bool:
        """Whether it is true."""
        ...

    def figures(self, case: Case) -> str:
        """What the case's own figures make of it; "" where it is true and they would repeat the source."""
        ...


class Decision(NamedTuple):
    """How a clause came out, and the statements that settled it."""

    holds: bool
    by: tuple[Statement, ...]


class Clause(Protocol):
    """Whatever can be decided."""

    def decide(self, case: Case) -> Decision:
        """Decide it for a case."""
        ...


class _Decided:
    """A statement is settled by itself."""

    __slots__ = ()

    def decide(self: Statement, case: Case) -> Decision:
        return Decision(self.holds(case), (self,))


@dataclass(frozen=True, slots=True)
class Compares(_Decided):
    """Two operands in a relation."""

    source: str
    left: Operand
    relation: str
    right: Operand
    in_bytes: bool = False

    def holds(self, case: Case) -> bool:
        """False where either is absent."""
        left, right = self.left.read(case), self.right.read(case)
        return left is not None and right is not None and RELATIONS[self.relation](left, right)

    def figures(self, case: Case) -> str:
        """Both sides as they are."""
        left, right = self.left.read(case), self.right.read(case)
        if left is None or right is None:
            return f"{field_of(self.left if left is None else self.right)} is absent"
        if left == right and self.relation in _EQUAL:
            return ""
        one, other = (told(side, bytes_meant=self.in_bytes) for side in (left, right))
        return _judged(f"{one} {self.relation} {other}", self.holds(case))


@dataclass(frozen=True, slots=True)
class Listed(_Decided):
    """One operand among several; or, where it is not wanted there, among none of them."""

    source: str
    left: Operand
    among: tuple[Operand, ...]
    wanted: bool = True

    def holds(self, case: Case) -> bool:
        """False where the operand is absent; absent ones in the list are passed over."""
        left = self.left.read(case)
        return left is not None and (left in [one.read(case) for one in self.among]) is self.wanted

    def figures(self, case: Case) -> str:
        """The operand as it is."""
        left = self.left.read(case)
        if left is None:
            return f"{field_of(self.left)} is absent"
        return _judged(f"{told(left)} {'in' if self.wanted else 'not in'} (…)", self.holds(case))


@dataclass(frozen=True, slots=True)
class Present(_Decided):
    """A field that is there; or, where it is not wanted, one that is absent."""

    source: str
    word: str
    wanted: bool = True

    def holds(self, case: Case) -> bool:
        """Whether it is as wanted."""
        return (FIELDS[self.word].read(case) is not None) is self.wanted

    def figures(self, case: Case) -> str:
        """What is there, when somebody should know."""
        value = FIELDS[self.word].read(case)
        if self.holds(case):
            return ""
        return f"{self.word} is absent" if value is None else self._is(value)

    def _is(self, value: Scalar) -> str:
        if FIELDS[self.word].kind == "span":
            return f"held since {told(value)}"
        return f"{self.word} is {told(value, bytes_meant=FIELDS[self.word].kind == 'bytes')}"


@dataclass(frozen=True, slots=True)
class HeldFor(_Decided):
    """How long the wallet has had the value, against a span.

    By the calendar: held for more than a month is held since before the day a month ago.
    """

    source: str
    relation: str
    span: Span

    def holds(self, case: Case) -> bool:
        """False where it is not known since when."""
        since = case.held_since
        return since is not None and RELATIONS[self.relation](case.state.today, after(since, self.span))

    def figures(self, case: Case) -> str:
        """The days it was held."""
        if case.held_since is None:
            return "held-since is absent"
        days = Span((case.state.today - case.held_since).days, "day")
        return _judged(f"{days} {self.relation} {self.span}", self.holds(case))


@dataclass(frozen=True, slots=True)
class Usable(_Decided):
    """Whether some day of the value's validity lies between today and a span later, both included.

    A validity without a first or last day is open there; a value without either is usable on every day.

    Source: PCT/JP00/05439, figure 20(b) ("no available date within a month").
    """

    source: str
    span: Span

    def holds(self, case: Case) -> bool:
        """Never false for want of a field: an absent one only opens the period."""
        first, last = case.subject.fields.valid_from, case.subject.fields.valid_until
        today = case.state.today
        return (last is None or last >= today) and (first is None or first <= after(today, self.span))

    def figures(self, case: Case) -> str:
        """Both periods."""
        fields, today = case.subject.fields, case.state.today
        asked = _period(today, after(today, self.span))
        meets = "meets" if self.holds(case) else "misses"
        return f"{_period(fields.valid_from, fields.valid_until)} {meets} {asked}"


def _period(first: date | None, last: date | None) -> str:
    if first is None and last is None:
        return "every day"
    return f"{first or '…'} to {last or '…'}"


@dataclass(frozen=True, slots=True)
class Opposite:
    """True where its part is false."""

    part: Clause

    def decide(self, case: Case) -> Decision:
        """By the same statements."""
        holds, by = self.part.decide(case)
        return Decision(not holds, by)


@dataclass(frozen=True, slots=True)
class Every:
    """True where all its parts are."""

    parts: tuple[Clause, ...]

    def decide(self, case: Case) -> Decision:
        """By the first part that is false, else by all."""
        return _settled(self.parts, case, unless=False)


@dataclass(frozen=True, slots=True)
class Some:
    """True where one of its parts is."""

    parts: tuple[Clause, ...]

    def decide(self, case: Case) -> Decision:
        """By the first part that is true, else by all."""
        return _settled(self.parts, case, unless=True)


def _settled(parts: tuple[Clause, ...], case: Case, *, unless: bool) -> Decision:
    by: list[Statement] = []
    for part in parts:
        decision = part.decide(case)
        if decision.holds is unless:
            return decision
        by += decision.by
    return Decision(not unless, tuple(by))


def because(decision: Decision, case: Case) -> str:
    """The statements that settled it, each with the case's figures, which tell whether it is true."""
    return " and ".join(_told(statement, case) for statement in decision.by)


def _told(statement: Statement, case: Case) -> str:
    figures = statement.figures(case)
    return f"{statement.source} ({figures})" if figures else statement.source


def _judged(figures: str, holds: bool) -> str:
    return figures if holds else f"{figures} is false"
