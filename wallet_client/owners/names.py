"""Owner names and PINs, in the one form from which keys are derived (RFC 8265).

A person types the same name on another keyboard, years later; one bit of difference would be another owner.
So a name is prepared by the profile UsernameCaseMapped (width, case and normal form do not matter) and a PIN
by OpaqueString (normal form and kind of space do not matter; case and width do). The library precis-i18n
applies the rules in the order of RFC 8264 section 7: characters are judged after they are mapped.

What a profile refuses is refused here and never mended: spaces in a name; in a PIN the joiners and selectors
that some emoji are made with. A character newer than the Unicode tables of this Python is refused as well,
not misread. Normal forms are the same in all versions of Unicode; lower case changed once, for Cherokee, in
version 8, which is older than every Python that runs this.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from wallet_client.owners.errors import Flaw, OwnerNameRefused, PinRefused
from wallet_client.storage.secret import Secret

if TYPE_CHECKING:
    from precis_i18n.profile import Profile

NAME_MAX_BYTES: Final = 255
PIN_MIN_CHARACTERS: Final = 4
PIN_MAX_CHARACTERS: Final = 1_000

_MOST_COMPOSED: Final = 4
"""The most code points that NFC makes one of; a longer text is refused before any work is put into it."""

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
class OwnerName:
    """A name by the profile UsernameCaseMapped (RFC 8265 section 3.3); equal names are equal bytes.

    Args:
        text: As typed; the attribute holds it mapped, 1 to 255 bytes of UTF-8.

    Raises:
        OwnerNameRefused: It is no name, or too long.
    """

    text: str

    def __post_init__(self) -> None:
        """Replace what was typed by what it maps to."""
        found = _enforce("UsernameCaseMapped", self.text, NAME_MAX_BYTES)
        if isinstance(found, _Fault):
            raise OwnerNameRefused(found.flaw, found.position, found.character)
        if len(found.encode()) > NAME_MAX_BYTES:
            raise OwnerNameRefused(Flaw.TOO_LONG)
        object.__setattr__(self, "text", found)

    def to_bytes(self) -> bytes:
        """UTF-8, 1 to 255 bytes."""
        return self.text.encode()


class Pin(Secret):
    """A PIN by the profile OpaqueString (RFC 8265 section 4.2); it reveals the UTF-8 of what that made of it.

    Args:
        text: Secret: as typed; 4 to 1,000 code points after preparation.

    Raises:
        PinRefused: It is no PIN, or too short or too long.
    """

    __slots__ = ()

    def __init__(self, text: str) -> None:
        found = _enforce("OpaqueString", text, PIN_MAX_CHARACTERS)
        if isinstance(found, _Fault):
            raise PinRefused(found.flaw, found.position)
        if len(found) < PIN_MIN_CHARACTERS:
            raise PinRefused(Flaw.TOO_SHORT)
        if len(found) > PIN_MAX_CHARACTERS:
            raise PinRefused(Flaw.TOO_LONG)
        super().__init__(found.encode())


@dataclass(frozen=True, slots=True)
class _Fault:
    """What the library refused, without the text, which its own exception holds."""

    flaw: Flaw
    position: int | None = None
    character: str | None = None


def _enforce(profile: str, text: str, most: int) -> str | _Fault:
    """The prepared text; a fault is returned and not raised, so that no exception is chained to a PIN."""
    if len(text) > _MOST_COMPOSED * most:
        return _Fault(Flaw.TOO_LONG)
    try:
        return _profile(profile).enforce(text)
    except UnicodeEncodeError as error:
        return _fault(error)


def _fault(error: UnicodeEncodeError) -> _Fault:
    flaw = _FLAWS.get(error.reason.removeprefix(_REFUSED), Flaw.UNFIT)
    if flaw in _WHOLE:
        return _Fault(flaw)
    return _Fault(flaw, error.start + 1, f"U+{ord(error.object[error.start]):04X}")


@lru_cache(maxsize=2)
def _profile(name: str) -> "Profile":
    from precis_i18n import get_profile  # 20 ms that no other command should wait for

    return get_profile(name)
