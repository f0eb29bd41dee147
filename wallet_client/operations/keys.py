"""Keys of a wallet: make them, take them in, bring them back, forget them.

A key's secret may leave the wallet once its safes have it; the entry, its public half and its receipt stay,
so a key pair goes on sealing while its decoding key is away [E2]. What automatic use fetches or derives is
forgotten at once; what `recover_key` and `recover_from_root` bring is there to stay [E7].
"""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from threshold.ristretto import Scalar
from trust.key_algorithm import BUILT_IN, ROOT_BYTES
from wallet_client.errors import AlreadyKept
from wallet_client.operations.backup import find_root
from wallet_client.operations.errors import KeyLost, KeyNotSafe, KeyPiecesWaitHere
from wallet_client.operations.progress import Progress, silent
from wallet_client.operations.recover import RecoveryReport, recover
from wallet_client.operations.settle import changing
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.operations.wallet_keys import DEFAULT_NAMES, KeyFinder, key_entry, new_key
from wallet_client.pipeline.wrapping import KeyKind
from wallet_client.receipts.receipt import Receipt, ReceiptId, state_of, verify_receipt
from wallet_client.receipts.shelf import get_receipt
from wallet_client.storage.errors import KeyAway, KeyNameRefused, SecondRoot, UnknownKey
from wallet_client.storage.keyring import KeyEntry, KeyringKind
from wallet_client.storage.secret import Secret
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet

LEAST_MATERIAL_BYTES: Final = 32
MOST_MATERIAL_BYTES: Final = 1_048_576

