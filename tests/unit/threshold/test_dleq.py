"""The proof of a key: it holds for what it was made for and for nothing else."""

from itertools import permutations

import pytest

from threshold import dleq
from threshold.dleq import Pair, Proof
from threshold.errors import InvalidBatch, InvalidLength, InvalidPoint, InvalidScalar, ThresholdError
from threshold.randomness import SeededRandomness
from threshold.ristretto import ORDER, Point, Scalar

RNG = SeededRandomness(bytes(32), b"dleq")
CONTEXT = b"a context"
KEY, OTHER_KEY = Scalar.random(RNG), Scalar.random(RNG)
PUBLIC = Point.base_mul(KEY)
ONE = Scalar.from_index(1)
ELEMENTS = [Point.base_mul(Scalar.random(RNG)) for _ in range(3)]
PAIRS: list[Pair] = [(element, element * KEY) for element in ELEMENTS]
PROOF = dleq.prove(CONTEXT, KEY, PUBLIC, PAIRS, RNG)
IDENTITY = Point.identity()


class Zeros:
    """A broken generator."""

    def read(self, length: int) -> bytes:
        return bytes(length)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_proof_holds_for_what_it_was_made_for(size: int) -> None:
    """One pair, or several under one proof."""
    proof = dleq.prove(CONTEXT, KEY, PUBLIC, PAIRS[:size], RNG)
    assert dleq.holds(CONTEXT, PUBLIC, PAIRS[:size], proof)


def test_two_proofs_of_one_thing_differ_and_both_hold() -> None:
    """Each has fresh randomness."""
    again = dleq.prove(CONTEXT, KEY, PUBLIC, PAIRS, RNG)
    assert again != PROOF
    assert dleq.holds(CONTEXT, PUBLIC, PAIRS, again)


def test_a_proof_comes_back_from_its_64_bytes() -> None:
    """The challenge first."""
    encoded = PROOF.to_bytes()
    assert len(encoded) == dleq.PROOF_BYTES == 64
    assert encoded[:32] == PROOF.challenge.to_bytes()
    assert Proof.from_bytes(encoded) == PROOF


WRONG_SCALAR = ORDER.to_bytes(32, "little")


@pytest.mark.parametrize(
    ("encoded", "error"),
    [
        pytest.param(b"", InvalidLength("proof", 0, 64), id="nothing"),
        pytest.param(bytes(63), InvalidLength("proof", 63, 64), id="63 bytes"),
        pytest.param(bytes(65), InvalidLength("proof", 65, 64), id="65 bytes"),
        pytest.param(WRONG_SCALAR + bytes(32), InvalidScalar(), id="a challenge of L"),
        pytest.param(bytes(32) + WRONG_SCALAR, InvalidScalar(), id="a response of L"),
    ],
)
def test_bytes_that_are_no_proof_are_refused(encoded: bytes, error: ThresholdError) -> None:
    """One proof has one encoding."""
    with pytest.raises(type(error)) as refusal:
        Proof.from_bytes(encoded)
    assert vars(refusal.value) == vars(error)


ZERO_PROOF = Proof.from_bytes(bytes(64))


