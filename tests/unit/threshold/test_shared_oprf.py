"""The function under a divided key: any k answers give the single key's output, every lie is named."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threshold import feldman, oprf, shared_oprf
from threshold.dleq import Proof
from threshold.errors import (
    CommitmentCountMismatch,
    DuplicateShareIndex,
    EvaluationNotProven,
    InvalidPoint,
    InvalidScalar,
    InvalidShareIndex,
    InvalidThreshold,
    NotEnoughShares,
    ThresholdError,
)
from threshold.feldman import ScalarShare
from threshold.oprf import Mode
from threshold.randomness import SeededRandomness
from threshold.ristretto import Point, Scalar
from threshold.shared_oprf import ShareEvaluation

RNG = SeededRandomness(bytes(32), b"shared oprf")
KEY = Scalar.random(RNG)
K, XS = 3, (1, 2, 5, 100, 255)
DEALING = feldman.deal(KEY, K, XS, RNG)
COMMITMENTS = DEALING.commitments
OTHER = feldman.deal(KEY, K, XS, RNG)
REQUEST = oprf.blind(b"input", Mode.VOPRF, RNG)
BLINDED = REQUEST.element
OUTPUT = oprf.evaluate(KEY, b"input", Mode.VOPRF)
ANSWERS = [shared_oprf.evaluate_share(share, BLINDED, RNG) for share in DEALING.shares]
ONE, ZERO = Scalar.from_index(1), Scalar.from_index(0)
IDENTITY = Point.identity()


class Zeros:
    """A broken generator."""

    def read(self, length: int) -> bytes:
        return bytes(length)


def test_every_three_of_five_give_the_output_of_the_single_key() -> None:
    """All combinations, in both orders."""
    for chosen in combinations(ANSWERS, K):
        for answers in (chosen, chosen[::-1]):
            assert oprf.finalize(REQUEST, shared_oprf.combine_evaluations(answers, K)) == OUTPUT


def test_the_combined_element_is_what_the_single_key_makes() -> None:
    """And the single key's proof would hold for it: nothing tells the two apart."""
    assert shared_oprf.combine_evaluations(ANSWERS, K) == oprf.evaluate_blinded(KEY, BLINDED)


def test_two_answers_give_another_output() -> None:
    """Lowering the threshold in a call does not lower it in the mathematics."""
    for chosen in combinations(ANSWERS, 2):
        assert oprf.finalize(REQUEST, shared_oprf.combine_evaluations(chosen, 2)) != OUTPUT


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"x = {answer.x}")
def test_every_honest_answer_is_proven(answer: ShareEvaluation) -> None:
    """Also when it was read from its bytes, 32 and 64."""
    shared_oprf.verify_evaluation(answer, BLINDED, COMMITMENTS, K)
    element, proof = answer.element.to_bytes(), answer.proof.to_bytes()
    assert (len(element), len(proof)) == (32, 64)
    read = ShareEvaluation(answer.x, Point.from_bytes(element), Proof.from_bytes(proof))
    shared_oprf.verify_evaluation(read, BLINDED, COMMITMENTS, K)


def test_an_answer_is_one_of_rfc_9497_under_the_key_of_the_share() -> None:
    """Any client of the RFC that knows the committed share accepts it."""
    share, answer = DEALING.shares[0], ANSWERS[0]
    public = feldman.share_commitment(share.x, COMMITMENTS, K)
    (output,) = oprf.finalize_proven([REQUEST], oprf.Evaluation((answer.element,), answer.proof), public)
    assert output == oprf.evaluate(share.value, b"input", Mode.VOPRF)


FIRST, SECOND = ANSWERS[:2]
OTHER_REQUEST = oprf.blind(b"input", Mode.VOPRF, RNG)
LYING_SHARE = ScalarShare(1, DEALING.shares[0].value + ONE)


