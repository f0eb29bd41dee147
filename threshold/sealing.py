"""Keys for items, and the AEAD that seals them: a fresh AES-256-GCM key for every message.

Every key is HKDF-SHA256(ikm = s ‖ binding, salt, info = "kura/v1/item-key" ‖ item id ‖ role ‖ index). `s` is
the secret shared among the safes, `binding` what only the owner's root can give (empty before an owner is
enrolled), the salt 32 fresh bytes kept in the manifest. One key seals one message, so the nonce is zero.

A wallet does not keep the root: it keeps the binding secret, HKDF(root, "kura/v1/binding-secret"), of which
each item's binding is derived. So a stolen wallet tells nothing of the root, nor of the keys it gives.

AES-GCM is `cryptography`'s: 2 to 5 us at 1 KiB against pycryptodome's 42 to 164 us, where sealing, dividing
and registering a value has about 300 us in all.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from threshold import hkdf
from threshold.errors import InvalidLabel, InvalidLength, SealBroken

SECRET_BYTES = 32
SALT_BYTES = 32
BINDING_BYTES = 32
ITEM_ID_BYTES = 16
TAG_BYTES = 16
"""How much longer a sealed message is than its plaintext."""

_ITEM_KEY = b"kura/v1/item-key"
_ITEM_BINDING = b"kura/v1/item-binding"
_BINDING_SECRET = b"kura/v1/binding-secret"
_ZERO_NONCE = bytes(12)
_MAX_ROLE_BYTES = 255
_MAX_INDEX = 2**32 - 1


@dataclass(frozen=True, slots=True, repr=False)
class SealingKey:
    """An AES-256 key for exactly one message.

    Attributes:
        key: Secret: 32 bytes.
    """

    key: bytes

    def __post_init__(self) -> None:
        _check_length("sealing key", self.key, SECRET_BYTES)

    def __repr__(self) -> str:
        return "SealingKey(redacted)"


def derive_item_key(
    secret: bytes, binding: bytes, salt: bytes, item_id: bytes, role: str, index: int
) -> SealingKey:
    """The key of one message of one item.

    The info is unambiguous: tag (fixed), item id (16), role length (1), role (ASCII), index (4, big-endian).

    Args:
        secret: Secret: 32 bytes, what the safes share.
        binding: Secret: 32 bytes of `derive_item_binding`, or empty for an unbound item.
        salt: 32 fresh bytes, from the manifest.
        item_id: 16 bytes.
        role: what the message is ("value", "digest", ...), 1..255 ASCII characters.
        index: which message of that role, 0..2^32-1.

    Raises:
        InvalidLength: an input has the wrong length.
        InvalidLabel: role or index cannot be encoded.
    """
    _check_length("secret", secret, SECRET_BYTES)
    if binding:
        _check_length("binding", binding, BINDING_BYTES)
    _check_length("salt", salt, SALT_BYTES)
    info = _ITEM_KEY + _item_label(item_id) + _role_label(role) + _index_label(index)
    return SealingKey(hkdf.derive(secret + binding, salt, info))


def derive_binding_secret(root: bytes) -> bytes:
    """What a wallet keeps of the root to bind items with (32 bytes, Secret).

    Args:
        root: Secret: the owner's 32 bytes.

    Raises:
        InvalidLength: it has another length.
    """
    _check_length("root", root, SECRET_BYTES)
    return hkdf.derive(root, b"", _BINDING_SECRET)


def derive_item_binding(binding_secret: bytes, item_id: bytes) -> bytes:
    """What binds an item to its owner (32 bytes, Secret).

    Args:
        binding_secret: Secret: 32 bytes of `derive_binding_secret`.
        item_id: 16 bytes.

    Raises:
        InvalidLength: an input has the wrong length.
    """
    _check_length("binding secret", binding_secret, SECRET_BYTES)
    return hkdf.derive(binding_secret, b"", _ITEM_BINDING + _item_label(item_id))


def seal(key: SealingKey, plaintext: bytes, associated_data: bytes) -> bytes:
    """Encrypt and authenticate: ciphertext ‖ 16-byte tag. Use each key for one message only."""
    return AESGCM(key.key).encrypt(_ZERO_NONCE, plaintext, associated_data)


def open_sealed(key: SealingKey, sealed: bytes | bytearray, associated_data: bytes) -> bytes:
    """The plaintext (Secret) of what `seal` made with the same key and associated data.

    Raises:
        SealBroken: anything differs.
    """
    try:
        return AESGCM(key.key).decrypt(_ZERO_NONCE, sealed, associated_data)
    except InvalidTag:
        raise SealBroken from None


def _item_label(item_id: bytes) -> bytes:
    _check_length("item id", item_id, ITEM_ID_BYTES)
    return item_id


def _role_label(role: str) -> bytes:
    if not role.isascii() or not 1 <= len(role) <= _MAX_ROLE_BYTES:
        raise InvalidLabel("role")
    return bytes([len(role)]) + role.encode("ascii")


def _index_label(index: int) -> bytes:
    if not 0 <= index <= _MAX_INDEX:
        raise InvalidLabel("index")
    return index.to_bytes(4, "big")


def _check_length(what: str, value: bytes, need: int) -> None:
    if len(value) != need:
        raise InvalidLength(what, len(value), need)
