"""What a safe holds in its hands about owners, between wire, decision and store.

Plain values, as in records.py: an owner with the versions of their record, the ledgers of wrong guesses, what
waits, a version as it is sent. Whatever is secret has no repr. Guesses are in guesses.py, wallets of an owner
in accounts.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from trust.access_policy import PIN_ALONE, AccessPolicy, Way
from trust.ids import GuessId, OwnerId, OwnerKey, RecordId


@dataclass(frozen=True, slots=True)
class Ledger:
    """The guesses at one way; one ledger, whichever of the owner's records is tried.

    Args:
        spent: Wrong guesses, and those of which nobody proved that they were right.
        last_spent_ms: When the last one was spent, milliseconds since 1970-01-01 UTC; 0: none.
        rearmed_ms: When a wallet last gave them all back; 0: never. It stands in that of the PIN alone.
    """

    spent: int = 0
    last_spent_ms: int = 0
    rearmed_ms: int = 0


NO_GUESSES = Ledger()


@dataclass(frozen=True, slots=True)
class KeptPart:
    """This safe's part of one way into one version of an owner's record.

    Args:
        way: By which factors it opens.
        record: Exact bytes of the OwnerRecord.
        record_id: Which version.
        x: Share index of this safe, 1 to 255.
        unlock_share: Secret: its share of r, canonical scalar, 32 bytes.
        oprf_share: Secret: its share of the OPRF key, canonical scalar, not zero, 32 bytes.
        unlock_tag: Secret: what it recognises the PIN by, 32 bytes.
        sealed: The sealed secrets, 119 bytes, and the wraps of the device secret behind them.
    """

    way: Way
    record: bytes
    record_id: RecordId
    x: int
    unlock_share: bytes = field(repr=False)
    oprf_share: bytes = field(repr=False)
    unlock_tag: bytes = field(repr=False)
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """One version of an owner's record.

    Args:
        parts: One for each way, as the policy has them; at least one, all of one record id.
        guesses: Wrong ones, in each way with a PIN, until it is locked, 1 to 100.
        policy: Exact bytes of the AccessPolicy; empty where an older program kept none, which is the PIN
            alone.
        policy_signature: By the owner key, 64 bytes, or empty.
    """

    parts: tuple[KeptPart, ...]
    guesses: int
    policy: bytes = b""
    policy_signature: bytes = b""

    @property
    def record_id(self) -> RecordId:
        """Which version."""
        return self.parts[0].record_id

    def read_policy(self) -> AccessPolicy | None:
        """What the owner signed, which was checked when it came; None: the PIN alone."""
        return AccessPolicy.from_bytes(self.policy) if self.policy else None

    def part(self, way: Way) -> KeptPart | None:
        """The part of that way."""
        return next((part for part in self.parts if part.way == way), None)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A recovery that waits for the owner's period to end.

    Args:
        recipient_key: To which the part will be sealed, 32 bytes.
        guess_id: The guess that it rests on.
        record_id: Of which version.
        way: By which factors.
        asked_ms: When it began, milliseconds since 1970-01-01 UTC.
        release_ms: When the part is given, by the safe's own clock.
    """

    recipient_key: bytes
    guess_id: GuessId
    record_id: RecordId
    way: Way
    asked_ms: int
    release_ms: int


@dataclass(frozen=True, slots=True)
class Veto:
    """The owner's last one.

    Args:
        at_ms: When.
        recipient_key: Of the recovery that it ended; empty: there was none.
    """

    at_ms: int = 0
    recipient_key: bytes = b""


NO_VETO = Veto()


@dataclass(frozen=True, slots=True)
class KeptDevice:
    """What is kept of a device that signed.

    Args:
        counter: Its highest signature counter.
        copied: The counter went back once: a copy of it is about.
    """

    counter: int = 0
    copied: bool = False


NEW_DEVICE = KeptDevice()


@dataclass(frozen=True, slots=True)
class KeptOwner:
    """An owner at one safe.

    Args:
        owner_id: Who.
        owner_key: Their key, the same in every record.
        ledger: Their guesses at the PIN alone.
        current: The record in force.
        staged: The one to come.
        old: Those that were in force and are not dropped yet, oldest first.
        ledgers: Their guesses at other ways, where there were any.
        waiting: Recoveries that wait, oldest first.
        veto: Their last one.
        devices: Those that signed, by SHA-256 of the credential id.
    """

    owner_id: OwnerId
    owner_key: OwnerKey
    ledger: Ledger
    current: KeptRecord
    staged: KeptRecord | None = None
    old: tuple[KeptRecord, ...] = ()
    ledgers: Mapping[Way, Ledger] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    veto: Veto = NO_VETO
    devices: Mapping[bytes, KeptDevice] = field(default_factory=dict)

    @property
    def records(self) -> tuple[KeptRecord, ...]:
        """All versions that are kept."""
        staged = () if self.staged is None else (self.staged,)
        return (*self.old, self.current, *staged)

    @property
    def limit(self) -> int:
        """Wrong guesses, in each way, until it is locked."""
        return self.current.guesses

    def record(self, record_id: RecordId) -> KeptRecord | None:
        """The version of that id, in force or not."""
        return next((record for record in self.records if record.record_id == record_id), None)

    def ledger_of(self, way: Way) -> Ledger:
        """The guesses at one way."""
        return self.ledger if way == PIN_ALONE else self.ledgers.get(way, NO_GUESSES)


@dataclass(frozen=True, slots=True)
class CandidatePart:
    """A part as it was sent; nothing is checked but its form.

    Args:
        record: What should be an OwnerRecord.
        unlock_share: Secret: 32 bytes.
        oprf_share: Secret: 32 bytes.
        unlock_tag: Secret: 32 bytes.
        sealed: 119 bytes, or more.
    """

    record: bytes
    unlock_share: bytes = field(repr=False)
    oprf_share: bytes = field(repr=False)
    unlock_tag: bytes = field(repr=False)
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """A version of a record as it was sent.

    Args:
        policy: What should be an AccessPolicy.
        signature: What should be its owner's, 64 bytes.
        parts: 1 to 7.
        guesses: 1 to 100.
    """

    policy: bytes
    signature: bytes
    parts: tuple[CandidatePart, ...]
    guesses: int


@dataclass(frozen=True, slots=True)
class AdmittedRecord:
    """A version of which everything was checked that does not depend on what is stored."""

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
