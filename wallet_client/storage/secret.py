"""Secrets that do not print themselves."""

import hmac
from typing import Final, Self

SEED_BYTES: Final = 32


class Secret:
    """Bytes that nobody sees by accident: not in a log, a traceback's locals or a failed test.

    Args:
        content: Secret: the bytes.
    """

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        self._content = content

    def reveal(self) -> bytes:
        """The bytes themselves; the word marks every place that handles them."""
        return self._content

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, not shown>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and hmac.compare_digest(self._content, other._content)

    __hash__ = None  # type: ignore[assignment]  # a hash of a secret would be a trace of it

    def __reduce__(self) -> tuple[type[Self], tuple[bytes]]:
        raise TypeError("a secret is not copied into a file")
