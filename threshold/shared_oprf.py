"""The verifiable OPRF of `oprf` under a key that nobody has: n safes hold shares of it, any k evaluate.

The wallet sends one blinded element to every safe. The safe at x answers with f(x) times the element and with
a proof, of RFC 9497, that this f(x) is the one committed to when the key was dealt (`feldman`): of its own
share, so a safe that lies is named alone. Under Lagrange weights any k answers sum to f(0) times the element,
as in 2HashTDH (Jarecki, Kiayias, Krawczyk and Xu 2017, ePrint 2017/363). What follows is `oprf.finalize`, and
the output is that of a single server with the key f(0), to the byte.

    request = oprf.blind(b"input", Mode.VOPRF, rng)                      # wallet; sends request.element
    answer = shared_oprf.evaluate_share(share, request.element, rng)      # each safe
    shared_oprf.verify_evaluation(answer, request.element, commitments, k)  # wallet, each answer
    output = oprf.finalize(request, shared_oprf.combine_evaluations(answers, k))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from threshold import dleq, feldman, oprf
from threshold.errors import EvaluationNotProven, InvalidPoint
from threshold.oprf import KeyPair, Mode
from threshold.ristretto import Point
from threshold.shamir import check_index

if TYPE_CHECKING:
    from threshold.dleq import Proof
    from threshold.feldman import ScalarShare
    from threshold.randomness import RandomSource


@dataclass(frozen=True, slots=True)
class ShareEvaluation:
    """What one safe answers; nothing in it is secret.

    Attributes:
        x: the safe's share index, 1..255.
        element: f(x) times the blinded element; 32 bytes when encoded, not the identity.
        proof: that it is; 64 bytes when encoded.

    Raises:
        InvalidShareIndex: x is out of range.
        InvalidPoint: the element is the identity.
    """

    x: int
    element: Point
    proof: Proof

    def __post_init__(self) -> None:
        check_index(self.x)
        if self.element.is_identity:
            raise InvalidPoint


def evaluate_share(share: ScalarShare, blinded: Point, rng: RandomSource) -> ShareEvaluation:
    """A safe's part: its share times the blinded element, proven.

    Args:
        share: Secret: the safe's share of the key.
        blinded: from the wallet, not the identity.
        rng: gives one read of 64 bytes. Secret, and never the same for two evaluations: two that share it
            give the share away.

    Raises:
        InvalidShareIndex: x is out of range.
        InvalidScalar: the share is zero, or the generator broken.
        InvalidPoint: the blinded element is the identity.
    """
    check_index(share.x)
    evaluation = oprf.evaluate_and_prove(KeyPair(share.value), [blinded], rng)
    return ShareEvaluation(share.x, evaluation.elements[0], evaluation.proof)


def verify_evaluation(
    evaluation: ShareEvaluation, blinded: Point, commitments: Sequence[Point], k: int
) -> None:
    """Return when the safe at x used the share it is committed to, on this very blinded element.

    Args:
        evaluation: the answer, from anybody.
        blinded: what was sent, not the identity.
        commitments: of the key's dealing: C_0 .. C_{k-1}.
        k: the threshold of the dealing, 1..255.

    Raises:
        InvalidThreshold: k is out of range.
        CommitmentCountMismatch: not exactly k commitments.
        InvalidPoint: a commitment or the blinded element is the identity.
        EvaluationNotProven: names x: the proof does not hold for its share of this dealing.
    """
    public = feldman.share_commitment(evaluation.x, commitments, k)
    if blinded.is_identity:
        raise InvalidPoint
    # Only a dealing made to have a share of zero commits to one, and no answer is zero times anything.
    if public.is_identity or not dleq.holds(
        Mode.VOPRF.context, public, [(blinded, evaluation.element)], evaluation.proof
    ):
        raise EvaluationNotProven(evaluation.x)


def combine_evaluations(evaluations: Sequence[ShareEvaluation], k: int) -> Point:
    """f(0) times the blinded element, from the first k evaluations; verify each first.

    Args:
        evaluations: of one blinded element by one dealing, distinct x.
        k: the threshold of the dealing, 1..255.

    Raises:
        InvalidThreshold, DuplicateShareIndex: k or an x does not fit.
        NotEnoughShares: fewer than k evaluations.
        InvalidPoint: they sum to the identity: they were not verified.
    """
    weights = feldman.weights_of_first([evaluation.x for evaluation in evaluations], k)
    total = Point.identity()
    for weight, evaluation in zip(weights, evaluations[:k], strict=True):
        total += evaluation.element * weight
    if total.is_identity:
        raise InvalidPoint
    return total
