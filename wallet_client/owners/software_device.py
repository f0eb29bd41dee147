"""A FIDO2 authenticator in software, for people without one: its key lives in a wallet, or in a device file.

For an authority it lives in the wallet, and says that it verified its owner where the wallet opens by a
passphrase alone. It proves no more than that somebody has this wallet open: a device of its own is better,
and other wallets of the owner have other keys. For an owner's record it is `derived` from the one seed of a
device file (wallet_client/devices/file.py): the same file is another device for every owner and every roster,
and needs to keep nothing of them.

Source: WebAuthn Level 2, sections 6.1 (authenticator data), 6.5.4 (attestation object, format "none") and
5.8.1 (client data); CTAP 2.1 section 12.5 (hmac-secret); ES256 is ECDSA on P-256 with SHA-256.
"""

import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from threshold import hkdf
from threshold.randomness import RandomSource
from trust.ids import OwnerId

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from fido2.webauthn import AttestedCredentialData, AuthenticatorData

CREDENTIAL_BYTES = 32
PRIVATE_BYTES = 32
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve's group: SEC 2 section 2.4.2."""
RANDOM_BYTES = 32

_DERIVED = b"kura/v1/file-device"


@dataclass(frozen=True, slots=True)
class SoftwareDevice:
    """One credential.

    Args:
        credential_id: 32 random bytes.
        private_key: Secret: P-256 scalar, 32 bytes, big-endian, 0 < s < order.
        counter: Signatures it made so far.
        verifies: It may say that it verified its owner.
        random: Secret: CTAP's CredRandom, 32 bytes, from which it makes secrets; empty where it makes none.
    """

    credential_id: bytes
    private_key: bytes = field(repr=False)
    counter: int
    verifies: bool
    random: bytes = field(default=b"", repr=False)

    @classmethod
    def derived(cls, seed: bytes, relying_party: str, owner_id: OwnerId, counter: int) -> "SoftwareDevice":
        """The one for an owner, who opened it by a passphrase; `seed` is Secret, 32 bytes."""
        about = _DERIVED + owner_id + relying_party.encode()
        made = hkdf.derive(seed, b"", about, CREDENTIAL_BYTES + PRIVATE_BYTES + 16 + RANDOM_BYTES)
        credential_id, key, random = made[:32], made[32:80], made[80:]
        return cls(credential_id, _private(key), counter, True, random)

    @classmethod
    def make(cls, rng: RandomSource, verifies: bool) -> "SoftwareDevice":
        """A fresh one; `rng` gives 32 bytes, then 48 for the key (FIPS 186-5 A.2.1)."""
        credential_id = rng.read(CREDENTIAL_BYTES)
        return cls(credential_id, _private(rng.read(PRIVATE_BYTES + 16)), 0, verifies)

    def registration(self, challenge: bytes, relying_party: str, origin: str) -> tuple[bytes, bytes]:
        """Client data and attestation object for a challenge of 32 bytes."""
        from fido2.webauthn import AttestationObject, AuthenticatorData

        credential = self.credential()
        flags = self._flags() | AuthenticatorData.FLAG.AT
        data = AuthenticatorData.create(_party(relying_party), flags, self.counter, credential)
        client_data = _client_data("webauthn.create", challenge, origin)
        return client_data, bytes(AttestationObject.create("none", data, {}))

    def credential(self) -> "AttestedCredentialData":
        """What it is known by."""
        from fido2.cose import ES256
        from fido2.webauthn import Aaguid, AttestedCredentialData

        return AttestedCredentialData.create(
            Aaguid.NONE,
            self.credential_id,
            ES256.from_cryptography_key(self._key().public_key()),  # type: ignore[no-untyped-call]
        )

    def secret(self, salt: bytes) -> bytes:
        """Secret: hmac-secret for a salt of 32 bytes: 32 bytes, always the same."""
        return hmac.digest(self.random, salt, "sha256")

    def signature(self, challenge: bytes, relying_party: str, origin: str) -> tuple[bytes, bytes, bytes]:
        """Client data, authenticator data, signature for a challenge; the caller raises the counter."""
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.hashes import SHA256
        from fido2.webauthn import AuthenticatorData

        client_data = _client_data("webauthn.get", challenge, origin)
        data = bytes(AuthenticatorData.create(_party(relying_party), self._flags(), self.counter))
        return client_data, data, self._key().sign(data + sha256(client_data).digest(), ECDSA(SHA256()))

    def _key(self) -> "EllipticCurvePrivateKey":
        from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

        return derive_private_key(int.from_bytes(self.private_key), SECP256R1())

    def _flags(self) -> "AuthenticatorData.FLAG":
        from fido2.webauthn import AuthenticatorData

        present = AuthenticatorData.FLAG.UP
        return present | AuthenticatorData.FLAG.UV if self.verifies else present


def _private(drawn: bytes) -> bytes:
    """Secret: a P-256 scalar from 48 random bytes (Secret): FIPS 186-5 A.2.1."""
    return (int.from_bytes(drawn) % (P256_ORDER - 1) + 1).to_bytes(PRIVATE_BYTES)


def _client_data(kind: str, challenge: bytes, origin: str) -> bytes:
    from fido2.webauthn import CollectedClientData

    return bytes(CollectedClientData.create(kind, challenge, origin))


def _party(relying_party: str) -> bytes:
    return sha256(relying_party.encode()).digest()
