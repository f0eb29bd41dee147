"""A condition: read once, judged for any value on any day.

    condition = parse_condition("class is movie-ticket and valid-until < today + 7 days")
    verdict = condition.judge(Subject(value.fields, 1_234), WalletState(today))

There is no `eval`: the text becomes frozen clauses, and those are all that runs.
"""

import re
from dataclasses import dataclass, field
from typing import Final, NewType

from wallet_client.conditions.clauses import Clause, because
from wallet_client.conditions.errors import ConditionInvalid, ConditionNameRefused, refused_at
from wallet_client.conditions.subject import Case, Subject, WalletState

LENGTH_MAX_CHARACTERS: Final = 4_000
NESTING_MAX: Final = 50
NAME_MAX_CHARACTERS: Final = 64

ConditionText = NewType("ConditionText", str)
"""A text that `parse_condition` takes."""

ConditionName = NewType("ConditionName", str)
"""What a condition is called: 1 to 64 of a-z, 0-9 and -."""

_NAME: Final = re.compile(rf"[a-z0-9-]{{1,{NAME_MAX_CHARACTERS}}}")
_PARENTHESIS: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|[()]')


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a condition says of a value.

    Args:
        selected: Whether the condition selects it.
        clause: The smallest part that decided, as it stands in the condition, with the value's own
            figures: `valid-until < today + 7 days (2000-05-31 < 2000-03-22 is false)`. Where it took
            several statements, they are joined by `and`.
    """

    selected: bool
    clause: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that holds together; `parse_condition` makes one.

    Args:
        text: As it was written.
        root: Its clauses.
    """

    text: ConditionText = field(repr=False)
    root: Clause = field(repr=False)

    def judge(self, subject: Subject, state: WalletState) -> Verdict:
        """Whether it selects a value, and why."""
        case = Case(subject, state)
        decision = self.root.decide(case)
        return Verdict(decision.holds, because(decision, case))


def parse_condition(text: str) -> Condition:
    """Read a condition.

    Args:
        text: At most 4,000 characters, parentheses nested at most 50 deep; any text may be tried.

    Raises:
        ConditionInvalid: It is none; the error has the place and what is allowed there.
    """
    _check_bounds(text)
    from wallet_client.conditions.reading import read_clauses

    return Condition(ConditionText(text), read_clauses(text))


def condition_name(text: str) -> ConditionName:
    """A name for a condition.

    Raises:
        ConditionNameRefused: It is none.
    """
    if not _NAME.fullmatch(text):
        raise ConditionNameRefused(text)
    return ConditionName(text)


def _check_bounds(text: str) -> None:
    """Length first: nothing after it takes long, whatever the text."""
    if len(text) > LENGTH_MAX_CHARACTERS:
        reason = f"it has {len(text)} characters; at most {LENGTH_MAX_CHARACTERS} are read"
        raise ConditionInvalid(reason, 1, 1, text[:LENGTH_MAX_CHARACTERS].partition("\n")[0])
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise refused_at(text, error.start, "half of a surrogate pair is no character") from error
    _check_nesting(text)


def _check_nesting(text: str) -> None:
    depth = 0
    for match in _PARENTHESIS.finditer(text):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth > NESTING_MAX:
            raise refused_at(text, match.start(), f"parentheses are nested at most {NESTING_MAX} deep")
