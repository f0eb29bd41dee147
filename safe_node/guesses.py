"""What a safe holds in its hands about guesses: how one was asked, what was proven, what it comes to.

Plain values, as in owners.py. Whatever is secret has no repr.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from safe_node.owners import NO_GUESSES, KeptDevice, KeptOwner, KeptPart, Ledger, Waiting
from trust.access_policy import PIN_ALONE, Way
from trust.assertion import Assertion
from trust.device_proof import SafeChallenge
from trust.ids import GuessId, OwnerId, OwnerKey, RecordId

LIMIT_AT_NOBODY = 10
"""Guesses at a name that nobody has until it looks locked: as many as owners have who ask for no others."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A guess as it was asked.

    Args:
        element: Blinded, canonical, not the identity; 32 bytes.
        at_ms: When, by the safe's clock.
        way: By which factors.
        recipient_key: For whom the other factors were shown, 32 bytes; empty in a way that has none.
    """

    owner_id: OwnerId
    record_id: RecordId
    guess_id: GuessId
    element: bytes
    at_ms: int
    way: Way = PIN_ALONE
    recipient_key: bytes = b""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was sent for the other factors of a guess; nothing is checked.

    Args:
        device_proof: What should be a DeviceProof.
        assertion: What should be a SignedAssertion.
        authority: What should be a SignedAuthority.
    """

    device_proof: bytes = field(repr=False)
    assertion: bytes = field(repr=False)
    authority: bytes


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """A device that signed.

    Args:
        name: SHA-256 of its credential id.
        counter: What it says it counted.
    """

    name: bytes
    counter: int


@dataclass(frozen=True, slots=True)
class Proven:
    """What the other factors of a guess have proven, but for what only its write can tell.

    Args:
        policy: Under which, exact bytes.
        device: That signed, in a way with a device.
        challenge: This safe's, that it signed.
        assertion: In a way with an authority.
        authority_version: Of the description by which it was judged.
    """

    policy: bytes
    device: DeviceUse | None
    challenge: SafeChallenge | None
    assertion: Assertion | None
    authority_version: int


@dataclass(frozen=True, slots=True)
class KnownGuess:
    """A guess that was spent.

    Args:
        element: Blinded, 32 bytes.
        returned_to: The recipient key for which it was given back, since the PIN was right; None while it
            was not.
        way: By which factors.
        bound_to: The only recipient key for which it is good, 32 bytes; empty: whichever comes first.
    """

    record_id: RecordId
    element: bytes
    returned_to: bytes | None = None
    way: Way = PIN_ALONE
    bound_to: bytes = b""


@dataclass(frozen=True, slots=True)
class GuessState:
    """What the store knows that decides on a guess, and on what was proven for one.

    Args:
        owner: None where the owner is unknown.
        known: The guess of that id at this name.
        at_nobody: The guesses at this name and way while nobody has it.
    """

    owner: KeptOwner | None
    known: KnownGuess | None
    at_nobody: Ledger = NO_GUESSES


@dataclass(frozen=True, slots=True)
class DecoyNames:
    """What a decoy is called at a name that has other ways: its ways all have these in common."""

    record_id: RecordId
    owner_key: OwnerKey


@dataclass(frozen=True, slots=True)
class Target:
    """What a guess is tried at.

    Args:
        part: Of a known owner; None: a decoy.
        waiting: The decoy is the waiting one; never with a part.
        names: Of the first decoy; None: its own.
    """

    part: KeptPart | None
    waiting: bool
    names: DecoyNames | None = None


@dataclass(frozen=True, slots=True)
class GuessPlan:
    """What a guess comes to.

    Args:
        target: Evaluated with the share of this.
        ledger: That of the way from now on, when the guess is to be remembered; None when nothing is.
        device: The device that signed, and what is kept of it from now on.
    """

    target: Target
    ledger: Ledger | None
    device: tuple[bytes, KeptDevice] | None = None


@dataclass(frozen=True, slots=True)
class UnlockClaim:
    """What shall show that the PIN of a guess was right.

    Args:
        recipient_key: X25519 public key, 32 bytes.
        proof: trust.unlock_proof.unlock_proof, 32 bytes.
    """

    owner_id: OwnerId
    record_id: RecordId
    guess_id: GuessId
    recipient_key: bytes
    proof: bytes


@dataclass(frozen=True, slots=True)
class UnlockPlan:
    """What a proof that holds comes to.

    Args:
        part: Is released, now or later.
        ledger: That of its way from now on, when the guess is given back; None when it was before.
        release_ms: When it is released, milliseconds since 1970-01-01 UTC; 0: now.
        waiting: The owner's recoveries that wait from now on; None: as before.
    """

    part: KeptPart
    ledger: Ledger | None
    release_ms: int = 0
    waiting: tuple[Waiting, ...] | None = None
