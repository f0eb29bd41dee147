"""Oblivious pseudorandom function (RFC 9497, ristretto255-SHA512): a password meets a key it never sees.

The client hashes its input to the group and blinds it by a random scalar; the server multiplies the blinded
element by its key; the client takes the blind away and hashes. The server learns nothing about the input,
the client nothing about the key but one output, 64 bytes that nobody can guess offline. In the verifiable
mode the server also proves which key it used; the modes give different outputs.

Here one server holds the whole key. `shared_oprf` is the same function, to the byte, under a divided key.

    request = oprf.blind(b"input", Mode.VOPRF, rng)                      # client; sends request.element
    evaluation = oprf.evaluate_and_prove(key, [request.element], rng)     # server
    (output,) = oprf.finalize_proven([request], evaluation, key.public)   # client
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha512
from typing import TYPE_CHECKING

from threshold import dleq
from threshold.errors import (
    EvaluationNotProven,
    InputMapsToIdentity,
    InvalidBatch,
    InvalidLength,
    InvalidPoint,
    InvalidScalar,
)
from threshold.hash_to_group import HASH_BYTES, framed, hash_to_group, hash_to_scalar
from threshold.ristretto import Point, Scalar

if TYPE_CHECKING:
    from threshold.dleq import Proof
    from threshold.randomness import RandomSource

SEED_BYTES = 32
OUTPUT_BYTES = HASH_BYTES
MAX_INPUT_BYTES = 2**16 - 1
"""The longest input, and the longest info of a derived key: RFC 9497 writes their lengths in two bytes."""

_DERIVATIONS = 256  # RFC 9497 section 3.2.1: the counter is one byte


class Mode(Enum):
    """RFC 9497 section 3.1: what the server proves."""

    OPRF = 0x00
    VOPRF = 0x01

    @property
    def context(self) -> bytes:
        """contextString: what keeps the hashes of one mode and suite from those of any other."""
        return b"OPRFV1-" + bytes([self.value]) + b"-ristretto255-SHA512"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A server's key.

    Attributes:
        secret: Secret: k, not zero.
        public: k * G.

    Raises:
        InvalidScalar: the secret is zero.
    """

    secret: Scalar
    public: Point = field(init=False)

    def __post_init__(self) -> None:
        if self.secret.is_zero:
            raise InvalidScalar
        object.__setattr__(self, "public", Point.base_mul(self.secret))


