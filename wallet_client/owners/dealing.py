"""Make an owner's record: draw r and an OPRF key, seal the secrets, deal a part for every safe of the roster.

Pure computation; each part is for its safe alone. Nothing of what was drawn is kept: with the PIN and k parts
it comes back, and for another PIN there is another record.

Source: Feldman 1987 for both dealings, RFC 9497 for the output, ePrint 2017/363 for the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from threshold import feldman, oprf
from threshold.errors import InvalidThreshold
from threshold.oprf import Mode
from threshold.randomness import RandomSource
from threshold.ristretto import Scalar
from trust.ids import Hash, OwnerId, RecordId, SafeId
from trust.owner_record import OwnerRecord, OwnerSecrets, RecordPlace, WaySecrets, seal_secrets, sealed_hash
from trust.roster import Roster
from trust.unlock_proof import unlock_tag
from wallet_client.owners.stretch import StretchedPin

RECORD_ID_BYTES = 16
DEFAULT_GUESSES = 10
MAX_GUESSES = 100


@dataclass(frozen=True, slots=True)
class DealtPart:
    """What one safe gets beside the record and the sealed secrets.

    Args:
        unlock_share: Secret: of r, 32 bytes.
        oprf_share: Secret: of the OPRF key, 32 bytes.
        unlock_tag: Secret: what it recognises the PIN by, 32 bytes.
    """

    unlock_share: bytes = field(repr=False)
    oprf_share: bytes = field(repr=False)
    unlock_tag: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DealtRecord:
    """A record and all its parts.

    Args:
        record: The same for all.
        sealed: The sealed secrets, the same for all.
        parts: By safe.
    """

    record: OwnerRecord
    sealed: bytes
    parts: Mapping[SafeId, DealtPart]


def deal_record(
    owner_id: OwnerId, secrets: OwnerSecrets, pin: StretchedPin, roster: Roster, rng: RandomSource
) -> DealtRecord:
    """A fresh record of an owner, for all safes of a roster and with its threshold.

    Args:
        owner_id: Whose.
        secrets: Secret: what it protects.
        pin: Secret: what opens it.
        roster: Its safes get x = 1, 2, ... in the roster's order.
        rng: Draws the record's id, r, the OPRF key and both polynomials.

    Raises:
        InputMapsToIdentity: No PIN is known that does this.
        InvalidScalar: The generator is broken: it drew zero.
    """
    record_id = RecordId(rng.read(RECORD_ID_BYTES))
    xs = range(1, len(roster.safes) + 1)
    unlock_secret, oprf_key = Scalar.random(rng), Scalar.random(rng)
    unlock = feldman.deal(unlock_secret, roster.threshold, xs, rng)
    evaluation = feldman.deal(oprf_key, roster.threshold, xs, rng)
    output = oprf.evaluate(oprf_key, pin.reveal(), Mode.VOPRF)
    sealed = seal_secrets(secrets, WaySecrets(unlock_secret.to_bytes(), output), owner_id, record_id)
    record = OwnerRecord(
        owner_id=owner_id,
        owner_key=secrets.owner_key,
        record_id=record_id,
        k=roster.threshold,
        places=tuple(RecordPlace(x, safe.safe_id) for x, safe in zip(xs, roster.safes, strict=True)),
        unlock_commitments=tuple(point.to_bytes() for point in unlock.commitments),
        oprf_commitments=tuple(point.to_bytes() for point in evaluation.commitments),
        sealed_hash=Hash(sealed_hash(sealed)),
    )
    parts = {
        safe.safe_id: DealtPart(
            unlock.shares[position].value.to_bytes(),
            evaluation.shares[position].value.to_bytes(),
            unlock_tag(output, safe.safe_id, record_id),
        )
        for position, safe in enumerate(roster.safes)
    }
    return DealtRecord(record, sealed, parts)


def true_total_of_guesses(n: int, k: int, guesses: int, lying: int) -> int:
    """How many PINs a thief can try in all who has bought `lying` safes: floor((n - c) G / (k - c)).

    A guess needs an answer of k safes; lying ones answer without counting, the others G times each.

    Args:
        n: Safes of the record.
        k: Parts that open it.
        guesses: G, that one safe allows.
        lying: c, 0 to k - 1; k of them need no guess that anybody counts.

    Raises:
        InvalidThreshold: k is not 1 to n, or c not 0 to k - 1; names what is left for honest safes.
    """
    if not 0 <= lying < k <= n:
        raise InvalidThreshold(k - lying, n - lying)
    return (n - lying) * guesses // (k - lying)
