"""From a name to an owner id, and from a PIN to what is worth blinding: Argon2id (RFC 9106), fixed for good.

Nothing must be looked up first, so nothing leaks to whoever would be asked: the salts come from the roster's
genesis and from the owner id, and the cost from the version. It is RFC 9106's second recommended option
(64 MiB, 3 passes, 4 lanes): about 0.2 s a guess on a free machine. One other figure would be another owner.

Both functions are pure and block for that long: call them in a thread, never in the event loop.
"""

import hashlib
from typing import Final

from threshold.errors import InvalidLength
from trust.ids import HASH_BYTES, OWNER_ID_BYTES, Hash, OwnerId
from wallet_client.owners.names import OwnerName, Pin
from wallet_client.storage.secret import Secret

MEMORY_KIB: Final = 64 * 1024
PASSES: Final = 3
LANES: Final = 4
SALT_BYTES: Final = 16
STRETCHED_BYTES: Final = 32

_PIN_SALT: Final = b"kura/v1/pin-salt"


class StretchedPin(Secret):
    """What goes into the oblivious function in place of the PIN: 32 bytes."""

    __slots__ = ()


def owner_id(name: OwnerName, genesis: Hash) -> OwnerId:
    """What the safes of one roster call the owner of that name; blocks for 0.2 s and more.

    Args:
        name: Mapped, so that it is the same however it was typed.
        genesis: The roster's genesis fingerprint, 32 bytes, as pinned at `init`.

    Returns:
        32 bytes: Argon2id(name, first 16 bytes of SHA-256(genesis)). Whoever guesses the name has it too.

    Raises:
        InvalidLength: The fingerprint is not 32 bytes.
        argon2.exceptions.HashingError: There are no 64 MiB left.
    """
    _check_length("genesis fingerprint", genesis, HASH_BYTES)
    return OwnerId(_argon2id(name.to_bytes(), _salt(genesis), OWNER_ID_BYTES))


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
    _check_length("owner id", owner, OWNER_ID_BYTES)
    return StretchedPin(_argon2id(pin.reveal(), _salt(_PIN_SALT + owner), STRETCHED_BYTES))


def _salt(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:SALT_BYTES]


def _argon2id(content: bytes, salt: bytes, length: int) -> bytes:
    from argon2.low_level import Type, hash_secret_raw

    return hash_secret_raw(
        content,
        salt,
        time_cost=PASSES,
        memory_cost=MEMORY_KIB,
        parallelism=LANES,
        hash_len=length,
        type=Type.ID,
        version=0x13,  # RFC 9106's, and the library's today: said here because a default may change
    )


def _check_length(what: str, value: bytes, need: int) -> None:
    if len(value) != need:
        raise InvalidLength(what, len(value), need)