@dataclass(frozen=True, slots=True, repr=False)
class BlindedInput:
    """What the client keeps between its two steps; only `element` leaves it.

    Attributes:
        content: Secret: the input, 0..65535 bytes.
        blind: Secret: uniform, not zero.
        element: public: blind * HashToGroup(input); not the identity.

    Raises:
        InvalidLength: the input is too long.
        InvalidScalar, InvalidPoint: the blind is zero, or the element the identity.
    """

    content: bytes
    blind: Scalar
    element: Point

    def __post_init__(self) -> None:
        _check_length("OPRF input", self.content)
        if self.blind.is_zero:
            raise InvalidScalar
        if self.element.is_identity:
            raise InvalidPoint

    def __repr__(self) -> str:
        return f"BlindedInput(element={self.element.to_bytes().hex()}, redacted)"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the server answers in the verifiable mode.

    Attributes:
        elements: one for each blinded element, in their order.
        proof: one for all of them.
    """

    elements: tuple[Point, ...]
    proof: Proof


def derive_key_pair(seed: bytes, info: bytes, mode: Mode) -> KeyPair:
    """RFC 9497 section 3.2.1, DeriveKeyPair: the key of a seed, the same each time.

    Args:
        seed: Secret: 32 uniform bytes.
        info: what the key is for, 0..65535 bytes; public.
        mode: keys of two modes differ.

    Raises:
        InvalidLength: the seed is not 32 bytes, or the info too long.
        InvalidScalar: no counter gives a key; no seed is known that does this.
    """
    if len(seed) != SEED_BYTES:
        raise InvalidLength("seed", len(seed), SEED_BYTES)
    _check_length("info", info)
    material = seed + framed(info)
    for counter in range(_DERIVATIONS):
        secret = hash_to_scalar(material + bytes([counter]), b"DeriveKeyPair" + mode.context)
        if not secret.is_zero:
            return KeyPair(secret)
    raise InvalidScalar


def blind(content: bytes, mode: Mode, rng: RandomSource) -> BlindedInput:
    """RFC 9497 section 3.3.1, Blind: what hides an input (Secret) from the server that evaluates it.

    Args:
        content: Secret: the input, 0..65535 bytes.
        mode: the one the server evaluates in.
        rng: gives one read of 64 bytes; fresh for every input.

    Raises:
        InvalidLength: the input is too long.
        InputMapsToIdentity: no input is known that does this.
        InvalidScalar: the generator is broken: it drew zero.
    """
    element, scalar = _input_element(content, mode), Scalar.random(rng)
    return BlindedInput(content, scalar, element * scalar)


def evaluate_blinded(secret: Scalar, element: Point) -> Point:
    """RFC 9497 section 3.3.1, BlindEvaluate without a proof: k * element.

    Args:
        secret: Secret: k, not zero.
        element: blinded by the client, not the identity.

    Raises:
        InvalidScalar: the key is zero.
        InvalidPoint: the element is the identity.
    """
    if secret.is_zero:
        raise InvalidScalar
    if element.is_identity:
        raise InvalidPoint
    return element * secret


def evaluate_and_prove(key: KeyPair, elements: Sequence[Point], rng: RandomSource) -> Evaluation:
    """RFC 9497 section 3.3.2, BlindEvaluate of a batch under one proof.

    Args:
        key: Secret.
        elements: 1..65535, blinded by the client, none the identity.
        rng: as `dleq.prove`: never the same for two proofs, or the key is given away.

    Raises:
        InvalidBatch: no element, or more than 65535.
        InvalidPoint: an element is the identity.
        InvalidScalar: the generator is broken.
    """
    evaluated = tuple(evaluate_blinded(key.secret, element) for element in elements)
    pairs = list(zip(elements, evaluated, strict=True))
    return Evaluation(evaluated, dleq.prove(Mode.VOPRF.context, key.secret, key.public, pairs, rng))


def finalize(request: BlindedInput, evaluated: Point) -> bytes:
    """RFC 9497 section 3.3.1, Finalize: the output (64 bytes, Secret) from the server's answer.

    Raises:
        InvalidPoint: the answer is the identity.
    """
    if evaluated.is_identity:
        raise InvalidPoint
    return _output(request.content, evaluated * request.blind.inverse())


def finalize_proven(
    requests: Sequence[BlindedInput], evaluation: Evaluation, public: Point
) -> tuple[bytes, ...]:
    """RFC 9497 section 3.3.2, Finalize: the outputs (64 bytes each, Secret), once the proof holds.

    Args:
        requests: what was sent, in its order.
        evaluation: the server's answer.
        public: the server's public key, known beforehand.

    Raises:
        InvalidBatch: not one answer for each request, or none, or more than 65535.
        InvalidPoint: an element or the public key is the identity.
        EvaluationNotProven: the proof does not hold; x = 0.
    """
    if len(requests) != len(evaluation.elements):
        raise InvalidBatch(len(evaluation.elements), len(requests))
    pairs = [(request.element, one) for request, one in zip(requests, evaluation.elements, strict=True)]
    if not dleq.holds(Mode.VOPRF.context, public, pairs, evaluation.proof):
        raise EvaluationNotProven(0)
    return tuple(finalize(request, one) for request, one in zip(requests, evaluation.elements, strict=True))


def evaluate(secret: Scalar, content: bytes, mode: Mode) -> bytes:
    """RFC 9497 section 3.3.1, Evaluate: the output (64 bytes, Secret) where key and input are in one hand.

    Args:
        secret: Secret: k, not zero.
        content: Secret: the input, 0..65535 bytes.
        mode: outputs of two modes differ.

    Raises:
        InvalidScalar: the key is zero.
        InvalidLength: the input is too long.
        InputMapsToIdentity: no input is known that does this.
    """
    return _output(content, evaluate_blinded(secret, _input_element(content, mode)))


def _input_element(content: bytes, mode: Mode) -> Point:
    _check_length("OPRF input", content)
    element = hash_to_group(content, b"HashToGroup-" + mode.context)
    if element.is_identity:
        raise InputMapsToIdentity
    return element


def _output(content: bytes, element: Point) -> bytes:
    return sha512(framed(content, element.to_bytes()) + b"Finalize").digest()


def _check_length(what: str, part: bytes) -> None:
    if len(part) > MAX_INPUT_BYTES:
        raise InvalidLength(what, len(part), MAX_INPUT_BYTES)
