"""Safes in memory behind the wallet's links, for operations whose logic needs no wire.

They hold to the same rules as the real ones (a parcel must be what its manifest says, tombstones dominate,
the same piece again gives the same certificate), and fail on demand: down, refusing, lying, or dying at a
step that a test chooses.
"""

import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, cast

from rpc_edge.errors import NothingListens
from support.memory_owner_links import MemoryOwnerLink
from support.memory_owner_safes import MemoryOwnerSafe
from support.memory_safe_link import MemorySafeLink
from support.sample_documents import NOW, draw, key, sealing_pair, signed_by
from threshold import feldman
from threshold.randomness import SeededRandomness
from threshold.ristretto import Point, Scalar
from trust.certificate import Certificate, SignedCertificate, sign_certificates, verify_call
from trust.documents import SigningKey
from trust.ids import SafeId, Signature, WalletKey
from trust.manifest import ItemLeaf, Manifest, Place, read_leaves, read_manifest
from trust.piece import check_piece
from trust.roster import Roster, SafeEntry
from trust.roster_file import write_roster
from trust.tombstone import read_tombstone, sign_deletion
from trust.wallet_refusals import (
    CertificateUnknown,
    ItemDeleted,
    NotYourItem,
    PieceConflict,
    PieceNeedsStream,
)
from wallet_client.network.links import Links
from wallet_client.network.messages import FetchedPiece
from wallet_client.network.safe_link import SignedBytes
from wallet_client.network.streams import ByteSink
from wallet_client.pipeline.parcel import CHUNK_BYTES, STREAMED_ABOVE_BYTES, Parcel
from wallet_client.pipeline.rechunk import rechunk
from wallet_client.receipts.deletion import generations_of, verify_deletion
from wallet_client.receipts.receipt import ReceiptId, state_of, verify_receipt
from wallet_client.receipts.shelf import all_deletions, get_receipt
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.lock import LOCK_NAME
from wallet_client.wallet import Wallet, create_wallet, pinned_signing_keys

IsTheirs = Callable[[WalletKey], bool]
"""Whether what a wallet registered is the caller's to fetch and to delete."""

NOBODY = WalletKey(b"")


def safe_key(number: int) -> SigningKey:
    """The signing key of safe 1, 2, ..."""
    return key(f"memory safe {number} signing")


def roster_of(n: int, k: int) -> Roster:
    """A genesis of n safes named safe-1 and so on, of which k bring a value back."""
    safes = tuple(
        SafeEntry(
            safe_id=SafeId(draw(f"memory safe {number}", 16)),
            name=f"safe-{number}",
            operator=f"Operator {number}",
            endpoint=f"safe-{number}.example:7443",
            peer_endpoint=f"safe-{number}.example:7444",
            tls_certificate=draw(f"memory safe {number} tls", 90),
            signing_key=safe_key(number).public,
            sealing_key=sealing_pair(f"memory safe {number} sealing").public,
            operator_key=key(f"memory operator {number}").public,
        )
        for number in range(1, n + 1)
    )
    return Roster(1, b"", NOW, k, safes, tuple(draw(f"memory decoy {number}", 80) for number in range(n)))


def roster_file_of(roster: Roster) -> bytes:
    """The roster as its operators sign it."""
    operators = [key(f"memory operator {number}") for number in range(1, len(roster.safes) + 1)]
    return write_roster([signed_by(roster, *operators)])


@dataclass
class KeptPiece:
    """What a safe keeps under one name; the last four are what its catalogue tells of it."""

    manifest_hash: bytes
    x_hash: bytes
    certificate: bytes
    blob: bytes | None
    key_share: bytes | None
    manifest: bytes
    signature: bytes
    leaf_index: int
    leaves: tuple[bytes, ...]

    @property
    def wallet_key(self) -> WalletKey:
        """Who registered it."""
        return Manifest.from_bytes(self.manifest).wallet_key

    def __deepcopy__(self, memo: object) -> "KeptPiece":
        """All its fields are bytes; and safes are copied for every step that something may die at."""
        return replace(self)


class CheckFailed(AssertionError):
    """The wallet sent what no safe would take."""


