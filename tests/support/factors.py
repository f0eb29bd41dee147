"""Guesses by a device and by an authority, step by step, for tests to spoil."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from msgspec import structs

from kura.safe.v1 import owner_pb2 as pb
from support import sample_authority
from support.owner_safes import START_MS, LocalSafe, LocalSafes
from support.owners import PIN, Access, DealtOwner, Guess, deal_owner, guess_at
from support.sample_documents import draw, key
from support.software_device import Device
from threshold import hpke
from trust.access_policy import OwnersDevice, Way
from trust.assertion import Assertion, SignedAssertion, sign_assertion
from trust.authority import AuthorityDescription, SignedAuthority, SigningPeriod, describe_authority
from trust.device_proof import (
    DeviceProof,
    SignedChallenge,
    challenge_hash,
    relying_party,
    unwrap_device_secret,
)
from trust.documents import SigningKey
from trust.ids import AuthorityKey
from trust.login import Login
from trust.owner_record import SEALED_BYTES, OwnerSecrets, ReleasedPart

NOW = START_MS // 1_000
HOUR = 3_600
IDENTITY, SIGNING, RETIRED = key("an authority"), key("an authority's key"), key("an authority's old key")
AUTHORITY = AuthorityKey(IDENTITY.public)
DEVICE: Way = ("device",)
AUTHORITY_ALONE: Way = ("authority",)
DEVICE_AND_PIN: Way = ("device", "pin")
AUTHORITY_AND_PIN: Way = ("authority", "pin")


def description(version: int = 2, identity: SigningKey = IDENTITY) -> AuthorityDescription:
    """What the authority says of itself at the start."""
    return structs.replace(
        sample_authority.DESCRIPTION,
        identity_key=AuthorityKey(identity.public),
        version=version,
        issued_at=NOW,
        signing_keys=(
            SigningPeriod(RETIRED.public, NOW - 30 * HOUR, NOW - HOUR),
            SigningPeriod(SIGNING.public, NOW - 2 * HOUR, NOW + 400 * 24 * HOUR),
        ),
    )


def described(version: int = 2, identity: SigningKey = IDENTITY) -> SignedAuthority:
    return describe_authority(description(version, identity), identity)


def login_of(guess: Guess) -> Login:
    """What a device and an authority are asked to speak for."""
    return Login(
        owner_id=guess.record.owner_id,
        way=guess.way,
        record_id=guess.record.record_id,
        guess_id=guess.guess_id,
        element=guess.blinded.element.to_bytes(),
        recipient_key=guess.recipient.public,
    )


def asserted(
    safes: LocalSafes, guess: Guess, signer: SigningKey = SIGNING, **changes: Any
) -> SignedAssertion:
    """The authority's word for that guess, with changes."""
    now = safes.clock.ms // 1_000
    assertion = Assertion(
        assertion_id=draw(f"assertion for {guess.guess_id.hex()}", 16),
        authority=AUTHORITY,
        owner_id=guess.record.owner_id,
        genesis=safes.roster.fingerprint,
        audience=tuple(sorted(safe.safe_id for safe in safes.safes)),
        login=login_of(guess).hash(),
        methods=("password",),
        issued_at=now,
        expires_at=now + 300,
    )
    return sign_assertion(structs.replace(assertion, **changes), signer)


def shown(assertion: SignedAssertion, authority: SignedAuthority | None = None) -> dict[str, bytes]:
    """The fields of Evaluate."""
    return {"assertion": assertion.to_bytes(), "authority": (authority or described()).to_bytes()}


def device_of(safes: LocalSafes, **options: Any) -> Device:
    """A software device for that roster."""
    return Device(relying_party(safes.roster.fingerprint), **options)


def wrapping_pair(device: Device) -> hpke.KeyPair:
    return hpke.derive_key_pair(sha256(device.credential_id).digest())


def owners_device(device: Device) -> OwnersDevice:
    """As the policy names it."""
    return OwnersDevice(bytes(device.credential), device.verifies, wrapping_pair(device).public, "key ring")


def access(*ways: Way, devices: Sequence[Device] = (), waiting_seconds: int = 0) -> Access:
    """These ways, in the policy's order, with the authority of this file."""
    named = tuple(owners_device(device) for device in devices)
    return Access(tuple(sorted(ways)), named, (AUTHORITY,), waiting_seconds)


async def enrolled(safes: LocalSafes, name: str, ways: Access, **options: Any) -> DealtOwner:
    """An owner with these ways at every safe."""
    owner = deal_owner(safes.roster, name, access=ways, **options)
    await safes.enroll(owner)
    return owner


def signed_by(
    device: Device, challenges: Sequence[SignedChallenge], guess: Guess, **changes: Any
) -> DeviceProof:
    """What a device gives; `changes` are of what it signs."""
    ordered = tuple(sorted(challenges, key=lambda signed: signed.challenge))
    signed = changes.pop("signed", ordered)
    login = device.sign(challenge_hash(signed, replace(login_of(guess), **changes)))
    return DeviceProof(
        ordered, login.credential_id, login.client_data, login.authenticator_data, login.signature
    )


async def touched(safes: LocalSafes, device: Device, guess: Guess) -> dict[str, bytes]:
    """The fields of Evaluate, after all safes were asked for their challenges."""
    challenges = [(await safe.shown(guess.record.owner_id, guess.way))[1] for safe in safes.safes]
    return {"device_proof": signed_by(device, challenges, guess).to_bytes()}


def guess_by(owner: DealtOwner, way: Way, label: str, pin: bytes = PIN) -> Guess:
    return guess_at(owner.records[way], pin, label, way)


async def evaluated(safe: LocalSafe, guess: Guess, evidence: dict[str, bytes]) -> bool:
    """Whether the guess was taken: evaluated under the record that it names."""
    answer = await safe.ask(guess.request(**evidence))
    taken: bool = answer.record_id == guess.record.record_id
    if taken:
        guess.check(safe.safe_id, answer)
    return taken


async def opened(
    safes: LocalSafes, guess: Guess, evidence: dict[str, bytes], device: Device | None = None
) -> OwnerSecrets:
    """All the way: k safes evaluate and release, and what they release opens."""
    asked = safes.safes[: safes.k]
    output = guess.output(
        [guess.check(one.safe_id, await one.ask(guess.request(**evidence))) for one in asked]
    )
    parts = {safe.safe_id: await safe.unlock(guess, output) for safe in asked}
    return guess.secrets(parts, output, b"" if device is None else secret_of(device, guess, parts))


def secret_of(device: Device, guess: Guess, parts: dict[Any, ReleasedPart]) -> bytes:
    """The device secret, unwrapped by what the device alone knows."""
    wraps = next(iter(parts.values())).sealed[SEALED_BYTES:]
    label = guess.record.owner_id + guess.record.record_id
    return unwrap_device_secret(wrapping_pair(device), wraps, device.credential_id, label)


async def status(safe: LocalSafe, owner: DealtOwner) -> pb.OwnerStatusResponse:
    answer: pb.OwnerStatusResponse = await safe.ask(pb.OwnerStatusRequest(), owner.key)
    return answer
