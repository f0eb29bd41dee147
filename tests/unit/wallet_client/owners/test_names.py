"""A name or PIN typed twice is one name or PIN, and what cannot be typed alike again is refused."""

import unicodedata
from typing import Literal

import pytest

from trust.precis import Flaw
from wallet_client.owners.errors import OwnerNameRefused, PinRefused
from wallet_client.owners.names import OwnerName, Pin
from wallet_client.storage.secret import Secret


def prepared(text: str) -> str:
    return Pin(text).reveal().decode()


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        pytest.param("juliet@example.com", "juliet@example.com", id="RFC 8265 example 1, an at sign"),
        pytest.param("fussball", "fussball", id="RFC 8265 example 2, ss"),
        pytest.param("fußball", "fußball", id="RFC 8265 example 3, sharp s, another name"),
        pytest.param("π", "π", id="RFC 8265 example 4, pi"),
        pytest.param("Σ", "σ", id="RFC 8265 example 5, capital sigma, the name of example 6"),
        pytest.param("σ", "σ", id="RFC 8265 example 6, small sigma"),
        pytest.param("ς", "ς", id="RFC 8265 example 7, final sigma, another name"),
        pytest.param("Juliet", "juliet", id="capitals"),
        pytest.param("JULIET@Example.COM", "juliet@example.com", id="more capitals"),
        pytest.param("ＪｕｌｉｅｔＸ９", "julietx9", id="full width"),
        pytest.param("ﾊﾟｽ", "パス", id="half width, with its mark"),
        pytest.param("ZOE\u0308", "zoë", id="a mark of its own"),
        pytest.param("\u1112\u1161\u11ab", "한", id="a syllable in its parts"),
        pytest.param("\u212aevin", "kevin", id="the kelvin sign"),
        pytest.param("אבג1", "אבג1", id="right to left, with a number at its end"),
        pytest.param("l·l", "l·l", id="a middle dot between two l"),
        pytest.param("a" * 255, "a" * 255, id="255 bytes"),
        pytest.param("e\u0301" * 127, "é" * 127, id="254 bytes after mapping, 381 before"),
    ],
)
def test_a_name_is_mapped_to_one_form(typed: str, name: str) -> None:
    """And what it is mapped to stays as it is."""
    assert OwnerName(typed).text == name
    assert OwnerName(typed).to_bytes() == name.encode()
    assert OwnerName(name) == OwnerName(typed)
    assert hash(OwnerName(name)) == hash(OwnerName(typed))


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("text", ["Zoë", "ÅNGSTRÖM", "Việt", "ガギグ", "한국", "ΆΈΉ", "ｆｕｌｌé"])
def test_a_name_is_the_same_in_every_normal_form_and_case(form: Literal["NFC", "NFD"], text: str) -> None:
    """Keyboards and file systems differ in what they write."""
    typed = unicodedata.normalize(form, text)
    assert OwnerName(typed) == OwnerName(text) == OwnerName(typed.upper()) == OwnerName(typed.lower())


