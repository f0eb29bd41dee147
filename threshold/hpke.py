"""Sealing to a key pair, a batch's secret above all: HPKE (RFC 9180).

A wallet wraps the 32-byte secret to its public key alone, so backup goes on while the decoding key is away;
only the private key, which can be derived anew from a secret that the safes share, unwraps it. Base mode,
single shot, with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM.

HPKE is `cryptography`'s: 3 ms of imports beside `threshold.sealing` against 160 ms for pycryptodome's, and
180 us a wrap against 1,300 us. It takes no associated data of its own, since a single-shot use should
authenticate everything through `info` (RFC 9180 section 8.1); both labels of a wrap go there. It offers no
DeriveKeyPair (section 7.1.3), which is an extract and an expand of `threshold.hkdf` here.

The one exception to a rule of this package: the library draws the ephemeral key of each wrap itself and
takes none. Two wraps of one secret therefore differ. Wrap once, when a backup is planned, and journal the
wrap with the plan, so that the backup stays a function of its plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from threshold import hkdf
from threshold.errors import InvalidLength, InvalidPublicKey, SealBroken

PRIVATE_BYTES = 32
PUBLIC_BYTES = 32
SECRET_BYTES = 32
MIN_KEY_MATERIAL_BYTES = PRIVATE_BYTES  # RFC 9180 section 7.1.3: at least as long as the private key
OVERHEAD_BYTES = 48
"""Encapsulated key (32) and tag (16): what is sealed is so much longer."""
WRAPPED_BYTES = SECRET_BYTES + OVERHEAD_BYTES
"""Encapsulated key (32) ‖ ciphertext (32) ‖ tag (16)."""

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_VERSION = b"HPKE-v1"
_KEM_SUITE_ID = b"KEM\x00\x20"  # RFC 9180 section 4.1, KEM id 0x0020
_FIELD_PRIME = 2**255 - 19
_ANY_PRIVATE = X25519PrivateKey.from_private_bytes(bytes(PRIVATE_BYTES))


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An X25519 key pair; the public half is computed, so the two always belong together.

    Args:
        private: Secret: any 32 bytes; X25519 clamps them where it uses them.

    Attributes:
        public: 32 bytes, little-endian, canonical.
    """

    private: bytes = field(repr=False)
    public: bytes = field(init=False)

    def __post_init__(self) -> None:
        _check_length("private key", self.private, PRIVATE_BYTES)
        object.__setattr__(self, "public", _decoder(self).public_key().public_bytes_raw())


def derive_key_pair(key_material: bytes) -> KeyPair:
    """The same key pair from the same key material: RFC 9180 section 7.1.3, DeriveKeyPair for X25519.

    Args:
        key_material: Secret: 32 uniform bytes or more.

    Raises:
        InvalidLength: there are fewer than 32 bytes.
    """
    if len(key_material) < MIN_KEY_MATERIAL_BYTES:
        raise InvalidLength("key material", len(key_material), MIN_KEY_MATERIAL_BYTES)
    pseudorandom_key = hkdf.extract(b"", _VERSION + _KEM_SUITE_ID + b"dkp_prk" + key_material)
    label = PRIVATE_BYTES.to_bytes(2, "big") + _VERSION + _KEM_SUITE_ID + b"sk"
    return KeyPair(hkdf.expand(pseudorandom_key, label, PRIVATE_BYTES))


@lru_cache(maxsize=1024)  # a roster names the same keys in every version, and is parsed at every start
def check_public_key(public: bytes) -> None:
    """Refuse what `wrap` would refuse, before anything is to be sealed.

    Low order shows as in RFC 7748 section 6.1: whatever the private key, the exchange gives zeros.

    Args:
        public: 32 bytes, little-endian.

    Raises:
        InvalidLength: it is not 32 bytes.
        InvalidPublicKey: it is not canonical, or of low order.
    """
    try:
        _ANY_PRIVATE.exchange(_recipient(public))
    except ValueError:
        raise InvalidPublicKey from None


def seal(public: bytes, plaintext: bytes, info: bytes, associated_data: bytes) -> bytes:
    """Seal to a public key: 48 bytes longer, different each time (see the top of this file).

    HPKE's own info is the length of `info` (8, big-endian) ‖ `info` ‖ `associated_data`; its aad is empty.

    Args:
        public: 32 bytes of the recipient, `KeyPair.public`.
        plaintext: Secret: any length.
        info: what the seal is for, any length.
        associated_data: what it belongs to, any length.

    Raises:
        InvalidLength: the public key is not 32 bytes.
        InvalidPublicKey: it is not canonical, or of low order.
    """
    recipient = _recipient(public)
    try:
        return _SUITE.encrypt(plaintext, recipient, _hpke_info(info, associated_data))
    except ValueError:  # RFC 9180 section 7.1.4: the shared secret came out as all zeros
        raise InvalidPublicKey from None


def open_sealed(pair: KeyPair, sealed: bytes, info: bytes, associated_data: bytes) -> bytes:
    """What `seal` sealed to this pair (Secret), with the same labels.

    Args:
        pair: whose public key it was sealed to.
        sealed: what `seal` made, from anybody.
        info: as given to `seal`.
        associated_data: as given to `seal`.

    Raises:
        SealBroken: anything differs.
    """
    if len(sealed) < OVERHEAD_BYTES:
        raise SealBroken
    try:
        return _SUITE.decrypt(sealed, _decoder(pair), _hpke_info(info, associated_data))
    except InvalidTag:  # also where the encapsulated key is of low order
        raise SealBroken from None


def wrap(public: bytes, secret: bytes, info: bytes, associated_data: bytes) -> bytes:
    """`seal` for a secret of 32 bytes (Secret): 80 bytes.

    Raises:
        InvalidLength: the public key or the secret is not 32 bytes.
        InvalidPublicKey: the public key is not canonical, or of low order.
    """
    _check_length("secret", secret, SECRET_BYTES)
    return seal(public, secret, info, associated_data)


def unwrap(pair: KeyPair, wrapped: bytes, info: bytes, associated_data: bytes) -> bytes:
    """The secret (32 bytes, Secret) of what `wrap` made for this pair, with the same labels.

    Raises:
        InvalidLength: `wrapped` is not 80 bytes.
        SealBroken: anything differs.
    """
    _check_length("wrapped secret", wrapped, WRAPPED_BYTES)
    return open_sealed(pair, wrapped, info, associated_data)


def _recipient(public: bytes) -> X25519PublicKey:
    """A public key that somebody can decode with.

    RFC 7748 reads several encodings as one key, but HPKE hashes the bytes: a wrap to any but the canonical
    one could never be unwrapped.
    """
    _check_length("public key", public, PUBLIC_BYTES)
    if int.from_bytes(public, "little") >= _FIELD_PRIME:
        raise InvalidPublicKey
    return X25519PublicKey.from_public_bytes(public)


def _decoder(pair: KeyPair) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(pair.private)


def _hpke_info(info: bytes, associated_data: bytes) -> bytes:
    return len(info).to_bytes(8, "big") + info + associated_data


def _check_length(what: str, value: bytes, need: int) -> None:
    if len(value) != need:
        raise InvalidLength(what, len(value), need)
