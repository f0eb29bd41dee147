"""Whoever changes the wallet first ends what a crash left begun.

A journal entry that no running operation owns was left by a crash or a cancellation (the lock keeps
other processes out). Its plan makes the same pieces again, so it is simply registered again: safes that
have them answer with the same certificates. What cannot be finished is withdrawn.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.journal import BackupBegun
from wallet_client.operations.progress import silent
from wallet_client.operations.register import register, withdraw
from wallet_client.operations.superseded import SUPERSEDED
from wallet_client.pipeline.errors import BindingUnknown, PlanOutdated
from wallet_client.storage.errors import (
    KeyAway,
    UnknownKey,
    UnknownOperation,
    WalletBusy,
    WalletDamaged,
    WalletFull,
)
from wallet_client.values.errors import UnknownValue
from wallet_client.wallet import Wallet

_LOCK_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Settled:
    """How many interrupted batches were finished and how many withdrawn."""

    finished: int = 0
    withdrawn: int = 0


@asynccontextmanager
async def changing(wallet: Wallet) -> AsyncIterator[Settled]:
    """Hold the wallet's lock around a change, after ending what was left begun.

    Tasks of one process hold it together. The first of them finds what other processes left; a later one
    finds only what tasks beside it gave up.

    Raises:
        WalletBusy: Another process is changing the wallet.
    """
    async with wallet.settling:
        if wallet.changers == 0:
            await _acquire(wallet)
        wallet.changers += 1
    try:
        yield await _settle(wallet)
    finally:
        wallet.changers -= 1
        wallet.changed.set()
        if wallet.changers == 0:
            wallet.lock.release()


async def _acquire(wallet: Wallet) -> None:
    """Take the lock and look at what is begun; waits here and not in a thread, which nobody could stop."""
    deadline = asyncio.get_running_loop().time() + wallet.lock_wait_seconds
    while not _try_lock(wallet):
        if asyncio.get_running_loop().time() >= deadline:
            raise WalletBusy(wallet.lock_wait_seconds)
        await asyncio.sleep(_LOCK_POLL_SECONDS)
    try:
        entries = await asyncio.to_thread(wallet.store.journal.entries)
    except BaseException:
        wallet.lock.release()
        raise
    wallet.abandoned = {entry.id for entry in entries if entry.kind != SUPERSEDED}


def _try_lock(wallet: Wallet) -> bool:
    try:
        wallet.lock.acquire()
    except WalletBusy:
        return False
    return True


async def _settle(wallet: Wallet) -> Settled:
    finished = withdrawn = 0
    async with wallet.settling:
        while wallet.abandoned:
            try:
                ended = await _end(wallet, wallet.abandoned.pop())
            except UnknownOperation:
                continue  # it had ended after all, or was given up before it was written down
            finished, withdrawn = finished + ended, withdrawn + (not ended)
    return Settled(finished, withdrawn)


async def _end(wallet: Wallet, operation_id: str) -> bool:
    """Finish one batch, or withdraw it; whether it was finished."""
    begun = BackupBegun.from_bytes(await asyncio.to_thread(wallet.store.journal.body, operation_id))
    try:
        await register(wallet, operation_id, begun, silent)
    except TooFewSafes:
        return False
    except (UnknownValue, UnknownKey, KeyAway, WalletDamaged, PlanOutdated, BindingUnknown, WalletFull):
        await withdraw(wallet, operation_id, begun)
        return False
    return True
