"""The text of a condition on one line, for lists and verdicts."""

import re
from typing import Final

_QUOTED_OR_WHITE: Final = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')


def one_line(text: str) -> str:
    """The text with every gap between its words made one space; quoted text stays as it is."""
    return _QUOTED_OR_WHITE.sub(lambda match: match[1] or " ", text).strip()
