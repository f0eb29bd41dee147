"""A temporary key that a wallet and an authority make together for one question [C16].

Each gives an ephemeral X25519 key; the authority signs what both gave by one of its signing keys. Once both
forget the key, nobody opens the question.

Source: RFC 7748 (X25519), RFC 5869 (HKDF); docs/FORMATS.md gives every input byte by byte.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from threshold import hkdf, hpke
from threshold.errors import ThresholdError
from trust.authority import AuthorityDescription
from trust.documents import Document, SigningKey, verify
from trust.errors import AuthorityRefused, DocumentMalformed, SignatureInvalid
from trust.ids import AuthorityKey, AuthorityKeyField, Bytes16, Bytes32, SignatureField, UnixSeconds

PATH_SECONDS: Final = 120
"""How long a common key waits for its question."""

_COMMON_KEY = b"kura/v1/common-key"


class KeyHalf(Document, frozen=True):
    """An authority's half of a common key.

    Args:
        authority: Identity key.
        path_id: 16 fresh random bytes.
        wallet_half: X25519 public key of who asks, as it was sent.
        authority_half: The authority's ephemeral X25519 public key.
        issued_at: When.
        expires_at: It waits for its question no longer.
    """

    title = "key half"

    authority: AuthorityKeyField
    path_id: Bytes16
    wallet_half: Bytes32
    authority_half: Bytes32
    issued_at: UnixSeconds
    expires_at: UnixSeconds


class SignedKeyHalf(Document, frozen=True):
    """A key half as it travels.

    Args:
        half: Exact signed bytes.
        signing_key: Which of the authority's keys signed it.
        signature: By that key.
    """

    title = "signed key half"

    half: bytes
    signing_key: Bytes32
    signature: SignatureField


@dataclass(frozen=True, slots=True)
class CommonKey:
    """A temporary key that two sides have.

    Args:
        path_id: Its name, 16 bytes.
        key: Secret: 32 bytes.
    """

    path_id: bytes
    key: bytes = field(repr=False)


def make_half(
    authority: AuthorityKey, wallet_half: bytes, ephemeral: bytes, path_id: bytes, now: int, key: SigningKey
) -> tuple[SignedKeyHalf, CommonKey]:
    """The authority's side of a common key [C16].

    Args:
        authority: Its identity key.
        wallet_half: X25519 public key of who asks, 32 bytes.
        ephemeral: Secret: X25519 private key, 32 fresh random bytes.
        path_id: 16 fresh random bytes.
        now: Whole seconds since 1970-01-01 UTC.
        key: Secret: a signing key in use.

    Raises:
        ThresholdError: The wallet's half is not canonical, or of low order.
    """
    hpke.check_public_key(wallet_half)
    own = hpke.KeyPair(ephemeral)
    body = KeyHalf(authority, path_id, wallet_half, own.public, now, now + PATH_SECONDS).to_bytes()
    signed = SignedKeyHalf(body, key.public, key.sign(KeyHalf.title, body))
    return signed, _common_key(ephemeral, wallet_half, body, path_id)


def accept_half(
    signed: SignedKeyHalf, ephemeral: bytes, authority: AuthorityDescription, now: int
) -> CommonKey:
    """The other side: the common key, if the authority's half is its own, fresh, and for this very key.

    Args:
        signed: As it came.
        ephemeral: Secret: X25519 private key whose public half was sent, 32 bytes.
        authority: The pinned description.
        now: The wallet's clock, whole seconds since 1970-01-01 UTC.

    Raises:
        AuthorityRefused: Says what does not hold.
    """
    try:
        half = KeyHalf.from_bytes(signed.half)
        verify(KeyHalf.title, signed.signing_key, signed.half, signed.signature)
        hpke.check_public_key(half.authority_half)
    except (DocumentMalformed, SignatureInvalid, ThresholdError):
        raise AuthorityRefused(KeyHalf.title, "its half of the common key does not hold") from None
    authority.check_signing(signed.signing_key, (half.issued_at, now))
    mine = hpke.KeyPair(ephemeral).public
    if half.authority != authority.identity_key or half.wallet_half != mine:
        raise AuthorityRefused(half.title, "its half of the common key is for somebody else")
    if now >= half.expires_at:
        raise AuthorityRefused(half.title, "its half of the common key is an old one, or a clock is wrong")
    return _common_key(ephemeral, half.authority_half, signed.half, half.path_id)


def _common_key(private: bytes, public: bytes, half: bytes, path_id: bytes) -> CommonKey:
    """Both halves are in the signed bytes, so the key is bound to them and to the authority."""
    shared = X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))
    return CommonKey(path_id, hkdf.derive(shared, hashlib.sha256(half).digest(), _COMMON_KEY))
