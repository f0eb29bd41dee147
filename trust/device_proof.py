"""How a device answers for its owner to every safe at once: one touch, one signature.

    each safe    signs a fresh challenge           SafeChallenge, checked by the wallet first
    device       signs the hash of all of them     and of the guess that it is for: `challenge_hash`
    each safe    finds its own among them, and checks the device's signature by itself

So safes and device check each other, and a signature serves this guess and these very challenges: a safe
takes each of its challenges once, within 300 seconds, and none older than its process. Who is shown a proof
can do with it at another safe what the wallet is about to do itself, and nothing else.

The device is a WebAuthn authenticator, whose relying party is the roster's genesis. Its own secret
(CTAP 2.1 hmac-secret, which WebAuthn calls PRF) for the salt `secret_salt` gives, by HPKE's DeriveKeyPair,
the key pair to which the *device secret* is wrapped: 32 bytes that the sealed secrets of every way with a
device need besides the shares of k safes.

Source: WebAuthn Level 2 sections 6.1 and 7.2; CTAP 2.1 section 12.5; RFC 9180 section 7.1.3; [E10, C18, C19].
"""

from __future__ import annotations

import hashlib
from typing import Annotated

from msgspec import Meta

from threshold import hpke
from threshold.errors import SealBroken
from trust.documents import Document, SigningKey, verify
from trust.ids import (
    Bytes32,
    Hash,
    OwnerId,
    OwnerIdField,
    SafeIdField,
    SignatureField,
)
from trust.login import Login

CHALLENGE_MS = 300_000
"""How long a challenge may be answered."""
NONCE_BYTES = 32
CREDENTIAL_HASH_BYTES = 32
WRAP_BYTES = CREDENTIAL_HASH_BYTES + hpke.WRAPPED_BYTES
"""One wrap of the device secret: SHA-256 of the credential id, and the secret as HPKE wraps it; 112 bytes."""

_LOGIN = b"kura/v1/device-login"
_SALT = b"kura/v1/device-secret"
_WRAP_INFO = b"kura/v1/device-secret"


class SafeChallenge(Document, frozen=True):
    """What one safe wants signed.

    Args:
        safe_id: Which safe.
        owner_id: About whose record it was asked; known or not.
        issued_ms: When, by the safe's clock, milliseconds since 1970-01-01 UTC.
        nonce: 32 fresh random bytes.
    """

    title = "safe challenge"

    safe_id: SafeIdField
    owner_id: OwnerIdField
    issued_ms: Annotated[int, Meta(ge=0, le=2**53)]
    nonce: Bytes32


class SignedChallenge(Document, frozen=True):
    """A challenge as it travels.

    Args:
        challenge: Exact signed bytes.
        signature: By the safe's key of the roster.
    """

    title = "signed device challenge"

    challenge: bytes
    signature: SignatureField


class DeviceProof(Document, frozen=True):
    """What a device signed, the same for every safe.

    Args:
        challenges: All that it signed, in ascending order of their bytes, each once.
        credential_id: Which device.
        client_data: WebAuthn client data, JSON; its challenge is `challenge_hash`.
        authenticator_data: WebAuthn authenticator data.
        signature: Over authenticator data and the SHA-256 of the client data.
    """

    title = "device proof"

    challenges: Annotated[tuple[SignedChallenge, ...], Meta(min_length=1, max_length=255)]
    credential_id: Annotated[bytes, Meta(min_length=1, max_length=1023)]
    client_data: Annotated[bytes, Meta(max_length=2048)]
    authenticator_data: Annotated[bytes, Meta(max_length=2048)]
    signature: Annotated[bytes, Meta(max_length=1024)]

    def __post_init__(self) -> None:
        """Refuse two spellings of one proof."""
        bodies = [signed.challenge for signed in self.challenges]
        if bodies != sorted(set(bodies)):
            raise self.malformed("challenges", "not ascending")


def sign_challenge(challenge: SafeChallenge, safe: SigningKey) -> SignedChallenge:
    """A safe's challenge; `safe` is Secret."""
    body = challenge.to_bytes()
    return SignedChallenge(body, safe.sign(SafeChallenge.title, body))


def read_challenge(signed: SignedChallenge, signing_key: bytes) -> SafeChallenge:
    """What a challenge says.

    Args:
        signed: As it came.
        signing_key: The safe's, of the roster, 32 bytes.

    Raises:
        DocumentMalformed: It does not parse.
        SignatureInvalid: That safe did not sign it.
    """
    verify(SafeChallenge.title, signing_key, signed.challenge, signed.signature)
    return SafeChallenge.from_bytes(signed.challenge)


def challenge_hash(challenges: tuple[SignedChallenge, ...], login: Login) -> bytes:
    """What the device signs as its WebAuthn challenge, 32 bytes.

    Args:
        challenges: Ascending by their bytes, each once.
        login: The guess.
    """
    digest = hashlib.sha256(_LOGIN + login.to_bytes())
    for signed in challenges:
        digest.update(hashlib.sha256(signed.challenge).digest())
    return digest.digest()


def relying_party(genesis: Hash) -> str:
    """The WebAuthn relying party id of an owner's devices: "kura-", 32 digits of the genesis fingerprint."""
    return f"kura-{genesis.hex()[:32]}"


def device_origin(genesis: Hash) -> str:
    """What a wallet states as the WebAuthn origin: there is no page."""
    return f"https://{relying_party(genesis)}"


def secret_salt(owner_id: OwnerId) -> bytes:
    """What the device is to make its secret from: 32 bytes, the same each time."""
    return hashlib.sha256(_SALT + owner_id).digest()


def wrap_device_secret(wrapping_key: bytes, secret: bytes, credential_id: bytes, label: bytes) -> bytes:
    """The device secret as one device can read it: 112 bytes.

    Args:
        wrapping_key: X25519 public key, 32 bytes.
        secret: Secret: 32 bytes.
        credential_id: Of the device.
        label: What the wrap is bound to besides: owner id and record id, 48 bytes.

    Raises:
        InvalidLength, InvalidPublicKey: As `hpke.wrap`.
    """
    name = hashlib.sha256(credential_id).digest()
    return name + hpke.wrap(wrapping_key, secret, _WRAP_INFO, name + label)


def unwrap_device_secret(pair: hpke.KeyPair, wraps: bytes, credential_id: bytes, label: bytes) -> bytes:
    """Secret: the device secret, 32 bytes.

    Args:
        pair: Secret: of the device's own secret, `hpke.derive_key_pair`.
        wraps: All wraps, one after the other.
        credential_id: Of the device.
        label: As it was wrapped.

    Raises:
        SealBroken: None of them is for this device.
    """
    name = hashlib.sha256(credential_id).digest()
    for start in range(0, len(wraps) - WRAP_BYTES + 1, WRAP_BYTES):
        wrap = wraps[start : start + WRAP_BYTES]
        if wrap[:CREDENTIAL_HASH_BYTES] == name:
            return hpke.unwrap(pair, wrap[CREDENTIAL_HASH_BYTES:], _WRAP_INFO, name + label)
    raise SealBroken
