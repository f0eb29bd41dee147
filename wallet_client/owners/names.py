"""Owner names and PINs, in the one form from which keys are derived: trust/precis.py."""

from dataclasses import dataclass
from typing import Final

from trust.precis import Fault, prepare_name, prepare_secret
from wallet_client.owners.errors import OwnerNameRefused, PinRefused
from wallet_client.storage.secret import Secret

PIN_MIN_CHARACTERS: Final = 4
PIN_MAX_CHARACTERS: Final = 1_000


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
        found = prepare_name(self.text)
        if isinstance(found, Fault):
            raise OwnerNameRefused(found.flaw, found.position, found.character)
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
        found = prepare_secret(text, PIN_MIN_CHARACTERS, PIN_MAX_CHARACTERS)
        if isinstance(found, Fault):
            raise PinRefused(found.flaw, found.position)
        super().__init__(found.encode())