@dataclass
class MemorySafe:
    """One safe; the attributes below `counter` are for tests to set.

    Args:
        pieces: By item, generation and share index.
        beside: The same of a second wallet, where both registered one generation.
        signed_tombstones: As they came, by wallet and what they bury.
        theirs: Whose pieces a wallet may delete.
        refuses: Raised instead of registering.
        refuses_deletion: Given instead of a deletion receipt.
        is_down: Nothing listens.
        alter: Changes what it gives out.
        step: Called before each call takes effect and after, with a name.
    """

    entry: SafeEntry
    signing_key: SigningKey
    pieces: dict[tuple[bytes, int, int], KeptPiece] = field(default_factory=dict)
    beside: dict[tuple[bytes, int, int], KeptPiece] = field(default_factory=dict)
    tombstones: set[tuple[bytes, int]] = field(default_factory=set)
    signed_tombstones: dict[tuple[WalletKey, bytes, int], SignedBytes] = field(default_factory=dict)
    counter: int = 0
    theirs: Callable[[WalletKey], IsTheirs] = lambda caller: caller.__eq__
    refuses: Exception | None = None
    refuses_deletion: Exception | None = None
    is_down: bool = False
    alter: Callable[[FetchedPiece], FetchedPiece] = lambda piece: piece
    step: Callable[[str], None] = lambda name: None
    calls: list[str] = field(default_factory=list)

    async def register(self, parcel: Parcel) -> tuple[SignedCertificate, ...]:
        """Take a parcel in."""
        if parcel.streamed is not None:
            raise PieceNeedsStream
        return self._take("register", parcel, [piece.blob for piece in parcel.pieces])

    async def register_stream(self, parcel: Parcel, chunks: Iterator[bytes]) -> tuple[SignedCertificate, ...]:
        """Take a streamed parcel in."""
        if parcel.streamed is None or len(parcel.pieces) != 1:
            raise CheckFailed("not to be streamed")
        blob = b"".join(chunks)
        if len(blob) != parcel.streamed.length:
            raise CheckFailed("another length than announced")
        return self._take("register_stream", parcel, [blob])

    async def fetch(
        self, certificates: Sequence[bytes], expected_bytes: int, may: IsTheirs = lambda _: True
    ) -> Sequence[FetchedPiece | Exception]:
        """Give out what stands under certificates."""
        self.begin("fetch")
        return [self._release(certificate, may) for certificate in certificates]

    async def fetch_stream(
        self,
        certificate: bytes,
        x_hash: bytes,
        blob_length: int,
        into: ByteSink,
        may: IsTheirs = lambda _: True,
    ) -> bytes | None:
        """Give out a large piece."""
        self.begin("fetch_stream")
        piece = self._release(certificate, may)
        if isinstance(piece, Exception):
            raise piece
        for chunk in rechunk([piece.blob or b""], CHUNK_BYTES):
            into.write(chunk)
        return piece.key_share

    async def delete(self, tombstones: Sequence[tuple[bytes, bytes]]) -> Sequence[SignedBytes | Exception]:
        """Erase items' generations."""
        self.begin("delete")
        receipts: list[SignedBytes | Exception] = [self._bury(*signed) for signed in tombstones]
        self.step("deleted")
        return receipts

    async def close(self) -> None:
        """Nothing to close."""

    def kept_by(self, theirs: IsTheirs) -> list[KeptPiece]:
        """Every piece of these wallets, in the order in which they came."""
        return [one for one in (*self.pieces.values(), *self.beside.values()) if theirs(one.wallet_key)]

    def tombstones_by(self, theirs: IsTheirs) -> list[tuple[bytes, bytes]]:
        """Every tombstone of these wallets, with its signature."""
        return [signed for (wallet, *_), signed in self.signed_tombstones.items() if theirs(wallet)]

    def kept_items(self) -> set[tuple[bytes, int]]:
        """Items, with their generation, of which it keeps anything."""
        return {name[:2] for name in self.pieces}

    def begin(self, call: str) -> None:
        """Count a call."""
        self.step(call)
        if self.is_down:
            raise NothingListens
        self.calls.append(call)

    def _take(
        self, call: str, parcel: Parcel, blobs: Sequence[bytes | None]
    ) -> tuple[SignedCertificate, ...]:
        self.begin(call)
        if self.refuses is not None:
            raise self.refuses
        manifest, leaves = check_parcel(parcel, blobs)
        if any((leaf.item_id, leaf.generation) in self.tombstones for leaf in leaves):
            raise ItemDeleted
        shares, places = dict(parcel.key_shares), {place.x: place for place in manifest.placement}
        certificates = [
            self._keep(parcel, manifest, piece.leaf_index, leaves, places[piece.x], blob, shares.get(piece.x))
            for piece, blob in zip(parcel.pieces, blobs, strict=True)
        ]
        signature = sign_certificates(self.entry.safe_id, certificates, self.signing_key)
        self.step("registered")
        return verify_call(self.entry.safe_id, certificates, signature, self.entry.signing_key)

    def _keep(
        self,
        parcel: Parcel,
        manifest: Manifest,
        leaf_index: int,
        leaves: Sequence[ItemLeaf],
        place: Place,
        blob: bytes | None,
        share: bytes | None,
    ) -> bytes:
        leaf = leaves[leaf_index]
        name = (leaf.item_id, leaf.generation, place.x)
        x_hash, manifest_hash = (
            manifest.piece_hash(leaf, place.x),
            hashlib.sha256(manifest.to_bytes()).digest(),
        )
        first = self.pieces.get(name)
        shelf = self.pieces if first is None or first.wallet_key == manifest.wallet_key else self.beside
        known = shelf.get(name)
        if known is not None:
            if (known.manifest_hash, known.x_hash) != (manifest_hash, x_hash):
                raise PieceConflict
            return known.certificate
        certificate = Certificate(
            self.entry.safe_id, leaf.kind, leaf.digest, x_hash, self.counter, *name
        ).to_bytes()
        self.counter += 1
        about = (parcel.manifest, parcel.signature, leaf_index, parcel.leaves)
        shelf[name] = KeptPiece(manifest_hash, x_hash, certificate, blob, share, *about)
        return certificate

    def _release(self, certificate: bytes, may: IsTheirs) -> FetchedPiece | Exception:
        asked = Certificate.from_bytes(certificate)
        name = (asked.item_id, asked.generation, asked.index)
        both = (self.pieces.get(name), self.beside.get(name))
        kept = next((one for one in both if one and one.certificate == certificate), None)
        if kept is None:
            return CertificateUnknown()
        if not may(kept.wallet_key):
            return NotYourItem()
        return self.alter(FetchedPiece(kept.blob, kept.key_share))

    def _bury(self, body: bytes, signature: bytes) -> SignedBytes | Exception:
        if self.refuses_deletion is not None:
            return self.refuses_deletion
        tombstone = read_tombstone(body, signature)
        buried = (tombstone.item_id, tombstone.generation)
        self.tombstones.add(buried)
        self.signed_tombstones[tombstone.wallet_key, *buried] = (body, Signature(signature))
        may = self.theirs(tombstone.wallet_key)
        for shelf in (self.pieces, self.beside):
            for name in [name for name, kept in shelf.items() if name[:2] == buried and may(kept.wallet_key)]:
                del shelf[name]
        return sign_deletion(self.entry.safe_id, body, NOW, self.signing_key)


def check_parcel(parcel: Parcel, blobs: Sequence[bytes | None]) -> tuple[Manifest, tuple[ItemLeaf, ...]]:
    """Check a parcel as a safe does: signature, leaves, pieces placed here, roots, key shares."""
    manifest = read_manifest(parcel.manifest, parcel.signature)
    leaves = read_leaves(manifest, parcel.leaves)
    places = {place.x: place for place in manifest.places_at(parcel.safe_id)}
    named = [(piece.leaf_index, piece.x) for piece in parcel.pieces]
    xs = sorted({x for _, x in named})
    if not set(xs) <= set(places) or sorted(named) != [
        (index, x) for index in range(len(leaves)) for x in xs
    ]:
        raise CheckFailed("not every item's piece at indices placed here")
    places = {x: places[x] for x in xs}
    for piece, blob in zip(parcel.pieces, blobs, strict=True):
        if (blob is not None) != places[piece.x].value:
            raise CheckFailed("a blob where none is placed, or none where one is")
        if blob is not None:
            check_piece(blob, manifest.piece_hash(leaves[piece.leaf_index], piece.x))
        if parcel.streamed is None and len(blob or b"") > STREAMED_ABOVE_BYTES:
            raise CheckFailed("too long for one message")
    commitments = [Point.from_bytes(encoded) for encoded in manifest.commitments]
    if [x for x, _ in parcel.key_shares] != [x for x, place in places.items() if place.key]:
        raise CheckFailed("not exactly the key shares placed here")
    for x, share in parcel.key_shares:
        feldman.verify_share(
            feldman.ScalarShare(x, Scalar.from_bytes(share)), commitments, manifest.terms.key.k
        )
    return manifest, leaves


@dataclass
class MemorySafes:
    """All safes of a roster; stands in for Links.

    Args:
        wallet_key: Who calls; nobody in particular until a wallet is opened.
    """

    roster: Roster
    all: dict[SafeId, MemorySafe]
    owners: dict[SafeId, MemoryOwnerSafe]
    wallet_key: WalletKey = NOBODY
    gateway: ClassVar[None] = None
    """As Links has it: nobody carries."""

    @classmethod
    def of(cls, n: int = 5, k: int = 3) -> "MemorySafes":
        """Fresh ones."""
        roster = roster_of(n, k)
        safes = {entry.safe_id: MemorySafe(entry, safe_key(i)) for i, entry in enumerate(roster.safes, 1)}
        owners = {safe_id: MemoryOwnerSafe(safe_id, roster, safe) for safe_id, safe in safes.items()}
        for safe_id, safe in safes.items():
            safe.theirs = owners[safe_id].theirs
        return cls(roster, safes, owners)

    def __getitem__(self, number: int) -> MemorySafe:
        """Safe 1, 2, ..."""
        return self.all[self.roster.safes[number - 1].safe_id]

    def __iter__(self) -> Iterator[MemorySafe]:
        return iter(self.all.values())

    def seen_by(self, wallet_key: WalletKey) -> "MemorySafes":
        """The same safes, called by this wallet."""
        return replace(self, wallet_key=wallet_key)

    def to(self, safe_id: SafeId, owner: SigningKey | None = None) -> "MemorySafe | MemorySafeLink":
        """As Links.to; to nobody in particular everything is given. All of them erase at once."""
        caller = self.wallet_key if owner is None else WalletKey(owner.public)
        if caller == NOBODY:
            return self.all[safe_id]
        return MemorySafeLink(self.all[safe_id], self.owners[safe_id], caller)

    def to_owners(self, safe_id: SafeId, owner: SigningKey | None = None) -> MemoryOwnerLink:
        """As Links.to_owners."""
        caller = self.wallet_key if owner is None else WalletKey(owner.public)
        return MemoryOwnerLink(self.owners[safe_id], caller)

    def owners_at(self, number: int) -> MemoryOwnerSafe:
        """The owners' half of safe 1, 2, ..."""
        return self.owners[self.roster.safes[number - 1].safe_id]

    async def close(self) -> None:
        """As Links.close."""

    def take_down(self, *numbers: int) -> None:
        """Nothing listens at these; at all others something does."""
        for number, safe in enumerate(self, 1):
            safe.is_down = number in numbers

    def calm_down(self) -> None:
        """Nobody dies or counts any more."""
        for safe in self:
            safe.step = lambda name: None

    def kept(self) -> list[set[tuple[bytes, int, int]]]:
        """Names of the pieces at each safe."""
        return [set(safe.pieces) for safe in self]


