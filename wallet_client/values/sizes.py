"""Sizes as people write them, and back."""

import re
from decimal import Decimal
from typing import Final

_SIZE: Final = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,3}))? ?(b|kib|mib|gib)?", re.IGNORECASE)
_FACTORS: Final = {"gib": 1 << 30, "mib": 1 << 20, "kib": 1 << 10, "b": 1}
_NAMES: Final = {"gib": "GiB", "mib": "MiB", "kib": "KiB", "b": "B"}

EXAMPLES: Final = "65536, 64 KiB, 1.5 MiB or 2GiB"


def read_size(text: str) -> int | None:
    """Whole bytes of a text such as `64 KiB`; None where it is no size, or no whole number of bytes."""
    match = _SIZE.fullmatch(text)
    if match is None:
        return None
    number = Decimal(f"{match[1]}.{match[2] or 0}") * _FACTORS[(match[3] or "b").lower()]
    return int(number) if number == number.to_integral_value() else None


def write_size(count: int) -> str:
    """The same size in the largest unit of which it is a whole number: what `read_size` reads back."""
    unit = next(unit for unit, factor in _FACTORS.items() if count % factor == 0) if count else "b"
    return f"{count // _FACTORS[unit]} {_NAMES[unit]}"
