"""What stands on either side of a comparison: a literal, a field, a share of a field, a day moved by spans.

Each gives its value for a case, or None where a field it needs is absent.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from typing import Final, cast

from wallet_client.conditions.spans import Span, after
from wallet_client.conditions.subject import Case
from wallet_client.conditions.vocabulary import FIELDS, OTHER_WORDS, Scalar

_BARE: Final = re.compile(r"[^\s\"(),<>=]+")
_TEXT_SHOWN_MOST: Final = 40
_EXACT: Final = Context(prec=64)
"""A percentage of 28 digits times an amount of 28 digits loses none."""


@dataclass(frozen=True, slots=True)
class Literal:
    """What is written out in the condition itself."""

    value: Scalar

    def read(self, case: Case) -> Scalar | None:
        """The same for every case."""
        return self.value


@dataclass(frozen=True, slots=True)
class Reading:
    """A field, by its word."""

    word: str

    def read(self, case: Case) -> Scalar | None:
        """The value's, or the wallet's."""
        return FIELDS[self.word].read(case)


@dataclass(frozen=True, slots=True)
class Today:
    """The day on which the wallet is asked."""

    def read(self, case: Case) -> Scalar | None:
        """Never absent."""
        return case.state.today


@dataclass(frozen=True, slots=True)
class Share:
    """A percentage of a field of numbers or bytes."""

    percent: Decimal
    word: str

    def read(self, case: Case) -> Scalar | None:
        """Exact, with all its digits."""
        whole = FIELDS[self.word].read(case)
        if whole is None:
            return None
        share = _EXACT.multiply(self.percent, cast("Decimal | int", whole))
        return share.scaleb(-2, _EXACT).normalize(_EXACT)


@dataclass(frozen=True, slots=True)
class Moved:
    """A day, moved by spans in their order."""

    start: "Operand"
    spans: tuple[Span, ...]

    def read(self, case: Case) -> Scalar | None:
        """By the calendar."""
        day = cast("date | None", self.start.read(case))
        for span in self.spans if day is not None else ():
            day = after(cast("date", day), span)
        return day


Operand = Literal | Reading | Today | Share | Moved


def field_of(operand: Operand) -> str:
    """The word of the field that an operand reads; "" where it reads none."""
    if isinstance(operand, Moved):
        return field_of(operand.start)
    return operand.word if isinstance(operand, Reading | Share) else ""


def told(value: Scalar, *, bytes_meant: bool = False) -> str:
    """A value as a condition would have it; long texts are cut.

    Args:
        bytes_meant: It counts bytes.
    """
    if isinstance(value, str):
        return _told_text(value)
    if isinstance(value, date):
        return value.isoformat()
    digits = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return f"{digits} bytes" if bytes_meant else digits


def _told_text(text: str) -> str:
    cut = text if len(text) <= _TEXT_SHOWN_MOST else text[: _TEXT_SHOWN_MOST - 1] + "…"
    if _BARE.fullmatch(cut) and cut.lower() not in {*FIELDS, *OTHER_WORDS}:
        return cut
    escaped = cut.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
