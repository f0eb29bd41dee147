"""Every mistake in safe.toml is named by its path."""

from pathlib import Path

import pytest

from durable.settings import Address, ConfigError
from safe_node.config import load_settings

GOOD = """
name = "safe-1"
listen = "127.0.0.1:7301"
data_dir = "data"
keys_dir = "/etc/kura/keys"
roster = "roster.json"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "safe.toml"
    path.write_text(text)
    return path


def test_paths_start_at_the_file(tmp_path: Path) -> None:
    """Wherever the process was started; absolute ones stay."""
    settings = load_settings(written(tmp_path, GOOD))
    assert settings.data_dir == str(tmp_path / "data")
    assert settings.keys_dir == "/etc/kura/keys"
    assert settings.address == Address("127.0.0.1", 7301)
    assert settings.limits.entries_per_call == 10_000
    assert not settings.owners.invitation_needed
    assert settings.owners.grace_days == 7


WRONG = {
    "unknown key": (GOOD + "colour = 1", "unknown field `colour`"),
    "unknown limit": (GOOD + "[limits]\nbytes = 1", "`$.limits`"),
    "limit of a wrong type": (GOOD + "[limits]\nmessage_bytes = 'much'", "$.limits.message_bytes"),
    "limit out of range": (GOOD + "[limits]\nentries_per_call = 0", "$.limits.entries_per_call"),
    "limits that contradict": (
        GOOD + "[limits]\nmessage_bytes = 2097152\nunary_blob_bytes = 2097152",
        "unary_blob_bytes must be at least",
    ),
    "missing key": (GOOD.replace('name = "safe-1"', ""), "missing required field `name`"),
    "name that is no label": (GOOD.replace("safe-1", "Safe 1"), "$.name"),
    "no port": (GOOD.replace(":7301", ""), "is not host:port"),
    "port out of range": (GOOD.replace(":7301", ":70000"), "is not host:port"),
    "unknown setting of owners": (GOOD + "[owners]\ninvitations = true", "`$.owners`"),
    "a word for yes or no": (GOOD + "[owners]\ninvitation_needed = 'yes'", "$.owners.invitation_needed"),
    "a grace of more than a month": (GOOD + "[owners]\ngrace_days = 31", "$.owners.grace_days"),
    "a grace of less than nothing": (GOOD + "[owners]\ngrace_days = -1", "$.owners.grace_days"),
    "unknown log level": (GOOD + "[log]\nlevel = 'loud'", "$.log.level"),
    "no TOML": ("name =", "not TOML"),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
def test_refuses(text: str, words: str, tmp_path: Path) -> None:
    """The message says where and what."""
    with pytest.raises(ConfigError) as caught:
        load_settings(written(tmp_path, text))
    assert words in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """With the system's reason."""
    with pytest.raises(ConfigError, match=r"safe\.toml: cannot be read: No such file"):
        load_settings(tmp_path / "safe.toml")