def test_names_that_only_look_alike_are_two_names() -> None:
    """The rules mend no spelling: Latin and Cyrillic a, l and 1, ss and sharp s."""
    assert len({OwnerName(text) for text in ("alice", "\u0430lice", "a1ice", "strasse", "straße")}) == 5


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        pytest.param("foo bar", OwnerNameRefused(Flaw.SPACE, 4, "U+0020"), id="RFC 8265 example 8, a space"),
        pytest.param("", OwnerNameRefused(Flaw.EMPTY), id="RFC 8265 example 9, nothing"),
        pytest.param(
            "henry\u2163",
            OwnerNameRefused(Flaw.COMPATIBILITY, 6, "U+2173"),
            id="RFC 8265 example 10, a numeral in one character",
        ),
        pytest.param("♚", OwnerNameRefused(Flaw.SYMBOL, 1, "U+265A"), id="RFC 8265 example 11, a chess king"),
        pytest.param(" juliet", OwnerNameRefused(Flaw.SPACE, 1, "U+0020"), id="a space before"),
        pytest.param("juliet ", OwnerNameRefused(Flaw.SPACE, 7, "U+0020"), id="a space after"),
        pytest.param("juliet\u3000", OwnerNameRefused(Flaw.COMPATIBILITY, 7, "U+3000"), id="a wide space"),
        pytest.param("juliet\n", OwnerNameRefused(Flaw.CONTROL, 7, "U+000A"), id="the end of a line"),
        pytest.param("\0", OwnerNameRefused(Flaw.CONTROL, 1, "U+0000"), id="a zero"),
        pytest.param("ab\u202ec", OwnerNameRefused(Flaw.INVISIBLE, 3, "U+202E"), id="a turn of direction"),
        pytest.param("soft\u00adhyphen", OwnerNameRefused(Flaw.INVISIBLE, 5, "U+00AD"), id="a soft hyphen"),
        pytest.param("a\u200db", OwnerNameRefused(Flaw.MISPLACED, 2, "U+200D"), id="a joiner"),
        pytest.param("a·", OwnerNameRefused(Flaw.MISPLACED, 2, "U+00B7"), id="a middle dot at the end"),
        pytest.param("„a", OwnerNameRefused(Flaw.PUNCTUATION, 1, "U+201E"), id="a quotation mark"),
        pytest.param("key🔑", OwnerNameRefused(Flaw.SYMBOL, 4, "U+1F511"), id="an emoji"),
        pytest.param("aב", OwnerNameRefused(Flaw.MIXED_DIRECTIONS), id="left to right, then right to left"),
        pytest.param("אa1", OwnerNameRefused(Flaw.MIXED_DIRECTIONS), id="right to left, then left to right"),
        pytest.param("1א", OwnerNameRefused(Flaw.MIXED_DIRECTIONS), id="a number before right to left"),
        pytest.param("\u0378", OwnerNameRefused(Flaw.UNASSIGNED, 1, "U+0378"), id="no character"),
        pytest.param("a\ud800", OwnerNameRefused(Flaw.UNFIT, 2, "U+D800"), id="half a character"),
        pytest.param("\ue000", OwnerNameRefused(Flaw.UNFIT, 1, "U+E000"), id="a private character"),
        pytest.param("a" * 256, OwnerNameRefused(Flaw.TOO_LONG), id="256 bytes"),
        pytest.param("é" * 128, OwnerNameRefused(Flaw.TOO_LONG), id="256 bytes of 128 characters"),
        pytest.param(" " * 1021, OwnerNameRefused(Flaw.TOO_LONG), id="more than could ever fit"),
    ],
)
def test_what_is_no_name_is_refused(typed: str, error: OwnerNameRefused) -> None:
    """With the flaw, the character and its place, counted in the mapped name."""
    with pytest.raises(OwnerNameRefused) as refusal:
        OwnerName(typed)
    assert vars(refusal.value) == vars(error)


@pytest.mark.parametrize(
    ("typed", "pin"),
    [
        pytest.param(
            "correct horse battery staple", "correct horse battery staple", id="RFC 8265 example 12"
        ),
        pytest.param(
            "Correct Horse Battery Staple", "Correct Horse Battery Staple", id="RFC 8265 example 13"
        ),
        pytest.param("πßåπ", "πßåπ", id="RFC 8265 example 14, and a fourth character"),
        pytest.param("Jack of ♦s", "Jack of ♦s", id="RFC 8265 example 15, a symbol"),
        pytest.param("foo\u1680bar", "foo bar", id="RFC 8265 example 16, an ogham space"),
        pytest.param("1234", "1234", id="4 characters"),
        pytest.param("🔑🗝🔒🔓", "🔑🗝🔒🔓", id="4 emoji"),
        pytest.param("👍🏽aa", "👍🏽aa", id="an emoji of two characters"),
        pytest.param(" a b ", " a b ", id="spaces before, between and after"),
        pytest.param("    ", "    ", id="spaces alone"),
        pytest.param("a\u3000b\u00a0c", "a b c", id="wide and fixed spaces"),
        pytest.param("１２３４", "１２３４", id="full width, another PIN than 1234"),
        pytest.param("abאב", "abאב", id="both directions"),
        pytest.param("caf\u0065\u0301", "café", id="a mark of its own"),
        pytest.param("x" * 1000, "x" * 1000, id="1,000 characters"),
        pytest.param("\u1f82" * 1000, "\u1f82" * 1000, id="1,000 characters of four parts"),
        pytest.param(unicodedata.normalize("NFD", "\u1f82") * 1000, "\u1f82" * 1000, id="their 4,000 parts"),
    ],
)
def test_a_pin_is_prepared_in_one_form(typed: str, pin: str) -> None:
    """Case and width stay, the normal form and the kind of space do not."""
    assert prepared(typed) == pin
    assert Pin(pin) == Pin(typed)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("text", ["Zoë Zoë", "ÅNGSTRÖM", "Việt Nam", "ガギグゲ", "한국한국"])
