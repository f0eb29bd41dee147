"""A store on a folder with the decisions bound in, for the contract suite."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from safe_node.accounts import Standing
from safe_node.decisions.admission import Membership, admit_batch
from safe_node.decisions.deletion import DeletionRules, judge_deletion
from safe_node.decisions.registration import RegistrationRules
from safe_node.decisions.retrieval import judge_fetch, judge_stream
from safe_node.deletions import AdmittedTombstone, Burial
from safe_node.records import AdmittedBatch, Presented, ReleasedPiece, StoredPiece
from safe_node.store.sqlite_store import SqliteStore, open_store
from support.empty_database import put_empty_database
from support.safe_requests import (
    CHUNK_BYTES,
    DECOY_SECRET,
    Dealt,
    deal,
    roster_of,
    signed_tombstone,
    wallet_key,
)
from trust.certificate import COUNTER_LIMIT, Certificate
from trust.documents import SigningKey
from trust.ids import OwnerKey, WalletKey
from trust.refusals import Refusal

ROSTER = roster_of(1)
SAFE_ID = ROSTER.safes[0].safe_id
MEMBERSHIP = Membership.of(SAFE_ID, [ROSTER], DECOY_SECRET)
WALLET, OTHER = wallet_key(), wallet_key("other")
CALLER = WalletKey(WALLET.public)
SAFE_KEY = wallet_key("a safe's own")
UNLIMITED = 2**60
NOW = 1_790_000_000
GRACE = 7 * 86_400
MIB = 1024 * 1024


@dataclass
class Bench:
    """A store on a folder, with the decisions bound in."""

    folder: Path
    store: SqliteStore
    rules: RegistrationRules

    async def register(self, *batches: AdmittedBatch) -> list[tuple[bytes, ...] | Refusal]:
        return await self.store.register(batches, self.rules.plan)

    async def certificates(self, batch: AdmittedBatch) -> tuple[bytes, ...]:
        outcome = (await self.register(batch))[0]
        assert not isinstance(outcome, Refusal), outcome
        return outcome

    async def fetch(
        self,
        *bodies: bytes,
        caller: WalletKey = CALLER,
        budget: int = UNLIMITED,
        account: OwnerKey | None = None,
    ) -> list[Any]:
        def judge(stored: StoredPiece | None, certificate: Certificate) -> ReleasedPiece:
            return judge_fetch(stored, certificate, caller, UNLIMITED, account)

        return list(await self.store.fetch([shown(body) for body in bodies], judge, budget))

    async def stream(self, body: bytes) -> bytes:
        streamed = await self.store.stream(shown(body), partial(judge_stream, caller=CALLER))
        return b"".join([chunk async for chunk in streamed.chunks])

    async def delete(
        self, *tombstones: AdmittedTombstone, now: int = NOW, grace_seconds: int = GRACE
    ) -> list[Burial | Refusal]:
        return await self.store.delete(tombstones, self.deletion_rules(now, grace_seconds).plan)

    def deletion_rules(self, now: int = NOW, grace_seconds: int = GRACE) -> DeletionRules:
        return DeletionRules(SAFE_ID, SAFE_KEY, now, grace_seconds, self.rules.bytes_per_wallet)

    async def upload(
        self, dealt: Dealt, x: int | None = None, wallet: WalletKey = CALLER
    ) -> tuple[bytes, ...]:
        candidate, blob = dealt.streamed_candidate(SAFE_ID, x)
        batch = admit_batch(candidate, wallet, MEMBERSHIP)
        upload = await self.store.begin_upload(wallet, len(blob), self.rules.bytes_per_wallet)
        try:
            for start in range(0, len(blob), CHUNK_BYTES):
                await upload.write(blob[start : start + CHUNK_BYTES])
            return await upload.finish(batch, self.rules.plan)
        finally:
            await upload.abort()

    def files(self) -> bytes:
        return b"".join(path.read_bytes() for path in sorted(self.folder.iterdir()))


def shown(body: bytes) -> Presented:
    return Presented(body, Certificate.from_bytes(body))


def admitted(dealt: Dealt, wallet: WalletKey = CALLER) -> AdmittedBatch:
    return admit_batch(dealt.candidate(SAFE_ID), wallet, MEMBERSHIP)


def batch_of(label: str, *values: bytes, **options: Any) -> AdmittedBatch:
    return admitted(deal(ROSTER, WALLET, values or (b"value",), label=label, **options))


def tombstone(
    item: bytes,
    generation: int = 1,
    *,
    signer: SigningKey = WALLET,
    by: Standing | None = None,
    at: int = NOW,
) -> AdmittedTombstone:
    signed = signed_tombstone(signer, item, generation, at)  # type: ignore[arg-type]
    brought_by = by or Standing(WalletKey(signer.public))
    return judge_deletion(signed.tombstone, signed.signature, brought_by)


Opener = Callable[..., Any]


@asynccontextmanager
async def sqlite_bench(
    folder: Path, *, counter_limit: int = COUNTER_LIMIT, bytes_per_wallet: int = 0, database_bytes: int = 0
) -> AsyncIterator[Bench]:
    put_empty_database(folder)
    store = await open_store(folder, SAFE_ID, database_bytes)
    try:
        yield Bench(folder, store, RegistrationRules(SAFE_ID, counter_limit, bytes_per_wallet))
    finally:
        await store.close()