@pytest.mark.parametrize(
    ("answer", "blinded", "commitments"),
    [
        pytest.param(replace(FIRST, element=SECOND.element), BLINDED, COMMITMENTS, id="another's element"),
        pytest.param(replace(FIRST, element=BLINDED), BLINDED, COMMITMENTS, id="the blinded element itself"),
        pytest.param(replace(FIRST, proof=SECOND.proof), BLINDED, COMMITMENTS, id="another's proof"),
        pytest.param(
            replace(FIRST, proof=Proof(FIRST.proof.challenge, FIRST.proof.response + ONE)),
            BLINDED,
            COMMITMENTS,
            id="a changed response",
        ),
        pytest.param(
            replace(FIRST, proof=Proof(FIRST.proof.challenge + ONE, FIRST.proof.response)),
            BLINDED,
            COMMITMENTS,
            id="a changed challenge",
        ),
        pytest.param(replace(FIRST, proof=Proof(ZERO, ZERO)), BLINDED, COMMITMENTS, id="a proof of zeros"),
        pytest.param(replace(SECOND, x=1), BLINDED, COMMITMENTS, id="a right answer under another x"),
        pytest.param(FIRST, OTHER_REQUEST.element, COMMITMENTS, id="an answer to another request"),
        pytest.param(FIRST, BLINDED, OTHER.commitments, id="an answer from another dealing of the key"),
        pytest.param(SECOND, BLINDED, COMMITMENTS[::-1], id="commitments out of order"),
        pytest.param(
            shared_oprf.evaluate_share(LYING_SHARE, BLINDED, RNG), BLINDED, COMMITMENTS, id="another share"
        ),
    ],
)
def test_an_answer_that_is_not_proven_is_refused_and_its_safe_named(
    answer: ShareEvaluation, blinded: Point, commitments: tuple[Point, ...]
) -> None:
    """Whatever the lie, it is the one who claims x."""
    with pytest.raises(EvaluationNotProven) as refusal:
        shared_oprf.verify_evaluation(answer, blinded, commitments, K)
    assert refusal.value.x == answer.x


@pytest.mark.parametrize(
    ("blinded", "commitments", "k", "error"),
    [
        pytest.param(BLINDED, COMMITMENTS, 0, InvalidThreshold(0, 255), id="k of zero"),
        pytest.param(BLINDED, COMMITMENTS, 256, InvalidThreshold(256, 255), id="k above 255"),
        pytest.param(BLINDED, COMMITMENTS[:2], K, CommitmentCountMismatch(2, 3), id="too few commitments"),
        pytest.param(BLINDED, COMMITMENTS, 2, CommitmentCountMismatch(3, 2), id="too many commitments"),
        pytest.param(BLINDED, (), K, CommitmentCountMismatch(0, 3), id="no commitments"),
        pytest.param(BLINDED, (*COMMITMENTS[:2], IDENTITY), K, InvalidPoint(), id="an identity commitment"),
        pytest.param(IDENTITY, COMMITMENTS, K, InvalidPoint(), id="the identity, blinded"),
    ],
)
def test_verifying_refuses(
    blinded: Point, commitments: tuple[Point, ...], k: int, error: ThresholdError
) -> None:
    """Each with its kind and its fields."""
    with pytest.raises(type(error)) as refusal:
        shared_oprf.verify_evaluation(FIRST, blinded, commitments, k)
    assert vars(refusal.value) == vars(error)


def test_a_dealing_made_so_that_a_share_is_zero_proves_nothing_there() -> None:
    """f(1) = 0 has the identity as its commitment; no proof under it can hold."""
    commitments = feldman.commit((KEY, ZERO - KEY))
    assert feldman.share_commitment(1, commitments, 2).is_identity
    with pytest.raises(EvaluationNotProven) as refusal:
        shared_oprf.verify_evaluation(FIRST, BLINDED, commitments, 2)
    assert refusal.value.x == 1


@pytest.mark.parametrize("x", [-1, 0, 256])
def test_no_answer_has_an_x_out_of_range(x: int) -> None:
    """x = 0 would be the whole key."""
    with pytest.raises(InvalidShareIndex) as refusal:
        replace(FIRST, x=x)
    assert refusal.value.x == x
    with pytest.raises(InvalidShareIndex):
        shared_oprf.evaluate_share(ScalarShare(x, KEY), BLINDED, RNG)


def test_no_answer_is_the_identity() -> None:
    """Made here or read from bytes."""
    with pytest.raises(InvalidPoint):
        replace(FIRST, element=IDENTITY)
    with pytest.raises(InvalidPoint):
        Point.from_bytes(IDENTITY.to_bytes())


@pytest.mark.parametrize(
    ("share", "blinded", "rng", "error"),
    [
        pytest.param(DEALING.shares[0], IDENTITY, RNG, InvalidPoint, id="the identity, blinded"),
        pytest.param(ScalarShare(1, ZERO), BLINDED, RNG, InvalidScalar, id="a share of zero"),
        pytest.param(DEALING.shares[0], BLINDED, Zeros(), InvalidScalar, id="a broken generator"),
    ],
)
def test_a_safe_refuses(
    share: ScalarShare, blinded: Point, rng: SeededRandomness, error: type[ThresholdError]
) -> None:
    """What would give its share away or prove nothing."""
    with pytest.raises(error):
        shared_oprf.evaluate_share(share, blinded, rng)


