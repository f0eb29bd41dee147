"""A second MessagePack writer, made from the format's specification alone and not from msgspec.

It pins what docs/FORMATS.md promises to other implementations, and writes what our encoder never
would: the same document in longer forms, with elements too many or of another type.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import msgspec

_SIZE_BITS = {1: 0, 2: 1, 4: 2, 8: 3}
"""How the length of a length, or of an integer, shows in the marker."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes that stand in the place of an element as they are."""

    content: bytes


Plain = Raw | None | bool | int | str | bytes | list["Plain"]


def plain(document: object) -> Plain:
    """A document as lists and scalars, in the order of its fields."""
    if isinstance(document, msgspec.Struct):
        return [plain(getattr(document, name)) for name in document.__struct_fields__]
    if isinstance(document, tuple):
        return [plain(element) for element in document]
    if isinstance(document, Decimal | date):
        return str(document)
    if document is None or isinstance(document, bool | int | str | bytes):
        return document
    raise TypeError(type(document))


def pack(value: Plain) -> bytes:
    """The shortest encoding, which is the canonical one."""
    return b"".join(forms[0] for forms in _tokens(value))


def longer_forms(value: Plain) -> Iterator[bytes]:
    """Every encoding of the same value in which exactly one element takes a longer form."""
    tokens = list(_tokens(value))
    for position, forms in enumerate(tokens):
        before = b"".join(other[0] for other in tokens[:position])
        behind = b"".join(other[0] for other in tokens[position + 1 :])
        for form in forms[1:]:
            yield before + form + behind


def replacements(value: Plain, others: list[Plain]) -> Iterator[Plain]:
    """Every value that differs from `value` in one place, at any depth, where one of `others` stands."""
    for other in others:
        if not isinstance(other, type(value)) or isinstance(other, bool) != isinstance(value, bool):
            yield other
    if isinstance(value, list):
        for position, element in enumerate(value):
            for replaced in replacements(element, others):
                yield [*value[:position], replaced, *value[position + 1 :]]


def _tokens(value: Plain) -> Iterator[list[bytes]]:
    """Each element's possible encodings, the shortest first; a list's header is an element of its own."""
    if isinstance(value, Raw):
        yield [value.content]
    elif value is None:
        yield [b"\xc0"]
    elif isinstance(value, bool):
        yield [b"\xc3" if value else b"\xc2"]
    elif isinstance(value, int):
        yield _integer(value)
    elif isinstance(value, bytes):
        yield [header + value for header in _headers(len(value), None, 0, (0xC4, 0xC5, 0xC6))]
    elif isinstance(value, str):
        text = value.encode()
        yield [header + text for header in _headers(len(text), 0xA0, 32, (0xD9, 0xDA, 0xDB))]
    else:
        yield _headers(len(value), 0x90, 16, (None, 0xDC, 0xDD))
        for element in value:
            yield from _tokens(element)


def _integer(value: int) -> list[bytes]:
    forms = [value.to_bytes(1, "big")] if 0 <= value < 128 else []
    if -32 <= value < 0:
        forms.append(value.to_bytes(1, "big", signed=True))
    for size, bits in _SIZE_BITS.items():
        if 0 <= value < 1 << 8 * size:
            forms.append(bytes([0xCC + bits]) + value.to_bytes(size, "big"))
    for size, bits in _SIZE_BITS.items():
        if -(1 << 8 * size - 1) <= value < 1 << 8 * size - 1:
            forms.append(bytes([0xD0 + bits]) + value.to_bytes(size, "big", signed=True))
    return forms


def _headers(
    length: int, fixed: int | None, fixed_limit: int, markers: tuple[int | None, ...]
) -> list[bytes]:
    forms = [bytes([fixed | length])] if fixed is not None and length < fixed_limit else []
    for size, marker in zip((1, 2, 4), markers, strict=True):
        if marker is not None and length < 1 << 8 * size:
            forms.append(bytes([marker]) + length.to_bytes(size, "big"))
    return forms
