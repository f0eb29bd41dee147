"""From the text of a condition to its clauses. Loads lark: imported only when a condition is read."""

import re
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Final, NoReturn, cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from wallet_client.conditions.clauses import (
    Clause,
    Compares,
    Every,
    HeldFor,
    Listed,
    Opposite,
    Present,
    Some,
    Usable,
)
from wallet_client.conditions.errors import refused_at
from wallet_client.conditions.grammar import GRAMMAR, SHOWN, SIZE_UNITS
from wallet_client.conditions.layout import one_line
from wallet_client.conditions.operands import Literal, Moved, Operand, Reading, Share, Today
from wallet_client.conditions.spans import COUNT_MAX_DIGITS, UNITS, Span
from wallet_client.conditions.vocabulary import FIELDS, OTHER_WORDS, TODAY, same_form

NUMBER_MAX_DIGITS: Final = 28

_END: Final = "$END"
_NUMBER_AND_UNIT: Final = re.compile(r"([0-9.]+)\s*([a-z]*)", re.IGNORECASE)
_ESCAPED: Final = re.compile(r"\\(.)")
_WORD_OR_SIGN: Final = re.compile(r"[\w-]+|.")
_NOT_QUOTED: Final = 'the quoted text does not end on its line, or has a backslash before other than " or \\'
_SHOWN_MOST: Final = 40


def read_clauses(text: str) -> Clause:
    """The clauses of a condition.

    Recurses as deep as parentheses are nested: whoever calls bounds that.

    Raises:
        ConditionInvalid: It is no sentence of the language, or names an impossible day or number.
    """
    parser = _parser().parse_interactive(text)
    try:
        parser.exhaust_lexer()
        tree = parser.feed_token(Token(_END, ""))
    except UnexpectedInput as error:
        _refuse(text, parser, error)
    return _Reader(text).clause(cast("_Tree", tree).children[0])


_Tree = Tree[Token]
_Node = Token | _Tree


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", propagate_positions=True)


def _refuse(text: str, parser: InteractiveParser, error: UnexpectedInput) -> NoReturn:
    accepted = parser.accepts()  # type: ignore[no-untyped-call]  # lark leaves this one untyped
    allowed = tuple(words for name, words in SHOWN.items() if name in accepted)
    if isinstance(error, UnexpectedToken) and error.token.type == _END:
        raise refused_at(text, len(text), "it is not complete", allowed) from None
    at = cast("int", error.pos_in_stream)
    found = error.token if isinstance(error, UnexpectedToken) else _WORD_OR_SIGN.findall(text, at)[0]
    if found == '"':
        raise refused_at(text, at, _NOT_QUOTED) from None
    reason = f"`{_cut(found)}` does not fit there"
    if "WORD" in accepted and found.lower() in {*FIELDS, *OTHER_WORDS}:
        reason = f"`{found}` is a word of the language, so it needs quotes there"
    raise refused_at(text, at, reason, allowed) from None


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_MOST else text[: _SHOWN_MOST - 1] + "…"


class _Reader:
    """Makes clauses of the parser's tree, whose names are those of the grammar's rules."""

    def __init__(self, text: str) -> None:
        self._text = text

    def clause(self, tree: _Node) -> Clause:
        match tree:
            case Tree("either", parts):
                return Some(tuple(map(self.clause, parts)))
            case Tree("both", parts):
                return Every(tuple(map(self.clause, parts)))
            case Tree("opposite", [part]):
                return Opposite(self.clause(part))
        return self._statement(cast("_Tree", tree))

    def _statement(self, tree: _Tree) -> Clause:
        source = self._source(tree)
        match tree:
            case Tree("compares" | "compares_bytes", [left, relation, right]):
                sides = self._operand(left), _plain(relation), self._operand(right)
                return Compares(source, *sides, in_bytes=tree.data == "compares_bytes")
            case Tree("listed", [left, relation, *among]):
                items = tuple(map(self._operand, among))
                return Listed(source, self._operand(left), items, wanted=_plain(relation) == "in")
            case Tree("held_for", [_, relation, span]):
                return HeldFor(source, _plain(relation), self._span(span))
            case Tree("usable", [span]):
                return Usable(source, self._span(span))
        return Present(source, _plain(tree.children[0]), wanted=tree.data == "present")

    def _operand(self, tree: _Node) -> Operand:
        match tree:
            case Tree("word", [word]):
                return Literal(same_form(str(word)))
            case Tree("quoted", [quoted]):
                return Literal(same_form(_ESCAPED.sub(r"\1", str(quoted)[1:-1])))
            case Tree("number", [number]):
                return Literal(self._number(number))
            case Tree("size", [size]):
                return Literal(self._size(size))
            case Tree("share", [percent, word]):
                return Share(self._number(percent), _plain(word))
            case Tree("moved", [start, *steps]):
                return self._day(start, steps)
        return Reading(_plain(cast("_Tree", tree).children[0]))

    def _day(self, start: _Node, steps: list[_Node]) -> Operand:
        day = self._start(cast("Token", start))
        signs, spans = steps[::2], map(self._span, steps[1::2])
        moves = tuple(
            Span(-span.count if sign == "-" else span.count, span.unit)
            for sign, span in zip(signs, spans, strict=True)
        )
        return Moved(day, moves) if moves else day

    def _start(self, token: Token) -> Operand:
        if token.type == "DATE":
            try:
                return Literal(date.fromisoformat(token))
            except ValueError:
                self._refuse(token, f"there is no day {token}")
        return Today() if _plain(token) == TODAY else Reading(_plain(token))

    def _span(self, node: _Node) -> Span:
        token = cast("Token", node)
        number, word = _number_and_unit(token)
        if len(number) > COUNT_MAX_DIGITS:
            self._refuse(token, f"a span has at most {COUNT_MAX_DIGITS} digits")
        return Span(int(number), next(unit for unit in UNITS if word.startswith(unit)))

    def _size(self, node: _Node) -> Decimal | int:
        count = self._number(node) * SIZE_UNITS[_number_and_unit(cast("Token", node))[1]]
        if count != count.to_integral_value():
            self._refuse(node, "that is no whole number of bytes")
        return int(count)

    def _number(self, node: _Node) -> Decimal:
        number, _ = _number_and_unit(cast("Token", node))
        if len(number.replace(".", "")) > NUMBER_MAX_DIGITS:
            self._refuse(node, f"a number has at most {NUMBER_MAX_DIGITS} digits")
        return Decimal(number)

    def _source(self, tree: _Tree) -> str:
        start, end = tree.meta.start_pos, tree.meta.end_pos
        return one_line(self._text[start:end])

    def _refuse(self, node: _Node, reason: str) -> NoReturn:
        raise refused_at(self._text, cast("Token", node).start_pos or 0, reason) from None


def _plain(node: _Node) -> str:
    """A word or relation of the language in its one spelling."""
    return " ".join(str(node).lower().split())


def _number_and_unit(token: Token) -> tuple[str, str]:
    match = cast("re.Match[str]", _NUMBER_AND_UNIT.match(token))
    return match[1], match[2].lower()
