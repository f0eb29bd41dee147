"""An owner who had themselves forgotten, and each safe's signed word that it erased all that was theirs.

Kept as deletions are, for good. What a safe has not confirmed it is still owed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import structs

from trust.documents import Document
from trust.errors import RosterRefused, TrustError
from trust.ids import SafeId, SafeIdField, Signature, SignatureField
from trust.roster import Roster
from trust.tombstone import DeletionReceipt, OwnerTombstone, read_deletion, read_owner_tombstone


class SafesReceipt(Document, frozen=True):
    """What one safe has said.

    Args:
        safe_id: The safe.
        receipt: The deletion receipt's exact bytes and the safe's signature; None while it is owed.
    """

    safe_id: SafeIdField
    receipt: tuple[bytes, SignatureField] | None


class Forgetting(Document, frozen=True):
    """An owner who is forgotten.

    Args:
        name: The owner's.
        tombstone: trust.tombstone.OwnerTombstone, exact bytes.
        signature: The owner's.
        safes: All that may keep something of theirs.
    """

    title = "forgetting"

    name: str
    tombstone: bytes
    signature: SignatureField
    safes: tuple[SafesReceipt, ...]

    @classmethod
    def decided(
        cls, name: str, tombstone: bytes, signature: Signature, safe_ids: Sequence[SafeId]
    ) -> "Forgetting":
        """One that no safe has heard of."""
        return cls(name, tombstone, signature, tuple(SafesReceipt(safe_id, None) for safe_id in safe_ids))

    def with_receipt(self, safe_id: SafeId, receipt: tuple[bytes, Signature]) -> "Forgetting":
        """The same after a safe gave its receipt."""
        safes = (SafesReceipt(safe_id, receipt) if one.safe_id == safe_id else one for one in self.safes)
        return structs.replace(self, safes=tuple(safes))

    @property
    def forgotten_at(self) -> int:
        """When it was decided, Unix seconds."""
        return OwnerTombstone.from_bytes(self.tombstone).forgotten_at

    @property
    def erased_at(self) -> dict[SafeId, int]:
        """When, by its own clock in Unix seconds, each safe that confirmed erased everything."""
        return {
            safe.safe_id: DeletionReceipt.from_bytes(safe.receipt[0]).erased_at
            for safe in self.safes
            if safe.receipt is not None
        }

    @property
    def owed_to(self) -> tuple[SafeId, ...]:
        """The safes that have not confirmed."""
        return tuple(safe.safe_id for safe in self.safes if safe.receipt is None)


class ForgettingProblem(NamedTuple):
    """Something that does not hold.

    Args:
        name: The owner's.
        safe_id: Whose deletion receipt it is; None where it is the owner's own tombstone.
        error: What is wrong.
    """

    name: str
    safe_id: SafeId | None
    error: TrustError


def verify_forgetting(
    forgetting: Forgetting, keys: Mapping[SafeId, Sequence[bytes]]
) -> Iterator[ForgettingProblem]:
    """Check everything that can be checked offline; gives what does not hold.

    Args:
        keys: Every key with which a safe has signed.
    """
    try:
        read_owner_tombstone(forgetting.tombstone, forgetting.signature)
    except TrustError as error:
        yield ForgettingProblem(forgetting.name, None, error)
    for safe in forgetting.safes:
        if safe.receipt is None:
            continue
        problem = receipt_problem(
            safe.receipt, safe.safe_id, keys.get(safe.safe_id, ()), forgetting.tombstone
        )
        if problem is not None:
            yield ForgettingProblem(forgetting.name, safe.safe_id, problem)


def receipt_problem(
    signed: tuple[bytes, Signature], safe_id: SafeId, keys: Sequence[bytes], tombstone: bytes
) -> TrustError | None:
    """What is wrong with a safe's receipt for a tombstone; None where it holds under one of its keys."""
    problem: TrustError = RosterRefused(Roster.title, f"it never had a safe {safe_id.hex()}")
    for key in keys:
        try:
            read_deletion(*signed, safe_id, key, tombstone)
        except TrustError as error:
            problem = error
        else:
            return None
    return problem
