"""Devices by FIDO2: what they say when they are registered, and what they sign at a login.

Source: WebAuthn Level 2, sections 7.1 and 7.2, checked by the library fido2. Attestation is not asked for:
any device will do that keeps its key. On top of the library: no algorithm but ES256, EdDSA and RS256; a
device that verified its owner when it was registered must do so at each login; a signature counter that
does not grow means a copied key, unless the device never counts and says 0 each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fido2.webauthn import (
    AttestationObject,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    RegistrationResponse,
)

from auth_service.records import DeviceUse, KeptDevice, Registered
from trust.assertion import Method
from trust.authority_calls import DeviceLogin, NewDevice
from trust.authority_refusals import DeviceRefused
from trust.errors import DeviceProofInvalid
from trust.webauthn import EDDSA, ES256, check_login, server_of, state_of

ALGORITHMS = frozenset({ES256, EDDSA, -257})
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
        lambda: server_of(relying_party).register_complete(state_of(challenge), _registration(new))
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
    before = device.registered
    try:
        touch = check_login(before.credential, login, challenge, relying_party, ALGORITHMS)
    except DeviceProofInvalid:
        raise DeviceRefused from None
    if before.verifies and not touch.verified:
        return DeviceUse(None, event=NOT_VERIFIED)
    if touch.counter <= before.counter and (touch.counter or before.counter):
        return DeviceUse(None, event=COUNTER_STUCK)
    verified: tuple[Method, ...] = ("device-verified",) if touch.verified else ()
    return DeviceUse(touch.counter, ("device", *verified), LOGGED_IN)


def _registration(new: NewDevice) -> RegistrationResponse:
    attestation = AttestationObject(new.attestation)
    credential = attestation.auth_data.credential_data
    response = AuthenticatorAttestationResponse(
        client_data=CollectedClientData(new.client_data), attestation_object=attestation
    )
    return RegistrationResponse(
        raw_id=b"" if credential is None else credential.credential_id, response=response
    )


def _read(work: Callable[[], _Result]) -> _Result:
    try:
        return work()
    except Exception:  # noqa: BLE001 - JSON, CBOR and COSE from anybody: the library raises whatever they bring
        raise DeviceRefused from None
