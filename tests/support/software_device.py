"""A FIDO2 authenticator that a test can make lie; real keys, real bytes, by the library's own types."""

import os
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from trust import authority_calls as calls
from trust.authority import device_origin

FLAG = AuthenticatorData.FLAG


@dataclass
class Device:
    """One authenticator with one credential."""

    relying_party: str
    verifies: bool = False
    counter: int = 0
    counts: bool = True
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    origin: str | None = None
    present: bool = True

    @property
    def credential(self) -> AttestedCredentialData:
        """What it is known by."""
        public = ES256.from_cryptography_key(self.key.public_key())  # type: ignore[no-untyped-call]
        return AttestedCredentialData.create(Aaguid.NONE, self.credential_id, public)

    def register(
        self, challenge: bytes, token: bytes, label: str = "key ring", kind: str = "webauthn.create"
    ) -> calls.NewDevice:
        """What it says when it is registered."""
        credential = self.credential
        data = AuthenticatorData.create(self._party(), self._flags() | FLAG.AT, self._next(), credential)
        attestation = AttestationObject.create("none", data, {})
        return calls.NewDevice(token, label, self._client_data(kind, challenge), bytes(attestation))

    def sign(self, challenge: bytes, token: bytes = b"", kind: str = "webauthn.get") -> calls.DeviceLogin:
        """What it signs at a login."""
        client_data = self._client_data(kind, challenge)
        data = bytes(AuthenticatorData.create(self._party(), self._flags(), self._next()))
        signature = self.key.sign(data + sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        return calls.DeviceLogin(token, self.credential_id, client_data, data, signature)

    def _client_data(self, kind: str, challenge: bytes) -> bytes:
        origin = self.origin or device_origin(self.relying_party)
        return bytes(CollectedClientData.create(kind, challenge, origin))

    def _party(self) -> bytes:
        return sha256(self.relying_party.encode()).digest()

    def _flags(self) -> AuthenticatorData.FLAG:
        flags = FLAG(FLAG.UP if self.present else 0)
        return flags | FLAG.UV if self.verifies else flags

    def _next(self) -> int:
        self.counter += self.counts
        return self.counter
