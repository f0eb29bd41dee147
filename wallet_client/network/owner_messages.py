"""What goes to a safe's OwnerService and comes from it, as the wallet has it, and as messages."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kura.safe.v1 import owner_pb2 as pb
from threshold.dleq import Proof
from threshold.ristretto import Point
from trust.access_policy import PIN_ALONE, Factor, SignedAccessPolicy
from trust.device_proof import SignedChallenge
from trust.ids import RecordId
from wallet_client.network.failures import WrongReply

_FACTORS: dict[Factor, "pb.Factor.ValueType"] = {
    "authority": pb.FACTOR_AUTHORITY,
    "device": pb.FACTOR_DEVICE,
    "pin": pb.FACTOR_PIN,
}
_BY_NUMBER = {number: factor for factor, number in _FACTORS.items()}


@dataclass(frozen=True, slots=True)
class Begun:
    """What BeginUnlock gave.

    Args:
        record: Exact bytes of a record, or of a decoy.
        challenge: For a device; its signature is not checked.
    """

    record: bytes
    challenge: SignedChallenge


@dataclass(frozen=True, slots=True)
class Evidence:
    """By which factors a guess is made, and what proves those besides the PIN.

    Args:
        way: The factors.
        recipient_key: To which the parts are to be sealed, 32 bytes; empty for the PIN alone.
        device_proof: trust.device_proof.DeviceProof, where the way has a device.
        assertion: trust.assertion.SignedAssertion, where it has an authority.
        authority: trust.authority.SignedAuthority of that authority, where it has one.
    """

    way: tuple[Factor, ...] = PIN_ALONE
    recipient_key: bytes = b""
    device_proof: bytes = b""
    assertion: bytes = b""
    authority: bytes = b""


@dataclass(frozen=True, slots=True)
class EvaluatedShare:
    """One safe's part of the output, not verified.

    Args:
        record_id: The record it belongs to.
        element: The evaluated element.
        proof: That the safe's committed share made it.
    """

    record_id: RecordId
    element: Point
    proof: Proof


@dataclass(frozen=True, slots=True)
class Given:
    """What Unlock gave.

    Args:
        sealed_part: A released part, sealed to the recipient key; empty while the safe waits.
        release_at_ms: When it gives the part, milliseconds since 1970-01-01 UTC; 0 where it is here.
    """

    sealed_part: bytes
    release_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class PartToKeep:
    """What one safe is to keep of one way into a record.

    Args:
        record: Exact bytes.
        unlock_share: Secret: of r, 32 bytes.
        oprf_share: Secret: of the OPRF key, 32 bytes.
        unlock_tag: Secret: 32 bytes.
        sealed: The sealed secrets, and wraps of the device secret behind them.
    """

    record: bytes
    unlock_share: bytes = field(repr=False)
    oprf_share: bytes = field(repr=False)
    unlock_tag: bytes = field(repr=False)
    sealed: bytes


@dataclass(frozen=True, slots=True)
class VersionToKeep:
    """What one safe is to keep of one version of a record.

    Args:
        policy: The owner's signed word on who opens it.
        parts: One for each way, in the policy's order.
        guesses: Wrong guesses in each way with a PIN until it is locked.
    """

    policy: SignedAccessPolicy
    parts: tuple[PartToKeep, ...]
    guesses: int


def version_message(version: VersionToKeep) -> pb.RecordVersion:
    """As it is sent."""
    return pb.RecordVersion(
        policy=version.policy.policy,
        policy_signature=version.policy.signature,
        parts=[
            pb.RecordPart(
                record=part.record,
                unlock_share=part.unlock_share,
                oprf_share=part.oprf_share,
                unlock_tag=part.unlock_tag,
                sealed_secrets=part.sealed,
            )
            for part in version.parts
        ],
        guesses=version.guesses,
    )


def factors_message(way: tuple[Factor, ...]) -> list["pb.Factor.ValueType"]:
    """A way as it is sent; the PIN alone goes without saying."""
    return [] if way == PIN_ALONE else [_FACTORS[factor] for factor in way]


def way_of(factors: Iterable["pb.Factor.ValueType"]) -> tuple[Factor, ...]:
    """A way as a safe told it.

    Raises:
        WrongReply: It is none.
    """
    try:
        return tuple(sorted({_BY_NUMBER[number] for number in factors})) or PIN_ALONE
    except KeyError:
        raise WrongReply from None
