"""The oblivious function with one key: what it hides, what it refuses. Its vectors stand beside."""

import pytest

from threshold import oprf
from threshold.dleq import Proof
from threshold.errors import (
    EvaluationNotProven,
    InputMapsToIdentity,
    InvalidBatch,
    InvalidLength,
    InvalidPoint,
    InvalidScalar,
    ThresholdError,
)
from threshold.oprf import BlindedInput, Evaluation, KeyPair, Mode
from threshold.randomness import SeededRandomness
from threshold.ristretto import Point, Scalar

RNG = SeededRandomness(bytes(32), b"oprf")
KEY = KeyPair(Scalar.random(RNG))
SEED = bytes(32)
ONE, ZERO = Scalar.from_index(1), Scalar.from_index(0)
IDENTITY = Point.identity()
TOO_LONG = bytes(65536)
CONTENTS = (b"first", b"", b"third")
REQUESTS = [oprf.blind(content, Mode.VOPRF, RNG) for content in CONTENTS]
EVALUATION = oprf.evaluate_and_prove(KEY, [request.element for request in REQUESTS], RNG)


class Zeros:
    """A broken generator."""

    def read(self, length: int) -> bytes:
        return bytes(length)


def test_a_batch_gives_what_direct_evaluation_gives() -> None:
    """The empty input among them."""
    expected = tuple(oprf.evaluate(KEY.secret, content, Mode.VOPRF) for content in CONTENTS)
    assert oprf.finalize_proven(REQUESTS, EVALUATION, KEY.public) == expected
    assert {len(output) for output in expected} == {oprf.OUTPUT_BYTES}


def test_the_longest_input_evaluates() -> None:
    """65535 bytes are allowed."""
    longest = TOO_LONG[1:]
    request = oprf.blind(longest, Mode.OPRF, RNG)
    output = oprf.finalize(request, oprf.evaluate_blinded(KEY.secret, request.element))
    assert output == oprf.evaluate(KEY.secret, longest, Mode.OPRF)


def test_output_depends_on_key_input_and_mode_and_on_no_blind() -> None:
    """Four outputs, and none of them twice."""
    outputs = {
        oprf.evaluate(KEY.secret, b"input", Mode.VOPRF),
        oprf.evaluate(KEY.secret, b"input", Mode.OPRF),
        oprf.evaluate(KEY.secret, b"other", Mode.VOPRF),
        oprf.evaluate(KEY.secret + ONE, b"input", Mode.VOPRF),
    }
    assert len(outputs) == 4
    first, second = (oprf.blind(b"input", Mode.VOPRF, RNG) for _ in range(2))
    assert first.element != second.element
    for request in (first, second):
        assert oprf.finalize(request, oprf.evaluate_blinded(KEY.secret, request.element)) in outputs


@pytest.mark.parametrize(
    ("evaluation", "public"),
    [
        pytest.param(EVALUATION, KeyPair(KEY.secret + ONE).public, id="another key"),
        pytest.param(
            Evaluation(EVALUATION.elements[::-1], EVALUATION.proof), KEY.public, id="answers in another order"
        ),
        pytest.param(
            Evaluation((KEY.public, *EVALUATION.elements[1:]), EVALUATION.proof),
            KEY.public,
            id="one answer is another element",
        ),
        pytest.param(
            Evaluation(EVALUATION.elements, Proof(EVALUATION.proof.challenge, ONE)),
            KEY.public,
            id="a changed proof",
        ),
    ],
)
def test_an_answer_that_is_not_proven_gives_no_output(evaluation: Evaluation, public: Point) -> None:
    """The whole key is at fault: x = 0."""
    with pytest.raises(EvaluationNotProven) as refusal:
        oprf.finalize_proven(REQUESTS, evaluation, public)
    assert refusal.value.x == 0


@pytest.mark.parametrize(
    ("requests", "evaluation", "public", "error"),
    [
        pytest.param(REQUESTS[:2], EVALUATION, KEY.public, InvalidBatch(3, 2), id="an answer too many"),
        pytest.param(
            REQUESTS,
            Evaluation(EVALUATION.elements[:2], EVALUATION.proof),
            KEY.public,
            InvalidBatch(2, 3),
            id="an answer too few",
        ),
        pytest.param(
            [], Evaluation((), EVALUATION.proof), KEY.public, InvalidBatch(0, 65535), id="nothing asked"
        ),
        pytest.param(REQUESTS, EVALUATION, IDENTITY, InvalidPoint(), id="the identity as public key"),
        pytest.param(
            REQUESTS,
            Evaluation((IDENTITY, *EVALUATION.elements[1:]), EVALUATION.proof),
            KEY.public,
            InvalidPoint(),
            id="the identity as an answer",
        ),
    ],
)
def test_finalizing_a_proven_batch_refuses(
    requests: list[BlindedInput], evaluation: Evaluation, public: Point, error: ThresholdError
) -> None:
    """Each with its kind and its fields."""
    with pytest.raises(type(error)) as refusal:
        oprf.finalize_proven(requests, evaluation, public)
    assert vars(refusal.value) == vars(error)


def test_finalizing_refuses_the_identity() -> None:
    """Its output would be the same under every key."""
    with pytest.raises(InvalidPoint):
        oprf.finalize(REQUESTS[0], IDENTITY)


