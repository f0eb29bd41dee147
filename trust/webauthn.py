"""What a FIDO2 device signed at a login, held against the key it is known by.

An authority and a safe check the same things: type and challenge of the client data, origin, relying party,
that somebody touched the device, and the signature. Counters, and whether the owner was verified, are for the
caller to judge.

Source: WebAuthn Level 2, section 7.2, checked by the library fido2.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Any, Protocol

from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorAssertionResponse,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialRpEntity,
)

from trust.errors import DeviceProofInvalid

ES256, EDDSA = -7, -8
"""COSE algorithms."""
SAFES_ALGORITHMS = frozenset({ES256, EDDSA})
"""What devices of an owner's record may sign with."""


class SignedLogin(Protocol):
    """What a device gives at a login; each in WebAuthn's own encoding."""

    @property
    def credential_id(self) -> bytes:
        """Which credential."""

    @property
    def client_data(self) -> bytes:
        """JSON."""

    @property
    def authenticator_data(self) -> bytes:
        """Flags and counter."""

    @property
    def signature(self) -> bytes:
        """Over authenticator data and the SHA-256 of the client data."""


@dataclass(frozen=True, slots=True)
class Touch:
    """A login that holds.

    Args:
        counter: The device's signature counter; 0 where it never counts.
        verified: It verified its owner, by PIN or finger.
    """

    counter: int
    verified: bool


def check_login(
    credential: bytes, login: SignedLogin, challenge: bytes, party: str, algorithms: Set[int]
) -> Touch:
    """What a device signed, if it did.

    Args:
        credential: Attested credential data by which it is known.
        login: What it gave.
        challenge: What it had to sign, 32 bytes.
        party: Relying party id; the origin is https:// before it.
        algorithms: COSE algorithms that are taken.

    Raises:
        DeviceProofInvalid: Anything else.
    """
    try:
        return _checked(AttestedCredentialData(credential), login, challenge, party, algorithms)
    except Exception:  # noqa: BLE001 - JSON, CBOR and COSE from anybody: the library raises whatever they bring
        raise DeviceProofInvalid from None


def server_of(party: str) -> Fido2Server:
    """The library's judge for one relying party."""
    entity = PublicKeyCredentialRpEntity(name=party, id=party)
    return Fido2Server(entity, attestation=None, verify_origin=lambda origin: origin == f"https://{party}")


def state_of(challenge: bytes) -> dict[str, Any]:
    """What the library remembers between challenge and answer."""
    return {"challenge": websafe_encode(challenge), "user_verification": None}


def _checked(
    credential: AttestedCredentialData,
    login: SignedLogin,
    challenge: bytes,
    party: str,
    algorithms: Set[int],
) -> Touch:
    if credential.public_key.ALGORITHM not in algorithms:
        raise DeviceProofInvalid
    data = AuthenticatorData(login.authenticator_data)
    response = AuthenticatorAssertionResponse(
        client_data=CollectedClientData(login.client_data),
        authenticator_data=data,
        signature=login.signature,
    )
    answer = AuthenticationResponse(raw_id=login.credential_id, response=response)
    server_of(party).authenticate_complete(state_of(challenge), [credential], answer)
    return Touch(data.counter, data.is_user_verified())