@pytest.mark.parametrize(
    ("context", "public", "pairs", "proof"),
    [
        pytest.param(b"another", PUBLIC, PAIRS, PROOF, id="another context"),
        pytest.param(CONTEXT, Point.base_mul(OTHER_KEY), PAIRS, PROOF, id="another key"),
        pytest.param(CONTEXT, PUBLIC, PAIRS[:2], PROOF, id="a pair less"),
        pytest.param(CONTEXT, PUBLIC, [*PAIRS, PAIRS[0]], PROOF, id="a pair more"),
        pytest.param(
            CONTEXT, PUBLIC, PAIRS, Proof(PROOF.challenge + ONE, PROOF.response), id="another challenge"
        ),
        pytest.param(
            CONTEXT, PUBLIC, PAIRS, Proof(PROOF.challenge, PROOF.response + ONE), id="another response"
        ),
        pytest.param(
            CONTEXT, PUBLIC, PAIRS, Proof(PROOF.response, PROOF.challenge), id="halves changed over"
        ),
        pytest.param(CONTEXT, PUBLIC, PAIRS, ZERO_PROOF, id="all zeros"),
    ],
)
def test_a_proof_does_not_hold_for_anything_else(
    context: bytes, public: Point, pairs: list[Pair], proof: Proof
) -> None:
    """Context, key, batch and both halves are bound."""
    assert not dleq.holds(context, public, pairs, proof)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_wrong_evaluation_in_a_batch_spoils_the_proof(place: int) -> None:
    """Also one that a liar proves with its right key for the others."""
    pairs = list(PAIRS)
    pairs[place] = (ELEMENTS[place], ELEMENTS[place] * OTHER_KEY)
    assert not dleq.holds(CONTEXT, PUBLIC, pairs, PROOF)
    assert not dleq.holds(CONTEXT, PUBLIC, pairs, dleq.prove(CONTEXT, KEY, PUBLIC, pairs, RNG))


def test_errors_that_cancel_out_in_a_batch_are_seen() -> None:
    """The sum of the evaluations is right; under the weights it is not."""
    (first, one), (second, two), third = PAIRS
    shift = Point.base_mul(OTHER_KEY)
    pairs = [(first, one + shift), (second, two - shift), third]
    assert not dleq.holds(CONTEXT, PUBLIC, pairs, dleq.prove(CONTEXT, KEY, PUBLIC, pairs, RNG))


@pytest.mark.parametrize("order", [order for order in permutations(range(3)) if order != (0, 1, 2)], ids=str)
def test_a_batch_in_another_order_is_another_batch(order: tuple[int, ...]) -> None:
    """Each weight depends on its place."""
    assert not dleq.holds(CONTEXT, PUBLIC, [PAIRS[place] for place in order], PROOF)


@pytest.mark.parametrize(
    ("public", "pairs", "error"),
    [
        pytest.param(PUBLIC, [], InvalidBatch(0, 65535), id="no pair"),
        pytest.param(PUBLIC, PAIRS[:1] * 65536, InvalidBatch(65536, 65535), id="65536 pairs"),
        pytest.param(IDENTITY, PAIRS, InvalidPoint(), id="the identity as key"),
        pytest.param(PUBLIC, [(IDENTITY, ELEMENTS[0])], InvalidPoint(), id="the identity, blinded"),
        pytest.param(PUBLIC, [(ELEMENTS[0], IDENTITY)], InvalidPoint(), id="the identity, evaluated"),
        pytest.param(PUBLIC, [PAIRS[0], (IDENTITY, IDENTITY)], InvalidPoint(), id="the identity, second"),
    ],
)
def test_proving_and_checking_refuse(public: Point, pairs: list[Pair], error: ThresholdError) -> None:
    """Both, before any arithmetic."""
    with pytest.raises(type(error)) as refusal:
        dleq.prove(CONTEXT, KEY, public, pairs, RNG)
    assert vars(refusal.value) == vars(error)
    with pytest.raises(type(error)) as refusal:
        dleq.holds(CONTEXT, public, pairs, PROOF)
    assert vars(refusal.value) == vars(error)


def test_a_context_that_leaves_no_room_in_a_tag_is_refused() -> None:
    """242 bytes fit."""
    longest = bytes(242)
    assert dleq.holds(longest, PUBLIC, PAIRS, dleq.prove(longest, KEY, PUBLIC, PAIRS, RNG))
    with pytest.raises(InvalidLength):
        dleq.prove(bytes(243), KEY, PUBLIC, PAIRS, RNG)


def test_a_broken_generator_is_refused() -> None:
    """With r = 0 the response would be the key, but for the public challenge."""
    with pytest.raises(InvalidScalar):
        dleq.prove(CONTEXT, KEY, PUBLIC, PAIRS, Zeros())
