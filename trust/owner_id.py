"""From a name to an owner id, and what makes PINs slow to guess: Argon2id (RFC 9106), fixed for good.

Nothing must be looked up first, so nothing leaks to whoever would be asked: the salt of an owner id comes
from the roster's genesis, and the cost from the version. It is RFC 9106's second recommended option (64 MiB,
3 passes, 4 lanes): about 0.2 s on a free machine. One other figure would be another owner.

All functions are pure and block for that long: call them in a thread, never in the event loop.
"""

import hashlib
from typing import Final

from threshold.errors import InvalidLength
from trust.ids import HASH_BYTES, OWNER_ID_BYTES, Hash, OwnerId

MEMORY_KIB: Final = 64 * 1024
PASSES: Final = 3
LANES: Final = 4
SALT_BYTES: Final = 16


def owner_id(name: bytes, genesis: Hash) -> OwnerId:
    """What the safes of one roster call the owner of that name; blocks for 0.2 s and more.

    Args:
        name: UTF-8 of trust.precis.prepare_name, so that it is the same however it was typed.
        genesis: The roster's genesis fingerprint, 32 bytes.

    Returns:
        32 bytes: Argon2id(name, first 16 bytes of SHA-256(genesis)). Whoever guesses the name has it too.

    Raises:
        InvalidLength: The fingerprint is not 32 bytes.
        argon2.exceptions.HashingError: There are no 64 MiB left.
    """
    if len(genesis) != HASH_BYTES:
        raise InvalidLength("genesis fingerprint", len(genesis), HASH_BYTES)
    return OwnerId(stretch(name, genesis, OWNER_ID_BYTES))


def stretch(content: bytes, salted_by: bytes, length: int) -> bytes:
    """`length` bytes (Secret) of Secret `content` under the first 16 bytes of SHA-256(`salted_by`)."""
    from argon2.low_level import Type, hash_secret_raw

    return hash_secret_raw(
        content,
        hashlib.sha256(salted_by).digest()[:SALT_BYTES],
        time_cost=PASSES,
        memory_cost=MEMORY_KIB,
        parallelism=LANES,
        hash_len=length,
        type=Type.ID,
        version=0x13,  # RFC 9106's, and the library's today: said here because a default may change
    )
