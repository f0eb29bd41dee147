"""Devices by FIDO2: what they say when they are registered, and what they sign at a login.

Source: WebAuthn Level 2, sections 7.1 and 7.2, checked by the library fido2. Attestation is not asked for:
any device will do that keeps its key. On top of the library: no algorithm but ES256, EdDSA and RS256; a
device that verified its owner when it was registered must do so at each login; a signature counter that
does not grow means a copied key, unless the device never counts and says 0 each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialRpEntity,
    RegistrationResponse,
)

from auth_service.records import DeviceUse, KeptDevice, Registered
from trust.assertion import Method
from trust.authority import device_origin
from trust.authority_calls import DeviceLogin, NewDevice
from trust.authority_refusals import DeviceRefused

ALGORITHMS = frozenset({-7, -8, -257})
"""COSE: ES256, EdDSA, RS256."""

COUNTER_STUCK = "device counter did not grow"
NOT_VERIFIED = "device did not verify its owner"
LOGGED_IN = "logged in with a device"
_Result = TypeVar("_Result")


def challenge_of(client_data: bytes) -> bytes:
    """The challenge that a device says it signed.

    Raises:
        DeviceRefused: It says none.
    """
    return _read(lambda: CollectedClientData(client_data).challenge)


def judge_registration(new: NewDevice, challenge: bytes, relying_party: str) -> Registered:
    """A device as it registered itself.

    Args:
        new: What it said.
        challenge: The one that was given out, 32 bytes.
        relying_party: The authority's relying party id.

    Raises:
        DeviceRefused: Something does not hold.
    """
    data: AuthenticatorData = _read(
        lambda: _server(relying_party).register_complete(_state(challenge), _registration(new))
    )
    credential = data.credential_data
    if credential is None or credential.public_key.ALGORITHM not in ALGORITHMS:
        raise DeviceRefused
    return Registered(credential.credential_id, bytes(credential), data.counter, data.is_user_verified())


def judge_login(device: KeptDevice, login: DeviceLogin, challenge: bytes, relying_party: str) -> DeviceUse:
    """What a device signed, held against what it is known by.

    Args:
        device: As it is kept.
        login: What it signed.
        challenge: The one that was given out, 32 bytes.
        relying_party: The authority's relying party id.

    Raises:
        DeviceRefused: It is not this device's, or not for this challenge and authority.
    """
    data = _read(lambda: _verified(device, login, challenge, relying_party))
    before = device.registered
    if before.verifies and not data.is_user_verified():
        return DeviceUse(None, event=NOT_VERIFIED)
    if data.counter <= before.counter and (data.counter or before.counter):
        return DeviceUse(None, event=COUNTER_STUCK)
    verified: tuple[Method, ...] = ("device-verified",) if data.is_user_verified() else ()
    return DeviceUse(data.counter, ("device", *verified), LOGGED_IN)


def _verified(
    device: KeptDevice, login: DeviceLogin, challenge: bytes, relying_party: str
) -> AuthenticatorData:
    data = AuthenticatorData(login.authenticator_data)
    response = AuthenticatorAssertionResponse(
        client_data=CollectedClientData(login.client_data),
        authenticator_data=data,
        signature=login.signature,
    )
    credential = AttestedCredentialData(device.registered.credential)
    _server(relying_party).authenticate_complete(
        _state(challenge), [credential], AuthenticationResponse(raw_id=login.credential_id, response=response)
    )
    return data


def _registration(new: NewDevice) -> RegistrationResponse:
    attestation = AttestationObject(new.attestation)
    credential = attestation.auth_data.credential_data
    response = AuthenticatorAttestationResponse(
        client_data=CollectedClientData(new.client_data), attestation_object=attestation
    )
    return RegistrationResponse(
        raw_id=b"" if credential is None else credential.credential_id, response=response
    )


def _server(relying_party: str) -> Fido2Server:
    entity = PublicKeyCredentialRpEntity(name=relying_party, id=relying_party)
    return Fido2Server(
        entity, attestation=None, verify_origin=lambda origin: origin == device_origin(relying_party)
    )


def _state(challenge: bytes) -> dict[str, Any]:
    return {"challenge": websafe_encode(challenge), "user_verification": None}


def _read(work: Callable[[], _Result]) -> _Result:
    try:
        return work()
    except Exception:  # noqa: BLE001 - JSON, CBOR and COSE from anybody: the library raises whatever they bring
        raise DeviceRefused from None
