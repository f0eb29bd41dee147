"""Evaluating a spent guess, with the share of a record or of a decoy: equal work, equally proven."""

from __future__ import annotations

from dataclasses import dataclass

from safe_node.decisions.decoy import Decoy
from safe_node.owners import KeptPart
from threshold.feldman import ScalarShare
from threshold.randomness import RandomSource
from threshold.ristretto import Point, Scalar
from threshold.shared_oprf import ShareEvaluation, evaluate_share
from trust.ids import RecordId, SafeId


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What goes out for a guess.

    Args:
        record_id: Of the record, or of the decoy.
        evaluation: Under the share of this safe.
    """

    record_id: RecordId
    evaluation: ShareEvaluation


def evaluate_guess(
    part: KeptPart | None, decoy: Decoy, safe_id: SafeId, element: Point, rng: RandomSource
) -> Evaluated:
    """Evaluate a blinded element.

    Args:
        part: With whose share; None: with the decoy's.
        decoy: Of the owner id.
        safe_id: This safe.
        element: Blinded, not the identity.
        rng: Gives one read of 64 bytes for the proof; Secret, never the same twice.

    Raises:
        RosterRefused: The decoy is of a roster without this safe.
    """
    share = decoy.oprf_share(safe_id)
    if part is None:
        return Evaluated(decoy.record_id, evaluate_share(share, element, rng))
    share = ScalarShare(part.x, Scalar.from_bytes(part.oprf_share))
    return Evaluated(part.record_id, evaluate_share(share, element, rng))
