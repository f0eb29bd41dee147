"""docs/CONDITIONS.md: every example on the page is a condition, and every word is on it."""

import re

import pytest

from support.kura import ROOT
from wallet_client.conditions.condition import parse_condition
from wallet_client.conditions.default import DEFAULT_NAME, DEFAULT_TEXT
from wallet_client.conditions.vocabulary import FIELDS, OTHER_WORDS

PAGE = (ROOT / "docs" / "CONDITIONS.md").read_text("utf-8")
BLOCKS = re.findall(r"```condition\n(.*?)```", PAGE, re.DOTALL)
IN_TABLES = re.findall(r"\| `([^|`]+)` \|$", PAGE, re.MULTILINE)
ON_COMMAND_LINES = re.findall(r'(?:--expression|condition add \S+) "([^"\n]+)"', PAGE)
EXAMPLES = [*(line for block in BLOCKS for line in block.splitlines()), *IN_TABLES, *ON_COMMAND_LINES]


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_is_a_condition(text: str) -> None:
    """It is taken as it is printed."""
    assert parse_condition(text).text == text


def test_every_word_has_an_example() -> None:
    """Fields first in their own row."""
    assert len(IN_TABLES) >= len(FIELDS) + 12
    spoken = set(re.findall(r"[a-z-]+", " ".join(EXAMPLES)))
    assert {*FIELDS, *OTHER_WORDS} <= spoken
    assert all(f"| `{field}` |" in PAGE for field in FIELDS)


def test_the_default_condition_is_on_the_page() -> None:
    """As the wallet has it."""
    assert DEFAULT_TEXT in EXAMPLES
    assert f"called `{DEFAULT_NAME}`" in PAGE
