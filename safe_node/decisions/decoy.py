"""What a safe answers when it is asked about an owner whom it does not know, or who may not guess now.

All safes of a roster version hold one decoy secret (trust/decoys.py). From it and the owner id each works out
the same record, and its own share of one dealing of an OPRF key; so decoys are proven like real evaluations,
and any k of k + 1 fit one polynomial. A decoy looks like a record that was enrolled under the roster: as many
parts needed as its threshold, one at each of its safes, by rising x. Nothing was ever sealed under it.

Each owner id has two. The first stands for the record of a name that nobody has. The waiting one stands in
for whatever cannot be tried now, a record or the first decoy; so names change in the same way. Each way in
has its own two; they differ in all but owner id, record id and owner key, as the ways of a record do.
One is made at every question, also about owners who are known, so that time tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from safe_node.guesses import DecoyNames
from threshold import feldman, hkdf
from threshold.feldman import ScalarShare
from threshold.randomness import SEED_BYTES, RandomSource, SeededRandomness
from threshold.ristretto import Scalar
from trust.access_policy import PIN_ALONE, Way, way_key
from trust.documents import SigningKey
from trust.ids import HASH_BYTES, ID_BYTES, KEY_BYTES, Hash, OwnerId, OwnerKey, RecordId, SafeId
from trust.owner_record import OwnerRecord, RecordPlace
from trust.roster import Roster
from trust.unlock_proof import TAG_BYTES

_FIRST = b"kura/v1/decoy-record"
_WAITING = b"kura/v1/waiting-decoy"
_TAG = b"kura/v1/decoy-tag"


@dataclass(frozen=True, slots=True)
class Decoy:
    """A decoy of one owner id.

    Args:
        owner_id: Whose.
        record_id: Its id.
        owner_key: Nobody's.
        sealed_hash: Of nothing.
        oprf: Secret: polynomial of its OPRF key.
        unlock: Secret: another of the same degree.
        roster: It looks enrolled under this one.
    """

    owner_id: OwnerId
    record_id: RecordId
    owner_key: OwnerKey
    sealed_hash: Hash
    oprf: tuple[Scalar, ...] = field(repr=False)
    unlock: tuple[Scalar, ...] = field(repr=False)
    roster: Roster = field(repr=False)

    def record(self) -> bytes:
        """Exact bytes of an OwnerRecord. About a millisecond of point arithmetic."""
        return OwnerRecord(
            owner_id=self.owner_id,
            owner_key=self.owner_key,
            record_id=self.record_id,
            k=self.roster.threshold,
            places=tuple(RecordPlace(x, safe.safe_id) for x, safe in enumerate(self.roster.safes, 1)),
            unlock_commitments=_commitments(self.unlock),
            oprf_commitments=_commitments(self.oprf),
            sealed_hash=self.sealed_hash,
        ).to_bytes()

    def oprf_share(self, safe_id: SafeId) -> ScalarShare:
        """Secret: a safe's share of the OPRF key.

        Raises:
            RosterRefused: The roster has no such safe.
        """
        x = self.roster.safes.index(self.roster.safe(safe_id)) + 1
        return ScalarShare(x, feldman.evaluate_at(self.oprf, Scalar.from_index(x)))


def make_decoy(
    decoy_secret: bytes,
    owner_id: OwnerId,
    roster: Roster,
    *,
    waiting: bool,
    way: Way = PIN_ALONE,
    names: DecoyNames | None = None,
) -> Decoy:
    """A decoy, the same each time and at every safe.

    Args:
        decoy_secret: Secret: of this roster version, 32 bytes.
        owner_id: Any 32 bytes.
        roster: The newest version.
        waiting: The waiting one; else the first.
        way: By which factors; another has another polynomial.
        names: Record id and owner key of the other ways, where the name has some; else all ways of one owner
            id have those in common that come of it.
    """
    label = _WAITING if waiting else _FIRST
    rng = _stream(decoy_secret, label, owner_id)
    record_id, key = RecordId(rng.read(ID_BYTES)), SigningKey(rng.read(KEY_BYTES))
    if way != PIN_ALONE:
        rng = _stream(decoy_secret, label, way_key(owner_id, way))
    return Decoy(
        owner_id=owner_id,
        record_id=record_id if names is None else names.record_id,
        owner_key=OwnerKey(key.public) if names is None else names.owner_key,
        sealed_hash=Hash(rng.read(HASH_BYTES)),
        oprf=_polynomial(roster.threshold, rng),
        unlock=_polynomial(roster.threshold, rng),
        roster=roster,
    )


def first_decoy_id(decoy_secret: bytes, owner_id: OwnerId) -> RecordId:
    """The record id of the first decoys of an owner id, of whatever way; a third of the work of making one.

    Args:
        decoy_secret: Secret: of this roster version, 32 bytes.
        owner_id: Any 32 bytes.
    """
    return RecordId(_stream(decoy_secret, _FIRST, owner_id).read(ID_BYTES))


def decoy_tag(decoy_secret: bytes, owner_id: OwnerId, safe_id: SafeId) -> bytes:
    """Secret: 32 bytes; no proof that anybody can make holds under it.

    Args:
        decoy_secret: Secret: 32 bytes.
        owner_id: Any 32 bytes.
        safe_id: Whose tag.
    """
    return hkdf.derive(decoy_secret, b"", _TAG + owner_id + safe_id, TAG_BYTES)


def _stream(decoy_secret: bytes, label: bytes, key: bytes) -> SeededRandomness:
    return SeededRandomness(hkdf.derive(decoy_secret, b"", label + key, SEED_BYTES), label)


def _polynomial(k: int, rng: RandomSource) -> tuple[Scalar, ...]:
    return feldman.draw_polynomial(Scalar.random(rng), k, rng)


def _commitments(polynomial: tuple[Scalar, ...]) -> tuple[bytes, ...]:
    return tuple(point.to_bytes() for point in feldman.commit(polynomial))
