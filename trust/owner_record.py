"""The owner's record: what k safes and the right PIN turn back into the owner's secrets.

    OwnerRecord      public; the same bytes at every safe that keeps a part
    OwnerSecrets     what it is all for, sealed in every part
    ReleasedPart     what a safe gives to whoever proved the PIN

Beside the record each safe keeps a share of r and of the OPRF key, both held against the record's
commitments, the sealed secrets, and a tag of its own. The secrets are sealed under r and the OPRF output of
the stretched PIN, and under the device secret where the way needs a device (trust/access_policy.py): who has
k parts must still guess the PIN at Argon2id's price, who has fewer has nothing to hold a guess against. A way
without a PIN takes 32 zero bytes for the stretched one: there a safe judges the other factors alone. A safe
parts with its share of r only for a proof under its tag (trust/unlock_proof.py). Nothing in the record tells
when it was made, how many guesses it allows, or that it is more than a decoy: whoever asks about an unknown
name gets a record as well (docs/DESIGN.md section 6).

Source: Jarecki, Kiayias, Krawczyk and Xu, "TOPPSS" (ePrint 2017/363), for a password that opens what k
servers keep; HKDF (RFC 5869), HMAC (RFC 2104) and HPKE (RFC 9180) for what is derived. Every derivation joins
inputs of fixed lengths, so that no two of them ever read alike; docs/FORMATS.md gives them byte by byte.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta

from threshold import hkdf, sealing
from threshold.errors import InvalidLength, SealBroken
from trust.access_policy import MOST_DEVICES, PIN_ALONE, Factor
from trust.device_proof import WRAP_BYTES
from trust.documents import Document, SigningKey
from trust.errors import DocumentMalformed
from trust.ids import (
    Bytes32,
    GuessId,
    HashField,
    OwnerId,
    OwnerIdField,
    OwnerKey,
    OwnerKeyField,
    RecordId,
    RecordIdField,
    SafeId,
    SafeIdField,
    ShareIndex,
)

OPRF_OUTPUT_BYTES = 64
UNLOCK_SECRET_BYTES = 32
SEALED_BYTES = 119
"""Sealed secrets are always as long, whether or not they hold a root that goes."""
MOST_SEALED_BYTES = SEALED_BYTES + MOST_DEVICES * WRAP_BYTES
"""Behind them, in a way with a device, stands one wrap of the device secret for each device."""
DEVICE_SECRET_BYTES = 32

RELEASE_INFO = b"kura/v1/released-part"
"""HPKE info of a released part."""

_RECORD_KEY = b"kura/v1/owner-record"
NO_ROOT = bytes(32)
"""Stands where no root is being replaced."""
NO_PIN = bytes(32)
"""Stands for the stretched PIN in a way without one."""


class RecordPlace(Document, frozen=True):
    """Which safe keeps the shares at x."""

    title = "record place"

    x: ShareIndex
    safe_id: SafeIdField


class OwnerRecord(Document, frozen=True):
    """One version of an owner's record, without the parts.

    Args:
        owner_id: Whose it is.
        owner_key: Signs whatever only the owner may do.
        record_id: Which version.
        k: Parts that open it, together with the PIN; 1 to 255.
        places: Who keeps a part: each index and each safe once, k of them or more.
        unlock_commitments: Feldman's, of r: ristretto255 encodings of 32 bytes each, exactly k. Whether they
            are points is for whoever uses them to check.
        oprf_commitments: Feldman's, of the OPRF key, likewise.
        sealed_hash: SHA-256 of the sealed secrets.
    """

    title = "owner record"

    owner_id: OwnerIdField
    owner_key: OwnerKeyField
    record_id: RecordIdField
    k: Annotated[int, Meta(ge=1, le=255)]
    places: Annotated[tuple[RecordPlace, ...], Meta(min_length=1, max_length=255)]
    unlock_commitments: Annotated[tuple[Bytes32, ...], Meta(min_length=1, max_length=255)]
    oprf_commitments: Annotated[tuple[Bytes32, ...], Meta(min_length=1, max_length=255)]
    sealed_hash: HashField

    def __post_init__(self) -> None:
        """Refuse records that no k parts could open."""
        if not self.k == len(self.unlock_commitments) == len(self.oprf_commitments):
            raise self.malformed("k", "not exactly k commitments")
        if self.k > len(self.places):
            raise self.malformed("k", "more parts needed than kept")
        if len({place.x for place in self.places}) != len(self.places):
            raise self.malformed("places", "an index stands twice")
        if len({place.safe_id for place in self.places}) != len(self.places):
            raise self.malformed("places", "a safe stands twice")

    def x_at(self, safe_id: SafeId) -> int | None:
        """The share index of a safe's part; None where it keeps none."""
        return next((place.x for place in self.places if place.safe_id == safe_id), None)


