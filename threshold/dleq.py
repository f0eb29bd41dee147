"""Proof that evaluations were made with the very key behind a public key (RFC 9497 section 2.2).

The prover knows k with B = k * G and, for each pair (C, D) of a batch, D = k * C. It draws r, publishes the
challenge c = Hash(B, M, Z, r * G, r * M) and s = r - c * k, where M and Z join the batch under weights that
nobody can choose beforehand. Whoever has the pairs and B checks c again from s * G + c * B and s * M + c * Z.
Nothing about k is told, and without it no proof holds (Chaum and Pedersen 1992, by Fiat and Shamir).

`context` separates protocols; RFC 9497 calls it contextString. Only `oprf` should need this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha512
from typing import TYPE_CHECKING

from threshold.errors import InvalidBatch, InvalidLength, InvalidPoint, InvalidScalar
from threshold.hash_to_group import framed, hash_to_scalar
from threshold.ristretto import SCALAR_BYTES, Point, Scalar

if TYPE_CHECKING:
    from threshold.randomness import RandomSource

PROOF_BYTES = 2 * SCALAR_BYTES
MAX_BATCH = 2**16 - 1
"""The most pairs under one proof: their number is counted in two bytes."""

Pair = tuple[Point, Point]
"""A blinded element and its evaluation."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the prover publishes; 64 bytes when encoded.

    Attributes:
        challenge: c.
        response: s.
    """

    challenge: Scalar
    response: Scalar

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Proof:
        """Read c ‖ s, 32 bytes each, little-endian.

        Raises:
            InvalidLength: not 64 bytes.
            InvalidScalar: one of them is not below L.
        """
        if len(encoded) != PROOF_BYTES:
            raise InvalidLength("proof", len(encoded), PROOF_BYTES)
        return cls(Scalar.from_bytes(encoded[:SCALAR_BYTES]), Scalar.from_bytes(encoded[SCALAR_BYTES:]))

    def to_bytes(self) -> bytes:
        """The 64 bytes c ‖ s."""
        return self.challenge.to_bytes() + self.response.to_bytes()


def prove(context: bytes, key: Scalar, public: Point, pairs: Sequence[Pair], rng: RandomSource) -> Proof:
    """RFC 9497 section 2.2.1, GenerateProof.

    Args:
        context: separates protocols, at most 242 bytes.
        key: Secret: k, not zero.
        public: k * G.
        pairs: 1..65535 of (C, k * C), none the identity.
        rng: gives one read of 64 bytes. Secret, and never the same for two proofs: two that share it give
            the key away.

    Raises:
        InvalidBatch: no pair, or more than 65535.
        InvalidPoint: an element is the identity.
        InvalidScalar: the generator is broken: it drew zero.
        InvalidLength: the context is too long.
    """
    _check_elements(public, pairs)
    weights = _weights(context, public, pairs)
    joined = _weighted_sum(weights, [blinded for blinded, _ in pairs])
    nonce = Scalar.random(rng)
    if nonce.is_zero:
        raise InvalidScalar
    challenge = _challenge(context, (public, joined, joined * key, Point.base_mul(nonce), joined * nonce))
    return Proof(challenge, nonce - challenge * key)


def holds(context: bytes, public: Point, pairs: Sequence[Pair], proof: Proof) -> bool:
    """RFC 9497 section 2.2.2, VerifyProof: whether the key of `public` made every evaluation.

    Raises:
        InvalidBatch, InvalidPoint, InvalidLength: as `prove`.
    """
    _check_elements(public, pairs)
    weights = _weights(context, public, pairs)
    blinded = _weighted_sum(weights, [blinded for blinded, _ in pairs])
    evaluated = _weighted_sum(weights, [evaluated for _, evaluated in pairs])
    base_nonce = Point.base_mul(proof.response) + public * proof.challenge
    blinded_nonce = blinded * proof.response + evaluated * proof.challenge
    return proof.challenge == _challenge(context, (public, blinded, evaluated, base_nonce, blinded_nonce))


def _check_elements(public: Point, pairs: Sequence[Pair]) -> None:
    if not 1 <= len(pairs) <= MAX_BATCH:
        raise InvalidBatch(len(pairs), MAX_BATCH)
    if public.is_identity or any(element.is_identity for pair in pairs for element in pair):
        raise InvalidPoint


def _weights(context: bytes, public: Point, pairs: Sequence[Pair]) -> list[Scalar]:
    """The d_i of ComputeComposites: each depends on the key, its place in the batch and its pair."""
    seed = sha512(framed(public.to_bytes(), b"Seed-" + context)).digest()
    return [_hash(context, _composite(seed, position, pair)) for position, pair in enumerate(pairs)]


def _composite(seed: bytes, position: int, pair: Pair) -> bytes:
    blinded, evaluated = pair
    place = framed(seed) + position.to_bytes(2, "big")
    return place + framed(blinded.to_bytes(), evaluated.to_bytes()) + b"Composite"


def _weighted_sum(weights: Sequence[Scalar], elements: Sequence[Point]) -> Point:
    total = Point.identity()
    for weight, element in zip(weights, elements, strict=True):
        total += element * weight
    return total


def _challenge(context: bytes, elements: Sequence[Point]) -> Scalar:
    return _hash(context, framed(*(element.to_bytes() for element in elements)) + b"Challenge")


def _hash(context: bytes, transcript: bytes) -> Scalar:
    return hash_to_scalar(transcript, b"HashToScalar-" + context)
