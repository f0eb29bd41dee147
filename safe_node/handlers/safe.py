"""What every handler works with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from safe_node.config import Limits
from safe_node.decisions.admission import Membership
from safe_node.decisions.deletion import DeletionRules
from safe_node.decisions.factor_memory import FactorMemory
from safe_node.decisions.registration import RegistrationRules
from safe_node.repair_desk import RepairDesk
from safe_node.store.base import SafeStore
from threshold.randomness import RandomSource, SystemRandomness
from trust.certificate import sign_certificates
from trust.device_proof import NONCE_BYTES, SafeChallenge, SignedChallenge, sign_challenge
from trust.documents import SigningKey
from trust.ids import OwnerId
from trust.refusals import CallTooLarge, Refusal

_Result = TypeVar("_Result")

INLINE_WORK = 8
"""Signatures, or INLINE_BYTES of hashing, that cost less in the event loop than a thread hop for them."""

INLINE_BYTES = 65_536

DAY_SECONDS = 86_400

MAX_UPLOADS = 48
"""Streams taken in at once; each keeps about five megabytes of memory busy."""


@dataclass(frozen=True, slots=True)
class Safe:
    """One running safe.

    Args:
        name: For people.
        membership: Who it is, and the rosters it knows.
        signing_key: Secret: signs certificates and receipts.
        limits: What it accepts.
        store: Its records.
        now_ms: Its clock, milliseconds since 1970-01-01 UTC.
        uploads: How many more streams it takes in at once.
        invitation_needed: Owners enrol by the operator's invitation.
        grace_seconds: How long what an owner's wallet deletes waits to be erased.
        rng: Draws the nonces of proofs and challenges.
        desk: Where a repair is asked for.
        factors: What was proven once, since it is here.
    """

    name: str
    membership: Membership
    signing_key: SigningKey
    limits: Limits
    store: SafeStore
    now_ms: Callable[[], int]
    uploads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_UPLOADS), repr=False)
    invitation_needed: bool = False
    grace_seconds: int = 7 * DAY_SECONDS
    rng: RandomSource = field(default_factory=SystemRandomness, repr=False)
    desk: RepairDesk = field(default_factory=RepairDesk, repr=False)
    factors: FactorMemory = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Remember factors from now on."""
        object.__setattr__(self, "factors", FactorMemory(self.now_ms()))

    @property
    def rules(self) -> RegistrationRules:
        """How registrations are decided."""
        limits = self.limits
        return RegistrationRules(self.membership.safe_id, limits.counter_limit, limits.bytes_per_wallet)

    @property
    def now(self) -> int:
        """Its clock, whole seconds since 1970-01-01 UTC."""
        return self.now_ms() // 1000

    @property
    def deletion_rules(self) -> DeletionRules:
        """How deletions are decided now."""
        limit = self.limits.bytes_per_wallet
        return DeletionRules(self.membership.safe_id, self.signing_key, self.now, self.grace_seconds, limit)

    def sign(self, certificates: Sequence[bytes]) -> bytes:
        """One signature for all certificates of a call; empty when there are none."""
        if not certificates:
            return b""
        return sign_certificates(self.membership.safe_id, certificates, self.signing_key)

    def challenge(self, owner_id: OwnerId) -> SignedChallenge:
        """A fresh one for a device of that owner's, known or not."""
        nonce = self.rng.read(NONCE_BYTES)
        challenge = SafeChallenge(self.membership.safe_id, owner_id, self.now_ms(), nonce)
        return sign_challenge(challenge, self.signing_key)

    def check_entries(self, field: str, count: int) -> None:
        """Hold a call to its number of entries.

        Raises:
            CallTooLarge: There are more.
        """
        if count > self.limits.entries_per_call:
            raise CallTooLarge(field, self.limits.entries_per_call)


async def checked(work: Callable[[], _Result], amount: int, size: int = 0) -> _Result:
    """Do pure work here when it is small, in a worker thread when it would hold up other calls.

    Args:
        work: What to do.
        amount: What it costs, in signatures.
        size: Bytes it hashes.
    """
    if amount <= INLINE_WORK and size <= INLINE_BYTES:
        return work()
    return await asyncio.to_thread(work)


def or_refusal(work: Callable[[], _Result]) -> _Result | Refusal:
    """The result, or the refusal in its place."""
    try:
        return work()
    except Refusal as refusal:
        return refusal
