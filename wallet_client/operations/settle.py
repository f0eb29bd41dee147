"""Whoever changes the wallet first ends what a crash left begun.

A journal entry that no running operation of this process owns was left by a crash (the lock keeps
other processes out). Its plan makes the same pieces again, so it is simply registered again: safes that
have them answer with the same certificates. What cannot be finished is withdrawn.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from wallet_client.errors import UnknownValue
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.journal import BackupBegun
from wallet_client.operations.progress import silent
from wallet_client.operations.register import register, withdraw
from wallet_client.wallet import Wallet


@dataclass(frozen=True, slots=True)
class Settled:
    """How many interrupted batches were finished and how many withdrawn."""

    finished: int = 0
    withdrawn: int = 0


@asynccontextmanager
async def changing(wallet: Wallet) -> AsyncIterator[Settled]:
    """Hold the wallet's lock around a change, after ending what was left begun.

    Raises:
        WalletBusy: Another process is changing the wallet.
    """
    await asyncio.to_thread(wallet.lock.acquire)
    try:
        yield await _settle(wallet)
    finally:
        wallet.lock.release()


async def _settle(wallet: Wallet) -> Settled:
    finished = withdrawn = 0
    for operation in await asyncio.to_thread(wallet.store.journal.entries):
        if operation.id in wallet.under_way:
            continue
        wallet.under_way.add(operation.id)
        if await _end(wallet, operation.id):
            finished += 1
        else:
            withdrawn += 1
    return Settled(finished, withdrawn)


async def _end(wallet: Wallet, operation_id: str) -> bool:
    """Finish one batch, or withdraw it; whether it was finished."""
    body = await asyncio.to_thread(wallet.store.journal.body, operation_id)
    begun = BackupBegun.from_bytes(body)
    try:
        await register(wallet, operation_id, begun, silent)
    except TooFewSafes:
        return False
    except UnknownValue:
        await withdraw(wallet, operation_id, begun)
        return False
    return True
