"""Wallets of one owner before safes in memory: enrolled, lost, come back, side by side.

A PIN is not stretched here: what Argon2id gives is tested with it (test_stretch.py), and its 64 MiB would be
spent at every step.
"""

import hashlib
import shutil
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from support.memory_safes import MemorySafes, opened
from support.wallet_samples import FULL_VALUE, small_value
from trust import owner_id
from trust.manifest import Ownership
from trust.owner_record import OwnerSecrets
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.enrolling import Enrolled, enroll_owner
from wallet_client.operations.owner_recovery import OwnerRecovered, recover_owner
from wallet_client.operations.unlocking import unlock_owner
from wallet_client.owners import stretch
from wallet_client.owners.factors import Factors, by_pin
from wallet_client.owners.names import OwnerName, Pin
from wallet_client.pipeline.binding import Binding
from wallet_client.receipts.receipt import Receipt, ReceiptId
from wallet_client.receipts.shelf import get_receipt
from wallet_client.values.value import Value, ValueId
from wallet_client.wallet import Wallet, pinned_versions

ANNA = OwnerName("Anna")
PIN = Pin("4711 mole")
OTHER_PIN = Pin("forty-seven moles")
GUESSES = 10
VALUES = [
    FULL_VALUE,
    small_value("empty"),
    small_value(
        "late",
        valid_until=date(2031, 12, 31),
        quantity=Decimal(2),
        remarks="as written",
        payload=bytes(range(256)) * 9,
    ),
]
"""Every field set; nothing but a name; some of both."""


@pytest.fixture
def quick_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place of Argon2id something that is as deterministic and takes no time."""
    stretch_quickly(monkeypatch)


def stretch_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for as long as a fixture of another scope lives."""

    def quick(content: bytes, salted_by: bytes, length: int) -> bytes:
        return hashlib.shake_256(salted_by + content).digest(length)

    monkeypatch.setattr(owner_id, "stretch", quick)


async def enrolled(wallet: Wallet) -> Enrolled:
    """Anna, with her PIN."""
    return await enroll_owner(wallet, ANNA, PIN, GUESSES, {})


async def come_back(wallet: Wallet, pin: Pin = PIN) -> OwnerRecovered:
    """As Anna, in a wallet that acts for nobody."""
    return await recover_owner(wallet, ANNA, by_pin(pin))


@asynccontextmanager
async def first_wallet(folder: Path, safes: MemorySafes, again: str = "") -> AsyncIterator[Wallet]:
    """Anna's, enrolled; the same again when it is opened again.

    Args:
        again: Other randomness than the first time: a record's id, and a guess's, must be new.
    """
    async with opened(folder / "first", safes, seed=f"first{again}") as wallet:
        if wallet.store.settings.get().owner is None:
            await enrolled(wallet)
        yield wallet


@asynccontextmanager
async def another_wallet(folder: Path, safes: MemorySafes, name: str = "second") -> AsyncIterator[Wallet]:
    """A fresh one, which acts for nobody until it is recovered into."""
    async with opened(folder / name, safes, seed=name) as wallet:
        yield wallet


def lose(folder: Path, name: str = "first") -> None:
    """The device is gone, with everything in it."""
    shutil.rmtree(folder / name)


def keep(wallet: Wallet, values: Iterable[Value] = VALUES) -> list[ValueId]:
    """Add values, not backed up."""
    with wallet.store.transaction():
        return [wallet.store.values.add(value) for value in values]


async def away(wallet: Wallet, policy: str, values: Iterable[Value] = VALUES) -> list[ReceiptId]:
    """Values that are at the safes, and not in the wallet any more."""
    report = await back_up(wallet, keep(wallet, values), policy)
    await drop_backed_up(wallet, [entry.value_id for entry in report.entries], accept_fewer=False)
    return list(dict.fromkeys(entry.receipt_id for entry in report.entries))


def contents(wallet: Wallet) -> list[Value]:
    """All values with all their fields and bytes, by name."""
    values = (wallet.store.values.get(one.id) for one in wallet.store.values.summaries())
    return sorted(values, key=lambda value: value.name)


def named(values: Sequence[Value] = VALUES) -> list[Value]:
    """As `contents` gives them."""
    return sorted(values, key=lambda value: value.name)


def receipts(wallet: Wallet) -> list[Receipt]:
    """All of them."""
    return [get_receipt(wallet.store, ReceiptId(entry.id)) for entry in wallet.store.receipts.entries()]


async def secrets_of(wallet: Wallet, pin: Pin = PIN) -> OwnerSecrets:
    """What Anna's record opens to now."""
    owner = stretch.owner_id(ANNA, wallet.roster.fingerprint)
    stretched = stretch.stretch_pin(pin, owner)
    unlocked = await unlock_owner(
        wallet.links, pinned_versions(wallet.store), owner, Factors(pin=stretched), wallet.rng
    )
    return unlocked.secrets


def bind(wallet: Wallet, binding: Binding) -> None:
    """Have a wallet bind what it registers otherwise than to the owner's root."""
    assert wallet.keys.ownership is not None
    ownership = Ownership(binding.id, wallet.keys.ownership.signed)
    wallet.keys = replace(wallet.keys, bindings={binding.id: binding}, ownership=ownership)
