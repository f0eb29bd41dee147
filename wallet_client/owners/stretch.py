"""From a name to an owner id, and from a PIN to what is worth blinding: trust/owner_id.py.

Both functions are pure and block for 0.2 s and more: call them in a thread, never in the event loop.
"""

from typing import Final

from threshold.errors import InvalidLength
from trust import owner_id as derivation
from trust.ids import OWNER_ID_BYTES, Hash, OwnerId
from wallet_client.owners.names import OwnerName, Pin
from wallet_client.storage.secret import Secret

STRETCHED_BYTES: Final = 32

_PIN_SALT: Final = b"kura/v1/pin-salt"


class StretchedPin(Secret):
    """What goes into the oblivious function in place of the PIN: 32 bytes."""

    __slots__ = ()


def owner_id(name: OwnerName, genesis: Hash) -> OwnerId:
    """What the safes of one roster call the owner of that name, 32 bytes: trust.owner_id."""
    return derivation.owner_id(name.to_bytes(), genesis)


def stretch_pin(pin: Pin, owner: OwnerId) -> StretchedPin:
    """The PIN made slow to guess; blocks for 0.2 s and more.

    Args:
        pin: Secret: prepared, so that it is the same however it was typed.
        owner: Whose it is, 32 bytes; equal PINs of two owners give nothing equal.

    Returns:
        Secret: 32 bytes: Argon2id(PIN, first 16 bytes of SHA-256("kura/v1/pin-salt" ‖ owner id)).

    Raises:
        InvalidLength: The owner id is not 32 bytes.
        argon2.exceptions.HashingError: There are no 64 MiB left.
    """
    if len(owner) != OWNER_ID_BYTES:
        raise InvalidLength("owner id", len(owner), OWNER_ID_BYTES)
    return StretchedPin(derivation.stretch(pin.reveal(), _PIN_SALT + owner, STRETCHED_BYTES))
