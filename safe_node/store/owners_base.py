"""What every store of a safe promises about owners; tests/contract holds each one to it.

The rules of base.py hold here too: answers come after the write is durable, `plan` decides inside it, erased
means erased. One more: a guess costs one durable write whether or not anybody has the name, and a name that
nobody has is looked up with the same reads as one that is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from safe_node.accounts import (
    AdmittedAuthorisation,
    AdmittedRevocation,
    KeptBatch,
    OwnersWallet,
    OwnerView,
    RevocationState,
    Standing,
    WalletState,
)
from safe_node.deletions import (
    AdmittedForgetting,
    AdmittedRevival,
    Forgetting,
    UndeletionState,
)
from safe_node.guesses import Attempt, GuessPlan, GuessState, UnlockClaim, UnlockPlan
from safe_node.owners import AdmittedRecord, EnrolmentState, KeptOwner, Ledger
from trust.access_policy import Way
from trust.ids import Hash, OwnerId, OwnerKey, WalletKey

KEPT_GUESSES = 256
"""Guesses of one owner that can still be repeated or unlocked; the oldest go first."""
KEPT_GUESS_MS = 3_600_000
"""How long at least they can be; older ones go with the next guess."""
NOBODIES = 16_384
"""Names that nobody has whose guesses are remembered; one takes the place of another by a secret hash."""

PlanGuess = Callable[[GuessState, Attempt], GuessPlan]
PlanUnlock = Callable[[GuessState, UnlockClaim], UnlockPlan]
PlanEnrolment = Callable[[EnrolmentState, AdmittedRecord], KeptOwner | None]
PlanChange = Callable[[KeptOwner | None], KeptOwner]
PlanRearming = Callable[[Ledger | None], Ledger]
PlanAuthorisation = Callable[[WalletState, AdmittedAuthorisation], bool]
PlanRevocation = Callable[[RevocationState], bool]
PlanUndeletion = Callable[[UndeletionState], bool]
PlanForgetting = Callable[[Forgetting | None, AdmittedForgetting], Forgetting]


class OwnerStore(Protocol):
    """The owners of one safe, and their wallets."""

    async def find(self, owner_id: OwnerId) -> KeptOwner | None:
        """The owner of that id."""
        ...

    async def guesses_at(self, owner_id: OwnerId, way: Way) -> GuessState:
        """The owner of that id, and the guesses at nobody; `known` is None."""
        ...

    async def guess(self, attempt: Attempt, plan: PlanGuess) -> GuessPlan:
        """Write down a guess, also at nobody, and give what it comes to."""
        ...

    async def unlock(self, claim: UnlockClaim, plan: PlanUnlock) -> UnlockPlan:
        """Note that a guess was right; raises the plan's refusal."""
        ...

    async def enroll(
        self, came: AdmittedRecord, invitation: Hash | None, now_ms: int, plan: PlanEnrolment
    ) -> None:
        """Keep a new owner, and use up the invitation; raises the plan's refusal.

        Args:
            came: What came in.
            invitation: SHA-256 of the code that was shown, if one was.
            now_ms: When it was used, if it is.
            plan: Gives the new owner, or None when nothing is to be written.
        """
        ...

    async def change(self, owner_id: OwnerId, plan: PlanChange) -> None:
        """Keep the records that the plan leaves, erase the others; raises its refusal."""
        ...

    async def rearm(self, owner_key: OwnerKey, plan: PlanRearming) -> None:
        """Keep another ledger; raises the plan's refusal, and the plan refuses None."""
        ...

    async def veto(self, owner_key: OwnerKey, plan: PlanChange) -> None:
        """End what the plan leaves out of the owner's recoveries that wait; raises its refusal."""
        ...

    async def view(self, owner_key: OwnerKey) -> OwnerView:
        """What is kept for an owner."""
        ...

    async def standing(self, key: WalletKey) -> Standing:
        """Who signs with that key."""
        ...

    async def authorise(self, word: AdmittedAuthorisation, plan: PlanAuthorisation) -> None:
        """Make a wallet the owner's; raises the plan's refusal."""
        ...

    async def revoke(self, word: AdmittedRevocation, plan: PlanRevocation) -> None:
        """Keep an owner's word against a wallet; the first one stays; raises the plan's refusal."""
        ...

    async def batch_ids(self, owner_key: OwnerKey) -> list[int]:
        """What the owner's wallets registered, batch by batch."""
        ...

    async def kept_batch(self, batch: int) -> list[KeptBatch]:
        """What is kept of one batch, in parts of at most 1,000 pieces; none once it was deleted."""
        ...

    async def tombstones(self, owner_key: OwnerKey) -> list[tuple[bytes, bytes]]:
        """Every tombstone of the owner's items, with its signature."""
        ...

    async def revivals(self, owner_key: OwnerKey) -> list[tuple[bytes, bytes]]:
        """Every deletion that the owner took back, with its signature."""
        ...

    async def undelete(self, word: AdmittedRevival, plan: PlanUndeletion) -> None:
        """Take a tombstone back; raises the plan's refusal."""
        ...

    async def forget(self, word: AdmittedForgetting, plan: PlanForgetting) -> Forgetting:
        """Erase an owner and all that their wallets registered; give what stands once it is gone.

        Goes on to its end when the caller is gone. What a dead process leaves, `erase_due` takes.
        """
        ...

    async def wallets(self, owner_key: OwnerKey) -> tuple[OwnersWallet, ...]:
        """The owner's wallets as they were learnt; those of which only a revocation is known too."""
        ...