def test_servers_refuse_the_identity_a_zero_key_and_an_empty_batch() -> None:
    """Before anything is drawn."""
    with pytest.raises(InvalidPoint):
        oprf.evaluate_blinded(KEY.secret, IDENTITY)
    with pytest.raises(InvalidPoint):
        oprf.evaluate_and_prove(KEY, [KEY.public, IDENTITY], RNG)
    with pytest.raises(InvalidScalar):
        oprf.evaluate_blinded(ZERO, KEY.public)
    with pytest.raises(InvalidScalar):
        oprf.evaluate(ZERO, b"input", Mode.OPRF)
    with pytest.raises(InvalidScalar):
        KeyPair(ZERO)
    with pytest.raises(InvalidBatch):
        oprf.evaluate_and_prove(KEY, [], RNG)


def test_inputs_that_are_too_long_are_refused_everywhere() -> None:
    """65536 bytes have no length in two bytes."""
    with pytest.raises(InvalidLength) as refusal:
        oprf.blind(TOO_LONG, Mode.OPRF, RNG)
    assert vars(refusal.value) == {"what": "OPRF input", "have": 65536, "need": 65535}
    with pytest.raises(InvalidLength):
        oprf.evaluate(KEY.secret, TOO_LONG, Mode.OPRF)


@pytest.mark.parametrize(
    ("content", "blind", "element", "error"),
    [
        pytest.param(TOO_LONG, ONE, KEY.public, InvalidLength, id="a long input"),
        pytest.param(b"input", ZERO, KEY.public, InvalidScalar, id="a zero blind"),
        pytest.param(b"input", ONE, IDENTITY, InvalidPoint, id="the identity"),
    ],
)
def test_a_request_that_could_not_be_finalized_cannot_be_built(
    content: bytes, blind: Scalar, element: Point, error: type[ThresholdError]
) -> None:
    """However it comes about."""
    with pytest.raises(error):
        BlindedInput(content, blind, element)


def test_a_broken_generator_is_refused() -> None:
    """A blind of zero hides nothing, for there is nothing left."""
    with pytest.raises(InvalidScalar):
        oprf.blind(b"input", Mode.VOPRF, Zeros())
    with pytest.raises(InvalidScalar):
        oprf.evaluate_and_prove(KEY, [KEY.public], Zeros())


def test_an_input_that_maps_to_the_identity_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is known, so the hash is replaced."""
    monkeypatch.setattr(oprf, "hash_to_group", lambda message, tag: IDENTITY)
    with pytest.raises(InputMapsToIdentity):
        oprf.blind(b"input", Mode.VOPRF, RNG)
    with pytest.raises(InputMapsToIdentity):
        oprf.evaluate(KEY.secret, b"input", Mode.VOPRF)


@pytest.mark.parametrize(
    ("seed", "info", "error"),
    [
        pytest.param(SEED[1:], b"", InvalidLength("seed", 31, 32), id="a seed of 31 bytes"),
        pytest.param(SEED + b"\0", b"", InvalidLength("seed", 33, 32), id="a seed of 33 bytes"),
        pytest.param(SEED, TOO_LONG, InvalidLength("info", 65536, 65535), id="a long info"),
    ],
)
def test_deriving_a_key_refuses(seed: bytes, info: bytes, error: InvalidLength) -> None:
    """Each with its name and its lengths."""
    with pytest.raises(InvalidLength) as refusal:
        oprf.derive_key_pair(seed, info, Mode.OPRF)
    assert vars(refusal.value) == vars(error)


def test_derived_keys_differ_by_seed_info_and_mode() -> None:
    """And are the same each time."""
    keys = {
        oprf.derive_key_pair(seed, info, mode).secret
        for seed in (SEED, bytes([1]) * 32)
        for info in (b"", b"info")
        for mode in Mode
    }
    assert len(keys) == 8
    assert oprf.derive_key_pair(SEED, b"", Mode.OPRF).secret in keys


@pytest.mark.parametrize("zeros", [1, 255, 256])
def test_a_seed_that_hashes_to_zero_is_hashed_again(zeros: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the next counter, of which there are 256; none such is known, so the hash is replaced."""
    seen: list[int] = []

    def hashed(message: bytes, tag: bytes) -> Scalar:
        seen.append(message[-1])
        return ZERO if len(seen) <= zeros else ONE

    monkeypatch.setattr(oprf, "hash_to_scalar", hashed)
    if zeros < 256:
        assert oprf.derive_key_pair(SEED, b"", Mode.VOPRF) == KeyPair(ONE)
    else:
        with pytest.raises(InvalidScalar):
            oprf.derive_key_pair(SEED, b"", Mode.VOPRF)
    assert seen == list(range(min(zeros + 1, 256)))


def test_secrets_do_not_show() -> None:
    """Only what is sent anyway reaches a log."""
    request = oprf.blind(b"my secret input", Mode.VOPRF, RNG)
    shown = repr(request)
    assert request.element.to_bytes().hex() in shown
    assert "input'" not in shown
    assert request.blind.to_bytes().hex() not in shown
    assert KEY.secret.to_bytes().hex() not in repr(KEY)
