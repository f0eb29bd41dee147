"""How results and messages are printed.

Results go to standard output in one write: aligned columns of text, or with --json one document in
UTF-8. Messages and warnings go to standard error. Text that comes from outside is escaped here
(`cell`), in JSON by its own rules.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import click

from wallet_client.cli.session import Session
from wallet_client.errors import WalletError
from wallet_client.values.shown import shown

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(eq=False)
class ResultNotShown(WalletError):
    """Standard output takes nothing.

    Args:
        reason: Why.
    """

    reason: str
    sentence = "The result could not be written to standard output: {reason}."
    hint = "What the command does is done all the same; only its result was not shown."


_CELL_COLUMNS = 40
_UNITS = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


def emit(session: Session, document: object, text: Callable[[], str]) -> None:
    """Print a result.

    Args:
        session: Says in which form.
        document: What --json prints; numbers of type Decimal are written with all their digits.
        text: Makes what people read; called only for them.
    """
    if sys.stdout is None:
        raise ResultNotShown("it is closed")
    try:
        _put(_encoded(document) if session.json else text().rstrip("\n"))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ResultNotShown((error.strerror or str(error)).lower()) from error


def _encoded(document: object) -> bytes:
    import msgspec

    return msgspec.json.Encoder(decimal_format="number").encode(document)


def _put(result: str | bytes) -> None:
    """One write and a flush: whoever waits for the result reads it from a pipe."""
    if isinstance(result, bytes):
        sys.stdout.buffer.write(result + b"\n")
    elif result:
        sys.stdout.write(result + "\n")
    sys.stdout.flush()


def say(message: str) -> None:
    """A message beside the result."""
    click.echo(message, err=True)


def warn(message: str) -> None:
    """A warning beside the result."""
    click.echo(f"Warning: {message}", err=True)


def warn_of_safes(failed: "Mapping[str, Exception]") -> None:
    """Name every safe that failed although the command did what it should, and what to do about it."""
    if not failed:
        return
    from wallet_client.network.failures import explain

    for name, failure in sorted(failed.items()):
        warn(f"{name}: {explain(failure)}")


def columns(header: Sequence[str], rows: Iterable[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Lines in which columns stand under one another; `right` are aligned at their right."""
    by_column = list(zip(header, *rows, strict=True))
    padded = [_aligned(texts, at in right) for at, texts in enumerate(by_column)]
    return "\n".join("  ".join(line).rstrip() for line in zip(*padded, strict=True))


def fields(pairs: Iterable[tuple[str, str]]) -> str:
    """One line for each pair whose text is not empty: name, then text, aligned."""
    kept = [(name, text) for name, text in pairs if text]
    widest = max((len(name) for name, _ in kept), default=0)
    return "\n".join(f"{name:<{widest}}  {text}" for name, text in kept)


def cell(text: str) -> str:
    """Text from outside, escaped, and cut to the width of a column."""
    safe = shown(text)
    return safe if len(safe) <= _CELL_COLUMNS else safe[: _CELL_COLUMNS - 1] + "…"


def size(count: int) -> str:
    """Bytes in the unit in which they read well."""
    for unit, factor in _UNITS:
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


def period(first: date | None, last: date | None) -> str:
    """A validity."""
    if first is None and last is None:
        return ""
    if first == last:
        return str(first)
    return f"{first or ''} to {last or ''}".strip()


def fingerprint(content: bytes) -> str:
    """Hexadecimal in groups of four, to be compared by eye or read aloud."""
    digits = content.hex()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def moment(seconds: int) -> str:
    """A time in UTC."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def count_of(number: int, one: str, many: str | None = None) -> str:
    """`1 value`, `2 values`; `many` where it is not `one` with an s."""
    return f"{number} {one}" if number == 1 else f"{number} {many or one + 's'}"


def _aligned(texts: Sequence[str], right: bool) -> list[str]:
    """All texts of a column at the width of its widest."""
    if "".join(texts).isascii():
        width = max(map(len, texts))
        return [text.rjust(width) if right else text.ljust(width) for text in texts]
    widths = [_width(text) for text in texts]
    widest = max(widths)
    spaces = [" " * (widest - width) for width in widths]
    return [space + text if right else text + space for text, space in zip(texts, spaces, strict=True)]


def _width(text: str) -> int:
    """Columns that a text takes: East Asian wide letters take two, combining marks none."""
    import unicodedata

    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )
