"""Anna, and everybody who might ask for what is hers, at real safes and at an authority.

Safes judge requests by a clock that stands still, so that five minutes can be told from five minutes and a
millisecond. Their processes have been up for ten.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pysqlite3 as sqlite3
import pytest

from kura.safe.v1 import owner_pb2, safe_pb2
from support.authority import LocalAuthority, local_authority
from support.owner_safes import SAFES, SECONDS, LocalSafe
from support.owners import DealtOwner, deal_owner
from support.peer_safes import PeerSafe, PeerSafes, peer_safes, some_bytes
from support.safe_process import now_ms
from support.safe_requests import Dealt, deal, wallet_key
from support.sample_authority import GENESIS_PRINT
from support.sample_documents import NOW
from support.software_device import Device
from trust import authority_calls as calls
from trust.authorisation import authorise_wallet, revoke_wallet
from trust.documents import SigningKey
from trust.ids import WalletKey
from trust.owner_id import owner_id
from trust.request import FRESH_MS
from wallet_client.pipeline.batch import PreparedBatch

UP_MS = 2 * FRESH_MS
"""How long the safes have been up."""

ANNAS, REVOKED, NEW = wallet_key("Anna's"), wallet_key("Anna's, revoked"), wallet_key("Anna's, to come")
BERTS = wallet_key("Bert's")
NOBODYS = wallet_key("nobody's")
"""It registered something, and acts for no owner."""
STRANGER = wallet_key("a stranger's")
"""No safe ever heard of it."""


def content_of(database: Path, without: frozenset[str] = frozenset()) -> dict[str, list[Any]]:
    """Every row of every table, but of some."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: connection.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608 - of the schema
            for (name,) in tables
            if name not in without
        }
    finally:
        connection.close()


@dataclass(frozen=True)
class AtSafes:
    """Four safes of which two bring back; what is asked about is at the first one.

    Args:
        now_ms: Where the clock stands.
        anna: Enrolled; she has the wallet ANNAS, which registered `batch`, and revoked another.
        later: Anna's next record, which no safe has yet.
        bert: Another owner, with the wallet BERTS.
        certificate: Of what Anna's wallet registered.
        divided: A batch at all safes, for repairs.
        alone: A batch at one safe.
    """

    peers: PeerSafes
    now_ms: int
    anna: DealtOwner
    later: DealtOwner
    bert: DealtOwner
    batch: Dealt
    certificate: bytes
    divided: PreparedBatch
    alone: PreparedBatch

    @property
    def safe(self) -> LocalSafe:
        """The one that is asked."""
        return self.peers.safes[0].local

    @property
    def holder(self) -> PeerSafe:
        """The only safe that has anything of the batch `alone`."""
        return next(one for one in self.peers.safes if self.alone.manifest.places_at(one.safe_id))

    @property
    def annas_marks(self) -> tuple[bytes, ...]:
        """What tells in an answer that it is about Anna."""
        record = self.anna.record
        item = self.batch.items[0].item_id
        return (
            record.owner_id,
            record.owner_key,
            record.record_id,
            ANNAS.public,
            REVOKED.public,
            item,
            self.certificate,
        )

    def content(self) -> dict[str, list[Any]]:
        """All that the safe keeps."""
        return content_of(self.safe.home.database)


@dataclass
class _Standing:
    """A clock that goes when it is told to."""

    ms: int

    def __call__(self) -> int:
        return self.ms


@asynccontextmanager
async def two_owners_at_safes(folder: Path) -> AsyncIterator[AtSafes]:
    """Start the safes and bring them what they are asked about."""
    clock = _Standing(now_ms())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("safe_node.server.now_ms", clock)
        patch.setattr("support.owner_safes.now_ms", clock)
        async with peer_safes(folder, 4, 2) as peers:
            clock.ms += UP_MS
            yield await _settled(peers, clock.ms)


async def _settled(peers: PeerSafes, at_ms: int) -> AtSafes:
    roster, safe = peers.local.roster, peers.safes[0].local
    anna, bert = deal_owner(roster, "Anna"), deal_owner(roster, "Bert")
    for owner, wallets in ((anna, (ANNAS, REVOKED)), (bert, (BERTS,))):
        await safe.enroll(owner)
        for wallet in wallets:
            await _authorise(safe, owner, wallet)
    body, signature = revoke_wallet(WalletKey(REVOKED.public), NOW, anna.key)
    await safe.ask(owner_pb2.RevokeWalletRequest(revocation=body, signature=signature), anna.key)
    await _register(safe, NOBODYS, deal(roster, NOBODYS, [b"a value"], label="nobody's", k=2))
    batch = deal(roster, ANNAS, [b"a value of Anna's"], label="Anna's", k=2)
    return AtSafes(
        peers=peers,
        now_ms=at_ms,
        anna=anna,
        later=deal_owner(roster, "Anna", version="second"),
        bert=bert,
        batch=batch,
        certificate=await _register(safe, ANNAS, batch),
        divided=await peers.take_in([some_bytes(900)], "threshold"),
        alone=await peers.take_in([some_bytes(900)], "sealed", seed="alone"),
    )


async def _authorise(safe: LocalSafe, owner: DealtOwner, wallet: SigningKey) -> None:
    signed = authorise_wallet(WalletKey(wallet.public), NOW, owner.key)
    request = owner_pb2.AuthoriseWalletRequest(authorisation=signed.authorisation, signature=signed.signature)
    await safe.ask(request, wallet)


async def _register(safe: LocalSafe, wallet: SigningKey, batch: Dealt) -> bytes:
    request = safe_pb2.RegisterRequest(batches=[batch.for_safe(safe.safe_id)])
    answer = await safe.caller(wallet).unary(f"{SAFES}/Register", request, safe_pb2.RegisterResponse, SECONDS)
    return bytes(answer.results[0].registration.certificates[0])


@dataclass(frozen=True)
class AtAuthority:
    """An authority with the accounts anna and bert.

    Args:
        annas: Secret: the token of Anna's session.
        berts: Secret: of Bert's.
        over: Secret: of one of Anna's that is over.
        ended: Secret: of one that Anna logged out of.
        device: Anna's.
        device_id: Under which the authority knows it.
    """

    authority: LocalAuthority
    annas: bytes
    berts: bytes
    over: bytes
    ended: bytes
    device: Device
    device_id: bytes

    @property
    def annas_marks(self) -> tuple[bytes, ...]:
        """What tells in an answer that it is about Anna."""
        return self.device_id, _annas_id(), b"anna"

    def content(self) -> dict[str, list[Any]]:
        """Its sessions and devices; tries and events are written down whoever tries."""
        folder = Path(self.authority.settings.data_dir)
        (database,) = folder.glob("*.db")
        return content_of(database, frozenset({"authority", "accounts", "nobodies", "events"}))


@cache
def _annas_id() -> bytes:
    """Argon2id takes a while."""
    return owner_id(b"anna", GENESIS_PRINT)


@asynccontextmanager
async def two_owners_at_an_authority(folder: Path) -> AsyncIterator[AtAuthority]:
    """Start it, and make accounts, sessions and a device."""
    async with local_authority(folder) as authority:
        over = await authority.register()
        authority.clock.ms = over.expires_at * 1_000
        annas, ended = await authority.log_in(), await authority.log_in()
        berts = await authority.register("bert")
        await authority.ask("Logout", calls.InSession(ended.token), calls.Done)
        device = Device(authority.description.relying_party)
        asked = calls.ChallengeQuestion(annas.token)
        given = await authority.ask("ChallengeDevice", asked, calls.DeviceChallenge)
        wish = device.register(given.challenge, annas.token)
        shown = await authority.ask("AddDevice", wish, calls.DeviceShown)
        yield AtAuthority(
            authority, annas.token, berts.token, over.token, ended.token, device, shown.device_id
        )
