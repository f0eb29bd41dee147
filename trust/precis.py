"""Names and secret words in the one form from which keys are derived and accounts are found (RFC 8265).

A person types the same name on another keyboard, years later; one bit of difference would be another owner.
So a name is prepared by the profile UsernameCaseMapped (width, case and normal form do not matter) and a PIN
or password by OpaqueString (normal form and kind of space do not matter; case and width do). The library
precis-i18n applies the rules in the order of RFC 8264 section 7: characters are judged after they are mapped.

What a profile refuses is refused here and never mended: spaces in a name; in a PIN the joiners and selectors
that some emoji are made with. A character newer than the Unicode tables of this Python is refused as well,
not misread. Normal forms are the same in all versions of Unicode; lower case changed once, for Cherokee, in
version 8, which is older than every Python that runs this.
"""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from precis_i18n.profile import Profile

NAME_MAX_BYTES: Final = 255

_MOST_COMPOSED: Final = 4
"""The most code points that NFC makes one of; a longer text is refused before any work is put into it."""


class Flaw(Enum):
    """What is wrong, as the end of a sentence."""

    EMPTY = "is empty"
    TOO_SHORT = "is too short"
    TOO_LONG = "is too long"
    MIXED_DIRECTIONS = "mixes left-to-right and right-to-left writing"
    UNSTABLE = "has no stable form"
    CONTROL = "holds a control character"
    INVISIBLE = "holds an invisible character"
    SPACE = "holds a space"
    SYMBOL = "holds a symbol"
    PUNCTUATION = "holds a punctuation mark"
    COMPATIBILITY = "holds a character that is another way to write others"
    UNASSIGNED = "holds a character that this wallet does not know yet"
    MISPLACED = "holds a character that is allowed only beside certain others"
    UNFIT = "holds a character that is not allowed"


_REFUSED: Final = "DISALLOWED/"
_FLAWS: Final = {
    "empty": Flaw.EMPTY,
    "bidi_rule": Flaw.MIXED_DIRECTIONS,
    "not_idempotent": Flaw.UNSTABLE,
    "controls": Flaw.CONTROL,
    "precis_ignorable_properties": Flaw.INVISIBLE,
    "spaces": Flaw.SPACE,
    "symbols": Flaw.SYMBOL,
    "punctuation": Flaw.PUNCTUATION,
    "has_compat": Flaw.COMPATIBILITY,
    "unassigned": Flaw.UNASSIGNED,
    "zero_width_nonjoiner": Flaw.MISPLACED,
    "zero_width_joiner": Flaw.MISPLACED,
    "middle_dot": Flaw.MISPLACED,
    "greek_keraia": Flaw.MISPLACED,
    "hebrew_punctuation": Flaw.MISPLACED,
    "katakana_middle_dot": Flaw.MISPLACED,
    "arabic_indic": Flaw.MISPLACED,
    "extended_arabic_indic": Flaw.MISPLACED,
}
"""The library's words for what it refuses; those not listed are `Flaw.UNFIT`."""

_WHOLE: Final = frozenset({Flaw.EMPTY, Flaw.MIXED_DIRECTIONS, Flaw.UNSTABLE})


@dataclass(frozen=True, slots=True)
class Fault:
    """What was refused, without the text, which the library's own exception holds.

    Args:
        flaw: What is wrong.
        position: Where, from 1, after mapping; None for the text as a whole.
        character: Which, such as "U+2163"; not to be shown of a PIN or password.
    """

    flaw: Flaw
    position: int | None = None
    character: str | None = None


def prepare_name(text: str) -> str | Fault:
    """A name by UsernameCaseMapped (RFC 8265 section 3.3), 1 to 255 bytes of UTF-8; else what is wrong."""
    found = _enforce("UsernameCaseMapped", text, NAME_MAX_BYTES)
    if isinstance(found, str) and len(found.encode()) > NAME_MAX_BYTES:
        return Fault(Flaw.TOO_LONG)
    return found


def prepare_secret(text: str, least: int, most: int) -> str | Fault:
    """A PIN or password by OpaqueString (RFC 8265 section 4.2), Secret; else what is wrong.

    A fault is returned and not raised, so that no exception is chained to a PIN.

    Args:
        text: Secret: as typed.
        least: Fewest code points after preparation.
        most: Most of them.
    """
    found = _enforce("OpaqueString", text, most)
    if isinstance(found, Fault):
        return found
    if len(found) < least:
        return Fault(Flaw.TOO_SHORT)
    return Fault(Flaw.TOO_LONG) if len(found) > most else found


def _enforce(profile: Literal["UsernameCaseMapped", "OpaqueString"], text: str, most: int) -> str | Fault:
    if len(text) > _MOST_COMPOSED * most:
        return Fault(Flaw.TOO_LONG)
    try:
        return _profile(profile).enforce(text)
    except UnicodeEncodeError as error:
        return _fault(error)


def _fault(error: UnicodeEncodeError) -> Fault:
    flaw = _FLAWS.get(error.reason.removeprefix(_REFUSED), Flaw.UNFIT)
    if flaw in _WHOLE:
        return Fault(flaw)
    return Fault(flaw, error.start + 1, f"U+{ord(error.object[error.start]):04X}")


@lru_cache(maxsize=2)
def _profile(name: str) -> "Profile":
    from precis_i18n import get_profile  # 20 ms that no other command should wait for

    return get_profile(name)