_NAME = re.compile(r"(?!k-)[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MATERIAL = b"kura/v1/key-material\x00"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What is left of a key that was forgotten.

    Args:
        key: As it was.
        entry_stays: Its entry is still there, with its receipt or what it comes from; else all of it is gone.
    """

    key: KeyEntry
    entry_stays: bool


def secret_of_material(kind: KeyringKind, content: bytes) -> bytes:
    """Secret: the key that is made of some bytes; the same bytes give the same key.

    Args:
        kind: What it shall be.
        content: Secret: 32 bytes or more of any key material, hashed; a root is 32 bytes, raw or as 64
            hexadecimal digits, and taken as it is.

    Raises:
        ValueError: It is too short or too long, or no root; says so without the content.
    """
    if kind == "root":
        return _root_of(content)
    if not LEAST_MATERIAL_BYTES <= len(content) <= MOST_MATERIAL_BYTES:
        raise ValueError(
            f"it has {len(content)} bytes; a key is made of {LEAST_MATERIAL_BYTES} to {MOST_MATERIAL_BYTES}"
        )
    wide = hashlib.sha512(_MATERIAL + kind.encode() + b"\x00" + content).digest()
    return Scalar.from_wide_bytes(wide).to_bytes()


def _root_of(content: bytes) -> bytes:
    if len(content) == ROOT_BYTES:
        return content
    digits = content.strip()
    if len(digits) == 2 * ROOT_BYTES and re.fullmatch(rb"[0-9a-fA-F]+", digits):
        return bytes.fromhex(digits.decode("ascii"))
    raise ValueError(f"a root is {ROOT_BYTES} bytes, raw or as {2 * ROOT_BYTES} hexadecimal digits")


async def make_key(wallet: Wallet, kind: KeyringKind, name: str, secret: bytes | None = None) -> KeyEntry:
    """Keep a new key.

    Args:
        wallet: Whose.
        kind: "shared", "pair" or "root".
        name: What people will call it.
        secret: Secret: from `secret_of_material`; None to draw one.

    Raises:
        KeyNameRefused: No key can be called that.
        AlreadyKept: The wallet has this key, or one of that name.
        SecondRoot: It has a root.
        WalletBusy: Another process is changing the wallet.
    """

    def make() -> KeyEntry:
        with wallet.store.transaction():
            check_new(wallet, kind, name)
            return new_key(wallet, kind, name, secret)

    async with changing(wallet), wallet.making_keys:
        return await to_the_end(make)


def check_new(wallet: Wallet, kind: KeyringKind, name: str) -> None:
    """See whether a key of that kind and name may be added.

    Raises:
        KeyNameRefused, AlreadyKept, SecondRoot: As `make_key`.
    """
    if not _NAME.fullmatch(name):
        raise KeyNameRefused(name)
    if wallet.store.keyring.named(name) is not None:
        raise AlreadyKept("key", name)
    root = find_root(wallet)
    if kind == "root" and root is not None:
        raise SecondRoot("key", root.name)


async def recover_key(wallet: Wallet, key_id: ValueId, progress: Progress = silent) -> RecoveryReport:
    """Bring a key back, to stay: by its receipt, or from the root that it was derived from.

    Raises:
        UnknownKey: The wallet has no entry of it.
        KeyLost: Nothing brings it back.
        KeyNotInWallet: It was sealed under another key, which is away.
        UnknownAlgorithm, TooFewSafes, WalletBusy: As `recover` and `recover_from_root`.
    """
    entry = await asyncio.to_thread(wallet.store.keyring.entry, key_id)
    if entry.is_here:
        await _keep_here(wallet, entry, await asyncio.to_thread(wallet.store.keyring.secret, key_id))
        return RecoveryReport((), (key_id,), {})
    if entry.receipt_id is not None:
        return await recover(wallet, [ReceiptId(entry.receipt_id)], progress=progress)
    if not entry.algorithm or entry.kind == "root":
        raise KeyLost(entry.name)
    await recover_from_root(wallet, entry.kind, entry.name, entry.algorithm)
    return RecoveryReport((key_id,), (), {})


async def recover_from_root(wallet: Wallet, kind: KeyKind, name: str, label: str = "") -> KeyEntry:
    """Derive a key from the root, which is fetched where it is away and forgotten again, and keep it [E7].

    Args:
        wallet: Whose.
        kind: What it is.
        name: What people will call it, if it is new to the wallet.
        label: The algorithm, as name/version; "" for the built-in one.

    Raises:
        UnknownKey: The wallet has no root.
        UnknownAlgorithm: Its description was not brought.
        KeyNameRefused, AlreadyKept: As `make_key`.
        KeyNotInWallet, TooFewSafes: The root is away, and does not come back.
        WalletBusy: Another process is changing the wallet.
    """
    async with changing(wallet):
        if await asyncio.to_thread(find_root, wallet) is None:
            raise UnknownKey(DEFAULT_NAMES["root"])
        algorithm = label or BUILT_IN.label
        key = await KeyFinder(wallet).derived(kind, algorithm, make=False)
        if key.scalar is None:
            raise KeyAway(name)
        secret = key.scalar.to_bytes()
        entry = key_entry(kind, name, secret, algorithm, wallet.now())
        return await _keep_here(wallet, entry, Secret(secret))


async def _keep_here(wallet: Wallet, entry: KeyEntry, secret: Secret) -> KeyEntry:
    """Keep a key under the entry that it has, or under a new one."""

    def keep() -> KeyEntry:
        keyring = wallet.store.keyring
        with wallet.store.transaction():
            if all(one.id != entry.id for one in keyring.entries()):
                check_new(wallet, entry.kind, entry.name)
            keyring.bring_back(entry, secret)
            return keyring.entry(entry.id)

    async with changing(wallet):
        return await to_the_end(keep)


async def forget_key(wallet: Wallet, key_id: ValueId, *, lose: bool = False) -> Forgotten:
    """Erase a key's secret from the wallet, beyond recovery from its files.

    Args:
        wallet: Whose.
        key_id: Which.
        lose: Also where nothing is sure to bring it back. Where nothing can, its entry goes as well: to a
            public half without its other half nothing should be sealed.

    Raises:
        UnknownKey: There is none of that id.
        KeyNotSafe: Not all its safes have it, or a certificate does not hold; nothing was erased.
        KeyPiecesWaitHere: The wallet's outbox alone would bring it back; nothing was erased.
        WalletBusy: Another process is changing the wallet.
    """

    def forget() -> Forgotten:
        keyring = wallet.store.keyring
        with wallet.store.transaction():
            entry = keyring.entry(key_id)
            _check_comes_back(wallet, entry, lose=lose)
            stays = entry.receipt_id is not None or bool(entry.algorithm)
            if stays:
                keyring.send_away(key_id)
            else:
                keyring.remove(key_id)
        return Forgotten(entry, stays)

    async with changing(wallet), wallet.claim((key_id,)):
        return await to_the_end(forget)


def _check_comes_back(wallet: Wallet, entry: KeyEntry, *, lose: bool) -> None:
    receipt = receipt_of(wallet, entry)
    if receipt is None:
        problem = "" if _comes_from_root(wallet, entry) else "it is backed up nowhere"
    else:
        problem = _missing_safes(wallet, entry, receipt) or _unproven(wallet, receipt)
    if problem and not lose:
        raise KeyNotSafe(entry.name, problem)


def _comes_from_root(wallet: Wallet, entry: KeyEntry) -> bool:
    """Whether it was derived from a root that is here, or that its safes all have."""
    root = find_root(wallet) if entry.algorithm else None
    if root is None:
        return False
    receipt = receipt_of(wallet, root)
    return root.is_here or (receipt is not None and state_of(receipt).word == "safe")


def _missing_safes(wallet: Wallet, entry: KeyEntry, receipt: Receipt) -> str:
    state = state_of(receipt)
    missing = [safe_id for safe_id in state.placed if safe_id not in state.holding]
    if not missing:
        return ""
    problem = f"{', '.join(map(wallet.safe_name, missing))} did not take it yet"
    if receipt.arrangement.may_still_be_lost(set(missing)) >= 0:
        raise KeyPiecesWaitHere(entry.name, problem)
    return problem


def _unproven(wallet: Wallet, receipt: Receipt) -> str:
    wrong = [one for one, problem in verify_receipt(receipt, wallet.roster).items() if problem is not None]
    return f"the certificate of {', '.join(map(wallet.safe_name, wrong))} does not hold" if wrong else ""


def receipt_of(wallet: Wallet, entry: KeyEntry) -> Receipt | None:
    """The receipt that brings a key back, if it is backed up."""
    return get_receipt(wallet.store, ReceiptId(entry.receipt_id)) if entry.receipt_id else None
