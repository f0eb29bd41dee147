"""What can be wrong with a condition."""

from dataclasses import dataclass
from typing import Final

from wallet_client.errors import WalletError
from wallet_client.values.shown import shown

_SHOWN_BEFORE: Final = 60
_SHOWN_AFTER: Final = 20
_WIDE: Final = "\u3000"
"""A space as wide as the letters of East Asia, so that the caret stands under what it means."""


@dataclass(eq=False)
class ConditionInvalid(WalletError):
    """A text that is no condition; nothing was kept.

    Args:
        reason: What is wrong, such as "`<` does not fit there".
        line: Where, from 1.
        column: Where in that line, in characters from 1; one past its end where something is missing.
        text: That line.
        allowed: What may stand there instead; empty where the place is not the trouble.
    """

    reason: str
    line: int
    column: int
    text: str
    allowed: tuple[str, ...] = ()
    hint = "Mend it there; `kura condition test --expression TEXT` tries a condition without keeping it."

    def __str__(self) -> str:
        """The reason, what is allowed, and the line with a caret under the place."""
        allowed = f"; allowed: {', '.join(self.allowed)}" if self.allowed else ""
        where = f"line {self.line}, column {self.column}"
        sentence = f"The condition is refused at {where}: {shown(self.reason)}{allowed}."
        before = self.text[: self.column - 1]
        cut = "…" if len(before) > _SHOWN_BEFORE else ""
        before = shown(cut + before[-_SHOWN_BEFORE:])
        after = self.text[self.column - 1 :]
        cut = "…" if len(after) > _SHOWN_AFTER else ""
        return f"{sentence}\n  {before}{shown(after[:_SHOWN_AFTER] + cut)}\n  {_blank(before)}^"


def refused_at(text: str, at: int, reason: str, allowed: tuple[str, ...] = ()) -> ConditionInvalid:
    """The refusal for a place in a text.

    Args:
        text: The whole condition.
        at: The place, in characters from 0; the text's length for its end.
        reason: As in ConditionInvalid.
        allowed: As in ConditionInvalid.
    """
    at = min(at, len(text.rstrip()))
    before, _, begun = text[:at].rpartition("\n")
    line = before.count("\n") + 2 if len(begun) < at else 1
    rest = text[at:].partition("\n")[0]
    return ConditionInvalid(reason, line, len(begun) + 1, begun + rest, allowed)


@dataclass(eq=False)
class ConditionNameRefused(WalletError):
    """A name that no condition can have.

    Args:
        name: What was asked for.
    """

    name: str
    sentence = "{name} is no name for a condition."
    hint = "A name is 1 to 64 of a-z, 0-9 and -, such as old-tickets."


def _blank(text: str) -> str:
    """As much empty room as the text takes."""
    if text.isascii():
        return " " * len(text)
    import unicodedata

    return "".join(
        "" if unicodedata.combining(one) else _WIDE if unicodedata.east_asian_width(one) in "WF" else " "
        for one in text
    )
