"""One table of a policy file: typed access to its keys, and refusals that name the line."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wallet_client.policies.errors import PolicyFileInvalid
from wallet_client.policies.toml_lines import line_of

MOST = 255
"""The highest share index, and so the highest number that a policy says."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that was parsed.

    Args:
        file: What errors call the file.
        text: The whole file, for lines.
        path: The table's own; () for the top.
        content: What the parser made of it.
    """

    file: str
    text: str
    path: tuple[str, ...]
    content: Mapping[str, Any]

    def refused(self, key: str, problem: str, allowed: str = "") -> PolicyFileInvalid:
        """The error for a key of this table; a dotted one stands in a table below."""
        line = line_of(self.text, (*self.path, *key.split(".")))
        return PolicyFileInvalid(self.file, line, problem, allowed)

    def only(self, *known: str) -> None:
        """Refuse keys that mean nothing.

        Raises:
            PolicyFileInvalid: There is one.
        """
        for key in self.content:
            if key not in known:
                line = line_of(self.text, (*self.path, key))
                problem = f"{'.'.join((*self.path, key))!r} means nothing"
                raise PolicyFileInvalid(self.file, line, problem, ", ".join(known))

    def none_of(self, keys: Collection[str], problem: str) -> None:
        """Refuse keys that mean nothing beside what else is said.

        Raises:
            PolicyFileInvalid: One of them is there.
        """
        for key in self.content:
            if key in keys:
                raise self.refused(key, problem, f"no {key}")

    def table(self, key: str) -> "Table":
        """A table below; empty where there is none.

        Raises:
            PolicyFileInvalid: Something else stands there.
        """
        content = self.content.get(key, {})
        if not isinstance(content, dict):
            raise self.refused(key, f"{key} must be a table", f"[{key}]")
        return Table(self.file, self.text, (*self.path, key), content)

    def text_of(self, key: str, default: str | None = None) -> str:
        """A text.

        Raises:
            PolicyFileInvalid: It is none, or is missing without a default.
        """
        content = self.content.get(key, default)
        if content is None:
            raise self.refused(key, f"{key} is missing", "a text in quotes")
        if not isinstance(content, str):
            raise self.refused(key, f"{key} must be a text", "a text in quotes")
        return content

    def word(self, key: str, words: Sequence[str], default: str) -> str:
        """One of a few words.

        Raises:
            PolicyFileInvalid: It is none of them.
        """
        content = self.content.get(key, default)
        if content not in words:
            raise self.refused(key, f"{key} is {content!r}", _either(words))
        return str(content)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty where there is none.

        Raises:
            PolicyFileInvalid: It is none.
        """
        content = self.content.get(key, [])
        if not isinstance(content, list) or not all(isinstance(one, str) for one in content):
            raise self.refused(key, f"{key} must be a list of texts", 'such as ["safe-1", "safe-2"]')
        return tuple(content)

    def word_or_texts(self, key: str, words: Sequence[str], default: str) -> str | tuple[str, ...]:
        """One of a few words, or a list of 1 to 255 texts.

        Raises:
            PolicyFileInvalid: It is neither.
        """
        content = self.content.get(key, default)
        if isinstance(content, list) and 1 <= len(content) <= MOST:
            return self.texts(key)
        if content not in words:
            raise self.refused(
                key, f"{key} is {content!r}", f'{_either(words)}, or a list of safes and "wallet"'
            )
        return str(content)

    def number(self, key: str) -> int | None:
        """A number from 1 to 255; None where there is none.

        Raises:
            PolicyFileInvalid: It is none.
        """
        content = self.content.get(key)
        if content is None:
            return None
        if not isinstance(content, int) or isinstance(content, bool) or not 1 <= content <= MOST:
            raise self.refused(key, f"{key} is {content!r}", f"a whole number from 1 to {MOST}")
        return content


def _either(words: Sequence[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)
