"""Which key of the wallet seals a batch, or opens one.

A policy whose key is the wallet's names it, or has one made for it at its first use. The root is not used
itself: a key is derived from it by a named algorithm, and forgotten after use. A root that is away is fetched
by its receipt, used, and forgotten as well [E7].
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from threshold.ristretto import Scalar
from trust.key_algorithm import BUILT_IN, ROOT_BYTES, KeyAlgorithm, derive_scalar
from trust.manifest import KeyWrap, Manifest
from wallet_client.operations.errors import KeyNotInWallet
from wallet_client.operations.gather import Gatherer
from wallet_client.operations.opening import batch_secret, key_from_shares, open_items
from wallet_client.operations.progress import Meter, silent
from wallet_client.operations.receipt_batch import Gathered, ReceiptBatch, group_by_batch, too_few
from wallet_client.pipeline.wrapping import KeyKind, WrappingKey
from wallet_client.policies.errors import PolicyUnfit
from wallet_client.policies.policy import Policy
from wallet_client.receipts.receipt import Receipt, ReceiptId
from wallet_client.receipts.shelf import get_receipt
from wallet_client.storage.errors import KeyAway, UnknownAlgorithm, UnknownKey
from wallet_client.storage.keyring import KeyDocument, KeyEntry, Keyring, KeyringKind, short_key_id
from wallet_client.storage.keys import LEAVING_ROOT
from wallet_client.storage.secret import Secret
from wallet_client.values.errors import ValueDamaged
from wallet_client.values.value import Value, decode_value
from wallet_client.wallet import Wallet

DEFAULT_NAMES: Final[Mapping[KeyringKind, str]] = {"shared": "main", "pair": "main-pair", "root": "root"}
"""What a key is called that is made for a policy which names none."""

_ROOT_ID = b"kura/v1/root-id\x00"


def new_key(wallet: Wallet, kind: KeyringKind, name: str, secret: bytes | None = None) -> KeyEntry:
    """Make a key and keep it.

    Args:
        wallet: Whose.
        kind: "shared", "pair" or "root".
        name: What people will call it.
        secret: Secret: a scalar, or a root, 32 bytes, that came from elsewhere; None to draw one.

    Raises:
        AlreadyKept: The wallet has this key already.
    """
    if secret is None:
        secret = wallet.rng.read(ROOT_BYTES) if kind == "root" else Scalar.random(wallet.rng).to_bytes()
    entry = key_entry(kind, name, secret, "", wallet.now())
    wallet.store.keyring.add(entry, Secret(secret))
    return entry


def key_entry(kind: KeyringKind, name: str, secret: bytes, algorithm: str, held_since: int) -> KeyEntry:
    """What the keyring notes of a key.

    Args:
        kind: As in `new_key`.
        name: As in `new_key`.
        secret: Secret: a canonical scalar, or a root, 32 bytes.
        algorithm: How it came from the root, as name/version; empty where it did not.
        held_since: Whole seconds since 1970-01-01 UTC.

    Raises:
        ThresholdError: The secret is no scalar.
    """
    if kind == "root":
        key_id, public = hashlib.sha256(_ROOT_ID + secret).digest(), b""
    else:
        key = WrappingKey.of(kind, Scalar.from_bytes(secret), algorithm)
        key_id, public = key.key_id, key.public
    return KeyEntry(
        id=short_key_id(key_id),
        name=name,
        kind=kind,
        key_id=key_id,
        public=public,
        algorithm=algorithm,
        held_since=held_since,
    )


def free_key_name(keyring: Keyring, name: str) -> str:
    """The name, or one that begins with it: two wallets may each have called a key so."""
    taken = {entry.name for entry in keyring.entries()}
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(one for one in (name, *numbered) if one not in taken)


def read_key(value: Value) -> tuple[KeyEntry, Secret, tuple[KeyAlgorithm, ...]]:
    """A key from the value that was backed up, and the algorithms that came with a root.

    Raises:
        DocumentMalformed: It is none.
    """
    document = KeyDocument.from_bytes(value.payload)
    entry = key_entry(document.kind, document.name, document.secret, document.algorithm, document.held_since)
    return entry, Secret(document.secret), document.algorithms


class KeyFinder:
    """Finds keys for one operation; a root that was fetched is kept as long as the finder.

    Args:
        wallet: Whose keyring is used.
    """

    def __init__(self, wallet: Wallet) -> None:
        self._wallet = wallet
        self._keyring = wallet.store.keyring
        self._root: bytes | None = None

    async def for_backup(self, policy: Policy) -> WrappingKey | None:
        """The key that a policy's batches are sealed under; None where it is not the wallet's.

        Raises:
            UnknownKey: The policy names a key that there is not.
            KeyAway: The key is away, and its public half is not enough.
            PolicyUnfit: The named key is of another kind.
            UnknownAlgorithm: The policy names an algorithm that was not brought.
            TooFewSafes: The root is away, and too few safes answered well.
        """
        if not policy.key.is_wallets:
            return None
        kind: KeyKind = "pair" if policy.sealing == "key-pair" else "shared"
        if policy.key.mode == "root":
            return await self.derived(kind, policy.algorithm or BUILT_IN.label, make=True)
        async with self._wallet.making_keys:
            key = await asyncio.to_thread(self._named, policy, kind)
        if key.scalar is None and (kind == "shared" or policy.key.is_shared):
            raise KeyAway(policy.key_name or DEFAULT_NAMES[kind])
        return key

    async def for_recovery(self, manifest: Manifest) -> WrappingKey | None:
        """The wallet's key that opens a manifest's wrap; None where it has none, or shares can give it.

        Raises:
            KeyNotInWallet: It is nowhere to be had.
            UnknownAlgorithm, TooFewSafes: As `for_backup`.
        """
        wrap, mode = manifest.wrap, manifest.terms.key.mode
        if wrap is None or mode == "shared":
            return None
        entry = await asyncio.to_thread(self._entry_of, wrap.key_id)
        if entry is not None and entry.is_here:
            return await asyncio.to_thread(self._from_entry, entry)
        if mode == "kept-and-shared":
            return None
        if mode == "kept":
            raise KeyNotInWallet(entry.name if entry else "")
        kind: KeyKind = "pair" if manifest.terms.sealing == "key-pair" else "shared"
        leaving = await asyncio.to_thread(self._leaving, kind, wrap)
        key = leaving or await self.derived(kind, wrap.algorithm, make=False)
        if key.key_id != wrap.key_id:
            raise KeyNotInWallet("")
        return key

    def is_away(self, manifest: Manifest) -> bool:
        """Whether only a key of the wallet opens a manifest's wrap, and is not in it; nobody is asked."""
        wrap = manifest.wrap
        if wrap is None or manifest.terms.key.mode != "kept":
            return False
        entry = self._entry_of(wrap.key_id)
        return entry is None or not entry.is_here

    def _leaving(self, kind: KeyKind, wrap: KeyWrap) -> WrappingKey | None:
        """The key that the root gave which is being replaced, if that is the one."""
        keys = self._wallet.store.keys
        if LEAVING_ROOT not in keys.names():
            return None
        scalar = derive_scalar(self._algorithm(wrap.algorithm), keys.get(LEAVING_ROOT).reveal())
        key = WrappingKey.of(kind, scalar, wrap.algorithm)
        return key if key.key_id == wrap.key_id else None

    async def root(self, *, make: bool) -> bytes:
        """Secret: the root, 32 bytes; fetched where it is away.

        Args:
            make: Draw one where the wallet never had any.

        Raises:
            KeyNotInWallet: There is none, nor a receipt of it.
            TooFewSafes: Too few safes answered well.
        """
        async with self._wallet.making_keys:
            if self._root is None:
                self._root = await self._find_root(make=make)
            return self._root

    async def fetch(self, receipt: Receipt) -> Value:
        """Secret: the key behind a receipt, as the value that was backed up; the wallet does not keep it.

        Raises:
            TooFewSafes, KeyNotInWallet, ValueDamaged: As a recovery.
        """
        ((encoded,),) = await self.members([receipt])
        return decode_value(encoded)

    async def members(self, receipts: Sequence[Receipt]) -> list[list[bytes]]:
        """Secret: the encoded members of items of one batch, which the wallet does not keep.

        Args:
            receipts: Under one manifest.

        Raises:
            TooFewSafes, KeyNotInWallet, ValueDamaged: As a recovery.
        """
        (batch,) = await asyncio.to_thread(group_by_batch, receipts)
        batch = replace(batch, key=await self.for_recovery(batch.manifest))
        with ExitStack() as files:
            meter = Meter("fetch", silent, total=batch.total_bytes)
            gathered, failed = await Gatherer(self._wallet, batch, files, meter).gather()
            if not batch.is_enough(gathered):
                raise too_few(self._wallet, batch, gathered, failed)
            return await asyncio.to_thread(self._opened, batch, gathered)

    def _opened(self, batch: ReceiptBatch, gathered: Gathered) -> list[list[bytes]]:
        key = batch.key or key_from_shares(batch, gathered)
        secret = batch_secret(batch, gathered, self._wallet.keys, key)
        opened = dict(open_items(batch, gathered, secret))
        return [opened[index] for index in range(len(batch.receipts))]

    async def _find_root(self, *, make: bool) -> bytes:
        kept = await asyncio.to_thread(self._kept_root, make=make)
        if isinstance(kept, bytes):
            return kept
        return KeyDocument.from_bytes((await self.fetch(kept)).payload).secret

    def _kept_root(self, *, make: bool) -> bytes | Receipt:
        """Secret: the root, or the receipt that brings it back."""
        entry = next((one for one in self._keyring.entries() if one.kind == "root"), None)
        if entry is None and make:
            entry = new_key(self._wallet, "root", DEFAULT_NAMES["root"])
        if entry is not None and entry.is_here:
            return self._keyring.secret(entry.id).reveal()
        if entry is None or entry.receipt_id is None:
            raise KeyNotInWallet(entry.name if entry else "")
        return get_receipt(self._wallet.store, ReceiptId(entry.receipt_id))

    async def derived(self, kind: KeyKind, label: str, *, make: bool) -> WrappingKey:
        """Secret: the key that the root gives by this algorithm; a stored one is used as it is.

        Args:
            kind: What it is.
            label: The algorithm, as name/version.
            make: Draw a root where the wallet never had any.

        Raises:
            UnknownAlgorithm: Its description was not brought.
            KeyNotInWallet, TooFewSafes: As `root`.
        """
        stored = await asyncio.to_thread(self._stored, kind, label)
        if isinstance(stored, WrappingKey):
            return stored
        return WrappingKey.of(kind, derive_scalar(stored, await self.root(make=make)), label)

    def _stored(self, kind: KeyKind, label: str) -> WrappingKey | KeyAlgorithm:
        """The derived key that somebody had stored, or else the way to derive it."""
        for entry in self._keyring.entries():
            if (entry.algorithm, entry.kind) == (label, kind) and entry.is_here:
                return self._from_entry(entry)
        return self._algorithm(label)

    def _algorithm(self, label: str) -> KeyAlgorithm:
        for algorithm in (BUILT_IN, *self._keyring.algorithms()):
            if algorithm.label == label:
                return algorithm
        raise UnknownAlgorithm(label)

    def _named(self, policy: Policy, kind: KeyKind) -> WrappingKey:
        """By its name alone: whether it came from the root is nothing to what it seals."""
        name = policy.key_name or DEFAULT_NAMES[kind]
        entry = self._keyring.named(name)
        if entry is None:
            if policy.key_name:
                raise UnknownKey(policy.key_name)
            entry = new_key(self._wallet, kind, name)
        if entry.kind != kind:
            raise PolicyUnfit(policy.name, f"the key {name} is no {kind} key")
        return replace(self._from_entry(entry), algorithm="")

    def _entry_of(self, key_id: bytes) -> KeyEntry | None:
        return next((one for one in self._keyring.entries() if one.key_id == key_id), None)

    def _from_entry(self, entry: KeyEntry) -> WrappingKey:
        if entry.kind == "root":
            raise ValueDamaged("a root seals nothing itself")
        scalar = Scalar.from_bytes(self._keyring.secret(entry.id).reveal()) if entry.is_here else None
        return WrappingKey(entry.kind, entry.key_id, entry.public, scalar, entry.algorithm)
