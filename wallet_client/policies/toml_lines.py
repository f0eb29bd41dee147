"""Where in a TOML text a key stands: the parser keeps no lines, and people need them.

It understands [tables], `key =`, dotted and quoted keys, and passes over texts of several lines. Of an inline
table, or a key that is not there, it gives the line of what would contain it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

_KEY: Final = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_PATH: Final = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_TABLE: Final = re.compile(rf"\s*\[\s*({_PATH})\s*\]")
_ASSIGNED: Final = re.compile(rf"\s*({_PATH})\s*=")
_LONG_TEXT: Final = re.compile(r'"""|\'\'\'')
_SAID: Final = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")

_Path = tuple[str, ...]


def line_of(text: str, path: Sequence[str]) -> int:
    """The line, from 1, of the deepest part of `path` that stands in a valid TOML text; 1 for none."""
    stands: dict[_Path, int] = {}
    for number, found in _paths(text):
        for depth in range(1, len(found) + 1):
            stands.setdefault(found[:depth], number)
    parts = (tuple(path[:depth]) for depth in range(len(path), 0, -1))
    return next((stands[part] for part in parts if part in stands), 1)


def line_and_problem(message: str, text: str) -> tuple[int, str]:
    """What the standard library's parser says of a text that is no TOML, and of which line."""
    said = _SAID.search(message)
    if said is None:
        return 1, message
    line = int(said[1]) if said[1] else max(len(text.splitlines()), 1)
    return line, message[: said.start()]


def _paths(text: str) -> Iterator[tuple[int, _Path]]:
    """Every table and key with its line."""
    table: _Path = ()
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not inside:
            header, assigned = _TABLE.match(line), _ASSIGNED.match(line)
            if header is not None:
                table = _parts(header[1])
                yield number, table
            elif assigned is not None:
                yield number, table + _parts(assigned[1])
        for mark in _LONG_TEXT.findall(line):
            inside = "" if inside == mark else inside or mark


def _parts(path: str) -> _Path:
    return tuple(part.strip("\"'") for part in re.findall(_KEY, path))