@asynccontextmanager
async def opened(home: Path, safes: MemorySafes, seed: str = "wallet") -> AsyncIterator[Wallet]:
    """The wallet in a folder, made where there is none, with these safes behind its links."""
    if not (home / "wallet.db").exists():
        rng = SeededRandomness(draw(f"signing seed of {seed}", 32), b"")
        await create_wallet(home, NoPassphrase(), roster_file_of(safes.roster), None, rng)
    async with await Wallet.open(home, NoPassphrase()) as wallet:
        use(wallet, safes.seen_by(WalletKey(wallet.keys.signing.public)))
        wallet.rng = SeededRandomness(draw(seed, 32), b"wallet")
        wallet.clock = lambda: float(NOW)
        yield wallet


def use(wallet: Wallet, links: object) -> None:
    """Put something else in the place of a wallet's links."""
    wallet.links = cast(Links, links)


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Steps:
    """Counts everything a crash can come between, and dies at the step it is told.

    Args:
        crash_at: The first is 1; None: only count.
    """

    crash_at: int | None = None
    taken: list[str] = field(default_factory=list)

    def __call__(self, name: str) -> None:
        """One step."""
        self.taken.append(name)
        if len(self.taken) == self.crash_at:
            raise Crash

    def watch(self, wallet: Wallet, safes: MemorySafes) -> None:
        """Count each call to a safe twice (not yet, already) and each write before it happens."""
        for safe in safes:
            safe.step = self
        store = wallet.store
        writes = {
            "journal": (store.journal, ("put", "delete")),
            "deletions": (store.deletions, ("put",)),
            "outbox": (store.outbox, ("put", "delete")),
            "receipts": (store.receipts, ("put", "delete")),
            "values": (store.values, ("add", "link", "replace", "remove")),
            "keys": (store.keys, ("put", "delete")),
            "settings": (store.settings, ("set_owner",)),
            "keyring": (store.keyring, ("add", "bring_back", "send_away", "remove", "link_known")),
        }
        for title, (repository, names) in writes.items():
            for name in names:
                self._count(repository, name, f"{title}.{name}")

    def _count(self, owner: Any, name: str, title: str) -> None:
        original = getattr(owner, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self(title)
            result = original(*args, **kwargs)
            self(f"{title} done")
            return result

        setattr(owner, name, counted)


def check_books(wallet: Wallet, safes: MemorySafes) -> None:
    """Everything is at its end: safes keep exactly what receipts name, and nothing is begun or owed."""
    receipts = [get_receipt(wallet.store, ReceiptId(entry.id)) for entry in wallet.store.receipts.entries()]
    named: dict[SafeId, set[tuple[bytes, int, int]]] = {safe_id: set() for safe_id in safes.all}
    for receipt in receipts:
        leaf = receipt.read_leaf()
        for place in receipt.read_manifest().placement:
            named[place.safe_id].add((leaf.item_id, leaf.generation, place.x))
        assert state_of(receipt).word == "safe"
        assert set(verify_receipt(receipt, wallet.roster).values()) == {None}
    assert {safe_id: set(safe.pieces) for safe_id, safe in safes.all.items()} == named
    check_deletions(wallet, safes)
    assert wallet.store.journal.entries() == []
    assert wallet.store.outbox.entries() == []
    links = {one.id: one.receipt_id for one in wallet.store.values.summaries()}
    links |= {one.id: one.receipt_id for one in wallet.store.keyring.entries()}
    for receipt in receipts:
        for value_id in receipt.value_ids:
            assert links.get(value_id, receipt.receipt_id) == receipt.receipt_id
    assert {one for one in links.values() if one} <= {receipt.receipt_id for receipt in receipts}


def check_deletions(wallet: Wallet, safes: MemorySafes) -> None:
    """Of every tombstone that a safe has, the wallet keeps that safe's receipt, and each holds."""
    keys = pinned_signing_keys(wallet.store)
    confirmed: dict[SafeId, set[tuple[bytes, int]]] = {safe_id: set() for safe_id in safes.all}
    for deletion in all_deletions(wallet.store):
        assert list(verify_deletion(deletion, keys)) == []
        for one in generations_of(deletion):
            for safe_id in one.erased_at:
                confirmed[safe_id].add((one.item_id, one.generation))
    assert {safe_id: safe.tombstones for safe_id, safe in safes.all.items()} == confirmed


def lock_is_free(home: Path) -> bool:
    """Whether another process could change the wallet now."""
    descriptor = os.open(home / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
