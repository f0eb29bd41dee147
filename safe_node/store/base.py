"""What every store of a safe promises; tests/contract holds each one to it.

- An answer is given after the write is durable. A write that fails changes nothing and says so.
- Decisions are made inside the write: `plan` sees the records as they are, and nothing comes between.
- Each batch and each tombstone stands or falls alone; its refusal stands in its place.
- Erased means erased: when `delete`, `erase_due` or `Upload.abort` returns, the bytes are gone from the
  store's files. What a tombstone has wait is given out no more, and stays until `erase_due`.
- No method blocks the event loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from safe_node.deletions import AdmittedTombstone, Burial, DeletionPlan, DeletionState
from safe_node.records import (
    AdmittedBatch,
    AnnouncedBlob,
    Presented,
    RegistrationPlan,
    RegistrationState,
    ReleasedPiece,
    StoredPiece,
)
from safe_node.store.owners_base import OwnerStore
from safe_node.store.peers_base import PeerStore
from trust.certificate import Certificate
from trust.ids import WalletKey
from trust.refusals import Refusal

PlanRegistration = Callable[[RegistrationState, AdmittedBatch], RegistrationPlan]
PlanDeletion = Callable[[DeletionState, AdmittedTombstone], DeletionPlan]
JudgeFetch = Callable[[StoredPiece | None, Certificate], ReleasedPiece]
JudgeStream = Callable[[StoredPiece | None, Certificate], tuple[ReleasedPiece, AnnouncedBlob]]


@dataclass(frozen=True, slots=True)
class StreamedPiece:
    """A piece on its way out.

    Args:
        head: Its key share, if any.
        blob: Length and block hashes, already held against the certificate.
        chunks: Secret: the blob in order, at most 1 MiB each, every block checked. Raises
            StoredPieceDamaged, or CertificateUnknown when it is erased meanwhile.
    """

    head: ReleasedPiece
    blob: AnnouncedBlob
    chunks: AsyncIterator[bytes]


class Upload(Protocol):
    """A blob on its way in, until `finish` or `abort`. What a dead process leaves, the next start erases."""

    async def write(self, chunk: bytes) -> None:
        """Stage the next chunk (Secret), durably.

        Raises:
            StorageFull: There is no room.
        """
        ...

    async def finish(self, batch: AdmittedBatch, plan: PlanRegistration) -> tuple[bytes, ...]:
        """Register the batch's one piece with the staged chunks as its blob, and give its certificate.

        Raises:
            Refusal: The plan's; the chunks stay until `abort`.
        """
        ...

    async def abort(self) -> None:
        """Erase what was staged; nothing to do after `finish`."""
        ...


class SafeStore(Protocol):
    """The records of one safe."""

    @property
    def owners(self) -> OwnerStore:
        """Owners and their wallets, in the same files."""
        ...

    @property
    def peers(self) -> PeerStore:
        """What peers may see of the same files."""
        ...

    async def register(
        self, batches: Sequence[AdmittedBatch], plan: PlanRegistration
    ) -> list[tuple[bytes, ...] | Refusal]:
        """Write batches; give the certificates of each, or why not.

        What stands already stays, but for bytes that somebody met damaged: what is brought takes their place.
        """
        ...

    async def preview(self, batch: AdmittedBatch, plan: PlanRegistration) -> RegistrationPlan:
        """What `register` would write now; raises the plan's refusal."""
        ...

    async def begin_upload(self, wallet_key: WalletKey, length: int, bytes_per_wallet: int) -> Upload:
        """Reserve `length` bytes for a blob.

        Raises:
            QuotaExceeded: The wallet has no room for it.
            StorageFull: The store has none.
        """
        ...

    async def fetch(
        self, presented: Sequence[Presented], judge: JudgeFetch, budget_bytes: int
    ) -> list[ReleasedPiece | Refusal]:
        """Look up certificates; give what `judge` releases, or why not.

        Raises:
            CallTooLarge: Together the blobs have more than `budget_bytes`.
        """
        ...

    async def stream(self, presented: Presented, judge: JudgeStream) -> StreamedPiece:
        """Look up one certificate; raises the judge's refusal."""
        ...

    async def delete(
        self, tombstones: Sequence[AdmittedTombstone], plan: PlanDeletion
    ) -> list[Burial | Refusal]:
        """Erase what tombstones name, or have it wait; give the burial that stands for each, or why not."""
        ...

    async def erase_due(self, now: int) -> int:
        """Erase every piece that was to be erased by then, in slices; gives their number once they are gone.

        Args:
            now: Whole seconds since 1970-01-01 UTC.
        """
        ...

    async def close(self) -> None:
        """Finish what is queued, then let go of the files."""
        ...