def test_a_pin_is_the_same_in_both_normal_forms(form: Literal["NFC", "NFD"], text: str) -> None:
    """Keyboards differ in what they write."""
    assert Pin(unicodedata.normalize(form, text)) == Pin(text)


def test_pins_that_differ_by_case_or_width_are_two_pins() -> None:
    """Fewer guesses would do otherwise."""
    assert len({prepared(text) for text in ("abcd", "Abcd", "ａbcd", " abcd", "abcd ")}) == 5


SECRET = "tr0ub4dor"


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        pytest.param("", PinRefused(Flaw.EMPTY), id="RFC 8265 example 17, nothing"),
        pytest.param("my cat is a \tby", PinRefused(Flaw.CONTROL, 13), id="RFC 8265 example 18, a tabulator"),
        pytest.param("πßå", PinRefused(Flaw.TOO_SHORT), id="RFC 8265 example 14, which is too short here"),
        pytest.param("e\u0301e\u0301e\u0301", PinRefused(Flaw.TOO_SHORT), id="3 characters of 6 code points"),
        pytest.param("x" * 1001, PinRefused(Flaw.TOO_LONG), id="1,001 characters"),
        pytest.param("x" * 4001, PinRefused(Flaw.TOO_LONG), id="more than could ever fit"),
        pytest.param(SECRET + "\n", PinRefused(Flaw.CONTROL, 10), id="the end of a line"),
        pytest.param(SECRET + "\x7f", PinRefused(Flaw.CONTROL, 10), id="a delete"),
        pytest.param(
            "👨\u200d👩\u200d👧" + SECRET, PinRefused(Flaw.MISPLACED, 2), id="an emoji with joiners"
        ),
        pytest.param("❤\ufe0f" + SECRET, PinRefused(Flaw.INVISIBLE, 2), id="an emoji with a selector"),
        pytest.param(SECRET + "\ufeff", PinRefused(Flaw.INVISIBLE, 10), id="a byte order mark"),
        pytest.param(SECRET + "\u0378", PinRefused(Flaw.UNASSIGNED, 10), id="no character"),
        pytest.param(SECRET + "\udcff", PinRefused(Flaw.UNFIT, 10), id="half a character"),
    ],
)
def test_what_is_no_pin_is_refused(typed: str, error: PinRefused) -> None:
    """With the flaw and its place, and never the character."""
    with pytest.raises(PinRefused) as refusal:
        Pin(typed)
    assert vars(refusal.value) == vars(error)


def test_no_refusal_leads_to_the_pin() -> None:
    """The library's own exception holds it, so ours comes from nowhere."""
    with pytest.raises(PinRefused) as refusal:
        Pin(SECRET + "\t")
    error = refusal.value
    assert error.__cause__ is None
    assert error.__context__ is None
    for shown in (str(error), repr(error), str(error.args), str(vars(error))):
        assert SECRET not in shown


def test_a_pin_does_not_show() -> None:
    """It is a secret like the others."""
    assert isinstance(Pin(SECRET), Secret)
    assert repr(Pin(SECRET)) == "<Pin, not shown>"


@pytest.mark.parametrize("flaw", Flaw, ids=lambda flaw: flaw.name)
def test_every_flaw_makes_a_sentence_with_a_next_step(flaw: Flaw) -> None:
    """For the whole and for one character of it."""
    assert str(OwnerNameRefused(flaw)) == f"The owner's name {flaw.value}."
    assert str(OwnerNameRefused(flaw, 6, "U+2163")) == f"The owner's name {flaw.value}, U+2163, at place 6."
    assert str(PinRefused(flaw)) == f"The PIN {flaw.value}."
    assert str(PinRefused(flaw, 6)) == f"The PIN {flaw.value} at place 6."
    assert OwnerNameRefused.hint.endswith(".")
    assert PinRefused.hint.endswith(".")
