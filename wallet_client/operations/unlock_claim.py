"""What a wallet has of a guess once it was evaluated: enough to have the parts, and to open the secrets.

It can be kept, sealed, and used again: where the owner's waiting period runs, the same claim gets the parts
afterwards, without another guess and without another look at the factors.
"""

from collections.abc import Mapping

import msgspec

from threshold import feldman, hpke
from threshold.errors import SealBroken, ThresholdError
from threshold.feldman import ScalarShare
from threshold.hpke import KeyPair
from threshold.ristretto import Point, Scalar
from trust.access_policy import Factor
from trust.device_proof import unwrap_device_secret
from trust.errors import DocumentMalformed
from trust.ids import GuessId, SafeId
from trust.owner_record import (
    RELEASE_INFO,
    SEALED_BYTES,
    OwnerRecord,
    OwnerSecrets,
    ReleasedPart,
    WaySecrets,
    open_secrets,
    release_label,
    sealed_hash,
)
from trust.unlock_proof import unlock_proof, unlock_tag
from wallet_client.network.failures import WrongOwnerPart
from wallet_client.network.links import Links
from wallet_client.operations.owner_errors import OwnerRecordBroken


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """A guess that was evaluated.

    Args:
        record: The record that was tried, exact bytes.
        guess_id: 16 bytes.
        recipient: Secret: X25519 private key to whose public half the parts are sealed, 32 bytes.
        output: Secret: OPRF output, 64 bytes.
        way: By which factors.
        credential_id: Of the device that answered; empty without one.
        device_secret: Secret: the device's own, 32 bytes; empty without one.
    """

    record: bytes
    guess_id: bytes
    recipient: bytes
    output: bytes
    way: tuple[Factor, ...]
    credential_id: bytes = b""
    device_secret: bytes = b""

    def __repr__(self) -> str:
        return "<Claim redacted>"

    @property
    def pair(self) -> KeyPair:
        """Secret: to which the parts are sealed."""
        return KeyPair(self.recipient)

    def read_record(self) -> OwnerRecord:
        """The record that was tried."""
        return OwnerRecord.from_bytes(self.record)


async def release_at(links: Links, claim: Claim, safe_id: SafeId, *, as_wallet: bool) -> ReleasedPart | int:
    """Secret: one safe's part, held against the record; or when it gives it, milliseconds since 1970.

    Args:
        links: To the safes.
        claim: Secret.
        safe_id: Where it was evaluated.
        as_wallet: Sign as the owner's wallet.

    Raises:
        UnlockRefused: It does not open there.
        WrongOwnerPart: The part is not the record's.
        Refusal, CallFailed: There is no answer.
    """
    record, guess_id, pair = claim.read_record(), GuessId(claim.guess_id), claim.pair
    tag = unlock_tag(claim.output, safe_id, record.record_id)
    proof = unlock_proof(tag, safe_id, guess_id, pair.public, record.record_id)
    link = links.to_owners(safe_id)
    given = await link.unlock(
        record.owner_id, record.record_id, guess_id, pair.public, proof, signed=as_wallet
    )
    if given.release_at_ms:
        return given.release_at_ms
    label = release_label(safe_id, guess_id, record.record_id)
    try:
        part = ReleasedPart.from_bytes(hpke.open_sealed(pair, given.sealed_part, RELEASE_INFO, label))
        share = ScalarShare(record.x_at(safe_id) or 0, Scalar.from_bytes(part.unlock_share))
        feldman.verify_share(share, points(record.unlock_commitments), record.k)
    except (ThresholdError, DocumentMalformed):
        raise WrongOwnerPart from None
    if sealed_hash(part.sealed) != record.sealed_hash:
        raise WrongOwnerPart
    return part


def open_claim(claim: Claim, released: Mapping[SafeId, ReleasedPart]) -> OwnerSecrets:
    """Secret: the owner's secrets.

    Args:
        claim: Secret.
        released: k parts or more, each held against the record.

    Raises:
        OwnerRecordBroken: Everything held, and what comes out is not the owner's.
    """
    record = claim.read_record()
    shares = [
        ScalarShare(record.x_at(safe_id) or 0, Scalar.from_bytes(part.unlock_share))
        for safe_id, part in released.items()
    ]
    unlock_secret = feldman.combine(shares, record.k).to_bytes()
    sealed = next(iter(released.values())).sealed
    try:
        under = WaySecrets(
            unlock_secret, claim.output, claim.way, _device_secret(claim, record, sealed[SEALED_BYTES:])
        )
        return open_secrets(sealed[:SEALED_BYTES], under, record)
    except SealBroken:
        raise OwnerRecordBroken from None


def _device_secret(claim: Claim, record: OwnerRecord, wraps: bytes) -> bytes:
    """Secret: that of the record, 32 bytes in a way with a device, else none."""
    if "device" not in claim.way:
        return b""
    pair = hpke.derive_key_pair(claim.device_secret)
    return unwrap_device_secret(pair, wraps, claim.credential_id, record.owner_id + record.record_id)


def whole_second(at_ms: int) -> int:
    """The first whole second, since 1970, by which a time in milliseconds has come."""
    return -(-at_ms // 1_000)


def points(encoded: tuple[bytes, ...]) -> tuple[Point, ...]:
    """Commitments, decoded.

    Raises:
        OwnerRecordBroken: One is no point: k safes that agree on such a record made it up.
    """
    try:
        return tuple(Point.from_bytes(one) for one in encoded)
    except ThresholdError:
        raise OwnerRecordBroken from None
