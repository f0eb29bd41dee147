"""What a safe holds in its hands about owners, between wire, decision and store.

Plain values, as in records.py: an owner with the versions of their record, the ledger of wrong guesses, a
guess, a part as it is sent. Whatever is secret has no repr. Wallets of an owner are in accounts.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from trust.ids import GuessId, OwnerId, OwnerKey, RecordId


@dataclass(frozen=True, slots=True)
class Ledger:
    """The guesses of one owner; one ledger, whichever of their records is tried.

    Args:
        spent: Wrong guesses, and those of which nobody proved that they were right.
        last_spent_ms: When the last one was spent, milliseconds since 1970-01-01 UTC; 0: none.
        rearmed_ms: When a wallet last gave them all back; 0: never.
    """

    spent: int = 0
    last_spent_ms: int = 0
    rearmed_ms: int = 0


NO_GUESSES = Ledger()
LIMIT_AT_NOBODY = 10
"""Guesses at a name that nobody has until it looks locked: as many as owners have who ask for no others."""


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """One version of an owner's record, with this safe's part.

    Args:
        record: Exact bytes of the OwnerRecord.
        record_id: Which version.
        x: Share index of this safe, 1 to 255.
        unlock_share: Secret: its share of r, canonical scalar, 32 bytes.
        oprf_share: Secret: its share of the OPRF key, canonical scalar, not zero, 32 bytes.
        unlock_tag: Secret: what it recognises the PIN by, 32 bytes.
        sealed: The sealed secrets, 119 bytes.
        guesses: Wrong ones until the owner is locked, 1 to 100.
    """

    record: bytes
    record_id: RecordId
    x: int
    unlock_share: bytes = field(repr=False)
    oprf_share: bytes = field(repr=False)
    unlock_tag: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    guesses: int


@dataclass(frozen=True, slots=True)
class KeptOwner:
    """An owner at one safe.

    Args:
        owner_id: Who.
        owner_key: Their key, the same in every record.
        ledger: Their guesses.
        current: The record in force.
        staged: The one to come.
        old: Those that were in force and are not dropped yet, oldest first.
    """

    owner_id: OwnerId
    owner_key: OwnerKey
    ledger: Ledger
    current: KeptRecord
    staged: KeptRecord | None = None
    old: tuple[KeptRecord, ...] = ()

    @property
    def records(self) -> tuple[KeptRecord, ...]:
        """All versions that are kept."""
        staged = () if self.staged is None else (self.staged,)
        return (*self.old, self.current, *staged)

    @property
    def limit(self) -> int:
        """Wrong guesses until they are locked."""
        return self.current.guesses

    def record(self, record_id: RecordId) -> KeptRecord | None:
        """The version of that id, in force or not."""
        return next((record for record in self.records if record.record_id == record_id), None)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A guess as it was asked.

    Args:
        element: Blinded, canonical, not the identity; 32 bytes.
        at_ms: When, by the safe's clock.
    """

    owner_id: OwnerId
    record_id: RecordId
    guess_id: GuessId
    element: bytes
    at_ms: int


@dataclass(frozen=True, slots=True)
class KnownGuess:
    """A guess that was spent.

    Args:
        element: Blinded, 32 bytes.
        returned_to: The recipient key for which it was given back, since the PIN was right; None while it
            was not.
    """

    record_id: RecordId
    element: bytes
    returned_to: bytes | None = None


@dataclass(frozen=True, slots=True)
class GuessState:
    """What the store knows that decides on a guess, and on what was proven for one.

    Args:
        owner: None where the owner is unknown.
        known: The guess of that id at this name.
        at_nobody: The guesses at this name while nobody has it.
    """

    owner: KeptOwner | None
    known: KnownGuess | None
    at_nobody: Ledger = NO_GUESSES

    @property
    def ledger(self) -> Ledger:
        """The guesses that count."""
        return self.at_nobody if self.owner is None else self.owner.ledger

    @property
    def limit(self) -> int:
        """Wrong guesses until the name is locked."""
        return LIMIT_AT_NOBODY if self.owner is None else self.owner.limit


@dataclass(frozen=True, slots=True)
class Target:
    """What a guess is tried at.

    Args:
        record: Of a known owner; None: a decoy.
        waiting: The decoy is the waiting one; never with a record.
    """

    record: KeptRecord | None
    waiting: bool


@dataclass(frozen=True, slots=True)
class GuessPlan:
    """What a guess comes to.

    Args:
        target: Evaluated with the share of this.
        ledger: The name's from now on, when the guess is spent; None when nothing is.
    """

    target: Target
    ledger: Ledger | None


@dataclass(frozen=True, slots=True)
class UnlockClaim:
    """What shall show that the PIN of a guess was right.

    Args:
        recipient_key: X25519 public key, 32 bytes.
        proof: trust.owner_record.unlock_proof, 32 bytes.
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
        record: Whose part is released.
        ledger: The owner's from now on, when the guess is given back; None when it was before.
    """

    record: KeptRecord
    ledger: Ledger | None


@dataclass(frozen=True, slots=True)
class CandidatePart:
    """A part as it was sent; nothing is checked but its form.

    Args:
        record: What should be an OwnerRecord.
        unlock_share: Secret: 32 bytes.
        oprf_share: Secret: 32 bytes.
        unlock_tag: Secret: 32 bytes.
        sealed: 119 bytes.
        guesses: 1 to 100.
    """

    record: bytes
    unlock_share: bytes = field(repr=False)
    oprf_share: bytes = field(repr=False)
    unlock_tag: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    guesses: int


@dataclass(frozen=True, slots=True)
class AdmittedPart:
    """A part of which everything was checked that does not depend on what is stored."""

    owner_id: OwnerId
    owner_key: OwnerKey
    record: KeptRecord


Invitation = Literal["none", "unknown", "used", "fresh"]
"""What the store knows of the invitation that was shown, if one was."""


@dataclass(frozen=True, slots=True)
class EnrolmentState:
    """What the store knows that decides on an enrolment.

    Args:
        owner: Who has the name already.
        key_taken: The owner key is another name's.
        invitation: What was shown.
        forgotten: The owner of that key had themselves forgotten.
    """

    owner: KeptOwner | None
    key_taken: bool
    invitation: Invitation
    forgotten: bool = False