class OwnerSecrets(Document, frozen=True):
    """What a record protects.

    Args:
        owner_seed: Secret: Ed25519 seed of the owner's key.
        root: Secret: 32 bytes from which keys and bindings are derived.
        leaving_root: Secret: the root before, while items are still bound to it; 32 zero bytes for none.
    """

    title = "owner secrets"

    owner_seed: Bytes32
    root: Bytes32
    leaving_root: Bytes32 = NO_ROOT

    def __repr__(self) -> str:
        return "<OwnerSecrets redacted>"

    @property
    def signing_key(self) -> SigningKey:
        """Secret: the owner's key."""
        return SigningKey(self.owner_seed)

    @property
    def owner_key(self) -> OwnerKey:
        """Its public half."""
        return OwnerKey(self.signing_key.public)

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Secret: every root that an item may be bound to, the one in force first."""
        alone = hmac.compare_digest(self.leaving_root, NO_ROOT)
        return (self.root,) if alone else (self.root, self.leaving_root)


@dataclass(frozen=True, slots=True)
class WaySecrets:
    """What one way's copy of the owner's secrets is sealed under.

    Args:
        unlock_secret: Secret: r, fresh for every record and way, so that the key seals one message; 32 bytes.
        oprf_output: Secret: of the stretched PIN or `NO_PIN`, under this way's OPRF key; 64 bytes.
        way: Which.
        device_secret: Secret: 32 bytes in a way with a device, else none.

    Raises:
        InvalidLength: A length is another.
    """

    unlock_secret: bytes = field(repr=False)
    oprf_output: bytes = field(repr=False)
    way: tuple[Factor, ...] = PIN_ALONE
    device_secret: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        """Hold the lengths."""
        check_length("unlock secret", self.unlock_secret, UNLOCK_SECRET_BYTES)
        check_length("OPRF output", self.oprf_output, OPRF_OUTPUT_BYTES)
        needed = DEVICE_SECRET_BYTES if "device" in self.way else 0
        check_length("device secret", self.device_secret, needed)


class ReleasedPart(Document, frozen=True):
    """What a safe gives, sealed to the recipient key, to whoever proved the PIN.

    Args:
        unlock_share: Secret: its share of r, a canonical scalar.
        sealed: The sealed secrets, 119 bytes, and behind them the wraps of the device secret, 112 bytes each.
    """

    title = "released part"

    unlock_share: Bytes32
    sealed: Annotated[bytes, Meta(min_length=SEALED_BYTES, max_length=MOST_SEALED_BYTES)]

    def __repr__(self) -> str:
        return "<ReleasedPart redacted>"


def seal_secrets(secrets: OwnerSecrets, under: WaySecrets, owner_id: OwnerId, record_id: RecordId) -> bytes:
    """Seal the owner's secrets for one way: 119 bytes.

    Args:
        secrets: Secret.
        under: Secret.
        owner_id: 32 bytes.
        record_id: Of the record that the sealed secrets go into.
    """
    key = _record_key(under, owner_id, record_id)
    return sealing.seal(key, secrets.to_bytes(), owner_id + record_id)


def open_secrets(sealed: bytes, under: WaySecrets, record: OwnerRecord) -> OwnerSecrets:
    """Secret: the owner's secrets.

    Args:
        sealed: As a safe released it, without wraps; 119 bytes.
        under: Secret.
        record: The record it was released under.

    Raises:
        SealBroken: Something differs, or the secrets are not those of the record's owner.
    """
    key = _record_key(under, record.owner_id, record.record_id)
    try:
        secrets = OwnerSecrets.from_bytes(
            sealing.open_sealed(key, sealed, record.owner_id + record.record_id)
        )
    except DocumentMalformed:
        raise SealBroken from None
    if secrets.owner_key != record.owner_key:
        raise SealBroken
    return secrets


def sealed_hash(sealed: bytes) -> bytes:
    """What a record says of its sealed secrets, the wraps behind them included."""
    return hashlib.sha256(sealed).digest()


def release_label(safe_id: SafeId, guess_id: GuessId, record_id: RecordId) -> bytes:
    """What a released part is bound to besides its recipient: HPKE's associated data, 48 bytes."""
    return safe_id + guess_id + record_id


def _record_key(under: WaySecrets, owner_id: OwnerId, record_id: RecordId) -> sealing.SealingKey:
    named = b"" if under.way == PIN_ALONE else " ".join(under.way).encode()
    info = _RECORD_KEY + owner_id + record_id + named
    secret = under.unlock_secret + under.oprf_output + under.device_secret
    return sealing.SealingKey(hkdf.derive(secret, b"", info))


def check_length(what: str, value: bytes, need: int) -> None:
    """Hold a secret to its length.

    Raises:
        InvalidLength: It has another.
    """
    if len(value) != need:
        raise InvalidLength(what, len(value), need)
