"""What docs/POLICIES.md says of files and names is so."""

import re
from pathlib import Path
from typing import get_args

import pytest

from support.memory_safes import roster_of
from trust.digest import DigestField
from wallet_client.policies.arrangement import arrange
from wallet_client.policies.errors import PolicyFileInvalid
from wallet_client.policies.policy_file import ACCEPT_SINGLE_SAFE, read_policy
from wallet_client.policies.presets import policy_names

PAGE = (Path(__file__).parents[4] / "docs" / "POLICIES.md").read_text()
FILES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
ROSTER = roster_of(5, 3)


@pytest.mark.parametrize("text", FILES, ids=lambda text: text.split('"')[1])
def test_every_file_on_the_page_is_a_policy(text: str) -> None:
    """For a roster of five safes, of which three bring a value back."""
    assert arrange(read_policy(text, "page.toml", ROSTER), ROSTER, 1_000).placement


@pytest.mark.parametrize("text", FILES, ids=lambda text: text.split('"')[1])
def test_every_word_behind_a_comment_is_allowed_too(text: str) -> None:
    """`# or "x", "y"`: each of them means something in the key's place."""
    for line in text.splitlines():
        key, _, rest = line.partition(" = ")
        for word in re.findall(r'"([a-z-]+)"', rest.partition("# or")[2]):
            if word != "wallet":
                assert word in _allowed(key, word), (key, word)


def _allowed(key: str, word: str) -> str:
    """What the reader of files allows in that key's place."""
    with pytest.raises(PolicyFileInvalid) as caught:
        read_policy(f'name = "o"\n{_TABLES.get((key, word), "")}\n{key} = "nonsense"', "page.toml", ROSTER)
    return caught.value.allowed


_TABLES = {
    **{("mode", word): "[digest]" for word in ("sealed", "vacant")},
    **{("mode", word): "[key]" for word in ("none", "kept", "kept-and-shared", "root")},
    **{("at", word): "[key]" for word in ("with-value", "elsewhere")},
    ("scheme", "compact"): "[value]",
    ("backup", "delete"): "[after]",
    ("recovery", "delete"): "[after]",
}


def test_all_policies_and_fields_are_named() -> None:
    """None is left out, none is made up."""
    table = PAGE.partition("## The policies there are")[2].partition("## A file")[0]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == set(policy_names())
    fields = PAGE.partition("**`digest.fields`**")[2].partition("**`at`**")[0]
    assert set(re.findall(r"`([a-z-]+)`", fields)) == set(get_args(DigestField))
    assert ACCEPT_SINGLE_SAFE in PAGE