OPPOSITE = [
    ShareEvaluation(1, Point.base_mul(ONE), FIRST.proof),
    ShareEvaluation(2, Point.base_mul(ONE + ONE), SECOND.proof),
]
"""On a line through zero: 2 * G - 2G."""


@pytest.mark.parametrize(
    ("answers", "k", "error"),
    [
        pytest.param(ANSWERS[:2], K, NotEnoughShares(2, 3), id="too few"),
        pytest.param([], 1, NotEnoughShares(0, 1), id="none"),
        pytest.param(ANSWERS, 0, InvalidThreshold(0, 255), id="k of zero"),
        pytest.param(ANSWERS, 256, InvalidThreshold(256, 255), id="k above 255"),
        pytest.param([FIRST, SECOND, FIRST], K, DuplicateShareIndex(1), id="one answer twice"),
        pytest.param([*ANSWERS[:3], SECOND], K, DuplicateShareIndex(2), id="twice beyond the first k"),
        pytest.param(OPPOSITE, 2, InvalidPoint(), id="answers that cancel out"),
    ],
)
def test_combining_refuses(answers: list[ShareEvaluation], k: int, error: ThresholdError) -> None:
    """Each with its kind and its fields."""
    with pytest.raises(type(error)) as refusal:
        shared_oprf.combine_evaluations(answers, k)
    assert vars(refusal.value) == vars(error)


@st.composite
def schemes(draw: st.DrawFn) -> tuple[int, list[int], list[int]]:
    """A threshold, the holders, and k of them."""
    xs = draw(st.lists(st.integers(1, 255), min_size=1, max_size=7, unique=True))
    k = draw(st.integers(1, len(xs)))
    return k, xs, draw(st.permutations(xs))[:k]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(scheme=schemes(), content=st.binary(max_size=200), seed=st.binary(min_size=32, max_size=32))
def test_any_k_of_any_n_give_the_output_of_the_single_key(
    scheme: tuple[int, list[int], list[int]], content: bytes, seed: bytes
) -> None:
    """Proven, combined and finalized, for every input."""
    k, xs, chosen = scheme
    rng = SeededRandomness(seed, b"any k of n")
    key = Scalar.random(rng)
    dealing = feldman.deal(key, k, xs, rng)
    shares = {share.x: share for share in dealing.shares}
    request = oprf.blind(content, Mode.VOPRF, rng)
    answers = [shared_oprf.evaluate_share(shares[x], request.element, rng) for x in chosen]
    for answer in answers:
        shared_oprf.verify_evaluation(answer, request.element, dealing.commitments, k)
    output = oprf.finalize(request, shared_oprf.combine_evaluations(answers, k))
    assert output == oprf.evaluate(key, content, Mode.VOPRF)


def with_a_share_of_its_own(share: ScalarShare) -> ShareEvaluation:
    return shared_oprf.evaluate_share(ScalarShare(share.x, share.value + ONE), BLINDED, RNG)


def with_the_answer_to_another_request(share: ScalarShare) -> ShareEvaluation:
    return shared_oprf.evaluate_share(share, OTHER_REQUEST.element, RNG)


def with_an_element_of_its_own(share: ScalarShare) -> ShareEvaluation:
    honest = shared_oprf.evaluate_share(share, BLINDED, RNG)
    return replace(honest, element=honest.element + BLINDED)


@pytest.mark.parametrize("liar", range(len(XS)), ids=lambda place: f"x = {XS[place]} lies")
@pytest.mark.parametrize(
    "lie",
    [with_a_share_of_its_own, with_the_answer_to_another_request, with_an_element_of_its_own],
    ids=lambda lie: lie.__name__,
)
def test_one_lying_safe_is_named_and_the_others_succeed(
    liar: int, lie: Callable[[ScalarShare], ShareEvaluation]
) -> None:
    """It is found before it can spoil the output, which it would."""
    answers = list(ANSWERS)
    answers[liar] = lie(DEALING.shares[liar])
    named, good = [], []
    for answer in answers:
        try:
            shared_oprf.verify_evaluation(answer, BLINDED, COMMITMENTS, K)
            good.append(answer)
        except EvaluationNotProven as refusal:
            named.append(refusal.x)
    assert named == [XS[liar]]
    for chosen in combinations(good, K):
        assert oprf.finalize(REQUEST, shared_oprf.combine_evaluations(chosen, K)) == OUTPUT
    spoilt = shared_oprf.combine_evaluations([answers[liar], *good[:2]], K)
    assert oprf.finalize(REQUEST, spoilt) != OUTPUT
