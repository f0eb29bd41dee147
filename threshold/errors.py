"""Everything `threshold` refuses, as one tree of typed exceptions.

Each exception carries public facts only (indices, counts, lengths), so it may be logged whole; its text is
a fixed sentence. Catch `ThresholdError` for "this input cannot be used", or a leaf to say why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class ThresholdError(Exception):
    """Root of the tree: an input does not fit the mathematics, or failed its check."""

    sentence: ClassVar[str] = "The input was refused."

    def __str__(self) -> str:
        return self.sentence


@dataclass(eq=False)
class InvalidThreshold(ThresholdError):
    """k pieces of n cannot be asked for; the rule is 1 <= k <= n <= the most the scheme can name."""

    k: int
    n: int
    sentence: ClassVar[str] = "The threshold must be at least 1 and at most the number of shares."


@dataclass(eq=False)
class InvalidShareIndex(ThresholdError):
    """x is outside its range, or is zero in the field: the share there would be the secret itself."""

    x: int
    sentence: ClassVar[str] = "A share index must be 1 to 255 and not zero in the field."


@dataclass(eq=False)
class DuplicateShareIndex(ThresholdError):
    """Two shares claim the same x."""

    x: int
    sentence: ClassVar[str] = "Two shares have the same index."


@dataclass(eq=False)
class NotEnoughShares(ThresholdError):
    """Fewer shares, or fragments, than the threshold asks for."""

    have: int
    need: int
    sentence: ClassVar[str] = "There are fewer shares than the threshold needs."


@dataclass(eq=False)
class ShareLengthMismatch(ThresholdError):
    """The share at x is not as long as the first one (bytes)."""

    x: int
    have: int
    need: int
    sentence: ClassVar[str] = "Shares of one secret must have the same length."


@dataclass(eq=False)
class InvalidLength(ThresholdError):
    """A fixed-length input has another length; `what` names it, `have` and `need` are bytes."""

    what: str
    have: int
    need: int
    sentence: ClassVar[str] = "An input has the wrong length."


@dataclass(eq=False)
class InvalidLabel(ThresholdError):
    """A role or counter that goes into a key derivation cannot be encoded without ambiguity."""

    what: str
    sentence: ClassVar[str] = "A label of a key derivation is not valid."


class InvalidScalar(ThresholdError):
    """Not the canonical encoding of a scalar, or zero where zero is refused."""

    sentence: ClassVar[str] = "The scalar is not canonical, or is zero where zero is refused."


class InvalidPoint(ThresholdError):
    """Not the canonical encoding of a ristretto255 element, or the identity where it is refused."""

    sentence: ClassVar[str] = "The point is not canonical, or is the identity where that is refused."


class InvalidPublicKey(ThresholdError):
    """Not the canonical encoding of an X25519 public key, or of low order: nobody, or anybody, could open."""

    sentence: ClassVar[str] = "The public key is not canonical, or is of low order."


@dataclass(eq=False)
class CommitmentCountMismatch(ThresholdError):
    """A dealing of threshold k has exactly k commitments."""

    have: int
    need: int
    sentence: ClassVar[str] = "The number of commitments is not the threshold."


@dataclass(eq=False)
class ShareDoesNotMatchCommitments(ThresholdError):
    """The share at x is not on the committed polynomial; x = 0 speaks of the secret."""

    x: int
    sentence: ClassVar[str] = "The share does not match the commitments."


class InputMapsToIdentity(ThresholdError):
    """RFC 9497's InvalidInputError: the input hashes to the identity, whose output no key changes."""

    sentence: ClassVar[str] = "The input cannot be evaluated: it maps to the identity."


@dataclass(eq=False)
class InvalidBatch(ThresholdError):
    """A proof covers 1 to `limit` evaluations, and each blinded input has exactly one; `have` were there."""

    have: int
    limit: int
    sentence: ClassVar[str] = "The number of evaluations under one proof does not fit."


@dataclass(eq=False)
class EvaluationNotProven(ThresholdError):
    """No key committed for x made this evaluation of this element; x = 0 speaks of the whole key."""

    x: int
    sentence: ClassVar[str] = "The proof of the evaluation does not hold."


class SealBroken(ThresholdError):
    """The ciphertext, its associated data or the key is not what was sealed."""

    sentence: ClassVar[str] = "The seal is broken: something was changed, or the key is wrong."


@dataclass(eq=False)
class InvalidLeafIndex(ThresholdError):
    """The tree of `size` leaves has no leaf at `index`."""

    index: int
    size: int
    sentence: ClassVar[str] = "The tree has no leaf at this index."


@dataclass(eq=False)
class PathDoesNotMatchRoot(ThresholdError):
    """The Merkle path does not lead from the leaf to the root, or has the wrong length."""

    index: int
    size: int
    sentence: ClassVar[str] = "The Merkle path does not lead from the leaf to the root."


@dataclass(eq=False)
class InvalidFragment(ThresholdError):
    """The erasure-coded fragment at `position` cannot belong to the segment."""

    position: int
    sentence: ClassVar[str] = "A fragment cannot belong to the segment."


class SegmentDamaged(ThresholdError):
    """The fragments decode to something that was never a segment: at least one of them was changed."""

    sentence: ClassVar[str] = "The fragments do not decode to a segment."


class LibsodiumMissing(ThresholdError, ImportError):
    """libsodium 1.0.18 or later, which does the ristretto255 arithmetic, could not be loaded."""

    sentence: ClassVar[str] = "libsodium 1.0.18 or later is missing: run `apt-get install libsodium23`."
