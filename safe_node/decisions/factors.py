"""What a device and an authority prove for one guess, before it is spent. Pure.

    device      one of the policy's; it signed this safe's challenge, for this very guess
    authority   asserts this owner, for this safe and this very guess; the one that the policy pins

Where there is nothing to judge by, because nobody has the name or the way, the same is checked against a key
that is nobody's, and does not count. What depends on the time of the write (the counter of the device, that
nothing is taken twice) the plan of the guess judges (guessing.py, factor_memory.py).
"""

from __future__ import annotations

import hashlib
from typing import Final

from safe_node.decisions.admission import Membership
from safe_node.decisions.assertions import admit_assertion
from safe_node.decisions.factor_memory import FactorMemory
from safe_node.guesses import Attempt, DeviceUse, Evidence, Proven
from safe_node.owners import KeptOwner
from trust.access_policy import AccessPolicy, OwnersDevice
from trust.assertion import Assertion, Presentation
from trust.device_proof import (
    DeviceProof,
    SafeChallenge,
    challenge_hash,
    read_challenge,
    relying_party,
)
from trust.errors import DeviceProofInvalid, DocumentMalformed, TrustError
from trust.ids import AuthorityKey
from trust.login import Login

_NOBODYS_KEY: Final = (
    bytes.fromhex("a5010203262001215820")
    + bytes.fromhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")
    + bytes.fromhex("225820")
    + bytes.fromhex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
)
"""COSE key of the base point of P-256: it costs what a device's key costs, and counts for nothing."""

_NO_AUTHORITY: Final = AuthorityKey(b"")


def judge_factors(
    owner: KeptOwner | None,
    attempt: Attempt,
    evidence: Evidence,
    membership: Membership,
    memory: FactorMemory,
) -> Proven | None:
    """What was proven; None where anything does not hold.

    Args:
        owner: As they are kept, if they are.
        attempt: The guess; of a way with a device or an authority.
        evidence: What was sent with it.
        membership: This safe and its rosters.
        memory: Of this process; it is only asked here.
    """
    record = None if owner is None else owner.record(attempt.record_id)
    policy = None if record is None else record.read_policy()
    try:
        device = _device(policy, attempt, evidence, membership, memory) if "device" in attempt.way else None
        shown = _authority(policy, attempt, evidence, membership) if "authority" in attempt.way else None
    except TrustError:
        return None
    if record is None or policy is None or attempt.way not in policy.ways:
        return None
    use, challenge = device or (None, None)
    assertion, version = shown or (None, 0)
    return Proven(record.policy, use, challenge, assertion, version)


def _device(
    policy: AccessPolicy | None,
    attempt: Attempt,
    evidence: Evidence,
    membership: Membership,
    memory: FactorMemory,
) -> tuple[DeviceUse, SafeChallenge]:
    """Which device signed what.

    Raises:
        TrustError: None of the owner's signed this.
    """
    from trust.webauthn import (  # 2 MB and 0.1 s that a safe without such owners never needs
        SAFES_ALGORITHMS,
        check_login,
    )

    proof = DeviceProof.from_bytes(evidence.device_proof)
    challenge = _own_challenge(proof, attempt, membership)
    if not memory.is_fresh(challenge, attempt.at_ms):
        raise DeviceProofInvalid
    device = _known_device(policy, proof.credential_id)
    credential = _nobodys(proof.credential_id) if device is None else device.credential
    signed = challenge_hash(proof.challenges, _login(attempt))
    touch = check_login(credential, proof, signed, relying_party(membership.genesis), SAFES_ALGORITHMS)
    if device is None or (device.verifies and not touch.verified):
        raise DeviceProofInvalid
    return DeviceUse(hashlib.sha256(proof.credential_id).digest(), touch.counter), challenge


def _login(attempt: Attempt) -> Login:
    return Login(
        owner_id=attempt.owner_id,
        way=attempt.way,
        record_id=attempt.record_id,
        guess_id=attempt.guess_id,
        element=attempt.element,
        recipient_key=attempt.recipient_key,
    )


def _own_challenge(proof: DeviceProof, attempt: Attempt, membership: Membership) -> SafeChallenge:
    """The one of this safe among those that the device signed; others may be of any form."""
    signing_key = membership.newest.safe(membership.safe_id).signing_key
    for signed in proof.challenges:
        try:
            claimed = SafeChallenge.from_bytes(signed.challenge)
        except DocumentMalformed:
            continue
        if claimed.safe_id == membership.safe_id and claimed.owner_id == attempt.owner_id:
            return read_challenge(signed, signing_key)
    raise DeviceProofInvalid


def _known_device(policy: AccessPolicy | None, credential_id: bytes) -> OwnersDevice | None:
    devices = () if policy is None else policy.devices
    return next((device for device in devices if device.credential_id == credential_id), None)


def _nobodys(credential_id: bytes) -> bytes:
    return bytes(16) + len(credential_id).to_bytes(2) + credential_id + _NOBODYS_KEY


def _authority(
    policy: AccessPolicy | None, attempt: Attempt, evidence: Evidence, membership: Membership
) -> tuple[Assertion, int]:
    """The assertion, and how new the description is by which it was judged.

    Raises:
        TrustError: It does not hold.
    """
    pinned = policy.authority[0] if policy is not None and policy.authority else _NO_AUTHORITY
    shown = Presentation(membership.safe_id, membership.genesis, _login(attempt), pinned)
    assertion, authority = admit_assertion(
        evidence.assertion, evidence.authority, shown, attempt.at_ms // 1_000
    )
    return assertion, authority.version
