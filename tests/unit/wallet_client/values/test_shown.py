"""Text from others cannot steer the terminal it is shown on."""

import unicodedata

import pytest

from wallet_client.values.shown import shown


@pytest.mark.parametrize(
    ("text", "on_screen"),
    [
        ("plain", "plain"),
        ("忠臣蔵　二階", "忠臣蔵　二階"),
        ("naïve e\u0301", "naïve e\u0301"),
        ("🎫\ufe0f", "🎫\ufe0f"),
        ("a\u00a0b", "a\u00a0b"),
        ("C:\\x1b", "C:\\x1b"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\r\nb\tc\0", "a\\r\\nb\\tc\\x00"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202egnp.exe", "abc\\u202egnp.exe"),
        ("\u2066x\u2069\u200f", "\\u2066x\\u2069\\u200f"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("line\u2028break", "line\\u2028break"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_steers_a_display_is_escaped(text: str, on_screen: str) -> None:
    """Letters of all scripts stay as they are."""
    assert shown(text) == on_screen


def test_no_control_or_format_character_of_unicode_passes() -> None:
    """The planes that hold any, by category."""
    harmful = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    for point in (*range(0x3000), *range(0xD7FF, 0x11000), *range(0xE0000, 0xE0200)):
        character = chr(point)
        assert (shown(character) != character) == (unicodedata.category(character) in harmful)
