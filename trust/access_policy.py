"""What an owner asks of who comes with nothing but a name: which factors, in which combinations.

An access policy is in disjunctive normal form. Each of its *ways* is a set of factors of which all are
needed; any one way is enough. Every way has shares, a sealed copy of the owner's secrets, and guesses of its
own, at every safe; all ways of one version of a record have the record's id in common. Each safe judges the
factors for itself, by the policy that the owner signed: whom it takes for the owner's authority, which
devices it believes, and how long it waits.

    pin          knows the PIN; counted guesses
    device       holds one of `devices`, which signs the safes' challenges (trust/device_proof.py)
    authority    was authenticated by `authority` just now (trust/assertion.py)

Strangers never see a policy, and cannot tell which ways there are: a safe that is asked for one that an owner
lacks answers as for a name that nobody has (`way_key`).

Source: docs/DESIGN.md section 6; [E8-E10, C14-C19] of the specification.
"""

from __future__ import annotations

import hashlib
from itertools import chain
from typing import Annotated, Literal

from msgspec import Meta

from trust.documents import Document, SigningKey, verify
from trust.errors import AccessPolicyRefused
from trust.ids import (
    AuthorityKeyField,
    Bytes32,
    OwnerId,
    OwnerIdField,
    OwnerKey,
    OwnerKeyField,
    RecordIdField,
    SignatureField,
    UnixSeconds,
)

Factor = Literal["authority", "device", "pin"]
Way = Annotated[tuple[Factor, ...], Meta(min_length=1, max_length=3)]
"""Factors of which all are needed: ascending, each once."""

PIN_ALONE: tuple[Factor, ...] = ("pin",)
MOST_WAYS = 7
"""As many sets of the three factors as there are."""
MOST_DEVICES = 8
MAX_WAITING_SECONDS = 30 * 86_400

_WAY_KEY = b"kura/v1/way"


class OwnersDevice(Document, frozen=True):
    """A device by which the owner is known.

    Args:
        credential: WebAuthn attested credential data: AAGUID, credential id, COSE key (ES256 or EdDSA).
        verifies: It must say, whenever it signs, that it verified its owner, by PIN or finger.
        wrapping_key: X25519 public key whose private half comes of the device's own secret (hmac-secret).
        label: For people: 1 to 64 characters. The safes can read it.
    """

    title = "owner's device"

    credential: Annotated[bytes, Meta(min_length=18, max_length=2048)]
    verifies: bool
    wrapping_key: Bytes32
    label: Annotated[str, Meta(min_length=1, max_length=64)]

    @property
    def credential_id(self) -> bytes:
        """Which credential: what stands behind AAGUID (16 bytes) and its own length (2, big-endian)."""
        return self.credential[18 : 18 + int.from_bytes(self.credential[16:18])]


class AccessPolicy(Document, frozen=True):
    """The ways into one version of an owner's record.

    Args:
        owner_id: Whose record.
        owner_key: The owner's; the signature is by this key.
        record_id: Which version.
        made_at: When, by the clock of whoever had the owner's key; of two policies the later one stands.
        ways: 1 to 7, ascending, each once.
        devices: 0 to 8; at least one where a way needs a device.
        authority: Identity key of the owner's authority: one where a way needs it, else one or none.
        waiting_seconds: How long a safe waits with its part when no wallet of the owner's asks; 0 to 30 days.
    """

    title = "access policy"

    owner_id: OwnerIdField
    owner_key: OwnerKeyField
    record_id: RecordIdField
    made_at: UnixSeconds
    ways: Annotated[tuple[Way, ...], Meta(min_length=1, max_length=MOST_WAYS)]
    devices: Annotated[tuple[OwnersDevice, ...], Meta(max_length=MOST_DEVICES)] = ()
    authority: Annotated[tuple[AuthorityKeyField, ...], Meta(max_length=1)] = ()
    waiting_seconds: Annotated[int, Meta(ge=0, le=MAX_WAITING_SECONDS)] = 0

    def __post_init__(self) -> None:
        """Refuse two spellings of one policy, and ways that nobody could go."""
        for way in self.ways:
            if list(way) != sorted(set(way)):
                raise self.malformed("ways", "factors not ascending")
        if list(self.ways) != sorted(set(self.ways)):
            raise self.malformed("ways", "not ascending")
        needed = set(chain.from_iterable(self.ways))
        if "device" in needed and not self.devices:
            raise self.malformed("devices", "a way needs one")
        if "authority" in needed and not self.authority:
            raise self.malformed("authority", "a way needs one")
        if len({device.credential for device in self.devices}) != len(self.devices):
            raise self.malformed("devices", "a device stands twice")

    @property
    def safes_can_open(self) -> bool:
        """Whether k safes together need nothing more: a way has neither PIN nor device."""
        return any(way == ("authority",) for way in self.ways)


class SignedAccessPolicy(Document, frozen=True):
    """A policy as it travels and is kept.

    Args:
        policy: Exact signed bytes.
        signature: By the owner key that it names.
    """

    title = "signed access policy"

    policy: bytes
    signature: SignatureField


def sign_policy(policy: AccessPolicy, owner: SigningKey) -> SignedAccessPolicy:
    """The owner's word.

    Args:
        policy: Names the public half of `owner`.
        owner: Secret.

    Raises:
        DocumentMalformed: The fields make no policy.
    """
    body = policy.to_bytes()
    AccessPolicy.from_bytes(body)  # building a Struct checks no lengths and ranges
    return SignedAccessPolicy(body, owner.sign(AccessPolicy.title, body))


def read_policy(signed: SignedAccessPolicy, owner_key: OwnerKey) -> AccessPolicy:
    """What a signed policy says.

    Raises:
        DocumentMalformed: It does not parse.
        SignatureInvalid: The key that it names did not sign it.
        AccessPolicyRefused: It is another owner's.
    """
    policy = AccessPolicy.from_bytes(signed.policy)
    verify(AccessPolicy.title, policy.owner_key, signed.policy, signed.signature)
    if policy.owner_key != owner_key:
        raise AccessPolicyRefused(AccessPolicy.title, "it is another owner's")
    return policy


def way_key(owner_id: OwnerId, way: tuple[Factor, ...]) -> OwnerId:
    """Under what a safe counts guesses and makes decoys for one way of one name: 32 bytes.

    The owner id itself for the PIN alone. It is the same whether or not anybody has that way, and one way's
    key tells nothing of another's guesses.

    Args:
        owner_id: 32 bytes.
        way: Ascending.
    """
    if way == PIN_ALONE:
        return owner_id
    return OwnerId(hashlib.sha256(_WAY_KEY + owner_id + " ".join(way).encode()).digest())
