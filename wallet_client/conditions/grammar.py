r"""The grammar of conditions, for lark's LALR(1) parser with its contextual lexer.

Every kind of field has a terminal of its own, and so has a literal of each kind. A comparison of a class
with a number, or of a size with a word, is therefore no sentence of the language, and the parser knows
what would have been.

A word ends where no letter, digit or hyphened letter follows: `order` is no `or`, while `today-7 days`
begins with `today`. Relations of two words are one terminal, because `is` may begin four of them.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from wallet_client.conditions.spans import UNITS
from wallet_client.conditions.vocabulary import FIELDS, OTHER_WORDS, TODAY, Kind, words_of

SIZE_UNITS: Final[Mapping[str, int]] = {"byte": 1, "bytes": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}

_RULES: Final = """
start: either
?either: both (_OR both)*
?both: inverse (_AND inverse)*
?inverse: clause | _NOT clause -> opposite
?clause: _LEFT either _RIGHT
    | text_field (SAME | CONTAINS) phrase -> compares
    | number_field (SAME | ORDER) number -> compares
    | bytes_field (SAME | ORDER) bytes -> compares_bytes
    | day (SAME | ORDER) day -> compares
    | text_field (IN | NOT_IN) _LEFT phrase (_COMMA phrase)* _RIGHT -> listed
    | number_field (IN | NOT_IN) _LEFT number (_COMMA number)* _RIGHT -> listed
    | day (IN | NOT_IN) _LEFT day (_COMMA day)* _RIGHT -> listed
    | SPAN_FIELD (SAME | ORDER) SPAN -> held_for
    | _USABLE _WITHIN SPAN -> usable
    | _HAS _any_field -> present
    | _any_field _IS_NOT_ABSENT -> present
    | _any_field _IS_ABSENT -> absent
_any_field: TEXT_FIELD | NUMBER_FIELD | BYTES_FIELD | DAY_FIELD | SPAN_FIELD
text_field: TEXT_FIELD -> field
number_field: NUMBER_FIELD -> field
bytes_field: BYTES_FIELD -> field
phrase: WORD -> word | QUOTED -> quoted
number: NUMBER -> number | PERCENT _OF NUMBER_FIELD -> share | NUMBER_FIELD -> field
bytes: SIZE -> size | PERCENT _OF BYTES_FIELD -> share | BYTES_FIELD -> field
day: _start_of_day (SIGN SPAN)* -> moved
_start_of_day: DATE | TODAY | DAY_FIELD
WHITE: /\\s+/
%ignore WHITE
"""

_END: Final = r"(?!\w|-[^\W\d])"
_NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?"
_TEXT: Final = r"[^\s\"(),<>=]"


def _either(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


def _words(*kinds: Kind) -> str:
    return f"(?:{_either(words_of(*kinds))}){_END}"


_TERMINALS: Final = {
    "_OR": f"or{_END}",
    "_AND": f"and{_END}",
    "_NOT": f"not{_END}",
    "_LEFT": r"\(",
    "_RIGHT": r"\)",
    "_COMMA": ",",
    "TEXT_FIELD": _words("text"),
    "NUMBER_FIELD": _words("number"),
    "BYTES_FIELD": _words("bytes"),
    "DAY_FIELD": _words("day"),
    "SPAN_FIELD": _words("span"),
    "TODAY": f"{TODAY}{_END}",
    "_IS_NOT_ABSENT.5": rf"is\s+not\s+absent{_END}",
    "_IS_ABSENT.5": rf"is\s+absent{_END}",
    "SAME.4": rf"=|(?:is\s+not|is){_END}",
    "ORDER": "<=|>=|<|>",
    "CONTAINS": f"contains{_END}",
    "IN": f"in{_END}",
    "NOT_IN": rf"not\s+in{_END}",
    "_HAS": f"has{_END}",
    "_USABLE": f"usable{_END}",
    "_WITHIN": f"within{_END}",
    "_OF": f"of{_END}",
    "SIGN": r"[+-]",
    "DATE.3": r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?!\w)",
    "SPAN.3": rf"[0-9]+\s*(?:{_either(UNITS)})s?{_END}",
    "SIZE.3": rf"{_NUMBER}\s*(?:{_either(SIZE_UNITS)}){_END}",
    "PERCENT.3": rf"{_NUMBER}\s*%",
    "NUMBER.2": rf"{_NUMBER}(?![\w.%])",
    "QUOTED": r'"(?:[^"\\\n]|\\["\\])*"',
    "WORD.-1": f"(?!(?:{_either((*FIELDS, *OTHER_WORDS))})(?!{_TEXT})){_TEXT}+",
}

GRAMMAR: Final = _RULES + "".join(f"{name}: /{pattern}/i\n" for name, pattern in _TERMINALS.items())
"""What lark reads. No pattern holds a slash, which would end it."""

_FIELDS_SHOWN: Final = {
    f"{kind.upper()}_FIELD": ", ".join(words_of(kind)) for kind in ("text", "number", "bytes", "day", "span")
}
SHOWN: Final[Mapping[str, str]] = {
    **_FIELDS_SHOWN,
    "TODAY": TODAY,
    "_HAS": "has",
    "_USABLE": "usable within",
    "_NOT": "not",
    "_LEFT": "(",
    "SAME": "is, is not, =",
    "ORDER": "<, <=, >, >=",
    "CONTAINS": "contains",
    "IN": "in",
    "NOT_IN": "not in",
    "_IS_ABSENT": "is absent",
    "_IS_NOT_ABSENT": "is not absent",
    "_WITHIN": "within",
    "WORD": "a word",
    "QUOTED": 'a text in "quotes"',
    "NUMBER": "a number such as 1600",
    "SIZE": "a size such as 64 KiB",
    "PERCENT": "a percentage such as 20% of capacity",
    "DATE": "a day such as 2026-12-31",
    "SPAN": "a span such as 7 days or 1 month",
    "SIGN": "+ or - and a span",
    "_OF": "of",
    "_COMMA": "a comma",
    "_RIGHT": ")",
    "_AND": "and",
    "_OR": "or",
    "$END": "the end",
}
"""Every terminal as people are told of it, in the order in which they are."""
