"""What a safe answers when it is asked about an owner whom it does not know, or who may not guess now.

All safes of a roster version hold one decoy secret (trust/decoys.py). From it and the owner id each works out
the same record, and its own share of one dealing of an OPRF key; so decoys are proven like real evaluations,
and any k of k + 1 fit one polynomial. A decoy looks like a record that was enrolled under the roster: as many
parts needed as its threshold, one at each of its safes, by rising x. Nothing was ever sealed under it.

It is made at every question, also about owners who are known, so that time tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from threshold import feldman, hkdf
from threshold.feldman import ScalarShare
from threshold.randomness import SEED_BYTES, RandomSource, SeededRandomness
from threshold.ristretto import Scalar
from trust.documents import SigningKey
from trust.ids import HASH_BYTES, ID_BYTES, KEY_BYTES, Hash, OwnerId, OwnerKey, RecordId, SafeId
from trust.owner_record import TAG_BYTES, OwnerRecord, RecordPlace
from trust.roster import Roster

_SEED = b"kura/v1/decoy-record"
_TAG = b"kura/v1/decoy-tag"


@dataclass(frozen=True, slots=True)
class Decoy:
    """The decoy of one owner id, at one safe.

    Args:
        record: Exact bytes of an OwnerRecord.
        record_id: Its id.
        oprf_share: Secret: this safe's share of its OPRF key.
        unlock_tag: Secret: 32 bytes; no proof that anybody can make holds under it.
    """

    record: bytes
    record_id: RecordId
    oprf_share: ScalarShare
    unlock_tag: bytes = field(repr=False)


def make_decoy(decoy_secret: bytes, owner_id: OwnerId, roster: Roster, safe_id: SafeId) -> Decoy:
    """The decoy, the same each time.

    Args:
        decoy_secret: Secret: of this roster version, 32 bytes.
        owner_id: Any 32 bytes.
        roster: The newest version.
        safe_id: A safe of it.

    Raises:
        RosterRefused: The roster has no such safe.
    """
    seed = hkdf.derive(decoy_secret, b"", _SEED + owner_id, SEED_BYTES)
    rng = SeededRandomness(seed, _SEED)
    x = roster.safes.index(roster.safe(safe_id)) + 1
    record_id = RecordId(rng.read(ID_BYTES))
    key = OwnerKey(SigningKey(rng.read(KEY_BYTES)).public)
    sealed_hash = Hash(rng.read(HASH_BYTES))
    oprf = _polynomial(roster.threshold, rng)
    record = OwnerRecord(
        owner_id=owner_id,
        owner_key=key,
        record_id=record_id,
        k=roster.threshold,
        places=tuple(RecordPlace(number, safe.safe_id) for number, safe in enumerate(roster.safes, 1)),
        unlock_commitments=_commitments(_polynomial(roster.threshold, rng)),
        oprf_commitments=_commitments(oprf),
        sealed_hash=sealed_hash,
    )
    share = ScalarShare(x, feldman.evaluate_at(oprf, Scalar.from_index(x)))
    tag = hkdf.derive(decoy_secret, b"", _TAG + owner_id + safe_id, TAG_BYTES)
    return Decoy(record.to_bytes(), record_id, share, tag)


def _polynomial(k: int, rng: RandomSource) -> tuple[Scalar, ...]:
    return feldman.draw_polynomial(Scalar.random(rng), k, rng)


def _commitments(polynomial: tuple[Scalar, ...]) -> tuple[bytes, ...]:
    return tuple(point.to_bytes() for point in feldman.commit(polynomial))
