"""All vectors of RFC 9497 for ristretto255-SHA512, modes OPRF and VOPRF, one input and two."""

from typing import Any

import pytest
from vectors.loading import load

from threshold import oprf
from threshold.dleq import Proof
from threshold.oprf import BlindedInput, Evaluation, KeyPair, Mode
from threshold.ristretto import Point, Scalar

SUITES = {
    Mode(suite["mode"]): suite
    for suite in load("rfc9497_voprf_allVectors.json")
    if suite["identifier"] == "ristretto255-SHA512" and suite["mode"] in {mode.value for mode in Mode}
}
CASES = [
    pytest.param(mode, vector, id=f"{mode.name} {number}, batch of {vector['Batch']}")
    for mode, suite in SUITES.items()
    for number, vector in enumerate(suite["vectors"], 1)
]
PROVEN = [case for case in CASES if case.values[0] is Mode.VOPRF]


class Given:
    """The scalars a vector says were drawn, in their order."""

    def __init__(self, scalars: str) -> None:
        self.scalars = iter(listed(scalars))

    def read(self, length: int) -> bytes:
        return next(self.scalars).ljust(length, b"\0")


def listed(values: str) -> list[bytes]:
    return [bytes.fromhex(value) for value in values.split(",")]


def elements(values: str) -> tuple[Point, ...]:
    return tuple(map(Point.from_bytes, listed(values)))


def key_of(mode: Mode) -> KeyPair:
    return KeyPair(Scalar.from_bytes(bytes.fromhex(SUITES[mode]["skSm"])))


def requests_of(mode: Mode, vector: dict[str, Any]) -> list[BlindedInput]:
    rng = Given(vector["Blind"])
    return [oprf.blind(content, mode, rng) for content in listed(vector["Input"])]


def test_there_are_five_cases_of_the_suite() -> None:
    """Two of the first mode and three of the second; the third mode is not built."""
    assert [len(SUITES[mode]["vectors"]) for mode in Mode] == [2, 3]


@pytest.mark.parametrize("mode", Mode, ids=lambda mode: mode.name)
def test_the_key_pair_derives_from_its_seed(mode: Mode) -> None:
    """Under the domain separation of the mode."""
    suite = SUITES[mode]
    derived = oprf.derive_key_pair(bytes.fromhex(suite["seed"]), bytes.fromhex(suite["keyInfo"]), mode)
    assert derived == key_of(mode)
    assert derived.secret.to_bytes().hex() == suite["skSm"]
    assert suite.get("pkSm") in {None, derived.public.to_bytes().hex()}
    assert (b"HashToGroup-" + mode.context).hex() == suite["groupDST"]


@pytest.mark.parametrize(("mode", "vector"), CASES)
def test_each_input_blinds_to_its_element(mode: Mode, vector: dict[str, Any]) -> None:
    """Under the blinds given."""
    blinded = tuple(request.element for request in requests_of(mode, vector))
    assert blinded == elements(vector["BlindedElement"])


@pytest.mark.parametrize(("mode", "vector"), CASES)
def test_each_element_evaluates_and_finalizes_to_its_output(mode: Mode, vector: dict[str, Any]) -> None:
    """Blind, evaluate, finalize: the two-party way."""
    key, outputs = key_of(mode), []
    for request, expected in zip(
        requests_of(mode, vector), elements(vector["EvaluationElement"]), strict=True
    ):
        evaluated = oprf.evaluate_blinded(key.secret, request.element)
        assert evaluated == expected
        outputs.append(oprf.finalize(request, evaluated))
    assert outputs == listed(vector["Output"])


@pytest.mark.parametrize(("mode", "vector"), CASES)
def test_each_input_evaluates_directly_to_the_same_output(mode: Mode, vector: dict[str, Any]) -> None:
    """Where key and input are in one hand."""
    secret = key_of(mode).secret
    assert [oprf.evaluate(secret, one, mode) for one in listed(vector["Input"])] == listed(vector["Output"])


@pytest.mark.parametrize(("mode", "vector"), PROVEN)
def test_each_batch_has_its_proof_and_the_proof_holds(mode: Mode, vector: dict[str, Any]) -> None:
    """Under the r given; the client reads it from its bytes."""
    key, requests = key_of(mode), requests_of(mode, vector)
    blinded = [request.element for request in requests]
    evaluation = oprf.evaluate_and_prove(key, blinded, Given(vector["Proof"]["r"]))
    assert evaluation.elements == elements(vector["EvaluationElement"])
    assert evaluation.proof.to_bytes().hex() == vector["Proof"]["proof"]
    read = Evaluation(evaluation.elements, Proof.from_bytes(bytes.fromhex(vector["Proof"]["proof"])))
    public = Point.from_bytes(bytes.fromhex(SUITES[mode]["pkSm"]))
    assert list(oprf.finalize_proven(requests, read, public)) == listed(vector["Output"])
